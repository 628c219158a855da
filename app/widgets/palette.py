"""The command palette: every command by name, with its key."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.commands.registry import Command, CommandRegistry


def score(query: str, title: str) -> int:
    """How well a title matches: 0 for not at all, more for better."""
    query, title = query.casefold().strip(), title.casefold()
    if not query:
        return 1
    if query in title:
        return 1000 - title.index(query)
    words = query.split()
    if all(word in title for word in words):
        return 500
    at = 0
    for letter in query:
        if letter == " ":
            continue
        at = title.find(letter, at) + 1
        if at == 0:
            return 0
    return 100


class CommandPalette(QDialog):
    """Type to filter, arrows to choose, Enter to run."""

    def __init__(self, commands: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.FramelessWindowHint | Qt.WindowType.Dialog)
        self.setObjectName("palette")
        self.setWindowTitle("Command palette")
        self.setModal(True)
        self._commands = commands
        self.chosen = ""
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("Type a command")
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
        ranked: list[tuple[int, int, Command]] = []
        for order, command in enumerate(self._commands):
            value = max(
                score(query, command.shown_title()), score(query, f"{command.menu} {command.title}")
            )
            if value:
                ranked.append((-value, order, command))
        for _, _, command in sorted(ranked, key=lambda entry: entry[:2]):
            self._add(command)
        if not ranked:
            nothing = QListWidgetItem("No command has these words in its name. Esc closes.")
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

    def _accept(self) -> None:
        item = self.list.currentItem()
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen = str(item.data(Qt.ItemDataRole.UserRole))
            self.accept()
