"""Stopping at conditions, running to the next and previous one, looping."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.state.playback import SPEEDS
from app.viewmodels.composition import composition_of
from app.viewmodels.conditions import beginnings, next_layer, next_step
from app.viewmodels.load import load_group, step_load
from simcore.data import data_root
from simcore.results.spans import LaneKind
from tests.app.conftest import wait_for_run
from tests.app.test_serving import L3


def view(window):
    return window.docks["stops"].view


def ready(window, qtbot):
    window.show_view("stops")
    qtbot.waitUntil(lambda: window.state.series.length == window.state.runs.length)
    window.state.turns.flush()
    return view(window)


def play_by_hand(window, seconds, speed=1.0):
    """Ticks of a clock that the test moves, so that nothing depends on the machine."""
    playback = window.state.playback
    playback.set_speed(speed)
    now = [0.0]
    playback._clock = lambda: now[0]
    playback.play()
    playback._timer.stop()
    while now[0] < seconds and playback.playing:
        now[0] += 0.033
        playback.tick()


# Numbers.


def test_beginnings_by_hand():
    values = np.array([2.0, 2.0, 1.0, np.nan, 3.0, 3.0, 0.0, 5.0])
    assert beginnings(values, 1.0).tolist() == [0, 4, 7]
    assert beginnings(values, 9.0).tolist() == []


def test_next_and_previous_by_hand():
    steps = np.array([2, 5, 6])
    assert next_step(steps, (2, 0), 1) == (5, 0)
    assert next_step(steps, (2, 9), -1) == (2, 0)
    assert next_step(steps, (2, 0), -1) is None
    assert next_step(steps, (6, 1), 1) is None
    assert next_step(steps, (0, 0), 1) == (2, 0)


def test_figures_to_stop_at_are_what_the_other_views_show(window, qtbot):
    ready(window, qtbot)
    run, series = window.state.runs.current, window.state.series
    composition = composition_of(run)
    for step in (1, 7):
        load = step_load(composition, load_group(run), step)
        assert series.get("imbalance").values[step] == pytest.approx(load.imbalance)
    links = [i for i, lane in enumerate(run.lanes) if lane.kind is LaneKind.LINK]
    work = [i for i, op in enumerate(run.ops) if not op.is_wait]
    busy = run.value("lane_op_ps", 5)[links][:, work].sum(axis=1).max()
    share = 100 * busy / run.value("duration_ps", 5)
    assert series.get("link").values[5] == pytest.approx(share)
    moves = [i for i, op in enumerate(run.ops) if op.category == "migration"]
    moved = run.value("lane_op_bytes", 5)[links][:, moves].sum() / 1e6
    assert series.get("migration").values[5] == pytest.approx(moved)
    assert series.get("cold").values[5] == run.value("swap_in", 5).sum()


# Running to a place.


def test_token_next_and_previous(window, qtbot):
    ready(window, qtbot)
    window.state.stops.set_value("token", 7)
    assert window.commands.run("stops.next_token")
    assert (window.state.cursor.step, window.state.cursor.time_ps) == (7, 0)
    window.state.cursor.seek(11, 100)
    assert window.commands.run("stops.previous_token")
    assert window.state.cursor.step == 7


def test_layer_in_every_step(window, qtbot):
    ready(window, qtbot)
    run, cursor = window.state.runs.current, window.state.cursor
    window.state.stops.set_value("layer", 3)
    window.commands.run("stops.next_layer")
    assert (cursor.step, cursor.layer) == (0, 3)
    first = cursor.time_ps
    window.commands.run("stops.next_layer")
    assert (cursor.step, cursor.layer) == (1, 3)
    window.commands.run("stops.previous_layer")
    assert (cursor.step, cursor.time_ps) == (0, first)
    window.commands.run("stops.previous_layer")
    assert "nowhere before" in window.state.messages.strip.text
    assert next_layer(run, (12, 1 << 60), 3, 1, 13) is None


def test_a_figure_above_a_value(window, qtbot):
    stops = ready(window, qtbot)
    values = window.state.series.get("imbalance").values
    above = float(np.median(values[1:]))
    row = stops.rows["imbalance"]
    row.value.setValue(round(above, 3))
    wanted = beginnings(values, round(above, 3)).tolist()
    found = []
    while window.state.stops.go("imbalance", 1):
        found.append(window.state.cursor.step)
    assert found == [step for step in wanted if step > 0]
    assert window.state.stops.go("imbalance", -1) is (len(wanted) > 1 or wanted[0] < found[-1])


def test_the_first_neuron_that_turns_cold(window, qtbot):
    window.files.open_path(data_root() / "scenarios" / "hermes-recorded.yaml")
    wait_for_run(qtbot, window)
    ready(window, qtbot)
    run = window.state.runs.current
    moved = run.column("swap_in").reshape(len(run), -1).sum(axis=1)
    assert window.commands.run("stops.next_cold")
    assert window.state.cursor.step == int(np.flatnonzero(moved)[0]) > 0


def test_the_arrows_are_buttons(window, qtbot):
    stops = ready(window, qtbot)
    qtbot.mouseClick(stops.rows["layer"].next, Qt.MouseButton.LeftButton)
    assert window.state.cursor.time_ps > 0
    button = stops.rows["token"].next
    button.setFocus()
    assert button.hasFocus()  # keys come to no other control
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert window.state.cursor.step == 10


def test_only_conditions_the_run_has(window, qtbot, tmp_path):
    stops = ready(window, qtbot)
    assert not stops.rows["queue"].active.isEnabled()
    assert not window.commands.get("stops.next_queue").is_enabled()
    path = tmp_path / "serving.yaml"
    path.write_text(L3, encoding="utf-8")
    window.files.open_path(path)
    wait_for_run(qtbot, window)
    ready(window, qtbot)
    assert stops.rows["queue"].active.isEnabled()
    assert not stops.rows["cold"].active.isEnabled()


def test_any_active_condition(window, qtbot):
    stops = ready(window, qtbot)
    assert not window.state.stops.go_any(1)
    stops.rows["token"].active.setChecked(True)
    stops.rows["layer"].active.setChecked(True)
    stops.rows["layer"].value.setValue(2)
    window.commands.run("stops.next")
    assert (window.state.cursor.step, window.state.cursor.layer) == (0, 2)
    window.state.cursor.seek(9, int(window.state.runs.current.value("duration_ps", 9)) - 1)
    window.commands.run("stops.next")
    assert (window.state.cursor.step, window.state.cursor.time_ps) == (10, 0)
    window.commands.run("stops.previous")
    assert (window.state.cursor.step, window.state.cursor.layer) == (9, 2)


# Playing.


@pytest.mark.parametrize("speed", [0.1, 1.0, 100.0])
def test_playback_stops_where_it_should_at_any_speed(window, qtbot, speed):
    stops = ready(window, qtbot)
    stops.rows["token"].active.setChecked(True)
    stops.rows["token"].value.setValue(5)
    window.state.cursor.seek(4 if speed < 1 else 1)
    play_by_hand(window, 40, speed)
    assert not window.state.playback.playing
    assert (window.state.cursor.step, window.state.cursor.time_ps) == (5, 0)
    assert window.state.messages.strip.text == "stopped: token 5"
    play_by_hand(window, 90, 100.0)
    assert window.state.cursor.step == 12


def test_playback_goes_on_from_a_stop(window, qtbot):
    stops = ready(window, qtbot)
    stops.rows["layer"].active.setChecked(True)
    stops.rows["layer"].value.setValue(4)
    places = []
    for _ in range(4):
        play_by_hand(window, 60, 100.0)
        places.append((window.state.cursor.step, window.state.cursor.layer))
    assert places == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_a_condition_without_a_tick_does_not_stop(window, qtbot):
    ready(window, qtbot)
    play_by_hand(window, 90, 100.0)
    assert window.state.cursor.step == 12
    assert window.state.messages.strip is None


def test_looping_over_a_range(window, qtbot):
    playback, cursor = window.state.playback, window.state.cursor
    playback.set_loop((3, 6))
    seen = set()
    cursor.moved.connect(lambda: seen.add(cursor.step))
    play_by_hand(window, 5.0, 2.0)
    assert playback.playing
    assert seen == {3, 4, 5}
    window.commands.run("stops.loop_off")
    assert playback.loop is None
    playback.pause()


def test_the_loop_of_the_visible_range_and_its_fields(window, qtbot):
    stops = ready(window, qtbot)
    run = window.state.runs.current
    window.state.window.set(float(run.start_ps(2)), float(run.start_ps(5)))
    window.commands.run("stops.loop_visible")
    assert window.state.playback.loop == (2, 5)
    assert (stops.first.value(), stops.last.value()) == (2, 4)
    assert stops.loop.isChecked()
    stops.last.setValue(8)
    assert window.state.playback.loop == (2, 9)
    stops.loop.setChecked(False)
    assert window.state.playback.loop is None
    assert not window.transport.ruler.grab().isNull()


def test_a_loop_beyond_the_run_is_ignored(window, qtbot):
    window.state.playback.set_loop((500, 600))
    window.state.cursor.seek(11)
    play_by_hand(window, 20, 100.0)
    assert window.state.cursor.step == 12


def test_speeds_reach_from_a_tenth_to_a_hundred():
    assert (SPEEDS[0], SPEEDS[-1]) == (0.1, 100.0)


def test_every_control_is_inside_the_pane_of_a_small_window(window, qtbot):
    window.resize(1280, 800)
    window.commands.run("view.reset_layout")
    stops = ready(window, qtbot)
    qtbot.wait(50)
    for row in stops.rows.values():
        place = row.next.mapTo(stops, row.next.rect().topRight())
        assert place.x() <= stops.width()


def test_the_controls_of_a_run_of_many_steps_are_inside_the_pane(window, qtbot, monkeypatch):
    window.resize(1280, 800)
    window.commands.run("view.reset_layout")
    stops = ready(window, qtbot)
    runs = window.state.runs
    monkeypatch.setattr(type(runs), "total_steps", property(lambda _: 1_000_000))
    runs.grew.emit(runs.length)
    qtbot.wait(50)
    row = next(iter(stops.rows.values()))
    for control in (row.next, stops.last):
        assert control.mapTo(stops, control.rect().topRight()).x() <= stops.width()


def test_the_end_of_the_loop_follows_the_run_until_it_is_changed(window, qtbot, monkeypatch):
    stops, runs = ready(window, qtbot), window.state.runs
    assert stops.last.value() == runs.length - 1
    monkeypatch.setattr(type(runs), "total_steps", property(lambda _: 500))
    runs.replaced.emit(runs.current)
    window.state.turns.flush()
    assert stops.last.value() == 499
    stops.last.setValue(7)
    monkeypatch.setattr(type(runs), "total_steps", property(lambda _: 900))
    runs.replaced.emit(runs.current)
    window.state.turns.flush()
    assert stops.last.value() == 7
