"""Two markers on the time axis: set, snapped, dragged, cleared, undone; statistics between them."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.viewmodels.composition import composition_of
from app.viewmodels.keys import OP_KEYS
from app.viewmodels.range_stats import measure
from app.viewmodels.snap import snap
from app.widgets.key_sheet import key_rows
from tests.app.conftest import wait_for_run

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def canvas_of(window, qtbot, id="timeline"):
    window.show_view(id)
    canvas = window.docks[id].view.canvas
    qtbot.waitUntil(lambda: canvas.width() > 300)
    canvas.repaint()
    return canvas


def see(canvas, qtbot, step):
    """Show a step and wait until its spans are drawn one by one."""
    canvas.state.window.show_step(step)

    def drawn():
        canvas.grab()
        return step in canvas.exact_spans()

    qtbot.waitUntil(drawn)


def at(canvas, time_ps, y=None):
    return QPoint(round(canvas.x_of(float(time_ps))), canvas.height() // 2 if y is None else y)


def move_events(canvas, start, end, modifiers):
    """A drag with events that carry the button; those of QTest.mouseMove do not."""

    def send(kind, place, button, buttons):
        local = QPointF(place)
        event = QMouseEvent(
            kind, local, QPointF(canvas.mapToGlobal(place)), button, buttons, modifiers
        )
        QApplication.sendEvent(canvas, event)

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for share in (0.3, 0.7, 1.0):
        send(QEvent.Type.MouseMove, start + (end - start) * share, Qt.MouseButton.NoButton, LEFT)
    send(QEvent.Type.MouseButtonRelease, end, LEFT, Qt.MouseButton.NoButton)


# Setting and moving.


def test_keys_set_visit_and_clear_markers_and_undo_takes_them_back(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    state.cursor.seek(3)
    qtbot.keyClick(canvas, Qt.Key.Key_M)
    first = state.cursor.absolute_ps
    state.cursor.seek(5, 1000)
    qtbot.keyClick(canvas, Qt.Key.Key_M, SHIFT)
    assert state.markers.range_ps() == (first, state.cursor.absolute_ps)
    state.cursor.home()
    qtbot.keyClick(canvas, Qt.Key.Key_2)
    assert state.cursor.step == 5
    assert state.cursor.time_ps == 1000
    qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    assert state.markers.places == (None, None)
    window.commands.run("edit.undo")
    assert len(state.markers.times()) == 2
    assert window.commands.get("edit.undo").shown_title() == "Undo set marker 2"
    window.commands.run("edit.undo")
    assert state.markers.range_ps() is None
    assert state.markers.time_ps(0) == first
    window.commands.run("edit.redo")
    assert state.markers.range_ps() is not None


def test_ctrl_click_sets_markers_that_snap_to_the_edge_of_a_span(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    see(canvas, qtbot, 3)
    run = state.runs.current
    spans, start = run.spans(3), run.start_ps(3)
    middle = int(run.value("duration_ps", 3)) // 2
    inside = (spans.lane == 0) & (np.abs(spans.end_ps - middle) < 0.3 * middle)
    span = int(np.argmax(np.where(inside, spans.duration_ps, 0)))
    edge = start + int(spans.end_ps[span])
    y = round(canvas.row_top(0) + canvas.row_height() / 2)
    place = at(canvas, edge, y) + QPoint(2, 0)
    pointer = canvas.time_at(place.x())
    edges = start + spans.end_ps[spans.lane == 0]
    edge = int(edges[np.abs(edges - pointer).argmin()])
    assert round(pointer) != edge
    QTest.mouseClick(canvas, LEFT, CTRL, place)
    assert state.markers.time_ps(0) == edge
    assert state.selection.span is None, "a marker is not a selection"
    far = at(canvas, edge, y) + QPoint(120, 0)
    QTest.mouseClick(canvas, LEFT, CTRL | Qt.KeyboardModifier.AltModifier, far)
    assert state.markers.time_ps(1) == round(canvas.time_at(far.x()))
    # A third one moves the nearer.
    QTest.mouseClick(canvas, LEFT, CTRL | Qt.KeyboardModifier.AltModifier, far + QPoint(30, 0))
    assert state.markers.time_ps(0) == edge
    assert state.markers.time_ps(1) == round(canvas.time_at(far.x() + 30))


@pytest.mark.parametrize("id", ["timeline", "bandwidth"])
def test_a_range_is_drawn_by_shift_drag_and_a_marker_moved_by_dragging(window, qtbot, id):
    canvas, state = canvas_of(window, qtbot, id), window.state
    state.window.all()
    edges = composition_of(state.runs.current).edges
    seen = (state.window.start_ps, state.window.end_ps)
    move_events(canvas, at(canvas, edges[4]), at(canvas, edges[9]), SHIFT)
    assert state.markers.range_ps() == (int(edges[4]), int(edges[9]))
    assert state.markers.steps() == (4, 9)
    none = Qt.KeyboardModifier.NoModifier
    move_events(canvas, at(canvas, edges[9]), at(canvas, edges[11]), none)
    assert state.markers.range_ps() == (int(edges[4]), int(edges[11]))
    assert (state.window.start_ps, state.window.end_ps) == seen, "nothing was panned"
    window.commands.run("edit.undo")
    assert state.markers.range_ps() == (int(edges[4]), int(edges[9])), "one drag is one edit"
    window.commands.run("edit.undo")
    assert state.markers.range_ps() is None


def test_markers_are_painted_in_every_time_view(window, qtbot):
    state = window.state
    for id in ("timeline", "bandwidth", "figures"):
        window.show_view(id)
        view = window.docks[id].view
        canvas = view.canvas
        qtbot.waitUntil(lambda c=canvas: c.width() > 200)
        state.markers.restore((None, None))
        before = canvas.grab().toImage()
        time = state.runs.current.start_ps(6)
        state.markers.set(0, time)
        after = canvas.grab().toImage()
        ratio = canvas.devicePixelRatioF()
        x = round(canvas.x_of(float(time)) * ratio)
        changed = [
            (x + d, y)
            for d in (-1, 0, 1)
            for y in range(after.height())
            if after.pixel(x + d, y) != before.pixel(x + d, y)
        ]
        assert len(changed) > after.height() / 4, id
    ruler = window.transport.findChild(type(window.transport.ruler))
    state.markers.restore((None, None))
    before = ruler.grab().toImage()
    state.markers.set(0, state.runs.current.start_ps(6))
    assert ruler.grab().toImage() != before


def test_markers_stay_with_their_step_when_the_scenario_is_edited(window, qtbot):
    state = window.state
    run = state.runs.current
    state.markers.set(0, run.start_ps(4) + int(run.value("duration_ps", 4)) // 2)
    state.session.set_value("hardware.ndp_dimms.count", 2)
    wait_for_run(qtbot, window)
    run = state.runs.current
    share = (state.markers.time_ps(0) - run.start_ps(4)) / int(run.value("duration_ps", 4))
    assert share == pytest.approx(0.5, abs=1e-6)


def test_many_markers_do_not_push_other_actions_out_of_the_history(window, qtbot):
    window.commands.run("compare.freeze")
    for step in range(1, 13):
        window.state.markers.set(0, window.state.runs.current.start_ps(step % 12) + step)
    for _ in range(12):
        window.commands.run("edit.undo")
    assert window.state.comparison.frozen is not None
    window.commands.run("edit.undo")
    assert window.state.comparison.frozen is None


def test_keys_are_in_the_sheet(window):
    keys = {keys for _, keys, _ in key_rows(window.commands)}
    assert {"M", "Shift+M", "1", "2", "Del", "R", "Z"} <= keys


def test_escape_puts_a_dragged_marker_back(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    state.window.all()
    time = state.runs.current.start_ps(5)
    state.markers.set(0, time)
    QTest.mousePress(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, time))
    QTest.mouseMove(canvas, at(canvas, time) + QPoint(60, 0))
    qtbot.waitUntil(lambda: state.markers.time_ps(0) != time)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert state.markers.time_ps(0) == time
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, time))
    assert state.markers.time_ps(0) == time


def test_snapping_takes_the_nearest_edge_within_reach():
    edges = np.array([0.0, 100.0, 200.0])
    assert snap(103, 5, edges, {}) == 100
    assert snap(107, 5, edges, {}) == 107
    assert snap(107, 5, edges, {}, others=(109.0,)) == 109
    assert snap(-50, 5, edges, {}) == 0
    assert snap(900, 5, edges, {}) == 200


# Statistics.


def test_statistics_of_whole_steps_are_the_record_s_totals(window):
    run = window.state.runs.current
    composition = composition_of(run)
    start, end = run.start_ps(2), run.start_ps(7)
    stats = measure(run, start, end)
    assert (stats.first, stats.stop, stats.steps) == (2, 7, 5)
    assert stats.tokens == int(run.column("tokens", 2, 7).sum())
    share = composition.busy_share(2, 7)
    amount = run.column("lane_op_bytes", 2, 7).sum(axis=(0, 2))
    each = np.array([composition.busy_share(step, step + 1) for step in range(2, 7)])
    for index, lane in enumerate(stats.lanes):
        assert lane.busy == pytest.approx(share[index], rel=1e-12)
        assert lane.amount_bytes == amount[index]
        assert lane.GBps == pytest.approx(amount[index] / 1e9 / ((end - start) / 1e12))
        assert lane.least == pytest.approx(each[:, index].min())
        assert lane.most == pytest.approx(each[:, index].max())


def test_parts_of_steps_add_up_to_the_whole_and_follow_the_spans(window):
    run = window.state.runs.current
    begin, end = run.start_ps(3), run.start_ps(4)
    cut = begin + (end - begin) // 3
    parts = [measure(run, begin, cut), measure(run, cut, end)]
    whole = measure(run, begin, end)
    for index, lane in enumerate(whole.lanes):
        busy = sum(part.lanes[index].busy * part.duration_ps for part in parts)
        assert busy == pytest.approx(lane.busy * (end - begin), rel=1e-12)
        assert sum(part.lanes[index].amount_bytes for part in parts) == pytest.approx(
            lane.amount_bytes
        )
    # One span alone: its lane is busy all the time and moves just its bytes.
    spans = run.spans(3)
    work = ~np.array([op.is_wait for op in run.ops])[spans.op]
    span = int(np.flatnonzero(work & (spans.amount_bytes > 0))[0])
    alone = measure(run, begin + int(spans.start_ps[span]), begin + int(spans.end_ps[span]))
    lane = alone.lanes[int(spans.lane[span])]
    assert lane.busy == 1.0
    assert lane.amount_bytes == pytest.approx(int(spans.amount_bytes[span]))
    assert alone.tokens == 0
    assert parts[0].steps == pytest.approx(1 / 3, abs=1e-6)


def test_a_long_range_can_be_given_up(window):
    run = window.state.runs.current
    assert measure(run, 0, run.end_ps, cancelled=lambda: True) is None


def test_the_range_view_shows_copies_and_saves(window, qtbot, tmp_path):
    view, state = window.docks["range"].view, window.state
    canvas = canvas_of(window, qtbot)
    assert "Shift" in view.headline.text()
    edges = composition_of(state.runs.current).edges
    state.window.all()
    move_events(canvas, at(canvas, edges[2]), at(canvas, edges[6]), SHIFT)
    qtbot.keyClick(canvas, Qt.Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: view.stats is not None)
    assert view.stats.first == 2
    assert view.stats.stop == 6
    assert view.table.rowCount() == len(state.runs.current.lanes)
    assert "4 tokens finished" in view.headline.text()
    qtbot.mouseClick(view.copy_button, LEFT)
    text = QApplication.clipboard().text().splitlines()
    assert text[0] == view.stats.headline()
    assert len(text) == 2 + view.table.rowCount()
    view.write(tmp_path / "range.csv")
    with open(tmp_path / "range.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert float(rows[0]["busy_share"]) == view.stats.lanes[0].busy
    view.write(tmp_path / "none" / "range.csv")
    assert "cannot write" in state.messages.strip.text
    state.markers.clear()
    assert view.stats is None
    assert not view.table.isVisible()


def test_loop_zoom_and_export_of_the_range(window, qtbot, monkeypatch):
    _canvas, state = canvas_of(window, qtbot), window.state
    state.markers.set_range(state.runs.current.start_ps(3), state.runs.current.start_ps(8))
    bar = window.docks["timeline"].view.range_bar
    assert bar.isVisible()
    assert "Δ" in bar.text.text()
    assert "5 tokens" in bar.text.text().replace("5.00", "5")
    qtbot.mouseClick(bar.buttons["range.loop"], LEFT)
    assert state.playback.loop == (3, 8)
    qtbot.mouseClick(bar.buttons["range.zoom"], LEFT)
    first, last = state.markers.range_ps()
    assert state.window.start_ps <= first
    assert state.window.end_ps >= last
    assert state.window.span_ps < 1.2 * (last - first)
    asked = []
    monkeypatch.setattr(window.exports, "ask", lambda *args: asked.append(args))
    qtbot.mouseClick(bar.buttons["range.export"], LEFT)
    assert asked == [("Chart", "timeline", (3, 8))]
    qtbot.mouseClick(bar.buttons["range.clear"], LEFT)
    assert not bar.isVisible()


def test_r_marks_the_selected_span(window, qtbot):
    canvas, state = canvas_of(window, qtbot), window.state
    see(canvas, qtbot, 3)
    run = state.runs.current
    spans = run.spans(3)
    work = ~np.array([op.is_wait for op in run.ops])[spans.op]
    span = int(np.argmax(np.where(work & (spans.lane == 0), spans.duration_ps, 0)))
    middle = run.start_ps(3) + int(spans.start_ps[span] + spans.end_ps[span]) // 2
    y = round(canvas.row_top(0) + canvas.row_height() / 2)
    QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, at(canvas, middle, y))
    qtbot.keyClick(canvas, Qt.Key.Key_R)
    stats = measure(run, *state.markers.range_ps())
    assert stats.duration_ps == int(spans.duration_ps[span])
    assert stats.lanes[0].busy == 1.0
    busy = composition_of(run).between(np.array(state.markers.range_ps(), float))
    assert busy[0, 0, :OP_KEYS].sum() > 0


def test_a_session_remembers_markers_and_lanes(window):
    state = window.state
    run = state.runs.current
    state.markers.set_range(run.start_ps(3) + 7, run.start_ps(8))
    state.lanes.hide(["pcie_up"])
    state.lanes.toggle_pin("host")
    state.lanes.toggle_fold("DIMM")
    kept = state.memory.collect()
    before = (state.markers.places, state.lanes.arrangement)
    assert state.memory.restore({}, with_run=False) == []
    assert state.markers.places == (None, None)
    assert state.lanes.hidden_count(run) == 0
    assert state.memory.restore(kept, with_run=False) == []
    assert (state.markers.places, state.lanes.arrangement) == before
    bad = {"markers": [{"step": -1, "offset_ps": 0, "of_ps": 1}, None], "lanes": {"order": "x"}}
    assert set(state.memory.restore(bad, with_run=False)) == {"markers", "lanes"}
