"""Names for screen readers, and a keyboard path to everything."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QKeySequenceEdit,
    QLineEdit,
    QTabBar,
    QWidget,
)

from app.widgets.palette import CommandPalette
from app.widgets.view import VIEWS
from simcore.data import data_root
from tests.app.conftest import wait_for_run

CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QTabBar)


def inside_another(widget):
    """Parts of spin boxes, combo boxes and line edits, which are named as a whole."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, (QAbstractSpinBox, QComboBox, QLineEdit, QKeySequenceEdit)):
            return True
        parent = parent.parentWidget()
    return widget.objectName() in (
        "qt_toolbar_ext_button",
        "qt_menubar_ext_button",
        "qt_tableview_cornerbutton",
    )


def controls(root):
    """Widgets of a part of the window that take the keyboard or react to a click."""
    return [
        widget
        for widget in root.findChildren(QWidget)
        if (widget.focusPolicy() & Qt.FocusPolicy.TabFocus or isinstance(widget, CONTROLS))
        and not inside_another(widget)
    ]


def name_of(widget):
    """The name as a screen reader gets it; signs alone are no name."""
    interface = QAccessible.queryAccessibleInterface(widget)
    text = widget.accessibleName()
    if not text and interface is not None:
        text = interface.text(QAccessible.Text.Name)
    return text if any(letter.isalpha() for letter in text) else ""


def unnamed(root):
    return [
        f"{type(w).__name__} {w.objectName()} in {type(w.parent()).__name__}"
        for w in controls(root)
        if not name_of(w)
    ]


def test_every_control_of_every_view_has_a_name(window, qtbot):
    without = {}
    for id in sorted(VIEWS):
        window.show_view(id)
        qtbot.wait(150)
        dock = window.docks[id]
        assert dock.view.on_screen
        without[id] = unnamed(dock)
        assert dock.view.accessibleName(), id
        assert dock.view.accessibleDescription(), id
    assert without == {id: [] for id in VIEWS}


def test_the_rest_of_the_window_has_names(window, qtbot):
    window.state.messages.show("a message")
    window.state.notices.tell("a", "a notice")
    qtbot.wait(50)
    assert unnamed(window) == []


@pytest.mark.parametrize(
    "command", ["edit.settings", "edit.changes", "help.welcome", "help.report"]
)
def test_dialogs_have_names_and_a_tab_order(window, qtbot, command):
    window.commands.run(command)
    dialog = {
        "edit.settings": lambda: window.settings_dialog,
        "edit.changes": lambda: window.changes,
        "help.welcome": lambda: window.welcome,
        "help.report": lambda: window.crash,
    }[command]()
    qtbot.wait(50)
    assert unnamed(dialog) == []
    pages = getattr(dialog, "tabs", None)
    for page in range(pages.count() if pages is not None else 1):
        if pages is not None:
            pages.setCurrentIndex(page)
        assert missed_by_tab(qtbot, dialog) == []
    dialog.close()


def missed_by_tab(qtbot, root):
    """Controls that Tab stops at in principle and never reaches."""
    wanted = {
        widget
        for widget in controls(root)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisibleTo(root)
        and widget.isEnabled()
        and widget.focusProxy() is None
    }
    if not wanted:
        return []
    chain, at = [], next(iter(wanted))
    at.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(len(wanted) * 4 + 400):
        at = QApplication.focusWidget()
        assert at is not None
        if at in chain and wanted <= set(chain):
            break
        chain.append(at)
        qtbot.keyClick(at, Qt.Key.Key_Tab)
    reached = set(chain) | {w.parentWidget() for w in chain if inside_another(w)}
    return sorted(f"{type(w).__name__} {name_of(w)}" for w in wanted - reached)


def test_tab_reaches_every_control_and_leaves_the_view(window, qtbot):
    missed = {}
    for id in sorted(VIEWS):
        window.show_view(id)
        qtbot.wait(100)
        view = window.docks[id].view
        assert view.on_screen
        missed[id] = missed_by_tab(qtbot, view)
        for _ in range(600):  # no trap: some day the focus is outside
            at = QApplication.focusWidget()
            if at is None or not view.isAncestorOf(at):
                break
            qtbot.keyClick(at, Qt.Key.Key_Tab)
        else:
            pytest.fail(f"the keyboard does not get out of {id}")
    assert missed == {id: [] for id in VIEWS}


@pytest.mark.parametrize("system", ["l3-opt-66b", "h2m2-llama2-70b", "hybridserve-opt-13b"])
def test_names_for_other_systems(empty_window, qtbot, system):
    window = empty_window
    window.files.open_path(data_root() / "scenarios" / f"{system}.yaml")
    wait_for_run(qtbot, window)
    for id in window.docks:
        window.show_view(id)
    qtbot.wait(200)
    assert unnamed(window) == []


def test_every_view_is_reached_by_command_and_by_f6(window, qtbot):
    for id, dock in window.docks.items():
        assert window.commands.run(f"view.{id}")
        at = QApplication.focusWidget()
        assert dock.view.on_screen
        assert (
            at is None
            or dock.isAncestorOf(at)
            or not any(
                w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisibleTo(dock) and w.isEnabled()
                for w in dock.findChildren(QWidget)
            )
        )
    window.set_layout_named("overview")
    qtbot.wait(50)
    window.show_view("timeline")
    seen = []
    for _ in range(len(window.docks)):
        seen.append(window.view_with_focus().view.id)
        window.commands.run("view.next")
    on_screen = {id for id, dock in window.docks.items() if dock.view.on_screen}
    focusable = {
        id
        for id in on_screen
        if any(
            w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisibleTo(window.docks[id])
            for w in controls(window.docks[id].view)
        )
    }
    assert focusable <= set(seen)
    window.show_view("timeline")
    window.commands.run("view.about")
    assert window.state.messages.strip.text.startswith("Timeline:")
    window.commands.run("view.float")
    assert window.docks["timeline"].isFloating()
    window.commands.run("view.float")
    window.show_view("timeline")
    window.commands.run("view.hide")
    assert window.docks["timeline"].isHidden()


def test_every_command_is_in_the_palette_and_the_settings(empty_window):
    ids = [command.id for command in empty_window.commands]
    palette = CommandPalette(empty_window.commands, empty_window)
    listed = [
        palette.list.item(i).data(Qt.ItemDataRole.UserRole) for i in range(palette.list.count())
    ]
    assert sorted(listed) == sorted(ids)
    in_menus = {id for id in ids if empty_window.commands.get(id).menu}
    assert in_menus == {
        id for id, action in empty_window.table.actions.items() if action.associatedObjects()[1:]
    }


def test_the_map_by_keyboard(window, qtbot):
    window.show_view("placement")
    canvas = window.docks["placement"].view.canvas
    qtbot.waitUntil(lambda: canvas.grid is not None)
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    item = window.state.selection.item
    assert item is not None
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert (window.state.selection.item.row, window.state.selection.item.column) == (
        min(item.row + 1, canvas.grid.rows - 1),
        item.column + 1,
    )
    assert "layer" in canvas.accessibleDescription().lower()
    shown = canvas.view.columns_shown
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.view.columns_shown < shown
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.view.columns_shown == pytest.approx(shown, rel=0.01)
    assert canvas.item_under(QPoint(canvas.width() // 2, canvas.height() // 2).toPointF())
