"""Panes without a run, and files that cannot be simulated."""

from app.viewmodels.metrics import Group, Row
from tests.app.conftest import SMALL, wait_for_run

BROKEN = SMALL.replace("count: 4", "count: 0")


def test_a_broken_file_leaves_no_run_of_another_file(window, qtbot, tmp_path):
    window.state.cursor.seek(5)
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.state.runs.current is None)
    state = window.state
    assert state.messages.strip is not None
    assert (state.runs.length, state.cursor.step, state.runs.stale) == (0, 0, False)
    assert window.transport.position.text() == "no run yet"
    assert window.docks["placement"].view.canvas.grid is None
    assert window.docks["timeline"].view.canvas.composition is None
    assert not window.docks["metrics"].view.text("run", "Steps")
    assert not window.grab().isNull()


def test_groups_of_metrics_keep_their_order_however_late_they_come(empty_window):
    view = empty_window.docks["metrics"].view
    view._tree.clear()
    for name in ("lanes", "run", "system", "step", "lanes"):
        view._show(Group(name, name.upper(), (Row("a", "b"),)))
    count = view._tree.topLevelItemCount()
    titles = [view._tree.topLevelItem(at).text(0) for at in range(count)]
    assert titles == ["RUN", "STEP", "SYSTEM", "LANES"]


def test_the_window_recovers_from_a_broken_file(window, qtbot, tmp_path, small_file):
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    window.files.open_path(path)
    qtbot.waitUntil(lambda: window.state.runs.current is None)
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    assert window.docks["metrics"].view.text("run", "Steps") == "13 of 13"
    qtbot.waitUntil(lambda: window.docks["placement"].view.canvas.grid is not None)


def test_a_broken_edit_keeps_the_run_of_the_same_file(window, qtbot):
    run = window.state.runs.current
    window.state.session.set_value("hardware.ndp_dimms.count", 0)
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    assert window.state.runs.current is run
    assert window.state.runs.stale


def test_a_broken_reload_and_save_as_keep_the_run(window, qtbot, small_file, tmp_path):
    run = window.state.runs.current
    window.state.session.save(tmp_path / "copy.yaml")
    window.state.session.set_value("hardware.ndp_dimms.count", 0)
    qtbot.waitUntil(lambda: bool(window.state.session.problems))
    assert window.state.runs.current is run
    (tmp_path / "copy.yaml").write_text(BROKEN, encoding="utf-8")
    window.files.open_path(tmp_path / "copy.yaml")
    qtbot.waitUntil(lambda: not window.controller.busy)
    assert window.state.runs.current is run


def test_every_pane_says_that_there_is_no_run(empty_window, qtbot):
    for id, dock in empty_window.docks.items():
        empty_window.show_view(id)
        qtbot.wait(20)
        assert not dock.grab().isNull()
    tree = empty_window.docks["metrics"].view._tree
    assert tree.topLevelItem(0).text(0) == "no run yet"
    assert tree.topLevelItem(0).isFirstColumnSpanned()
