"""Time views are painted piece by piece beside the picture on screen."""

import numpy as np
import pytest

from app.viewmodels.grains import Grain
from app.widgets import bandwidth_canvas, time_canvas, timeline_canvas
from tests.app.test_window import view


def pixels(image):
    shape = (image.height(), image.bytesPerLine())
    return np.frombuffer(image.constBits(), np.uint8).reshape(shape).copy()


def turn_by_turn(window, canvas):
    while window.state.turns.waits(canvas._redraw):
        window.state.turns.now(canvas._redraw)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(time_canvas, "PIECE_S", -1.0)
    for module in (bandwidth_canvas, timeline_canvas):  # else a busy machine derives steps later
        monkeypatch.setattr(module, "BUDGET_S", 60.0)


@pytest.fixture(params=["timeline", "bandwidth", "figures"])
def canvas(window, request, qtbot):
    window.show_view(request.param)
    found = view(window, request.param).canvas
    qtbot.waitUntil(found.isVisible)
    window.state.window.show_step(3)
    window.state.turns.flush()
    found.grab()
    return found


def test_a_picture_in_pieces_is_the_one_painted_at_once(window, canvas, qtbot):
    window.state.window.all()
    begun, turns = [], window.state.turns
    before = pixels(canvas._layer)
    while canvas._dirty:
        assert turns.waits(canvas._redraw)
        turns.now(canvas._redraw)
        begun.append(canvas._pieces is not None)
        if canvas._dirty:
            assert (pixels(canvas._layer) == before).all()  # the old picture stays meanwhile
    assert sum(begun) >= 1
    slowly = pixels(canvas._layer)
    canvas.invalidate()
    canvas.grab()
    assert (pixels(canvas._layer) == slowly).all()
    assert not (slowly == before).all()


def test_what_changes_again_and_again_is_painted_at_once(window, canvas):
    window.state.window.all()
    turns = window.state.turns
    for step in (2, 4, 6):
        while canvas._pieces is None:
            turns.now(canvas._redraw)
        window.state.window.show_step(step)
        assert canvas._pieces is None
    turns.now(canvas._redraw)
    assert canvas._pieces is None  # it waits to be painted as a whole
    canvas.grab()
    assert not canvas._dirty
    shown = pixels(canvas._layer)
    canvas.invalidate()
    canvas.grab()
    assert (pixels(canvas._layer) == shown).all()


def test_a_run_that_is_gone_is_not_painted_to_the_end(window, canvas):
    window.state.window.all()
    while canvas._pieces is None:
        window.state.turns.now(canvas._redraw)
    window.state.runs.clear()
    assert canvas._pieces is None
    canvas.grab()
    assert not canvas._dirty


def test_the_cursor_waits_for_the_picture(window, canvas):
    window.state.window.all()
    while canvas._pieces is None:
        window.state.turns.now(canvas._redraw)
    window.state.cursor.move(Grain.TOKEN, 1)
    assert canvas._pieces is not None
    canvas.grab()
    assert canvas._line_x == canvas.x_of(float(window.state.cursor.absolute_ps))


def test_what_could_not_be_painted_at_once_follows(window, canvas, monkeypatch):
    seen, real = [], canvas.paint_layer

    def not_all(painter, area):
        whole = yield from real(painter, area)
        seen.append(whole)
        return whole and len(seen) > 1

    monkeypatch.setattr(canvas, "paint_layer", not_all)
    window.state.window.all()
    turns = window.state.turns
    while not seen:
        turns.now(canvas._redraw)
    assert not canvas._dirty  # what there is is shown
    canvas.repaint()
    assert len(seen) == 1
    assert turns.waits(canvas.invalidate)
    turns.flush()
    assert len(seen) == 2


def test_a_bug_in_painting_does_not_stop_it_for_good(window, canvas, monkeypatch):
    real, failed = canvas.paint_layer, []

    def fails(painter, area):
        yield
        failed.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(canvas, "paint_layer", fails)
    window.state.window.all()
    with pytest.raises(RuntimeError, match="a bug"):
        turn_by_turn(window, canvas)
    assert failed
    monkeypatch.setattr(canvas, "paint_layer", real)
    window.state.window.show_step(3)
    window.state.turns.flush()
    canvas.grab()
    assert not canvas._dirty
