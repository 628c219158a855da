"""Searching: text and regular expressions, counts, next and previous, marks, items, the filter."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.viewmodels.search import BadPattern, Matcher, make_query, run_hits
from simcore.engine.simulator import simulate
from tests.app.test_markers import canvas_of, see

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def bar(window, qtbot):
    canvas = canvas_of(window, qtbot)
    canvas.setFocus()
    found = window.docks["timeline"].view.search_bar
    assert not found.isVisible()
    qtbot.keyClick(canvas, Qt.Key.Key_Slash)
    qtbot.waitUntil(found.isVisible)
    assert QApplication.focusWidget() is found.field
    return found


def type_(qtbot, bar, text):
    bar.field.clear()
    qtbot.keyClicks(bar.field, text)
    qtbot.waitUntil(lambda: bar.model.query is None or bar.model.hits is not None)


def named(run, spans, span):
    return run.ops[int(spans.op[span])].id


def test_plain_text_is_words_and_numbered_words_are_whole():
    query = make_query("MLP layer 1", regex=False)
    assert query.matches("mlp hot on GPU layer 1")
    assert not query.matches("mlp hot on GPU layer 12")
    assert not query.matches("attention on GPU layer 1")
    assert make_query("a.c", regex=False).matches("xa.cx")
    assert not make_query("a.c", regex=False).matches("abc")
    assert make_query("a.c", regex=True).matches("abc")
    assert make_query("  ", regex=False) is None
    with pytest.raises(BadPattern, match="unterminated"):
        make_query("(mlp", regex=True)


def test_counts_are_those_of_the_spans_and_enter_goes_through_them(window, bar, qtbot):
    state = window.state
    run = state.runs.current
    state.cursor.seek(3)
    type_(qtbot, bar, "mlp_cold")
    spans = run.spans(3)
    op = [item.id for item in run.ops].index("mlp_cold")
    expected = np.flatnonzero((spans.op == op) & (spans.end_ps > spans.start_ps))
    with_hits = (run.column("lane_op_ps")[:, :, op].sum(axis=1) > 0).sum()
    assert bar.status.text() == f"{len(expected)} in token 3 · {with_hits} of {len(run)} steps"
    order = expected[np.lexsort((spans.lane[expected], spans.start_ps[expected]))].tolist()
    for wanted in order[:3]:
        qtbot.keyClick(bar.field, Qt.Key.Key_Return)
        assert (state.selection.span.step, state.selection.span.span) == (3, wanted)
    qtbot.keyClick(bar.field, Qt.Key.Key_Return, SHIFT)
    assert state.selection.span.span == order[1]
    qtbot.mouseClick(bar.on, LEFT)
    assert state.selection.span.span == order[2]
    for _ in order[3:]:
        window.commands.run("search.next")
    window.commands.run("search.next")
    assert state.selection.span.step == 4
    assert named(run, run.spans(4), state.selection.span.span) == "mlp_cold"
    window.commands.run("search.previous")
    assert (state.selection.span.step, state.selection.span.span) == (3, order[-1])


def test_it_goes_on_at_the_start_and_says_so(window, bar, qtbot):
    state = window.state
    type_(qtbot, bar, "prefill layer 5")
    assert "1 of 13 steps" in bar.status.text()
    state.cursor.seek(7)
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert state.selection.span.step == 0
    assert "from the start" in bar.status.text()


def test_a_bad_pattern_says_so_at_the_field(window, bar, qtbot):
    qtbot.mouseClick(bar.regex, LEFT)
    qtbot.keyClicks(bar.field, "mlp(")
    assert "not a regular expression" in bar.status.text()
    assert "character 4" in bar.status.text()
    assert window.context.theme.error in bar.field.styleSheet()
    type_(qtbot, bar, "mlp_(hot|cold)")
    assert bar.field.styleSheet() == ""
    assert "13 of 13 steps" in bar.status.text() or "12 of 13 steps" in bar.status.text()
    type_(qtbot, bar, "no such thing")
    assert bar.status.text() == "nothing found"


def test_hits_are_marked_in_the_timeline_and_the_overview(window, bar, qtbot):
    canvas = canvas_of(window, qtbot)
    strip = window.docks["timeline"].view.minimap
    see(canvas, qtbot, 3)
    assert canvas.marked == 0
    before = strip.grab().toImage()
    type_(qtbot, bar, "prefill")
    assert strip.grab().toImage() != before
    type_(qtbot, bar, "attention layer 2")
    canvas.grab()
    run = window.state.runs.current
    spans = run.spans(3)
    mask = window.state.search.mask(3, spans)
    op = np.array([item.title + item.id for item in run.ops])[spans.op]
    expected = (spans.layer == 2) & np.char.find(op, "attention") >= 0
    assert (mask <= expected).all()
    assert mask.any()
    assert canvas.marked >= int(mask.sum())
    window.state.window.all()
    canvas.grab()
    assert canvas.marked > 0
    qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    canvas.grab()
    assert canvas.marked == 0


def test_layer_and_neuron_go_to_the_map(window, bar, qtbot):
    type_(qtbot, bar, "layer 2 neuron 400")
    assert "layer 2, MLP neurons 400" in bar.status.text()
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    grid = window.state.runs.current.placement(0, 1 << 16)
    section = next(item for item in grid.sections if "MLP" in item.title)
    item = window.state.selection.item
    assert (item.row, item.column) == (2, section.start + 400)
    view = window.docks["placement"].view.canvas.view
    assert view.left <= item.column < view.right
    assert view.columns_shown < grid.columns / 2
    type_(qtbot, bar, "layer 99 neuron 400")
    assert bar.status.text() == "layer 99 does not exist; there are 0 to 5"
    type_(qtbot, bar, "layer 1 neuron 5000")
    assert "neuron 5000 does not exist; there are 0 to 639" in bar.status.text()


def test_only_lanes_that_match_can_be_shown(window, bar, qtbot):
    canvas = window.docks["timeline"].view.canvas
    type_(qtbot, bar, "dimm 2")
    qtbot.mouseClick(bar.lanes, LEFT)
    assert [row.title for row in canvas.rows] == ["DIMM 2"]
    window.commands.run("lanes.show_all")
    assert not bar.lanes.isChecked()
    assert len(canvas.rows) == len(window.state.runs.current.lanes)


def test_memories_are_found_and_shown(window, bar, qtbot):
    type_(qtbot, bar, window.state.runs.current.plan.memory_kinds[0])
    assert "memory:" in bar.status.text()


def test_ctrl_f_opens_it_too(window, qtbot):
    canvas = canvas_of(window, qtbot)
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.docks["timeline"].view.search_bar.isVisible()


def test_requests_are_found_by_number():
    import simcore.systems  # noqa: F401
    from app.viewmodels.search import requests_found
    from simcore import load_scenario

    run = simulate(load_scenario("l3-mooncake"))
    times = requests_found(run, make_query("request 7", regex=False))
    intervals = run.system.request_intervals(run.plan, run)
    assert times.tolist() == sorted(intervals.start_ps[intervals.request == 7].tolist())
    assert len(times)
    assert not len(requests_found(run, make_query("mlp", regex=False)))


def test_hits_of_a_long_run_come_from_its_cells(window):
    run = window.state.runs.current
    matcher = Matcher(run, make_query("mlp_cold", regex=False))
    hits = run_hits(run, matcher, len(run))
    for step in range(len(run)):
        assert hits.has(step) == bool(matcher.mask(run.spans(step)).any())
    assert run_hits(run, matcher, len(run), lambda: True) is None
