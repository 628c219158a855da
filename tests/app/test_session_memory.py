"""What a session remembers, from one window to the next."""

import pytest
from PySide6.QtCore import Qt

from app.bootstrap import make_window
from app.persistence import places, sidecar
from app.settings.store import Settings
from app.state.memory import Memory
from app.state.messages import Severity
from app.state.selection import ItemRef
from simcore.data import data_root
from simcore.results.summary import scenario_dict
from tests.app.conftest import SMALL, wait_for_run


@pytest.fixture
def again(qtbot, window):
    """Close the window and open the file in a new one."""
    opened = []

    def open_again(path=None):
        path = path or window.state.session.path
        (opened[-1] if opened else window).close()
        new = make_window(Settings())
        new.files.may_discard = lambda: True
        opened.append(new)
        qtbot.addWidget(new)
        new.show()
        qtbot.waitExposed(new)
        new.files.open_path(path)
        wait_for_run(qtbot, new)
        return new

    yield open_again
    for new in opened:
        new.close()


def test_everything_comes_back(window, qtbot, again, small_file):
    state = window.state
    state.comparison.freeze()
    frozen = scenario_dict(state.comparison.frozen.scenario)
    state.session.set_value("workload.output_tokens", 14)
    assert window.files.save()
    wait_for_run(qtbot, window)
    state.cursor.seek(6, 5000)
    state.window.set(state.runs.current.start_ps(5), state.runs.current.start_ps(8))
    window.commands.run("timeline.next")
    span = state.selection.span
    state.selection.select_item(ItemRef(2, 30))
    state.stops.set_value("token", 9)
    state.stops.set_active("token", True)
    state.playback.set_loop((2, 7))
    state.charts.choose("timeline")
    window.set_layout_named("compare")
    window.show_view("bandwidth")
    qtbot.wait(50)
    window.docks["figures"].view.choose(("duration",))
    window.docks["figures"].view.axis.setCurrentIndex(1)
    kept = (state.cursor.step, state.cursor.time_ps, state.window.start_ps, state.window.end_ps)

    new = again()
    memory = new.state
    text = (small_file.parent / "small.view.yaml").read_text(encoding="utf-8")
    assert text.startswith("# What DIMMscope remembers")
    assert (memory.cursor.step, memory.cursor.time_ps) == kept[:2]
    assert (memory.window.start_ps, memory.window.end_ps) == pytest.approx(kept[2:], rel=1e-6)
    assert memory.selection.span == span
    assert (memory.selection.item.row, memory.selection.item.column) == (2, 30)
    assert memory.stops.active == {"token"}
    assert memory.stops.values["token"] == 9
    assert memory.playback.loop == (2, 7)
    assert memory.charts.chart == "timeline"
    assert new.layout_name == "compare"
    figures = new.docks["figures"].view
    assert figures.chosen == {"hermes": ("duration",)}
    assert figures.axis.currentIndex() == 1
    assert new.docks["bandwidth"].view.on_screen
    qtbot.waitUntil(lambda: memory.comparison.frozen is not None)
    assert scenario_dict(memory.comparison.frozen.scenario) == frozen
    assert memory.session.bus.edits == ()  # nothing of it is an edit
    assert not memory.session.dirty


def test_looking_alone_writes_nothing(window, again, small_file):
    again()
    assert [p.name for p in small_file.parent.glob("*.view.yaml*")] == []


def test_two_files_have_their_own_sessions(window, qtbot, small_file):
    other = small_file.with_name("other.yaml")
    other.write_text(SMALL, encoding="utf-8")
    window.state.cursor.seek(7)
    window.files.open_path(other)
    wait_for_run(qtbot, window)
    window.state.cursor.seek(3)
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    assert window.state.cursor.step == 7
    window.files.open_path(other)
    wait_for_run(qtbot, window)
    assert window.state.cursor.step == 3
    window.state.cursor.home()
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    window.files.open_path(other)
    wait_for_run(qtbot, window)
    assert window.state.cursor.step == 0


def test_the_step_comes_back_although_the_first_blocks_are_shorter(window, qtbot, again):
    window.state.session.set_value("workload.output_tokens", 400)
    window.files.save()
    wait_for_run(qtbot, window)
    window.state.cursor.seek(390, 77)
    new = again()
    assert (new.state.cursor.step, new.state.cursor.time_ps) == (390, 77)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"format: dimmscope-view\nversion: 99\nsession: {}\n", "newer version"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"format: dimmscope-view\nversion: 1\nsession: [1\n", "cannot be read"),
        (b"format: dimmscope-view\nversion: 1\nsession: 7\n", "is damaged"),
        (
            b"format: dimmscope-view\nversion: 1\nsession: {cursor: {step: -4, share: 0}}\n",
            "unusable parts (cursor)",
        ),
        (
            b"format: dimmscope-view\nversion: 1\nsession: {loop: x, stops: {active: [y]},"
            b" visible: {first_step: 3, last_step: 1}, selection: 4, layout: nowhere,"
            b" run_a: {align: token, scenario: {system: none}}, chart: {chart: q, steps: own}}\n",
            "unusable parts",
        ),
    ],
)
def test_bad_sessions_are_defaults_a_message_and_a_copy(window, qtbot, small_file, content, said):
    path = small_file.with_name("small.view.yaml")
    path.write_bytes(content)
    window.files.open_path(small_file)
    assert window.state.session.path == small_file
    wait_for_run(qtbot, window)
    logged = "\n".join(entry.text for entry in window.state.messages.entries)
    assert said in logged
    assert "small.view.yaml.bak" in logged
    assert small_file.with_name("small.view.yaml.bak").read_bytes() == content
    window.state.cursor.seek(4)
    window.close()
    assert small_file.with_name("small.view.yaml.bak").read_bytes() == content
    assert sidecar.read(small_file).values["cursor"]["step"] == 4


def test_a_scenario_of_that_name_is_left_alone(window, small_file):
    path = small_file.with_name("small.view.yaml")
    path.write_text(SMALL, encoding="utf-8")
    window.state.cursor.seek(4)
    window.close()
    assert path.read_text(encoding="utf-8") == SMALL
    assert sidecar.read(small_file).values["cursor"]["step"] == 4
    assert places.elsewhere(small_file).is_file()


def test_shipped_scenarios_are_remembered_elsewhere(window, qtbot):
    shipped = data_root() / "scenarios" / "hermes-recorded.yaml"
    before = sorted(shipped.parent.iterdir())
    window.files.open_path(shipped)
    wait_for_run(qtbot, window)
    window.state.cursor.seek(5)
    window.close()
    assert sorted(shipped.parent.iterdir()) == before
    assert places.elsewhere(shipped).is_file()
    assert sidecar.read(shipped).values["cursor"]["step"] == 5


def test_a_folder_that_cannot_be_written(window, small_file, monkeypatch):
    monkeypatch.setattr(places.os, "access", lambda *_: False)
    window.state.cursor.seek(5)
    window.close()
    assert not small_file.with_name("small.view.yaml").exists()
    assert sidecar.read(small_file).values["cursor"]["step"] == 5


def test_it_can_be_switched_off(window, qtbot, small_file):
    window.settings.session = False
    window.state.cursor.seek(5)
    window.files.open_path(small_file)
    window.close()
    assert not small_file.with_name("small.view.yaml").exists()


def test_save_as_takes_the_session_along(window, small_file):
    window.state.cursor.seek(5)
    other = small_file.with_name("copy.yaml")
    window.files._save(other)
    window.close()
    assert sidecar.read(other).values["cursor"]["step"] == 5


def test_a_broken_scenario_does_not_lose_its_session(window, qtbot, small_file):
    window.state.cursor.seek(5)
    other = small_file.with_name("other.yaml")
    other.write_text(SMALL, encoding="utf-8")
    window.files.open_path(other)
    small_file.write_text("a: [\n", encoding="utf-8")
    window.files.open_path(small_file)
    qtbot.waitUntil(lambda: window.state.messages.strip is not None)
    window.files.open_path(other)
    wait_for_run(qtbot, window)
    small_file.write_text(SMALL, encoding="utf-8")
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    assert window.state.cursor.step == 5


def test_parts_are_named_once_and_fail_alone():
    memory, got = Memory(), []
    memory.add("a", lambda: 1, got.append)
    memory.add("b", lambda: None, lambda value: got.append(value["x"]))
    memory.add("c", lambda: [2], got.append, with_run=True)
    with pytest.raises(ValueError, match="'a'"):
        memory.add("a", lambda: 1, got.append)
    assert memory.collect() == {"a": 1, "c": [2]}
    assert memory.restore({"a": 5, "b": 6}, with_run=False) == ["b"]
    assert memory.restore({"a": 5, "b": 6}, with_run=True) == []
    assert got == [5, None]


def test_the_message_stays_until_it_is_dismissed(window, qtbot, small_file):
    small_file.with_name("small.view.yaml").write_text("format: dimmscope-view\nversion: 2\n")
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    (row,) = window.questions.rows
    assert row.notice.severity is Severity.WARNING
    assert "newer version" in row.notice.text
    qtbot.mouseClick(row.buttons[0], Qt.MouseButton.LeftButton)
    assert not window.questions.isVisible()
