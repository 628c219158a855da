"""The sweep view: setup, running in processes of its own, table, charts, opening points."""

import csv
import dataclasses
import os
import signal
import time

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.viewmodels.sweep import (
    AxisDraft,
    Draft,
    check_draft,
    draft_of,
    proposed_values,
    row_filter,
)
from app.widgets.sweep_table import OPEN
from simcore.scenario.document import Document
from simcore.sweep.charts import SWEEP_CHARTS
from simcore.sweep.child import End
from simcore.sweep.files import is_sweep_file, list_sweeps, load_spec
from simcore.sweep.parse import axis_fields
from simcore.sweep.runner import run_sweep
from simcore.sweep.spec import Method
from simcore.sweep.store import Store
from simcore.sweep.table import Row
from tests.app.conftest import SMALL, wait_for_run
from tests.simcore.sweep.test_runner import Here

TWO = (AxisDraft("hardware.ndp_dimms.count", "2, 4, 8"), AxisDraft("workload.batch", "1, 2"))
BOTH = "tokens_per_s:max, energy_J_per_token:min"


@pytest.fixture
def view(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("DIMMSCOPE_CACHE", str(tmp_path / "cache"))
    window.resize(1280, 800)
    window.show_view("sweep")
    found = window.docks["sweep"].view
    qtbot.waitUntil(lambda: found.on_screen)
    return found


def set_up(view, draft):
    view.setup.put(draft)
    view._check()
    return view.checked


def run(view, qtbot, draft=None):
    if draft is not None:
        assert set_up(view, draft).spec is not None, view.checked.problems
    view.run_button.click()
    assert view.runner.running
    qtbot.waitUntil(lambda: not view.runner.running)
    qtbot.waitUntil(lambda: not view._grow.isActive())


def column(view, key):
    keys = [heading.key for heading in view.points.table.rows.headings]
    return 1 + keys.index(key)


def texts(view, key):
    at, model = column(view, key), view.points.table.rows
    return [model.index(row, at).data() for row in range(model.rowCount())]


# Setup.


def test_a_new_view_asks_for_a_field(view):
    assert view.checked.spec is None
    assert not view.run_button.isEnabled()
    assert len(view.setup.rows) == 1
    assert view.tabs.currentWidget() is view.setup
    assert not view.context.commands.get("sweep.run").is_enabled()


def test_fields_come_from_the_schema_with_their_ranges(view, qtbot):
    row = view.setup.rows[0]
    view._check()
    fields = [row.field.itemText(index) for index in range(row.field.count())]
    assert fields == list(axis_fields(view.state.session.document))
    row.field.setFocus()
    row.field.lineEdit().clear()
    QTest.keyClicks(row.field.lineEdit(), "hardware.ndp_dimms.count")
    assert row.values.text() == "2, 4, 8, 16"
    assert "Allowed: 1 to 64" in row.values.toolTip()
    assert "Now 4" in row.values.toolTip()
    qtbot.waitUntil(lambda: view.checked.spec is not None)
    assert row.count.text() == "4"
    assert view.run_button.text() == "Run 4 points"
    assert view.run_button.isEnabled()


def test_wrong_values_are_marked_at_their_field(view, qtbot):
    row = view.setup.rows[0]
    view._check()
    row.field.setCurrentText("hardware.ndp_dimms.count")
    row.values.clear()
    QTest.keyClicks(row.values, "0, 4")
    qtbot.waitUntil(lambda: bool(row.values.property("invalid")))
    assert row.problem.isVisible()
    assert "too small" in row.problem.text()
    assert "1 to 64" in row.problem.text()
    assert not view.run_button.isEnabled()
    row.values.clear()
    QTest.keyClicks(row.values, "lin:1:4:4")
    qtbot.waitUntil(lambda: view.checked.spec is not None)
    assert not row.problem.isVisible()
    assert not row.values.property("invalid")


@pytest.mark.parametrize(
    ("draft", "place", "told"),
    [
        (Draft((AxisDraft("nothing", "1"),)), "axis0", "no such field"),
        (Draft((AxisDraft("seed", ""),)), "axis0", "give values"),
        (Draft((AxisDraft("", "1"),)), "axis0", "choose a field"),
        (Draft(TWO, objectives="speed"), "objectives", "no such figure"),
        (Draft(TWO, constraints="fast"), "constraints", "tokens_per_s >= 10"),
        (Draft(TWO, prices="gpus=1"), "prices", "did you mean 'gpu'"),
        (Draft(TWO, prices="gpu"), "prices", "write COMPONENT=USD"),
        (Draft((TWO[0], TWO[0])), "whole", "stands twice"),
        (Draft((AxisDraft("seed", "1:1000:1000"), AxisDraft("workload.batch", "1:900:900"))),
         "whole", "points"),
    ],
)  # fmt: skip
def test_every_problem_stands_at_its_place(view, qtbot, draft, place, told):
    checked = set_up(view, draft)
    assert checked.spec is None
    assert told in checked.problems[place]
    shown = {**view.setup._problems, "axis0": view.setup.rows[0].problem}[place]
    qtbot.waitUntil(shown.isVisible)
    assert told in shown.text()


def test_all_problems_are_shown_at_once(view):
    draft = Draft(
        (AxisDraft("workload.batch", "0"), AxisDraft("seed", "-1")), Method.GRID,
        objectives="tokens_per_sec", constraints="fast", prices="gpu",
    )  # fmt: skip
    checked = set_up(view, draft)
    assert set(checked.problems) == {"axis0", "axis1", "objectives", "constraints", "prices"}
    assert "did you mean 'tokens_per_s'" in checked.problems["objectives"]


def test_fields_are_added_and_removed(view, qtbot):
    set_up(view, Draft(TWO))
    view.setup.add.click()
    view.setup.add.click()
    assert len(view.setup.rows) == 4
    assert not view.setup.add.isEnabled()
    view.setup.rows[3].remove.click()
    view.setup.rows[2].remove.click()
    assert view.setup.add.isEnabled()
    qtbot.waitUntil(lambda: view.checked.spec is not None)
    assert view.setup.draft().axes == TWO
    view.setup.rows[0].remove.click()
    view.setup.rows[0].remove.click()
    assert view.setup.draft().axes == (AxisDraft(),)


def test_samples_have_a_number_of_points(view):
    assert not view.setup.points.isVisible()
    view.setup.put(Draft(TWO, Method.LATIN_HYPERCUBE, points=12, seed=4))
    assert view.setup.points.isVisible()
    assert view.setup.seed.isVisible()
    view._check()
    assert view.checked.spec.size == 12
    assert view.checked.spec.seed == 4


def test_a_draft_and_its_sweep_say_the_same(view):
    draft = Draft(
        (AxisDraft("seed", "log:1:64:4"), TWO[1]), Method.RANDOM, 7, 3, BOTH,
        "tokens_per_s >= 1, fits", "ndp_dimms=120",
    )  # fmt: skip
    checked = check_draft(view.state.session.document, draft)
    assert checked.problems == {}
    assert draft_of(checked.spec) == draft


def test_proposed_values_are_allowed():
    document = Document.from_text(SMALL)
    fields = axis_fields(document)
    for path, info in fields.items():
        text = proposed_values(info)
        if text:
            checked = check_draft(document, Draft((AxisDraft(path, text),)))
            assert not checked.problems, (path, text, checked.problems)


def test_the_setup_follows_the_scenario(view, qtbot):
    set_up(view, Draft(TWO))
    view.state.session.set_value("hardware.ndp_dimms.count", 0)
    qtbot.waitUntil(lambda: "whole" in view.checked.problems)
    assert "hardware.ndp_dimms.count" in view.checked.problems["whole"]
    view.context.commands.run("edit.undo")
    qtbot.waitUntil(lambda: view.checked.spec is not None)


# Running.


def test_a_sweep_runs_and_fills_the_table(view, qtbot):
    run(view, qtbot, Draft(TWO, objectives=BOTH))
    assert view.runner.ended is End.DONE
    assert view.tabs.currentWidget() is view.points
    assert view.points.table.rows.rowCount() == 6
    assert texts(view, "point") == ["0", "1", "2", "3", "4", "5"]
    assert texts(view, "hardware.ndp_dimms.count") == ["2", "2", "4", "4", "8", "8"]
    assert set(texts(view, "status")) == {"done"}
    assert view.status.text().startswith("6 points in")
    qtbot.waitUntil(lambda: bool(view.points.table.rows.front))
    assert "on it" in texts(view, "front")
    run(view, qtbot)
    assert "6 were there before" in view.status.text()


def test_the_window_answers_while_a_sweep_runs(view, qtbot):
    """Each turn of the event loop is short, though the cores are busy."""
    set_up(view, Draft((AxisDraft("seed", "1:30:30"), TWO[1])))
    view.run_button.click()
    turns = 0
    while view.runner.running:
        QApplication.processEvents()
        turns += 1
        time.sleep(0.001)
    assert view.runner.ended is End.DONE
    assert turns > 60  # more than points: it never waited for one


def test_stopping_keeps_what_is_done(view, qtbot):
    draft = Draft((AxisDraft("seed", "1:400:400"),))
    set_up(view, draft)
    assert view.run_button.isVisible()
    view.run_button.click()
    assert view.stop_button.isVisible()
    assert not view.run_button.isVisible()
    qtbot.waitUntil(lambda: len(view.runner.rows) > 5)
    view.stop_button.click()
    assert "stopping" in view.status.text()
    qtbot.waitUntil(lambda: not view.runner.running)
    assert view.runner.ended is End.STOPPED
    done = len(view.runner.rows)
    assert 5 < done < 400
    assert f"stopped at {done} of 400" in view.status.text()
    set_up(view, Draft((AxisDraft("seed", f"1:{done}:{done}"),)))


def test_a_killed_sweep_process_is_told_and_loses_nothing(view, qtbot):
    set_up(view, Draft((AxisDraft("seed", "1:400:400"),)))
    view.run_button.click()
    qtbot.waitUntil(lambda: len(view.runner.rows) > 5)
    os.kill(view.runner._process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not view.runner.running)
    assert view.runner.ended is End.FAILED
    assert "what is done is kept" in view.state.messages.strip.text
    done = len(view.runner.rows)
    set_up(view, Draft((AxisDraft("seed", "1:40:40"),)))
    run(view, qtbot)
    assert view.runner.ended is End.DONE
    assert view.runner.progress.stored >= min(done, 40) - 1


def test_a_scheduler_that_is_not_there_is_told(view, qtbot, monkeypatch):
    set_up(view, Draft(TWO))
    view.setup.scheduler.setText("nonsense://nowhere")
    view.run_button.click()
    qtbot.waitUntil(lambda: not view.runner.running)
    assert "no Dask scheduler answers" in view.state.messages.strip.text


def test_closing_the_window_ends_the_sweep(view, qtbot, window):
    set_up(view, Draft((AxisDraft("seed", "1:4000:4000"),)))
    view.run_button.click()
    qtbot.waitUntil(lambda: len(view.runner.rows) > 2)
    process = view.runner._process
    window.close()
    assert not process.is_alive()


# Table.


@pytest.fixture
def swept(view, qtbot, tmp_path):
    """A finished sweep, simulated in this process: starting others takes seconds."""
    checked = set_up(view, Draft(TWO, objectives=BOTH, constraints="step_ms.p95 <= 1e9"))
    runner, found = view.runner, []
    with Store(tmp_path / "swept.sqlite") as store:
        run_sweep(checked.spec, store, Here(), on_rows=lambda rows, p: found.append((rows, p)))
    runner.spec, runner.source = checked.spec, view.state.session.path
    runner.rows, runner.ended = {}, None
    runner.begun.emit()
    for rows, progress in found:
        runner.rows.update((row.index, row) for row in rows)
        runner.progress = progress
        runner.grew.emit(list(rows))
    runner.ended = End.DONE
    runner.changed.emit()
    qtbot.waitUntil(lambda: not view._grow.isActive())
    return view


def test_sorting_is_by_number(swept):
    at = column(swept, "tokens_per_s")
    swept.points.table.sortByColumn(at, Qt.SortOrder.DescendingOrder)
    values = [row.figures["tokens_per_s"] for row in swept.points.table.shown()]
    assert values == sorted(values, reverse=True)
    swept.points.table.sortByColumn(at, Qt.SortOrder.AscendingOrder)
    assert [row.figures["tokens_per_s"] for row in swept.points.table.shown()] == values[::-1]


def test_the_current_row_stays_when_the_order_changes(swept):
    swept.points.table.go(4)
    swept.points.table.sortByColumn(column(swept, "tokens_per_s"), Qt.SortOrder.DescendingOrder)
    assert swept.points.table.current().index == 4
    swept.points.filter.setText("batch == 1")
    assert swept.points.table.current().index == 4
    swept.points.filter.setText("batch == 2")
    assert swept.points.table.current() is None


def test_many_rows_are_sorted_and_filtered(swept):
    model = swept.points.table.rows
    row = swept.runner.rows[0]
    model.add([dataclasses.replace(row, index=6 + n) for n in range(20_000)])
    swept.points.table.sortByColumn(column(swept, "tokens_per_s"), Qt.SortOrder.DescendingOrder)
    swept.points.filter.setText("tokens_per_s > 0")
    assert model.rowCount() == 20_006
    best = max(swept.runner.rows.values(), key=lambda one: one.figures["tokens_per_s"])
    assert swept.points.table.shown()[0].index == best.index


def test_filters(swept, qtbot):
    middle = sorted(row.figures["tokens_per_s"] for row in swept.runner.ordered())[3]
    swept.points.filter.setText(f"tokens_per_s >= {middle!r}")
    assert len(swept.points.table.shown()) == 3
    swept.points.filter.setText("batch == 2, hardware.ndp_dimms.count < 8")
    assert [row.values for row in swept.points.table.shown()] == [(2, 2), (4, 2)]
    swept.points.filter.setText("tokens_per > 1")
    assert swept.points.filter_problem.isVisible()
    assert len(swept.points.table.shown()) == 6
    swept.points.filter.setText("fit")
    assert swept.points.table.shown() == []
    swept.points.filter.clear()
    swept.points.kind.setCurrentText("failed")
    assert swept.points.table.shown() == []
    qtbot.waitUntil(lambda: bool(swept.points.table.rows.front))
    swept.points.kind.setCurrentText("Pareto front")
    assert {row.index for row in swept.points.table.shown()} == swept.points.table.rows.front


def test_other_figures_can_be_shown(swept):
    menu = swept.points.columns.menu()
    menu.aboutToShow.emit()
    action = next(a for a in menu.actions() if a.toolTip() == "memory.gpu.peak_bytes")
    assert not action.isChecked()
    action.setChecked(True)
    assert texts(swept, "memory.gpu.peak_bytes")[0] != "–"


def test_rows_are_copied(swept):
    swept.points.table.selectAll()
    QTest.keyClick(swept.points.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 7
    assert lines[0].split("\t")[:2] == ["Point", "ndp_dimms.count"]


def test_failed_points_say_why(view, qtbot):
    draft = Draft((AxisDraft("hardware.ndp_dimms.capacity_GiB", "0.0001, 32"),))
    run(view, qtbot, draft)
    assert texts(view, "status") == ["does not fit", "done"]
    model = view.points.table.rows
    tip = model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
    assert "needs" in tip
    assert texts(view, "tokens_per_s")[0] == "–"
    view.points.kind.setCurrentText("failed")
    assert [row.index for row in view.points.table.shown()] == [0]


def test_missing_figures_come_last_both_ways(view, qtbot):
    run(view, qtbot, Draft((AxisDraft("hardware.ndp_dimms.capacity_GiB", "0.0001, 16, 32"),)))
    at = column(view, "tokens_per_s")
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        view.points.table.sortByColumn(at, order)
        assert view.points.table.shown()[-1].index == 0


def test_a_word_filter_looks_at_everything():
    document = Document.from_text(SMALL)
    spec = check_draft(document, Draft(TWO)).spec
    from simcore.sweep.evaluate import Outcome

    row = Row(0, (2, 1), "k", Outcome(error="no room"), {"tokens_per_s": 5.0})
    for text, through in (("room", True), ("ROOM, batch == 1", True), ("batch > 1", False)):
        test, problem = row_filter(text, spec)
        assert not problem
        assert test(row) is through


# Opening points.


def click(view, row, at):
    index = view.points.table.rows.index(row, at)
    view.points.table.scrollTo(index)
    QTest.mouseClick(
        view.points.table.viewport(),
        Qt.MouseButton.LeftButton,
        pos=view.points.table.visualRect(index).center(),
    )


def test_one_click_opens_a_point_and_undo_goes_back(swept, window, qtbot):
    before = window.state.session.document.text()
    click(swept, 3, OPEN)
    assert swept.chosen == 3
    wait_for_run(qtbot, window)
    scenario = window.state.session.scenario
    assert (scenario.hardware.ndp_dimms.count, scenario.workload.batch) == (4, 2)
    assert "# the card" in window.state.session.document.text()
    run_ = window.state.runs.current
    from simcore.results.summary import summarise

    row = swept.runner.rows[3]
    assert summarise(run_)["tokens_per_s"] == row.figures["tokens_per_s"]
    assert "open point 3" in window.commands.get("edit.undo").shown_title()
    window.commands.run("edit.undo")
    assert window.state.session.document.text() == before


def test_keys_and_the_button_open_too(swept, window):
    swept.points.table.go(1)
    QTest.keyClick(swept.points.table, Qt.Key.Key_Return)
    assert window.state.session.document.get("workload.batch") == 2
    click(swept, 4, 1)
    assert swept.open_button.text() == "Open point 4"
    swept.open_button.click()
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 8


def test_a_point_of_another_file_asks_first(swept, window, qtbot, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace("small test machine", "another"), encoding="utf-8")
    assert window.files.open_path(other)
    wait_for_run(qtbot, window)
    asked = []
    window.files.may_discard = lambda: bool(asked.append(1))
    swept._open(5)
    assert asked
    assert window.state.session.path == other
    window.files.may_discard = lambda: True
    swept._open(5)
    assert window.state.session.path is None
    assert "small test machine" in window.state.session.document.text()


# Charts.


@pytest.mark.parametrize("chart", SWEEP_CHARTS)
def test_charts_are_drawn(swept, qtbot, chart):
    swept.tabs.setCurrentWidget(swept.chart)
    swept.chart.which.setCurrentIndex(swept.chart.which.findData(chart))
    swept.chart.which.activated.emit(swept.chart.which.currentIndex())
    qtbot.waitUntil(lambda: swept.chart._asked is not None and swept.chart._asked[2] == chart)
    qtbot.waitUntil(lambda: not swept.chart.picture.image.isNull())
    qtbot.waitUntil(lambda: swept.chart.picture._places is not None)


def test_a_point_of_a_chart_is_chosen_and_opened(swept, qtbot, window):
    swept.tabs.setCurrentWidget(swept.chart)
    qtbot.waitUntil(lambda: bool(swept.chart.picture.positions_of(4)))
    at = swept.chart.picture.positions_of(4)[0].toPoint()
    QTest.mouseClick(swept.chart.picture, Qt.MouseButton.LeftButton, pos=at)
    assert swept.chosen == 4
    assert swept.chart.picture.marked == 4
    assert swept.points.table.current().index == 4
    assert "ndp_dimms.count = 8" in swept.chart.picture.tip_of(4)
    QTest.mouseDClick(swept.chart.picture, Qt.MouseButton.LeftButton, pos=at)
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 8
    assert swept.chart.picture.point_at(QPointF(QPoint(2, 2))) == -1


def test_a_chart_that_does_not_apply_says_why(view, qtbot):
    run(view, qtbot, Draft(TWO[:1]))
    view.tabs.setCurrentWidget(view.chart)
    view.chart.which.setCurrentIndex(view.chart.which.findData("heatmap"))
    view.chart.which.activated.emit(0)
    qtbot.waitUntil(lambda: "needs two axes" in view.chart.picture.text)


# Files.


def test_tables_and_charts_are_written(swept, qtbot, tmp_path):
    for name in ("t.csv", "t.parquet", "t.svg"):
        swept.write(tmp_path / name)
        qtbot.waitUntil(lambda name=name: (tmp_path / name).exists())
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert float(rows[2]["tokens_per_s"]) == swept.runner.rows[2].figures["tokens_per_s"]
    swept.write(tmp_path / "none" / "t.csv")
    qtbot.waitUntil(lambda: "cannot write" in swept.state.messages.strip.text)


def test_a_saved_sweep_is_one_for_the_command_line(view, small_file, tmp_path):
    set_up(view, Draft(TWO, objectives=BOTH))
    path = tmp_path / "mine.yaml"
    view.save_to(path)
    assert is_sweep_file(path)
    spec = load_spec(path)
    assert spec.axes == view.checked.spec.axes
    assert spec.document.path == small_file
    view.state.session.set_value("seed", 9)
    view.save()
    assert "Save the scenario first" in view.state.messages.strip.text


@pytest.mark.parametrize("path", list_sweeps()[:2], ids=lambda path: path.stem)
def test_examples_open_their_scenario_and_show_their_setup(view, window, qtbot, path):
    window.commands.run(f"sweep.example_{path.stem}")
    spec = load_spec(path)
    qtbot.waitUntil(lambda: view.checked.spec is not None)
    assert view.checked.spec.axes == spec.axes
    assert view.checked.spec.size == spec.size
    assert window.state.session.document.text() == spec.document.text()
    if spec.document.text() != Document.from_file(spec.document.path).text():
        assert "settings of the sweep" in window.commands.get("edit.undo").shown_title()


def test_a_broken_sweep_file_is_told(view, window, tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("scenario: h2m2-llama2-70b\nvary: {workload.bach: [1]}\n")
    from app.sweep_files import SweepFiles

    SweepFiles(window).load_sweep(path)
    assert "did you mean 'workload.batch'" in window.state.messages.strip.text
