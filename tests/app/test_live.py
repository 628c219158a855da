"""A model that writes during the run, in the real window."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from simcore.data import scenario_file
from simcore.results.text import step_token, text_of, visible
from tests.app.conftest import wait_for_run


@pytest.fixture
def live_window(empty_window, qtbot, tmp_path):
    path = tmp_path / "live.yaml"
    text = scenario_file("hermes-live").read_text(encoding="utf-8")
    path.write_text(text.replace("output_tokens: 128", "output_tokens: 40"), encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    return empty_window


def test_the_tokens_are_under_the_slider(live_window, qtbot):
    run, strip = live_window.state.runs.current, live_window.transport.text
    assert strip.isVisible()
    live_window.state.cursor.seek(7)
    own = next(box for box in strip.boxes() if box.step == 7)
    assert own.text == step_token(run, 7).replace("\n", "⏎")
    assert strip.accessibleDescription().startswith("token 7: ")
    lefts = [box.left for box in strip.boxes()]
    assert lefts == sorted(lefts)
    target = next(box for box in strip.boxes() if box.step == 9)
    where = QPoint(int(target.left + target.width / 2), strip.height() // 2)
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=where)
    assert live_window.state.cursor.step == 9
    assert visible(step_token(run, 9)) in live_window.transport.position.text()


def test_the_prompt_stands_before_the_first_token(live_window):
    live_window.state.cursor.seek(0)
    first = live_window.transport.text.boxes()[0]
    assert first.step == -1
    assert first.text.endswith("down to the sea to")


def test_a_typed_prompt_runs_again(live_window, qtbot):
    before = text_of(live_window.state.runs.current)
    row = live_window.docks["scenario"].view.form.rows["activations.prompt"]
    box = row.editor.box
    assert isinstance(box, QLineEdit)
    assert "old captain" in box.text()
    box.setText("My dear Mr. Bennet, said his lady, have you")
    box.editingFinished.emit()
    wait_for_run(qtbot, live_window)
    assert text_of(live_window.state.runs.current) != before
    live_window.context.commands.run("edit.undo")
    wait_for_run(qtbot, live_window)
    assert text_of(live_window.state.runs.current) == before


def test_an_empty_prompt_is_said_and_the_run_stays(live_window, qtbot):
    before = live_window.state.runs.current
    live_window.docks["scenario"].view.form.edited.emit("activations.prompt", "")
    qtbot.waitUntil(
        lambda: any("activations.prompt" in m.text for m in live_window.state.messages.entries)
    )
    assert text_of(live_window.state.runs.current) == text_of(before)


def test_a_run_without_text_has_no_strip(window):
    assert not window.transport.text.isVisible()


def test_a_prompt_is_written_over_the_tokens(live_window, qtbot):
    before = text_of(live_window.state.runs.current)
    strip = live_window.transport.text
    qtbot.mouseClick(strip.write, Qt.MouseButton.LeftButton)
    assert strip.line.isVisible()
    assert "old captain" in strip.line.text()
    qtbot.keyClick(strip.line, Qt.Key.Key_Escape)
    assert not strip.line.isVisible()
    assert not live_window.state.session.dirty
    live_window.show_view("timeline")
    came_from = QApplication.focusWidget()
    assert came_from is not None
    strip.begin_prompt()
    assert strip.line.hasFocus()
    strip.line.selectAll()
    qtbot.keyClicks(strip.line, "Call me ")
    qtbot.keyClick(strip.line, Qt.Key.Key_Return)
    assert not strip.line.isVisible()
    assert QApplication.focusWidget() is came_from
    wait_for_run(qtbot, live_window)
    assert live_window.state.runs.current.scenario.activations.prompt == "Call me "
    assert text_of(live_window.state.runs.current) != before
