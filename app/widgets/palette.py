"""The command palette: every command by name, with its key; every example and recent file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.commands.registry import Command, CommandRegistry

WORDS = 500
"""Score of a title that has every word."""
_FILE = Qt.ItemDataRole.UserRole + 1


def score(query: str, title: str) -> int:
    """How well a title matches: 0 for not at all, more for better."""
    query, title = query.casefold().strip(), title.casefold()
    if not query:
        return 1
    if query in title:
        return 1000 - title.index(query)
    words = query.split()
    if all(word in title for word in words):
        return WORDS
    at = 0
    for letter in query:
        if letter == " ":
            continue
        at = title.find(letter, at) + 1
        if at == 0:
            return 0
    return 100


@dataclass(frozen=True, slots=True)
class Openable:
    """A scenario that the palette offers as soon as something is typed.

    Attributes:
        title: what is shown and searched.
        path: the file.
    """

    title: str
    path: Path


class CommandPalette(QDialog):
    """Type to filter, arrows to choose, Enter to run.

    Attributes:
        chosen: the command to run, empty if none.
        file: the scenario to open, None if none.
    """

    def __init__(
        self, commands: CommandRegistry, parent: QWidget, files: Sequence[Openable] = ()
    ) -> None:
        super().__init__(parent, Qt.WindowType.FramelessWindowHint | Qt.WindowType.Dialog)
        self.setObjectName("palette")
        self.setWindowTitle("Command palette")
        self.setModal(True)
        self._commands = commands
        self._files = files
        self.chosen = ""
        self.file: Path | None = None
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("Type a command or the name of a scenario")
        self.line.setAccessibleName("Command")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Commands")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.line.textChanged.connect(self._filter)
        self.line.returnPressed.connect(self._accept)
        self.list.itemActivated.connect(lambda _: self._accept())
        self.line.installEventFilter(self)
        self.resize(560, 380)
        self._filter("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            moves = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: 10,
                Qt.Key.Key_PageUp: -10,
            }
            move = moves.get(Qt.Key(event.key()))
            if move:
                row = min(max(self.list.currentRow() + move, 0), self.list.count() - 1)
                self.list.setCurrentRow(row)
                return True
        return super().eventFilter(watched, event)

    def _filter(self, query: str) -> None:
        self.list.clear()
        ranked: list[tuple[int, Command | Openable]] = []
        for command in self._commands:
            value = max(
                score(query, command.shown_title()), score(query, f"{command.menu} {command.title}")
            )
            ranked.append((value, command))
        for file in self._files if query.strip() else ():
            # Letters in a row somewhere in a long name would find all of them; and what has the
            # words comes behind commands that have them next to each other.
            ranked.append((WORDS if score(query, file.title) >= WORDS else 0, file))
        ranked = sorted((entry for entry in ranked if entry[0]), key=lambda entry: -entry[0])
        for _, entry in ranked:
            if isinstance(entry, Command):
                self._add(entry)
            else:
                self._add_file(entry)
        if not ranked:
            nothing = QListWidgetItem(
                "No command or scenario has these words in its name. Esc closes."
            )
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    def _add(self, command: Command) -> None:
        keys = ", ".join(
            QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            for key in command.keys
        )
        menu = f"{command.menu}: " if command.menu else ""
        item = QListWidgetItem(f"{menu}{command.shown_title()}" + (f"    {keys}" if keys else ""))
        item.setData(Qt.ItemDataRole.UserRole, command.id)
        if not command.is_enabled():
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        self.list.addItem(item)

    def _add_file(self, file: Openable) -> None:
        item = QListWidgetItem(file.title)
        item.setData(_FILE, file.path)
        item.setToolTip(str(file.path))
        self.list.addItem(item)

    def _accept(self) -> None:
        item = self.list.currentItem()
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen = str(item.data(Qt.ItemDataRole.UserRole) or "")
            self.file = item.data(_FILE)
            self.accept()
