"""Arrows between lanes for the span under the pointer and the selected one; [ and ] follow them."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.viewmodels.flows import MOST, cause_of, effect_of, flows_of
from app.viewmodels.grains import is_wait_table
from simcore.results.spans import consumers, sources
from tests.app.test_markers import at, canvas_of, see

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def scene(window, qtbot):
    canvas = canvas_of(window, qtbot)
    see(canvas, qtbot, 3)
    run = window.state.runs.current
    return canvas, run, run.spans(3)


def transfer(run, spans):
    """The longest copy over PCIe that another lane needed."""
    lane = [item.id for item in run.lanes].index("pcie_down")
    work = ~is_wait_table(run)[spans.op] & (spans.lane == lane)
    order = np.argsort(-np.where(work, spans.duration_ps, 0))
    for span in order.tolist():
        others = [item for item in consumers(spans, span) if spans.lane[item] != lane]
        if work[span] and others and sources(spans)[span] >= 0:
            return span
    raise AssertionError("no transfer")


def place(canvas, run, spans, span):
    middle = run.start_ps(3) + (int(spans.start_ps[span]) + int(spans.end_ps[span])) / 2
    row = canvas._row_of[int(spans.lane[span])]
    return at(canvas, middle, round(canvas.row_top(row) + canvas.row_height() / 2))


def test_arrows_come_from_what_a_transfer_needed_and_go_to_what_needed_it(scene):
    _, run, spans = scene
    span = transfer(run, spans)
    found = flows_of(run, spans, span).arrows
    assert (found[0].start, found[0].end) == (int(sources(spans)[span]), span)
    assert [flow.end for flow in found[1:]] == consumers(spans, span)[:MOST].tolist()
    for flow in found:
        assert spans.end_ps[flow.start] <= spans.start_ps[flow.end]


def test_arrows_are_drawn_only_for_the_hovered_and_the_selected_span(window, scene, qtbot):
    canvas, run, spans = scene
    span = transfer(run, spans)
    window.state.window.set(
        run.start_ps(3) + int(spans.start_ps[span]) - 3 * int(spans.duration_ps[span]),
        run.start_ps(3) + int(spans.end_ps[span]) + 3 * int(spans.duration_ps[span]),
    )
    canvas.grab()
    assert canvas.arrows == 0
    spot = place(canvas, run, spans, span)
    before = canvas.grab().toImage()
    QTest.mouseMove(canvas, spot)
    qtbot.waitUntil(lambda: canvas.hovered is not None)
    assert canvas.hovered.span == span
    after = canvas.grab().toImage()
    assert canvas.arrows >= 2
    assert after != before
    QTest.mouseMove(canvas, QPoint(5, canvas.height() - 3))
    qtbot.waitUntil(lambda: canvas.hovered is None)
    canvas.grab()
    assert canvas.arrows == 0
    QTest.mouseClick(canvas, LEFT, NONE, spot)
    QTest.mouseMove(canvas, QPoint(5, canvas.height() - 3))
    qtbot.waitUntil(lambda: canvas.hovered is None)
    canvas.grab()
    assert canvas.arrows >= 2


def test_brackets_follow_to_cause_and_effect(window, scene, qtbot):
    canvas, run, spans = scene
    state = window.state
    span = transfer(run, spans)
    QTest.mouseClick(canvas, LEFT, NONE, place(canvas, run, spans, span))
    start = state.selection.span.span
    qtbot.keyClick(canvas, Qt.Key.Key_BracketLeft)
    before = state.selection.span.span
    assert before == cause_of(run, spans, start)
    assert state.cursor.time_ps == int(spans.start_ps[before])
    qtbot.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert state.selection.span.span == effect_of(run, spans, before)
    # Back and back again: each step goes to something that ended before, until nothing is left.
    for _ in range(len(spans)):
        now = state.selection.span.span
        qtbot.keyClick(canvas, Qt.Key.Key_BracketLeft)
        if state.selection.span.span == now:
            break
        assert spans.end_ps[state.selection.span.span] <= spans.start_ps[now]
    assert "needs nothing" in state.messages.strip.text


def test_a_wait_points_from_its_cause_to_what_it_held_up(scene):
    _, run, spans = scene
    waits = is_wait_table(run)
    for span in np.flatnonzero(waits[spans.op] & (spans.cause >= 0)).tolist():
        arrows = flows_of(run, spans, span).arrows
        if arrows:
            assert arrows[0].start == int(spans.cause[span])
            assert spans.lane[arrows[0].end] == spans.lane[span]
            assert cause_of(run, spans, span) == int(spans.cause[span])
            break
    else:
        raise AssertionError("no wait with a cause")
