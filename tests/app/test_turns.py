"""Views take turns: each in an event of its own, seen ones only, all of them before a picture."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QApplication, QWidget

from app.state import turns as turns_module
from app.state.turns import AFTER_VIEWS, Turns
from app.viewmodels.hover import step_name
from app.viewmodels.load import load_group, step_load
from app.widgets.view import seen
from tests.app.test_window import view


class Watcher(QObject):
    """Keeps what was to be painted, or an empty region for events of another kind."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.regions = kind, []

    def eventFilter(self, _, event):
        if event.type() == self.kind:
            self.regions.append(QRegion(getattr(event, "region", QRegion)()))
        return False


@pytest.fixture
def turns(qapp):
    made = Turns()
    yield made
    made.stop()


@pytest.fixture
def patient(monkeypatch):
    """However busy the machine is, ranks decide."""
    monkeypatch.setattr(turns_module, "PATIENCE_S", 60.0)


def test_one_piece_an_event_the_lowest_rank_first(turns, patient, qtbot):
    done, beats = [], []
    turns.ask(lambda: done.append("late"), rank=5)
    turns.ask(lambda: done.append("early"), rank=1)
    turns.ask(lambda: done.append("middle"), rank=3)
    assert not done
    turns._timer.timeout.connect(lambda: beats.append(len(done)))
    qtbot.waitUntil(lambda: len(done) == 3)
    assert done == ["early", "middle", "late"]
    assert beats[:3] == [1, 2, 3]


def test_no_piece_waits_for_ever_for_others_of_lower_rank(turns, qtbot, monkeypatch):
    """Views that take as long as a frame are asked again before the last of them had its turn."""
    monkeypatch.setattr(turns_module, "PATIENCE_S", 0.01)
    done, begin = [], time.monotonic()

    def busy():
        time.sleep(0.002)
        turns.ask(busy, rank=0)

    turns.ask(lambda: done.append(time.monotonic() - begin), rank=AFTER_VIEWS)
    turns.ask(busy, rank=0)
    for _ in range(3):  # asked again meanwhile, it does not lose its place
        turns.ask(busy, rank=0)
    qtbot.waitUntil(lambda: bool(done))
    assert done[0] >= 0.009


def test_what_was_asleep_has_no_precedence(turns, monkeypatch):
    monkeypatch.setattr(turns_module, "PATIENCE_S", 0.01)
    seen_now, done = [], []
    turns.ask(lambda: done.append("hidden"), rank=3, wanted=lambda: bool(seen_now))
    turns.flush()
    time.sleep(0.02)
    seen_now.append(True)
    monkeypatch.setattr(turns_module, "PATIENCE_S", 60.0)
    turns.wake()
    turns.ask(lambda: done.append("first"), rank=0)
    turns.flush()
    assert done == ["first", "hidden"]


def test_what_is_asked_twice_is_done_once(turns):
    done = []

    def work():
        done.append(1)

    turns.ask(work)
    turns.ask(work)
    turns.flush()
    turns.flush()
    assert done == [1]


def test_what_nobody_sees_waits_until_it_is_woken(turns):
    done, shown = [], []
    work = done.append

    def piece():
        work(1)

    turns.ask(piece, wanted=lambda: bool(shown))
    turns.flush()
    assert not done
    assert turns.waits(piece)
    shown.append(1)
    turns.flush()
    assert done == [1]
    assert not turns.waits(piece)


def test_now_does_it_at_once_and_only_if_it_waits(turns):
    done = []

    def piece():
        done.append(1)

    turns.now(piece)
    assert not done
    turns.ask(piece, wanted=lambda: False)
    turns.now(piece)
    turns.now(piece)
    assert done == [1]


def test_a_piece_that_fails_is_not_tried_again(turns):
    def piece():
        raise ValueError("no")

    turns.ask(piece)
    with pytest.raises(ValueError, match="no"):
        turns.flush()
    assert not turns.waits(piece)


def test_work_may_ask_for_more(turns):
    done = []

    def second():
        done.append(2)

    def first():
        done.append(1)
        turns.ask(second)

    turns.ask(first)
    turns.flush()
    assert done == [1, 2]


def test_nothing_is_done_after_the_end(turns):
    done = []
    turns.ask(lambda: done.append(1))
    turns.stop()
    turns.ask(lambda: done.append(2))
    turns.flush()
    assert not done


def test_a_view_covered_by_its_canvas_is_seen_and_one_behind_a_tab_is_not(window):
    assert seen(view(window, "timeline"))
    assert seen(view(window, "timeline").canvas)
    assert not seen(view(window, "figures"))
    assert not seen(QWidget())


def test_a_step_is_not_taken_in_by_all_views_in_one_event(window, qtbot):
    load, metrics = view(window, "load"), view(window, "metrics")
    window.state.turns.flush()
    window.state.cursor.seek(5)
    waiting = [load.canvas._refresh_step, metrics._refresh_step]
    assert all(window.state.turns.waits(work) for work in waiting)
    qtbot.waitUntil(lambda: not any(window.state.turns.waits(work) for work in waiting))


def test_who_asks_a_view_gets_the_step_at_the_cursor(window):
    run, cursor = window.state.runs.current, window.state.cursor
    for step in (3, 9, 0):
        cursor.seek(step)
        canvas, metrics = view(window, "load").canvas, view(window, "metrics")
        expected = step_load(canvas._composition, load_group(run), step)
        assert np.array_equal(canvas.load.parts, expected.parts)
        title = f"This step: {step_name(run, step)}"
        metrics.text("step", "Duration")
        assert title in [item.text(0) for item in metrics._groups.values()]
        assert window.transport.position.text().startswith(step_name(run, step))


def test_a_picture_shows_the_step_at_the_cursor_everywhere(window, qtbot):
    cursor = window.state.cursor
    cursor.seek(8)
    qtbot.wait(150)
    window.state.turns.flush()
    expected = window.grab().toImage()
    for step in (2, 5):
        cursor.seek(step)
        qtbot.wait(150)
    placement = view(window, "placement")
    cursor.seek(8)
    qtbot.waitUntil(lambda: placement.canvas._shown[0] == 8)
    window.catch_up()  # no event between the step and the picture
    assert window.grab().toImage() == expected


def test_a_hidden_view_does_nothing_until_it_is_shown(window, qtbot):
    machine = view(window, "machine").canvas
    window.state.turns.flush()
    before = machine._traffic
    window.state.cursor.seek(7)
    window.state.turns.flush()
    qtbot.wait(60)
    assert machine._traffic is before
    window.show_view("machine")
    qtbot.waitUntil(lambda: machine._traffic is not None and machine._traffic is not before)
    assert window.state.turns.waits(machine._refresh) is False


def test_a_step_lays_out_nothing(window, qtbot):
    """A label or a legend that says something else must not have all docks placed again."""
    cursor = window.state.cursor
    cursor.seek(4)
    qtbot.wait(200)
    places = {id: dock.geometry() for id, dock in window.docks.items()}
    window.installEventFilter(watcher := Watcher(QEvent.Type.LayoutRequest))
    for step in (5, 6):
        cursor.seek(step)
        qtbot.wait(100)
    window.removeEventFilter(watcher)
    assert not watcher.regions
    assert {id: dock.geometry() for id, dock in window.docks.items()} == places


def test_only_the_line_of_a_time_view_is_painted_when_the_cursor_moves(window, qtbot):
    canvas = view(window, "timeline").canvas
    cursor = window.state.cursor
    cursor.seek(1)
    qtbot.wait(200)
    canvas.installEventFilter(watcher := Watcher(QEvent.Type.Paint))
    cursor.seek(6)
    QApplication.processEvents()
    canvas.removeEventFilter(watcher)
    rects = [rect for region in watcher.regions for rect in region]
    assert 0 < sum(rect.width() * rect.height() for rect in rects) <= 20 * canvas.height()
    assert any(rect.contains(QPoint(int(canvas._cursor_x()), 50)) for rect in rects)
