"""Controls speak the words of the run on screen, and offer what it has."""

import pytest
from PySide6.QtCore import QPoint

from app.viewmodels.conditions import token_step
from app.viewmodels.placement import ColourBy
from simcore.data import data_root
from tests.app.conftest import SMALL, wait_for_run
from tests.app.test_stops import L3


def texts(combo):
    return [combo.itemText(i) for i in range(combo.count())]


@pytest.fixture
def serving(window, qtbot, tmp_path):
    path = tmp_path / "serving.yaml"
    path.write_text(L3, encoding="utf-8")
    window.files.open_path(path)
    wait_for_run(qtbot, window)
    return window


def test_iterations_are_called_iterations(window, serving, qtbot):
    run = window.state.runs.current
    stops = window.docks["stops"].view
    assert stops.rows["token"].active.text() == "iteration"
    assert "iteration" in stops.rows["token"].active.toolTip()
    window.state.stops.set_value("token", 3)
    assert window.commands.get("stops.next_token").shown_title() == "Run to next: iteration 3"
    window.commands.run("stops.next_token")
    assert window.state.cursor.step == 3
    assert token_step(run, 3, len(run)) == 3
    compare = window.docks["compare"].view
    # Hidden, it learns of the run when that is finished.
    qtbot.waitUntil(lambda: texts(compare.align)[0] == "align by iteration")
    title = window.commands.get("compare.align_token").shown_title()
    assert title == "Align A and B by iteration"
    metrics = window.docks["metrics"].view
    assert metrics.text("run", "Prefill") == ""
    assert metrics.text("run", "Iterations of prompts only")


def test_tokens_are_called_tokens(window, qtbot):
    assert window.docks["stops"].view.rows["token"].active.text() == "token"
    assert texts(window.docks["compare"].view.align)[0] == "align by token"
    assert window.docks["metrics"].view.text("run", "Prefill")


def test_a_run_without_prefill_has_no_such_figure(window, qtbot):
    window.files.open_path(data_root() / "scenarios" / "h2m2-llama2-70b.yaml")
    wait_for_run(qtbot, window)
    metrics = window.docks["metrics"].view
    assert metrics.text("run", "Prefill") == ""
    assert metrics.text("run", "Steps")


def test_conditions_a_run_lacks_say_why(window, qtbot):
    window.show_view("stops")
    stops = window.docks["stops"].view
    qtbot.waitUntil(lambda: bool(window.state.series.series))
    lacks = "a request waits (the workload has no queue of requests)"
    qtbot.waitUntil(lambda: lacks in stops.lacking.text())
    assert stops.lacking.isVisible()
    window.files.open_path(data_root() / "scenarios" / "h2m2-turnover.yaml")
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: "replaced at once" in stops.lacking.text())
    assert not stops.rows["queue"].active.isEnabled()
    assert "replaced at once" in stops.rows["queue"].active.toolTip()


def test_the_map_is_coloured_by_what_the_run_has(window, qtbot, tmp_path):
    placement = window.docks["placement"].view
    assert texts(placement._by) == ["place", "activity", "mispredictions", "moves"]
    window.commands.run("view.colour_mispredictions")
    assert placement.colour_by is ColourBy.MISPREDICTIONS
    path = tmp_path / "serving.yaml"
    path.write_text(L3, encoding="utf-8")
    window.files.open_path(path)
    wait_for_run(qtbot, window)
    assert "mispredictions" not in texts(placement._by)
    assert placement.colour_by is ColourBy.PLACE
    assert not window.commands.get("view.colour_mispredictions").is_enabled()
    other = tmp_path / "again.yaml"
    other.write_text(SMALL, encoding="utf-8")
    window.files.open_path(other)
    wait_for_run(qtbot, window)
    assert placement.colour_by is ColourBy.MISPREDICTIONS  # the wish was kept


def test_a_refusal_is_in_sight(window, qtbot):
    window.resize(1280, 800)
    window.show_view("chart")
    chart = window.docks["chart"].view
    window.state.charts.choose("requests")
    qtbot.waitUntil(lambda: bool(chart.picture.text) and "yet" not in chart.picture.text)
    qtbot.wait(300)
    assert chart.picture.image.isNull()
    assert chart.picture.height() <= chart.height()
    window.state.charts.choose("timeline")
    qtbot.waitUntil(lambda: not chart.picture.image.isNull())


def test_whose_run_is_on_screen_while_another_file_is_open(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(window.controller, "start", lambda: None)  # a run that takes its time
    badge = window.transport._stale
    path = tmp_path / "other.yaml"
    path.write_text(SMALL.replace("small test machine", "another machine"), encoding="utf-8")
    window.files.open_path(path)
    assert badge.isVisible()
    assert badge.text() == "still showing: small test machine"
    monkeypatch.undo()
    window.controller.start()
    wait_for_run(qtbot, window)
    assert not badge.isVisible()
    assert window.state.runs.current.scenario.name == "another machine"
    window.state.session.set_value("seed", 3)
    assert badge.text() == "stale"
    wait_for_run(qtbot, window)
    path.with_name("broken.yaml").write_text("a: [\n", encoding="utf-8")
    window.files.open_path(path.with_name("broken.yaml"))
    qtbot.waitUntil(lambda: window.state.runs.current is None)
    assert not badge.isVisible()


def test_a_long_name_does_not_make_the_window_wider(window, qtbot, tmp_path, monkeypatch):
    window.resize(1280, 770)
    name = "a very long name of a machine that nobody would choose " * 4
    window.state.session.set_value("name", name)
    wait_for_run(qtbot, window)
    monkeypatch.setattr(window.controller, "start", lambda: None)
    path = tmp_path / "other.yaml"
    path.write_text(SMALL, encoding="utf-8")
    window.files.open_path(path)
    badge = window.transport._stale
    assert badge.isVisible()
    assert badge.text().endswith("…")
    assert name.strip() in badge.toolTip()
    assert window.transport.minimumSizeHint().width() < 1000
    qtbot.wait(50)
    assert window.width() == 1280


def test_problems_of_a_file_go_with_it(window, qtbot, tmp_path):
    tabs = window.docks["scenario"].view.tabs
    window.state.session.set_value("hardware.ndp_dimms.count", 99)
    qtbot.waitUntil(lambda: tabs.tabText(1) == "YAML (1)")
    path = tmp_path / "other.yaml"
    path.write_text(SMALL, encoding="utf-8")
    window.files.open_path(path)
    assert tabs.tabText(1) == "YAML"
    wait_for_run(qtbot, window)
    assert tabs.tabText(1) == "YAML"


def test_the_position_looks_like_the_bar_it_is_in(window, qtbot):
    for mode in ("dark", "light"):
        window.transport.context.themes.set_mode(mode)
        qtbot.wait(20)
        label, image = window.transport.position, window.grab().toImage()
        inside = label.mapTo(window, label.rect().topRight() + QPoint(-3, 2))
        above = inside + QPoint(0, -7)
        ratio = image.devicePixelRatio()
        colours = {image.pixelColor(place * ratio).name() for place in (inside, above)}
        assert colours == {window.transport.context.theme.window.lower()}
