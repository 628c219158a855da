"""Every question of the window as it is asked: the real box, answered by keys and by the mouse."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from app.bootstrap import make_window
from tests.app.conftest import SMALL, wait_for_run

KEYS = {"Escape": Qt.Key.Key_Escape, "Enter": Qt.Key.Key_Return}


@pytest.fixture
def asking(qtbot, settings, small_file):
    """A window with its own questions, which the other tests answer without a box."""
    window = make_window(settings)
    qtbot.addWidget(window, before_close_func=stop_asking)
    window.show()
    window.files.open_path(small_file)
    wait_for_run(qtbot, window)
    return window


def stop_asking(window):
    window.files.may_discard = lambda: True


def press(box, how):
    """Answer a box: by a key, by a click on a button, or by the button's Alt key."""
    if how in KEYS:
        QTest.keyClick(box, KEYS[how])
        return
    (button,) = (b for b in box.buttons() if b.text().replace("&", "") == how.rstrip("!"))
    if how.endswith("!"):  # to it with Tab, and Space
        for _ in range(6):  # the text takes the focus too
            if box.focusWidget() is not button:
                QTest.keyClick(box.focusWidget() or box, Qt.Key.Key_Tab)
        assert box.focusWidget() is button
        QTest.keyClick(button, Qt.Key.Key_Space)
    else:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def answer(qtbot):
    """``answer(how, …)`` answers the boxes to come, in turn; the texts they had are returned."""
    texts, ways, timer, idle = [], [], QTimer(), []

    def look():
        box = QApplication.activeModalWidget()
        if box is not None and not ways:
            idle.append(box)
            if len(idle) > 100:  # a box nobody answers would hold up the tests for ever
                box.reject()
        if not isinstance(box, QMessageBox) or not box.isVisible() or not ways:
            return
        texts.append(box.text())
        assert box.windowTitle()
        press(box, ways.pop(0))

    def begin(*hows):
        texts.clear()
        idle.clear()
        ways[:] = hows
        timer.start(20)
        return texts

    timer.timeout.connect(look)
    yield begin
    timer.stop()
    assert len(idle) <= 100, "a box was left without an answer"
    assert not ways, f"nothing asked that could be answered by {ways}"


def edit(window, value=5):
    window.state.session.set_value("seed", value)
    assert window.state.session.dirty


def seed_in(path):
    return next(line for line in path.read_text().splitlines() if line.startswith("seed:"))


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(SMALL.replace("small test machine", "another machine"))
    return path


@pytest.mark.parametrize(
    ("how", "opened", "saved"),
    [
        ("Save", True, True),
        ("Enter", True, True),  # saving is what Enter does
        ("Discard", True, False),
        ("Discard!", True, False),
        ("Cancel", False, False),
        ("Cancel!", False, False),
        ("Escape", False, False),
    ],
)
def test_opening_asks_about_unsaved_edits(asking, small_file, other, answer, how, opened, saved):
    edit(asking)
    texts = answer(how)
    asking.files.open_checked(other)
    assert texts == ["small test machine has edits that are not saved."]
    assert asking.state.session.path == (other if opened else small_file)
    assert asking.state.session.dirty is (not opened)
    assert seed_in(small_file) == ("seed: 5" if saved else "seed: 1")


@pytest.mark.parametrize(
    ("how", "closed", "saved"),
    [
        ("Save", True, True),
        ("Enter", True, True),
        ("Discard", True, False),
        ("Cancel", False, False),
        ("Escape", False, False),
    ],
)
def test_closing_asks_about_unsaved_edits(asking, small_file, answer, how, closed, saved):
    window = asking
    edit(window)
    texts = answer(how)
    assert window.close() is closed
    assert texts == ["small test machine has edits that are not saved."]
    assert window.isVisible() is not closed
    assert seed_in(small_file) == ("seed: 5" if saved else "seed: 1")
    if not closed:  # it goes on working, and asks again
        edit(window, 6)
        answer("Discard")
        assert window.close()


def test_nothing_is_asked_without_edits(asking, other, answer):
    texts = answer()
    asking.files.open_checked(other)
    assert asking.state.session.path == other
    assert texts == []


@pytest.mark.parametrize(
    ("how", "written"),
    [("Save", True), ("Save!", True), ("Cancel", False), ("Enter", False), ("Escape", False)],
)
def test_saving_over_what_another_program_wrote_asks(
    asking, small_file, qtbot, answer, how, written
):
    edit(asking)
    small_file.write_text(SMALL.replace("seed: 1", "seed: 77"))
    qtbot.waitUntil(lambda: asking.state.watch.pending is not None)
    texts = answer(how)
    assert asking.save() is written
    assert texts
    assert "changed by another program" in texts[0]
    assert seed_in(small_file) == ("seed: 5" if written else "seed: 77")
    assert asking.state.session.dirty is not written


@pytest.mark.parametrize(
    ("how", "seed", "layers"),
    [
        ("Reload, keep my edits", 5, 8),
        ("Reload, keep my edits!", 5, 8),
        ("Reload, drop my edits", 1, 8),
        ("Reload, drop my edits!", 1, 8),
        ("Cancel", 5, 6),
        ("Escape", 5, 6),
    ],
)
def test_reloading_asks_about_unsaved_edits(asking, small_file, qtbot, answer, how, seed, layers):
    edit(asking)
    small_file.write_text(SMALL.replace("layers: 6", "layers: 8"))
    qtbot.waitUntil(lambda: asking.state.watch.pending is not None)
    texts = answer(how)
    asking.reload()
    assert texts == ["small test machine has edits that are not saved."]
    scenario = asking.state.session.document.resolve()
    assert (scenario.seed, scenario.model.layers) == (seed, layers)


@pytest.mark.parametrize(
    ("how", "written"), [("Yes", True), ("No", False), ("Escape", False), ("Enter", False)]
)
def test_saving_as_an_existing_file_asks(asking, other, answer, qtbot, how, written):
    edit(asking)
    before = other.read_text()
    texts = answer(how)

    def fill():
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        dialog.findChild(QLineEdit).setText(str(other))
        QTimer.singleShot(400, dialog.reject)  # it stays open where the answer was no
        QTest.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Return)

    QTimer.singleShot(100, fill)
    assert asking.save_as() is written
    assert texts
    assert "already exists" in texts[0]
    assert (other.read_text() != before) is written
    assert (asking.state.session.path == other) is written


@pytest.mark.parametrize(
    ("how", "reset"), [("Reset", True), ("Cancel", False), ("Enter", False), ("Escape", False)]
)
def test_resetting_the_settings_asks(asking, answer, how, reset):
    asking.settings.autosave = not asking.settings.autosave
    changed = asking.settings.autosave
    asking.show_settings()
    dialog = asking.settings_dialog
    texts = answer(how)
    QTest.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert texts
    assert texts[0].startswith("Put all settings and keys back")
    assert (asking.settings.autosave != changed) is reset
    dialog.close()


def test_reset_to_file_asks_nothing_because_it_can_be_undone(asking, answer):
    edit(asking)
    texts = answer()
    asking.commands.run("edit.reset")
    assert not asking.state.session.dirty
    asking.commands.run("edit.undo")
    assert asking.state.session.document.resolve().seed == 5
    assert texts == []
