"""Lanes are hidden, pinned, folded, moved and filtered; their titles are as wide as they need."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest

from app.state.selection import SpanRef
from app.viewmodels.composition import composition_of
from app.viewmodels.exact import mean_shares
from app.viewmodels.keys import key_of_op
from app.viewmodels.search import make_query
from app.widgets.painting import small_font
from tests.app.conftest import wait_for_run
from tests.app.test_h2m2 import SMALL as H2M2
from tests.app.test_markers import canvas_of, move_events, see

NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


def titles(canvas):
    return [row.title for row in canvas.rows]


def title_at(canvas, row):
    return QPoint(20, round(canvas.row_top(row) + canvas.row_height() / 2))


def choose(canvas, row, text):
    """Take an entry of the menu of a title."""
    menu = canvas.titles.menu(QPointF(title_at(canvas, row)))
    action = next(item for item in menu.actions() if item.text().startswith(text))
    action.trigger()


def test_the_menu_of_a_title_hides_pins_folds_and_moves(window, qtbot):
    canvas, lanes = canvas_of(window, qtbot), window.state.lanes
    before = titles(canvas)
    hint = window.docks["timeline"].view.hint
    assert not hint.isVisible()
    choose(canvas, 1, "Hide")
    assert titles(canvas) == [before[0], *before[2:]]
    assert hint.isVisible()
    assert hint.text.text() == f"1 of {len(before)} lane is hidden"
    assert window.commands.get("edit.undo").shown_title() == "Undo hide a lane"
    qtbot.mouseClick(hint.button, LEFT)
    assert titles(canvas) == before
    last = len(before) - 1
    choose(canvas, last, "Pin")
    assert titles(canvas)[0] == before[-1]
    assert canvas.pinned_rows() == 1
    window.commands.run("edit.undo")
    assert titles(canvas) == before
    choose(canvas, 0, "Move down")
    assert titles(canvas)[:2] == [before[1], before[0]]
    at = titles(canvas).index("DIMM 0")
    choose(canvas, at, "Fold")
    assert "DIMM (4)" in titles(canvas)
    assert len(titles(canvas)) == len(before) - 3
    assert not canvas.grab().isNull()
    window.state.window.show_step(3)
    assert not canvas.grab().isNull()
    QTest.mouseDClick(canvas, LEFT, NONE, title_at(canvas, at))
    assert "DIMM (4)" not in titles(canvas)
    lanes.reset()
    assert titles(canvas) == before


def test_keys_act_on_the_lane_of_the_selected_span(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    run = state.runs.current
    before = titles(canvas)
    spans = run.spans(3)
    lane = 2
    span = int(np.flatnonzero(spans.lane == lane)[0])
    state.selection.select_span(SpanRef(3, span, lane))
    qtbot.keyClick(canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert titles(canvas)[1] == before[2]
    qtbot.keyClick(canvas, Qt.Key.Key_P)
    assert titles(canvas)[0] == before[2]
    qtbot.keyClick(canvas, Qt.Key.Key_H)
    assert before[2] not in titles(canvas)
    qtbot.keyClick(canvas, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
    assert before[2] in titles(canvas)


def test_a_title_is_dragged_to_another_place(window, qtbot):
    canvas = canvas_of(window, qtbot)
    before = titles(canvas)
    move_events(canvas, title_at(canvas, 0), title_at(canvas, 2) + QPoint(0, 5), NONE)
    assert titles(canvas) == [before[1], before[2], before[0], *before[3:]]
    window.commands.run("edit.undo")
    assert titles(canvas) == before


def test_spans_are_found_where_their_lane_is_drawn(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    run = state.runs.current
    choose(canvas, 0, "Hide")
    see(canvas, qtbot, 3)
    spans = run.spans(3)
    lane = 3
    span = int(np.argmax(np.where(spans.lane == lane, spans.duration_ps, 0)))
    middle = run.start_ps(3) + (int(spans.start_ps[span]) + int(spans.end_ps[span])) / 2
    row = next(at for at, item in enumerate(canvas.rows) if item.lanes == (lane,))
    place = QPointF(canvas.x_of(middle), canvas.row_top(row) + canvas.row_height() / 2)
    found = canvas.span_under(place)
    assert (found.span, found.lane) == (span, lane)
    assert run.lanes[lane].title in canvas.hover_text(place)


def test_pinned_lanes_stay_while_the_others_scroll(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    canvas.row_min = canvas.row_max = 60.0
    canvas.resize(canvas.width(), canvas.height())
    canvas._on_lanes_changed()
    last = len(canvas.rows) - 1
    state.lanes.toggle_pin(state.runs.current.lanes[canvas.rows[last].lanes[0]].id)
    canvas.scroll_to(90)
    assert canvas.scroll_px == 90
    assert canvas.row_top(0) == canvas.ruler
    assert canvas.row_top(1) == canvas.ruler + 60 - 90
    assert canvas.row_at(canvas.ruler + 5) == 0
    assert canvas.row_at(canvas.ruler + 65) == 2
    assert not canvas.grab().isNull()


def test_a_filter_leaves_only_lanes_that_match(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    state.lanes.set_filter(make_query("dimm [12]", regex=True))
    assert titles(canvas) == ["DIMM 1", "DIMM 2"]
    assert "filter" in window.docks["timeline"].view.hint.text.text()
    window.commands.run("lanes.show_all")
    assert len(titles(canvas)) == len(state.runs.current.lanes)


def test_folded_lanes_show_their_mean(window):
    run = window.state.runs.current
    composition = composition_of(run)
    spans, keys = run.spans(3), key_of_op(run)
    dimms = [at for at, lane in enumerate(run.lanes) if lane.group == "DIMM"]
    length = float(run.value("duration_ps", 3))
    found = mean_shares(spans, keys, dimms, len(run.lanes), np.array([0.0, length]))
    expected = composition.step_totals(3)[dimms].mean(axis=0) / length
    assert found[0] == pytest.approx(expected, rel=1e-9)
    halves = mean_shares(spans, keys, dimms, len(run.lanes), np.linspace(0, length, 3))
    assert halves.mean(axis=0) == pytest.approx(expected, rel=1e-9)


def test_titles_are_not_cut_and_the_border_can_be_dragged(empty_window, tmp_path, qtbot):
    path = tmp_path / "h2m2.yaml"
    path.write_text(H2M2.format(system="h2m2", kind="fixed"), encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    canvas, run = canvas_of(empty_window, qtbot), empty_window.state.runs.current
    width_of = QFontMetricsF(small_font(canvas.font(), -0.5)).horizontalAdvance
    for lane in run.lanes:  # with its share of the time, and with its peak beside it
        beside = max(width_of("100 %"), width_of(f"{lane.peak_GBps:.0f} GB/s"))
        assert 8 + width_of(lane.title) + beside + 8 <= canvas.gutter, lane
    assert all(lane.title[0].isupper() for lane in run.lanes)
    width = canvas.gutter
    border = QPoint(width, canvas.ruler + 20)
    move_events(canvas, border, border + QPoint(40, 0), NONE)
    assert canvas.gutter == width + 40
    assert empty_window.docks["bandwidth"].view.canvas.gutter == width + 40
    assert empty_window.docks["timeline"].view.minimap.area().left() == width + 40
    QTest.mouseDClick(canvas, LEFT, NONE, QPoint(width + 40, canvas.ruler + 20))
    assert canvas.gutter == width


def test_lanes_that_only_a_has_are_drawn(window, qtbot):
    window.commands.run("compare.freeze")
    window.state.session.set_value("hardware.ndp_dimms.count", 2)
    wait_for_run(qtbot, window)
    canvas = canvas_of(window, qtbot)
    missing = [row for row in canvas.rows if not row.lanes]
    assert {"DIMM 2", "DIMM 3"} <= {row.title for row in missing}
    row = canvas.rows.index(missing[0])
    place = QPointF(canvas.gutter + 200, canvas.row_top(row) + canvas.row_height() / 2)
    assert "only run A" in canvas.hover_text(place)
    see(canvas, qtbot, 3)
    qtbot.waitUntil(lambda: not canvas.grab().isNull() and canvas.overlay.frames > 0)
    bandwidth = canvas_of(window, qtbot, "bandwidth")
    bandwidth.grab()
    row = next(at for at, item in enumerate(bandwidth.rows) if item.title == "DIMM 3")
    assert not bandwidth.rows[row].lanes
    assert np.nanmax(bandwidth._rates_a[row]) > 0
