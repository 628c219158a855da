"""Cursor, time window, playback and edits, without widgets."""

import pytest

from app.commands.bus import EditBus
from app.state.app_state import AppState
from app.viewmodels.grains import Grain, boundaries
from simcore.scenario.document import Document
from tests.fakes import fake_run


@pytest.fixture(scope="module")
def run():
    return fake_run(tokens=8)


@pytest.fixture
def state(run, qapp):
    state = AppState()
    state.runs.replace(run)
    return state


def place(state):
    return state.cursor.step, state.cursor.time_ps


@pytest.mark.parametrize("grain", list(Grain))
@pytest.mark.parametrize("count", [1, 7, 40])
def test_n_forward_then_n_back_is_the_same_place(state, grain, count):
    state.cursor.seek(3)
    visited = [place(state)]
    for _ in range(count):
        state.cursor.move(grain, 1)
        if place(state) != visited[-1]:
            visited.append(place(state))
    assert visited == sorted(visited)
    for expected in reversed(visited[:-1]):
        state.cursor.move(grain, -1)
        assert place(state) == expected


def test_op_steps_visit_every_op_start(state, run):
    marks = boundaries(run, 2, Grain.OP)
    state.cursor.seek(2)
    seen = [0]
    while state.cursor.step == 2:
        state.cursor.move(Grain.OP, 1)
        if state.cursor.step == 2:
            seen.append(state.cursor.time_ps)
    assert seen == marks.tolist()


def test_layer_steps_go_through_all_layers(state):
    state.cursor.seek(4)
    layers = []
    while state.cursor.step == 4:
        layers.append(state.cursor.layer)
        state.cursor.move(Grain.LAYER, 1)
    assert layers == list(range(10))


def test_cursor_stays_inside(state, run):
    state.cursor.move(Grain.OP, -3)
    assert place(state) == (0, 0)
    state.cursor.end()
    end = place(state)
    state.cursor.move(Grain.TOKEN, 5)
    state.cursor.move(Grain.OP, 5)
    assert place(state) == end
    state.cursor.seek(10**6, 10**18)
    assert state.cursor.step == len(run) - 1
    assert state.cursor.absolute_ps < run.end_ps


def test_cursor_waits_for_a_growing_run_to_reach_its_step(state, run):
    state.cursor.seek(6)
    state.runs.length = 2
    state.runs.replaced.emit(run)
    assert state.cursor.step == 1
    state.runs.length = 5
    state.runs.grew.emit(5)
    assert state.cursor.step == 4
    state.runs.length = 8
    state.runs.grew.emit(8)
    assert state.cursor.step == 6


def test_zoom_keeps_the_anchor_and_the_limits(state, run):
    window = state.window
    window.all()
    anchor = 0.25 * run.end_ps
    before = (anchor - window.start_ps) / window.span_ps
    window.zoom(0.1, anchor)
    assert (anchor - window.start_ps) / window.span_ps == pytest.approx(before)
    for _ in range(100):
        window.zoom(0.5, anchor)
    assert window.span_ps >= 20_000
    for _ in range(100):
        window.zoom(2.0, anchor)
    assert window.span_ps <= 1.03 * run.end_ps


def test_window_keeps_its_steps_when_a_run_replaces_another(state):
    state.cursor.seek(4)
    state.window.show_step(4)
    slower = fake_run(tokens=8, speed=0.5)
    state.runs.replace(slower)
    start = slower.start_ps(4)
    assert state.window.start_ps == pytest.approx(start, abs=0.05 * state.window.span_ps)
    assert state.window.end_ps == pytest.approx(
        start + int(slower.value("duration_ps", 4)), rel=0.05
    )


def test_playback_starts_paused_skips_nothing_and_stops_at_the_end(state):
    now = [0.0]
    state.playback._clock = lambda: now[0]
    assert not state.playback.playing
    state.playback.play()
    seen = [state.cursor.step]
    for _ in range(400):
        now[0] += 0.033
        state.playback.tick()
        seen.append(state.cursor.step)
        if not state.playback.playing:
            break
    assert not state.playback.playing
    assert sorted(set(seen)) == list(range(8))
    assert seen == sorted(seen)


def test_playback_speed_has_limits(state):
    for _ in range(20):
        state.playback.change_speed(1)
    assert state.playback.speed == 100
    for _ in range(20):
        state.playback.change_speed(-1)
    assert state.playback.speed == 0.1


def document(number):
    return Document.from_text(f"version: 1\nseed: {number}\n")


def test_undo_and_redo_restore_every_document(qapp):
    bus = EditBus(clock=lambda: 0.0)
    bus.reset(document(0))
    for number in range(1, 6):
        bus.do(f"seed {number}", document(number))
    for number in range(4, -1, -1):
        bus.undo()
        assert bus.document.text() == document(number).text()
    assert bus.undo_title == ""
    bus.undo()
    for number in range(1, 6):
        bus.redo()
        assert bus.document.text() == document(number).text()
    bus.undo()
    bus.do("other", document(9))
    assert bus.redo_title == ""


def test_quick_edits_of_one_value_are_one_edit(qapp):
    now = [0.0]
    bus = EditBus(clock=lambda: now[0])
    bus.reset(document(0))
    for number in range(1, 5):
        bus.do("seed", document(number), merge_key="seed")
        now[0] += 0.2
    bus.undo()
    assert bus.document.text() == document(0).text()
    bus.redo()
    now[0] += 5
    bus.do("seed", document(8), merge_key="seed")
    bus.undo()
    assert bus.document.text() == document(4).text()
