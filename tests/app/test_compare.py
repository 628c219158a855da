"""Comparing: what is kept as A, how it is aligned, the table, the maps, the outline, baselines."""

import json

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.state.comparison import run_title
from app.viewmodels.alignment import Align, Reference, matched_lanes
from app.viewmodels.composition import composition_of
from app.viewmodels.differences import _row, compare, draw_difference, moved, unlike
from app.viewmodels.formatting import percent_text
from app.workers.baseline import offered
from simcore.cli import main as command_line
from simcore.engine.simulator import Simulator, simulate
from simcore.results.diff import Figure, difference
from simcore.results.summary import summarise
from tests.app.conftest import wait_for_run
from tests.app.test_h2m2 import SMALL as H2M2
from tests.simcore.remote.tasks import HasNoRoom


def view(window):
    return window.docks["compare"].view


def edited(window, qtbot, path="hardware.ndp_dimms.count", value=2):
    window.commands.run("compare.freeze")
    window.state.session.set_value(path, value)
    wait_for_run(qtbot, window)


def rows(window):
    return {row.path: row for row in view(window).table.table.rows}


# Keeping A.


def test_freezing_is_in_the_history_with_the_edits(window, qtbot):
    first = window.state.runs.current
    edited(window, qtbot)
    assert window.state.comparison.frozen is first
    assert window.state.runs.current is not first
    window.commands.run("edit.undo")
    window.commands.run("edit.undo")
    assert window.state.comparison.frozen is None
    window.commands.run("edit.redo")
    assert window.state.comparison.frozen is first
    window.commands.run("compare.clear")
    assert window.state.comparison.frozen is None
    assert window.commands.get("edit.undo").shown_title() == "Undo clear A"
    window.commands.run("edit.undo")
    assert window.state.comparison.frozen is first


def test_the_view_says_what_to_do_without_a(window, qtbot):
    window.show_view("compare")
    assert view(window).stack.currentWidget() is view(window).hint
    assert "Freeze" in view(window).hint.text()
    view(window).freeze.click()
    assert "A is the run on screen" in view(window).hint.text()
    assert not view(window).freeze.isEnabled()
    assert view(window).clear.isEnabled()


def test_a_run_on_screen_is_not_compared_with_itself(window):
    window.commands.run("compare.freeze")
    assert window.state.comparison.reference() is None


# Alignment.


@pytest.fixture
def pair(window, qtbot):
    edited(window, qtbot)
    reference = window.state.comparison.reference()
    assert isinstance(reference, Reference)
    return reference, window.state.comparison.frozen, window.state.runs.current


def test_lanes_are_matched_by_id(pair):
    _, a, b = pair
    lanes = matched_lanes(a, b)
    assert [a.lanes[at].id for at in lanes] == [lane.id for lane in b.lanes]
    assert -1 in matched_lanes(b, a)


def test_tokens_lie_above_each_other(pair):
    reference, a, b = pair
    edges = reference.other_edges
    middle = (edges[3] + edges[4]) / 2
    found = reference.times(np.array([middle]), Align.TOKEN)[0]
    start, length = a.start_ps(3), int(a.value("duration_ps", 3))
    assert found == pytest.approx(start + length / 2)
    assert reference.times(np.array([middle]), Align.TIME)[0] == middle
    assert reference.step_of(3, Align.TOKEN) == 3
    at = reference.step_of(3, Align.TIME)
    assert a.start_ps(at) <= b.start_ps(3) < a.start_ps(at) + int(a.value("duration_ps", at))


def test_outside_of_a_there_is_nothing(pair):
    reference, a, _ = pair
    late = np.array([float(a.end_ps) * 3])
    assert np.isnan(reference.times(late, Align.TIME)).all()
    assert np.isnan(reference.times(late, Align.TOKEN)).all()
    assert np.isnan(reference.times(np.array([-5.0]), Align.TIME)).all()


def test_busy_shares_are_those_of_a(pair):
    reference, a, b = pair
    own = composition_of(a).busy_share(2, 5)
    found = reference.busy_share(2, 5, Align.TOKEN)
    for lane, other in enumerate(reference.lanes):
        if other < 0:
            assert np.isnan(found[lane])
        else:
            assert found[lane] == pytest.approx(own[other])
    edges = reference.other_edges
    by_time = reference.busy(edges[[0, 2]], Align.TIME)
    assert by_time.shape == (len(b.lanes), 1)
    assert ((by_time >= 0) | np.isnan(by_time)).all()


def test_a_prefill_shifts_the_steps():
    from simcore.scenario.document import Document
    from tests.app.conftest import SMALL

    def run_of(text):
        simulator = Simulator(Document.from_text(text).resolve(), items=True)
        while simulator.step():
            pass
        composition_of(simulator.run).extend(len(simulator.run))
        return simulator.run

    with_prefill = run_of(SMALL)
    without = run_of(H2M2.format(system="h2m2", kind="fixed"))
    reference = Reference(composition_of(with_prefill), composition_of(without))
    assert reference.offset == 1
    assert reference.step_of(0, Align.TOKEN) == 1


# The table.


def test_the_table_has_the_numbers_of_the_command_line(window, qtbot, tmp_path, capsys):
    edited(window, qtbot)
    window.show_view("compare")
    qtbot.waitUntil(lambda: bool(view(window).table.table.rows))
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    document = window.state.session.document
    b.write_text(document.text(), encoding="utf-8")
    a.write_text(window.state.session.saved.text(), encoding="utf-8")
    assert command_line(["compare", str(a), str(b), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    numbers = {f["path"]: (f["a"], f["b"]) for f in told["figures"]}
    found = difference(
        summarise(window.state.comparison.frozen), summarise(window.state.runs.current)
    )
    assert {f.path: (f.a, f.b) for f in found.figures} == numbers
    shown = rows(window)
    assert set(numbers) <= set(shown)
    assert shown["hardware.ndp_dimms.count"].cells[1:3] == ("4", "2")
    rate = shown["tokens_per_s"]
    ratio = numbers["tokens_per_s"][1] / numbers["tokens_per_s"][0]
    assert float(rate.cells[4].rstrip("×")) == pytest.approx(ratio, rel=5e-3)
    assert rate.verdict == ("better" if ratio > 1 else "worse")
    assert "× the tokens/s of A" in view(window).headline.text()


def test_only_differences_filter_and_copy(window, qtbot):
    edited(window, qtbot)
    window.show_view("compare")
    compare_view = view(window)
    qtbot.waitUntil(lambda: bool(compare_view.table.table.rows))
    some = compare_view.table.rows()
    assert some
    assert not any(row.same for row in some)
    qtbot.mouseClick(
        compare_view.only, Qt.MouseButton.LeftButton, pos=QPoint(8, compare_view.only.height() // 2)
    )
    assert len(compare_view.table.rows()) > len(some)
    compare_view.filter.setText("decode step")
    assert {row.path.split(".")[0] for row in compare_view.table.rows()} == {"step_ms"}
    qtbot.keyClick(compare_view.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 2 + len(compare_view.table.rows())
    assert all(line.count("\t") == 5 for line in lines[1:])


def test_the_table_follows_a_new_b(window, qtbot):
    edited(window, qtbot)
    window.show_view("compare")
    qtbot.waitUntil(lambda: "hardware.ndp_dimms.count" in rows(window))
    window.state.session.set_value("hardware.ndp_dimms.count", 3)
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: rows(window)["hardware.ndp_dimms.count"].cells[2] == "3")


# Maps.


def test_the_difference_of_two_maps(window, qtbot):
    edited(window, qtbot, "seed", 2)
    compare_view = view(window)
    window.show_view("compare")
    compare_view.tabs.setCurrentWidget(compare_view.maps)
    window.state.cursor.seek(6)
    qtbot.waitUntil(
        lambda: compare_view.maps.maps is not None and compare_view.maps.maps.steps == (6, 6)
    )
    maps = compare_view.maps.maps
    a, b = window.state.comparison.frozen, window.state.runs.current
    first, second = (run.placement(6, 1) for run in (a, b))
    places = [np.array([c.id for c in grid.categories])[grid.category] for grid in (first, second)]
    assert maps.share == pytest.approx(float((places[0] != places[1]).mean()), abs=0.02)
    assert 0 < maps.share < 1
    place = compare_view.maps.places()[2].center()
    assert "elsewhere" in compare_view.maps.tip(place)
    assert not compare_view.maps.grab().isNull()


def test_equal_runs_have_no_difference(window):
    run = window.state.runs.current
    maps = draw_difference(run, 5, run, 5, 300, window.themes.current)
    assert maps.share == 0
    assert not np.nan_to_num(maps.elsewhere).any()
    assert draw_difference(run, -1, run, 5, 300, window.themes.current).reason


def test_cells_of_many_items_give_the_least_share_that_moved(window, qtbot):
    edited(window, qtbot, "seed", 2)
    a, b = window.state.comparison.frozen, window.state.runs.current
    coarse = [run.placement(6, 16) for run in (a, b)]
    exact = [run.placement(6, 1) for run in (a, b)]
    assert moved(*coarse)[1] <= moved(*exact)[1] + 1e-6


def test_unlike_maps_say_why(window, qtbot, tmp_path):
    a = window.state.runs.current
    path = tmp_path / "h2m2.yaml"
    path.write_text(H2M2.format(system="h2m2", kind="fixed"), encoding="utf-8")
    window.files.open_path(path)
    wait_for_run(qtbot, window)
    b = window.state.runs.current
    reason = unlike(a.placement(3, 1), b.placement(3, 1))
    assert "neurons" in reason
    assert "heads" in reason
    assert compare(a, b, len(b)).rows


# The timeline.


@pytest.mark.parametrize("align", list(Align))
def test_the_timeline_draws_a_in_outline(window, qtbot, align):
    edited(window, qtbot)
    window.show_view("timeline")
    canvas = window.docks["timeline"].view.canvas
    window.commands.run(f"compare.align_{align.value}")
    window.state.window.all()
    with_a = canvas.grab().toImage()
    window.commands.run("compare.clear")
    assert canvas.grab().toImage() != with_a
    window.commands.run("edit.undo")
    window.state.window.show_step(3)

    def drawn():
        canvas.grab()
        return canvas.overlay.frames > 0

    qtbot.waitUntil(drawn)
    legend = window.docks["timeline"].view._legend
    assert any(button.text() == "Outline: A" for button in legend._buttons)


def test_the_tip_says_how_busy_the_lane_was_in_a(window, qtbot):
    edited(window, qtbot)
    window.show_view("timeline")
    canvas = window.docks["timeline"].view.canvas
    reference = window.state.comparison.reference()
    share = float(composition_of(reference.run).busy_share(3, 4)[0])
    assert canvas._other_text(3, 0) == f"\nA: busy {percent_text(share)}"


def test_figures_draw_a_too(window, qtbot):
    edited(window, qtbot)
    window.show_view("figures")
    qtbot.waitUntil(lambda: "step_time" in window.state.series.reference)
    beside = window.state.series.reference["step_time"].values
    a = window.state.comparison.frozen
    assert np.array_equal(beside, a.column("duration_ps") / 1e9)
    assert "run A" in window.docks["figures"].view.note.text()
    assert not window.docks["figures"].view.grab().isNull()


# Baselines.


def test_a_baseline_by_one_click(window, qtbot):
    b = window.state.runs.current
    window.show_view("compare")
    compare_view = view(window)
    compare_view._fill_baselines()
    listed = [a.text() for a in compare_view.baselines.actions() if not a.isSeparator()]
    assert any("FlexGen" in name for name in listed)
    action = next(a for a in compare_view.baselines.actions() if a.toolTip() == "flexgen")
    action.trigger()
    assert window.state.baseline.system == "flexgen"
    assert not compare_view.cancel.isHidden()
    qtbot.waitUntil(lambda: window.state.comparison.frozen is not None)
    a = window.state.comparison.frozen
    assert a.scenario.system == "flexgen"
    assert a.status.finished
    assert window.state.runs.current is b
    assert "flexgen" in run_title(a)
    qtbot.waitUntil(lambda: bool(compare_view.table.table.rows))
    window.commands.run("edit.undo")
    assert window.state.comparison.frozen is None


def test_a_baseline_can_be_stopped(window, qtbot):
    window.state.session.set_value("workload.output_tokens", 400)
    wait_for_run(qtbot, window)
    window.commands.run("compare.baseline_hermes-random")
    assert window.state.baseline.system
    assert window.commands.run("compare.cancel")
    assert not window.state.baseline.system
    qtbot.wait(200)
    assert window.state.comparison.frozen is None


def test_a_baseline_that_cannot_run_says_so(window, qtbot, monkeypatch):
    monkeypatch.setattr("app.workers.baseline.Simulate", HasNoRoom)
    window.commands.run("compare.baseline_flexgen")
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    assert "cannot run this scenario: there is no room" in window.state.messages.strip.text
    assert not window.state.baseline.system
    assert window.state.comparison.frozen is None


def test_what_is_offered_can_run_the_workload(window):
    scenario = window.state.session.scenario
    groups = dict(offered(scenario))
    ids = [id for found in groups.values() for id in found]
    assert scenario.system not in ids
    assert len(ids) == len(set(ids))
    from simcore.registry import SYSTEMS

    assert all(scenario.workload.kind in SYSTEMS.get(id).workloads for id in ids)
    assert next(iter(groups)) == "Variants of Hermes"


def test_the_table_of_another_pair_is_gone_at_once(window, qtbot, monkeypatch):
    window.show_view("compare")
    edited(window, qtbot)
    qtbot.waitUntil(lambda: bool(rows(window)))
    compared = view(window)
    monkeypatch.setattr(compared._tables, "request", lambda *_: None)
    first, asked = window.state.comparison.frozen, compared._asked_table
    other = simulate(first.scenario)
    window.state.comparison.keep(other, "Keep another run as A")
    qtbot.waitUntil(lambda: compared._asked_table != asked)
    assert not rows(window)
    assert compared.headline.text() == "comparing…"


@pytest.mark.parametrize(("b", "verdict"), [(16.80296, ""), (16.7, "worse"), (16.9, "better")])
def test_runs_that_are_as_fast_are_neither_better_nor_worse(b, verdict):
    figure = Figure("tokens_per_s", "end to end", "tokens/s", 16.803, b, True)
    assert _row(figure, {}).verdict == verdict


# Bandwidth, and saved runs.


@pytest.mark.parametrize("align", list(Align))
def test_bandwidth_of_a_is_drawn_where_a_is_aligned(window, qtbot, align):
    edited(window, qtbot)
    window.state.comparison.set_align(align)
    window.show_view("bandwidth")
    canvas = window.docks["bandwidth"].view.canvas
    window.state.window.all()
    for _ in range(10):  # spans are worked out a few milliseconds at a time
        before = canvas.grab().toImage()
        qtbot.wait(20)
    a, b = window.state.comparison.frozen, window.state.runs.current
    reference = window.state.comparison.reference()
    row = next(at for at, item in enumerate(canvas.rows) if item.title == "GPU")
    edges = reference.other_edges
    left, right = (round(canvas.x_of(float(edges[at]))) for at in (4, 6))
    shown = canvas._rates_a[row, left - canvas.gutter : right - canvas.gutter]
    pixels = np.array([canvas.time_at(x) for x in range(left, right + 1)])
    at_a = reference.times(pixels, align)
    times = reference.times(edges[[4, 6]], align)
    expected = float(np.diff(composition_of(a).amounts_at(at_a[[0, -1]])[:, 0])[0])
    if align is Align.TOKEN:
        assert times[0] == a.start_ps(4)
    else:
        assert times[0] == b.start_ps(4)
    assert (shown * np.diff(at_a)).sum() / 1e3 == pytest.approx(expected, rel=0.05)
    window.commands.run("compare.clear")
    assert canvas.grab().toImage() != before
    assert np.isnan(canvas._rates_a).all()


def test_a_saved_run_is_opened_as_a(window, qtbot, tmp_path, monkeypatch):
    from PySide6.QtWidgets import QFileDialog

    from simcore.results.io import save_run

    run = window.state.runs.current
    path = tmp_path / "before.npz"
    save_run(run, path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.commands.run("compare.open_saved")
    qtbot.waitUntil(lambda: window.state.comparison.frozen is not None)
    frozen = window.state.comparison.frozen
    assert len(frozen) == len(run)
    assert frozen.end_ps == run.end_ps
    assert window.state.comparison.reference() is not None
    assert window.commands.get("edit.undo").shown_title() == "Undo open before.npz as A"
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"PK\x03\x04 nothing")
    for file, word in ((bad, "not a saved run"), (tmp_path / "none.npz", "no saved run")):
        window.saved_runs.open(file)
        qtbot.waitUntil(
            lambda w=word: (
                window.state.messages.strip is not None and w in window.state.messages.strip.text
            )
        )
    assert window.state.comparison.frozen is frozen
