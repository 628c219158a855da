"""Turns the command registry into menus and keys of a window."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QMainWindow, QMenu

from app.commands.registry import Command, CommandRegistry

COMMAND, TIP = "command", "commandTip"
"""Properties of a button that does a command: its id, and what its tip says before the key."""
MENU_ORDER = ("File", "Edit", "View", "Playback", "Timeline", "Chart", "Compare", "Run", "Help")


def bind_button(
    button: QAbstractButton, commands: CommandRegistry, id: str, text: str = ""
) -> None:
    """Let a button do a command and name its key in the tip, whichever key that is later.

    Args:
        button: a button of the window.
        commands: the registry.
        id: the command.
        text: what the tip says before the key; the command's title if not given.
    """
    button.setProperty(COMMAND, id)
    button.setProperty(TIP, text)
    button.setToolTip(commands.tip(id, text))
    if not button.accessibleName():
        button.setAccessibleName(commands.get(id).title)
    button.clicked.connect(lambda: commands.run(id))


class ActionTable(QObject):
    """One QAction a command, kept in step with the command's state."""

    def __init__(self, window: QMainWindow, commands: CommandRegistry) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self.actions: dict[str, QAction] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self.menus: dict[str, QMenu] = {}
        for name in MENU_ORDER:
            menu = window.menuBar().addMenu(f"&{name}")
            menu.aboutToShow.connect(self.refresh)
            self.menus[name] = menu
        sections: dict[str, str] = {}
        for command in commands:
            action = self._make(command)
            if not command.menu:
                continue
            menu = self.menus[command.menu]
            if sections.get(command.menu, command.section) != command.section:
                menu.addSeparator()
            sections[command.menu] = command.section
            menu.addAction(action)
        commands.on_refresh(self.refresh)
        self.refresh()

    def _make(self, command: Command) -> QAction:
        action = QAction(command.title, self._window)
        action.setCheckable(command.checked is not None)
        action.triggered.connect(lambda _=False, id=command.id: self._commands.run(id))
        self._window.addAction(action)
        self.actions[command.id] = action
        self._bind(action, command)
        return action

    def _bind(self, action: QAction, command: Command) -> None:
        self._keys[command.id] = command.keys
        action.setShortcuts([QKeySequence(key) for key in command.keys])

    def _show_tips(self, command: Command) -> None:
        """Name the key in the tips of the buttons that do a command."""
        for button in self._window.findChildren(QAbstractButton):
            if button.property(COMMAND) == command.id:
                button.setToolTip(self._commands.tip(command.id, str(button.property(TIP) or "")))

    def refresh(self) -> None:
        """Take over titles and states; keys of disabled commands stay, running checks again."""
        for command in self._commands:
            action = self.actions.get(command.id)
            if action is None:
                continue
            if self._keys[command.id] != command.keys:
                self._bind(action, command)
                self._show_tips(command)
            action.setText(command.shown_title())
            action.setEnabled(command.is_enabled())
            if command.checked is not None:
                action.setChecked(command.checked())
