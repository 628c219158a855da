"""Turns the command registry into menus and keys of a window."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.commands.registry import Command, CommandRegistry

MENU_ORDER = ("File", "Edit", "View", "Playback", "Timeline", "Chart", "Compare", "Run", "Help")


class ActionTable(QObject):
    """One QAction a command, kept in step with the command's state."""

    def __init__(self, window: QMainWindow, commands: CommandRegistry) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self.actions: dict[str, QAction] = {}
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
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setCheckable(command.checked is not None)
        action.triggered.connect(lambda _=False, id=command.id: self._commands.run(id))
        self._window.addAction(action)
        self.actions[command.id] = action
        return action

    def refresh(self) -> None:
        """Take over titles and states; keys of disabled commands stay, running checks again."""
        for command in self._commands:
            action = self.actions.get(command.id)
            if action is None:
                continue
            action.setText(command.shown_title())
            action.setEnabled(command.is_enabled())
            if command.checked is not None:
                action.setChecked(command.checked())
