"""The overview strip: it shows the whole run, and its window moves and resizes what is visible."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.viewmodels.composition import composition_of
from app.widgets.minimap import LEAST_PX, Part
from tests.app.test_markers import move_events

NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def strip(window, qtbot):
    window.show_view("timeline")
    strip = window.docks["timeline"].view.minimap
    qtbot.waitUntil(lambda: strip.width() > 300)
    return strip


def spot(strip, x):
    return QPoint(round(x), strip.height() // 2)


def test_the_window_is_dragged_and_its_edges_resize_it(window, strip):
    state = window.state
    edges = composition_of(state.runs.current).edges
    state.window.set(float(edges[5]), float(edges[7]))
    left, right = strip.window_px()
    assert left == pytest.approx(strip.x_of(float(edges[5])))
    assert strip.part_at(left) is Part.LEFT
    assert strip.part_at((left + right) / 2) is Part.MIDDLE
    span = state.window.span_ps
    move_events(strip, spot(strip, (left + right) / 2), spot(strip, (left + right) / 2 + 80), NONE)
    assert state.window.span_ps == pytest.approx(span)
    assert strip.window_px()[0] == pytest.approx(left + 80, abs=1.5)
    left, right = strip.window_px()
    move_events(strip, spot(strip, right), spot(strip, right + 50), NONE)
    assert strip.window_px()[1] == pytest.approx(right + 50, abs=1.5)
    assert strip.window_px()[0] == pytest.approx(left, abs=0.5)
    move_events(strip, spot(strip, left), spot(strip, left - 40), NONE)
    assert strip.window_px()[0] == pytest.approx(left - 40, abs=1.5)


def test_a_click_outside_goes_there_and_a_double_click_shows_everything(window, strip):
    state = window.state
    edges = composition_of(state.runs.current).edges
    state.window.set(float(edges[1]), float(edges[2]))
    x = strip.x_of(float(edges[9]))
    QTest.mouseClick(strip, LEFT, NONE, spot(strip, x))
    assert state.window.start_ps < edges[9] < state.window.end_ps
    QTest.mouseDClick(strip, LEFT, NONE, spot(strip, x))
    assert state.window.fit_all
    assert strip.window_px() == pytest.approx(
        (strip.area().left(), strip.area().right() + 1), abs=1
    )


def test_a_tiny_window_can_still_be_grabbed(window, strip):
    state = window.state
    middle = float(composition_of(state.runs.current).edges[6])
    state.window.set(middle, middle + 1e5)
    left, right = strip.window_px()
    assert right - left == pytest.approx(LEAST_PX)
    assert strip.part_at((left + right) / 2) is Part.MIDDLE
    before = state.window.start_ps
    move_events(strip, spot(strip, (left + right) / 2), spot(strip, (left + right) / 2 + 60), NONE)
    assert state.window.start_ps > before


def test_cursor_and_markers_are_drawn_in_it(window, strip):
    state = window.state
    state.cursor.seek(2)
    run = state.runs.current
    before = strip.grab().toImage()
    state.markers.set(0, run.start_ps(8))
    state.cursor.seek(4)
    after = strip.grab().toImage()
    ratio = strip.devicePixelRatioF()
    for step in (8, 4, 2):
        x = round(strip.x_of(float(run.start_ps(step))) * ratio)
        assert any(
            before.pixel(x + d, y) != after.pixel(x + d, y)
            for d in (-1, 0, 1)
            for y in range(4, after.height() - 4)
        ), step


def test_the_activity_of_half_a_million_steps_is_drawn_from_cells(window, strip, monkeypatch):
    """Only as many values as there are pixels are ever looked at."""
    asked = []
    composition = composition_of(window.state.runs.current)

    class Long:
        steps = 577_000
        edges = np.array([0.0, 1e15])

        def between(self, times):
            asked.append(len(times))
            return np.tile(composition.between(composition.edges[:2]), (len(times) - 1, 1, 1))

    monkeypatch.setattr(strip, "_composition", Long())
    strip._renew()
    assert not strip.grab().isNull()
    assert asked == [strip.area().width() + 1]
