"""The guided tours, stop by stop, in the real window."""

import re

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QPushButton

from app.tours import TOURS
from app.tours.base import TRANSPORT
from app.widgets.view import VIEWS
from simcore.data import scenario_file
from tests.app.conftest import wait_for_run


def started(window, qtbot, monkeypatch, tmp_path, id):
    """A tour on a shorter run of its scenario."""
    text = scenario_file(TOURS[id].scenario).read_text(encoding="utf-8")
    text = text.replace("output_tokens: 128", "output_tokens: 24")
    path = tmp_path / "tour.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr("app.window.scenario_file", lambda _: path)
    window.resize(1280, 800)
    window.context.commands.run(f"help.tour_{id}")
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: "Simulating" not in window.guide.panel.text.text())
    return window.guide


@pytest.mark.parametrize("id", list(TOURS))
def test_every_stop_shows_its_view_and_the_runs_numbers(
    empty_window, qtbot, monkeypatch, tmp_path, id
):
    window = empty_window
    guide = started(window, qtbot, monkeypatch, tmp_path, id)
    stops = TOURS[id].stops
    seen = set()
    for number, stop in enumerate(stops):
        assert guide.index == number
        qtbot.waitUntil(lambda: "Simulating" not in guide.panel.text.text())
        qtbot.wait(200)
        assert window.state.cursor.step == stop.step
        text = guide.panel.text.text()
        assert text == stop.text(window.state.runs.current, stop.step)
        assert 60 < len(text) < 480
        seen.add(text)
        target = window.transport if stop.target == TRANSPORT else window.docks[stop.target]
        area = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
        assert guide.outline.isVisible()
        assert guide.outline.geometry() == area
        panel = guide.panel
        assert panel.isVisible()
        assert window.rect().contains(panel.geometry())
        label = panel.text
        assert label.height() >= label.heightForWidth(label.width())
        if stop.target != TRANSPORT:
            assert window.docks[stop.target].view.on_screen
        qtbot.keyClick(panel, Qt.Key.Key_Right)
    assert len(seen) == len(stops)
    assert not guide.panel.isVisible()
    assert not guide.outline.isVisible()


def test_what_a_stop_tells_of_is_scrolled_to(empty_window, qtbot, monkeypatch, tmp_path):
    guide = started(empty_window, qtbot, monkeypatch, tmp_path, "hermes")
    canvas = empty_window.docks["timeline"].view.canvas
    form = empty_window.docks["scenario"].view.form
    seen = set()
    for stop in TOURS["hermes"].stops:
        qtbot.waitUntil(lambda: "Simulating" not in guide.panel.text.text())
        qtbot.wait(100)
        seen.add(stop.reveal)
        if stop.reveal == "link":
            rows = range(canvas.lane_count())
            lanes = empty_window.state.runs.current.lanes
            first = next(n for n in rows if lanes[canvas.lane_of_row(n)].id == "link0")
            assert canvas.plot_area().top() <= canvas.row_top(first)
            assert canvas.row_top(first + 2) < canvas.plot_area().bottom()
        elif stop.reveal:
            box = form.rows[stop.reveal].editor
            assert not box.visibleRegion().isEmpty()
        qtbot.keyClick(guide.panel, Qt.Key.Key_Right)
    assert canvas.scroll_px == 0
    assert seen == {"", "link", "hardware.ndp_dimms.count"}


def test_keys_and_mouse_go_both_ways(empty_window, qtbot, monkeypatch, tmp_path):
    guide = started(empty_window, qtbot, monkeypatch, tmp_path, "hermes")
    panel = guide.panel
    qtbot.mouseClick(panel.next, Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel.next, Qt.Key.Key_Right)
    assert guide.index == 2
    qtbot.mouseClick(panel.back, Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel, Qt.Key.Key_Left)
    qtbot.keyClick(panel, Qt.Key.Key_Left)
    assert guide.index == 0
    assert empty_window.state.cursor.step == 1  # the arrow keys were the tour's
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_the_numbers_follow_the_run(empty_window, qtbot, monkeypatch, tmp_path):
    guide = started(empty_window, qtbot, monkeypatch, tmp_path, "hermes")
    assert "8 DIMMs" in guide.panel.text.text()
    edited = empty_window.docks["scenario"].view.form.edited
    edited.emit("hardware.ndp_dimms.count", 6)
    wait_for_run(qtbot, empty_window)
    qtbot.waitUntil(lambda: "6 DIMMs" in guide.panel.text.text())


def test_no_number_is_typed_into_a_text():
    """Numbers of the texts come from the run: the sources hold none but layers of the window."""
    import inspect

    from app.tours import hermes, l3

    for module in (hermes, l3):
        source = inspect.getsource(module)
        words = re.findall(r'"([^"\n]*)"', re.sub(r"\{[^{}]*\}", "", source))
        for word in words:
            assert not re.search(r"\d+(\.\d+)? ?(%|GB|ms|tokens/s|neurons|DIMMs)", word), word


def test_stops_name_views_that_exist():
    for tour in TOURS.values():
        assert {stop.target for stop in tour.stops} - {TRANSPORT} <= set(VIEWS)
    assert len(TOURS["hermes"].stops) == 12


def test_the_welcome_page_starts_a_tour(empty_window, qtbot, monkeypatch):
    started_tours = []
    monkeypatch.setattr(empty_window, "start_tour", started_tours.append)
    empty_window.show_welcome()
    buttons = empty_window.welcome.findChildren(QPushButton)
    button = next(b for b in buttons if b.text() == TOURS["hermes"].title)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert started_tours == ["hermes"]
    assert not empty_window.welcome.isVisible()
