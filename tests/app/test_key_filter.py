"""Keys on the way they take in use: to a window, from there to the control with the keyboard."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QTabBar,
    QTreeWidget,
    QVBoxLayout,
)
from shiboken6 import delete

from app.bootstrap import make_window
from app.layout import LAYOUTS
from app.settings.store import Settings
from app.widgets.key_filter import KeyFilter

CTRL = Qt.KeyboardModifier.ControlModifier
KEY = Qt.Key


def give_focus(qtbot, widget):
    """Let a control have the keyboard, as a click or Tab would."""
    widget.window().activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is widget.window())
    widget.setFocus()
    assert QApplication.focusWidget() is widget


def press(qtbot, key, modifiers=Qt.KeyboardModifier.NoModifier):
    """A key as the system hands it over: to the window on top, whoever has the focus in it."""
    window = QApplication.activePopupWidget() or QApplication.activeWindow()
    QTest.keyClick(window.windowHandle(), key, modifiers)
    QApplication.processEvents()


@pytest.fixture
def ran(window):
    """Ids of the commands that keys run; they do nothing else."""
    ids = []
    window.commands.run = ids.append
    yield ids
    del window.commands.run


def form_row(window, path):
    window.show_view("scenario")
    return window.docks["scenario"].view.form.rows[path].editor.box


def test_undo_in_a_number_field_is_the_documents(window, qtbot):
    box = form_row(window, "hardware.ndp_dimms.count")
    give_focus(qtbot, box)
    box.setValue(3)
    press(qtbot, KEY.Key_Z, CTRL)
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 4


def test_a_text_keeps_its_own_keys_and_leaves_commands_theirs(window, qtbot, ran):
    window.show_view("scenario")
    line = window.docks["scenario"].view.form._filter
    give_focus(qtbot, line)
    for key in (KEY.Key_N, KEY.Key_Space, KEY.Key_P):
        press(qtbot, key)
    press(qtbot, KEY.Key_Z, CTRL)
    press(qtbot, KEY.Key_Left, CTRL)
    assert ran == []
    press(qtbot, KEY.Key_E, CTRL)
    assert ran == [window.commands.by_key("Ctrl+E").id]


def test_space_and_arrows_are_the_controls_that_know_them(window, qtbot, ran):
    window.show_view("metrics")
    give_focus(qtbot, window.docks["metrics"].view.findChild(QTreeWidget))
    for key in (KEY.Key_Left, KEY.Key_Right, KEY.Key_Home, KEY.Key_End):
        press(qtbot, key)
    assert ran == []
    press(qtbot, KEY.Key_Space)
    assert ran == ["playback.play"]
    ran.clear()
    give_focus(qtbot, window.transport.findChild(QComboBox))
    for key in (KEY.Key_Right, KEY.Key_Home, KEY.Key_Space):
        press(qtbot, key)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    press(qtbot, KEY.Key_Right, CTRL)
    popup.close()
    assert ran == []


def test_a_list_of_completions_leaves_the_text_its_keys_and_commands_theirs(window, qtbot, ran):
    window.show_view("sweep")
    field = window.docks["sweep"].view.setup.rows[0].field
    give_focus(qtbot, field)
    field.lineEdit().clear()
    for key in (KEY.Key_N, KEY.Key_D, KEY.Key_P):
        press(qtbot, key)
    assert QApplication.activePopupWidget() is field.completer().popup()
    press(qtbot, KEY.Key_E, CTRL)
    assert ran == ["file.export_chart"]
    assert QApplication.activePopupWidget() is field.completer().popup()
    for key in (KEY.Key_Home, KEY.Key_Right, KEY.Key_Space):
        press(qtbot, key)
    assert field.currentText() == "n dp"
    assert ran == ["file.export_chart"]


def test_no_command_is_run_while_a_menu_is_open(window, qtbot, ran):
    menu = window.table.menus["Playback"]
    menu.popup(window.mapToGlobal(window.rect().center()))
    press(qtbot, KEY.Key_Right, CTRL)
    press(qtbot, KEY.Key_E, CTRL)
    menu.close()
    assert ran == []


def test_commands_are_up_to_date_when_a_key_comes_although_nothing_has_the_keyboard(
    window, qtbot, monkeypatch
):
    refreshed, turns = [], window.state.turns
    monkeypatch.setattr(window.commands, "refresh", lambda: refreshed.append(True))
    window.activateWindow()
    dock = window.docks["log"]
    window.show_view("log")
    dock.setFloating(True)
    for place in (window, dock, window):
        place.activateWindow()
        qtbot.waitUntil(lambda place=place: QApplication.activeWindow() is place)
        if QApplication.focusWidget() is not None:
            QApplication.focusWidget().clearFocus()
        assert QApplication.focusWidget() is None
        refreshed.clear()
        turns.ask(window.commands.refresh, 7)
        turns._timer.stop()  # so that it is the key that has it done
        press(qtbot, KEY.Key_F7)
        assert refreshed


def test_keys_in_a_floating_view(window, qtbot, ran):
    window.show_view("timeline")
    dock = window.docks["timeline"]
    dock.setFloating(True)
    give_focus(qtbot, dock.view.canvas)
    press(qtbot, KEY.Key_Right)
    press(qtbot, KEY.Key_Space)
    assert ran == ["playback.op_forward", "playback.play"]


def test_a_control_that_is_destroyed_with_the_keyboard(window, qtbot, ran):
    for gone in ("line", "dialog"):
        dialog = QDialog(window)
        line = QLineEdit(dialog)
        QVBoxLayout(dialog).addWidget(line)
        dialog.show()
        give_focus(qtbot, line)
        press(qtbot, KEY.Key_A)
        assert line.text() == "a"
        delete(line if gone == "line" else dialog)
        if gone == "line":
            press(qtbot, KEY.Key_E, CTRL)
            delete(dialog)
        window.show_view("scenario")
        give_focus(qtbot, window.docks["scenario"].view.form._filter)
        press(qtbot, KEY.Key_E, CTRL)
        assert ran == ["file.export_chart"]
        ran.clear()


def test_closing_another_window_changes_nothing(window, qtbot):
    other = make_window(Settings())
    qtbot.addWidget(other)
    other.files.may_discard = lambda: True
    other.show()
    box = form_row(window, "hardware.ndp_dimms.count")
    give_focus(qtbot, box)
    other.close()
    give_focus(qtbot, box)
    box.setValue(3)
    press(qtbot, KEY.Key_Z, CTRL)
    assert window.state.session.document.get("hardware.ndp_dimms.count") == 4


def test_events_of_controls_without_the_keyboard_do_not_pass(qtbot, settings, monkeypatch):
    seen = []
    real = KeyFilter.eventFilter

    def spy(self, watched, event):
        seen.append(watched)
        return real(self, watched, event)

    monkeypatch.setattr(KeyFilter, "eventFilter", spy)
    window = make_window(settings)
    qtbot.addWidget(window)
    window.show()
    canvas, line = window.docks["timeline"].view.canvas, window.docks["scenario"].view.form._filter

    def passes(widget):
        seen.clear()
        QApplication.sendEvent(widget, QEvent(QEvent.Type.User))
        return bool(seen)

    give_focus(qtbot, canvas)
    assert passes(canvas)
    assert passes(window)
    assert not passes(line)
    window.show_view("scenario")
    give_focus(qtbot, line)
    assert passes(line)
    assert not passes(canvas)
    window.close()
    assert not passes(line)
    assert not passes(window)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_views_in_the_same_place_have_named_tabs(window, qtbot, name):
    window.set_layout_named(name)
    window.tabifyDockWidget(window.docks["timeline"], window.docks["log"])
    qtbot.wait(20)
    bars = [bar for bar in window.findChildren(QTabBar) if bar.parent() is window]
    assert bars
    assert {bar.accessibleName() for bar in bars if bar.isVisible()} == {"Views in the same place"}
