"""The page of the settings that gives commands other keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.commands.registry import Command, CommandRegistry
from app.settings.store import Settings
from app.widgets.palette import score

_ID = Qt.ItemDataRole.UserRole
_TAKEN = {"Tab", "Shift+Tab", "Backtab", "Shift+Backtab", "Return", "Enter", "Backspace"}
"""Keys that every dialog and text field needs."""


class KeysPage(QWidget):
    """All commands; what is typed in the field below becomes the key of the marked one."""

    def __init__(self, settings: Settings, commands: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self._commands = commands
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Find a command, or a key such as Ctrl+E")
        self.filter.setAccessibleName("Find a command or a key")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _: self.refresh())
        self.table = QTreeWidget(self)
        self.table.setAccessibleName("Commands and their keys")
        self.table.setHeaderLabels(["Command", "Keys", ""])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.currentItemChanged.connect(lambda *_: self._on_marked())
        self.edit = QKeySequenceEdit(self)
        self.edit.setMaximumSequenceLength(1)
        self.edit.setClearButtonEnabled(True)
        self.edit.setAccessibleName("New key")
        self.edit.setToolTip("Press the new key here; Tab leaves the field")
        self.edit.keySequenceChanged.connect(lambda _: self._show_conflict())
        self.set_button = self._button("Set", "Make it the only key of the command", self._set)
        self.add_button = self._button("Add", "A further key for the command", self._add)
        self.clear_button = self._button("No key", "The command has no key", self._clear)
        self.reset_button = self._button(
            "Reset", "The keys the command came with", self._reset_marked
        )
        self.reset_all_button = self._button(
            "Reset all keys", "The keys all commands came with", self._reset_all
        )
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setAccessibleName("What is wrong with the key")
        self.note.setMinimumHeight(self.note.fontMetrics().height() * 2 + 2)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        label = QLabel("&New key", self)
        label.setBuddy(self.edit)
        row.addWidget(label)
        row.addWidget(self.edit, 1)
        for button in (self.set_button, self.add_button, self.clear_button, self.reset_button):
            row.addWidget(button)
        last = QHBoxLayout()
        last.addWidget(self.note, 1)
        last.addWidget(self.reset_all_button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addWidget(self.filter)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        layout.addLayout(last)
        self._wrong = ""
        self.refresh()

    def refresh(self) -> None:
        """Show the commands that match, with the keys they have now."""
        marked = self.marked()
        query = self.filter.text()
        self.table.clear()
        for command in self._commands:
            if query and not _matches(query, command):
                continue
            changed = command.keys != self._commands.default_keys(command.id)
            menu = f"{command.menu}: " if command.menu else ""
            row = QTreeWidgetItem(
                self.table,
                [f"{menu}{command.title}", _shown(command.keys), "changed" if changed else ""],
            )
            row.setData(0, _ID, command.id)
            if changed:
                default = _shown(self._commands.default_keys(command.id)) or "none"
                row.setToolTip(2, f"Came with: {default}")
            if command.id == marked:
                self.table.setCurrentItem(row)
        self._show_buttons()

    def marked(self) -> str:
        """Id of the marked command, empty for none."""
        row = self.table.currentItem()
        return str(row.data(0, _ID)) if row is not None else ""

    def mark(self, id: str) -> None:
        """Mark a command."""
        for index in range(self.table.topLevelItemCount()):
            row = self.table.topLevelItem(index)
            if row is not None and row.data(0, _ID) == id:
                self.table.setCurrentItem(row)

    def typed(self) -> str:
        """The key in the field, empty for none."""
        return self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _button(self, text: str, tip: str, run: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text}: {tip}")
        button.setAutoDefault(False)
        button.clicked.connect(run)
        return button

    def _on_marked(self) -> None:
        self.edit.clear()
        self._show_conflict()

    def _show_conflict(self) -> None:
        """Say whose the typed key is, before it is set."""
        key, id = self.typed(), self.marked()
        self._wrong = ""
        other = self._commands.by_key(key) if key else None
        if key in _TAKEN:
            self._wrong = f"{key} moves or ends input everywhere and cannot be a command's."
        elif other is not None and other.id != id:
            self._wrong = (
                f"{key} is the key of “{other.title}”. Give that command another key first."
            )
        elif key and other is not None:
            self._wrong = f"{key} is the command's key already."
        self._tell(self._wrong, problem=bool(self._wrong))
        self._show_buttons()

    def _show_buttons(self) -> None:
        id = self.marked()
        usable = bool(id and self.typed() and not self._wrong)
        self.edit.setEnabled(bool(id))
        self.set_button.setEnabled(usable)
        has = bool(id) and bool(self._commands.get(id).keys)
        self.add_button.setEnabled(usable and has)
        self.clear_button.setEnabled(has)
        changed = self._commands.changed_keys()
        self.reset_button.setEnabled(id in changed)
        self.reset_all_button.setEnabled(bool(changed))

    def _set(self) -> None:
        self._give(self.marked(), (self.typed(),))

    def _add(self) -> None:
        id = self.marked()
        self._give(id, (*self._commands.get(id).keys, self.typed()))

    def _clear(self) -> None:
        self._give(self.marked(), ())

    def _reset_marked(self) -> None:
        id = self.marked()
        self._give(id, self._commands.default_keys(id))

    def _reset_all(self) -> None:
        self._commands.reset_keys()
        self._kept("All commands have the keys they came with.")

    def _give(self, id: str, keys: tuple[str, ...]) -> None:
        try:
            self._commands.set_keys(id, keys)
        except ValueError as error:
            self._tell(f"{error}. Give that command another key first.", problem=True)
            return
        self.edit.clear()
        title = self._commands.get(id).title
        self._kept(f"“{title}”: {_shown(keys) or 'no key'}")

    def _kept(self, text: str) -> None:
        self._settings.keys = self._commands.changed_keys()
        self.refresh()
        self._tell(text, problem=False)

    def _tell(self, text: str, *, problem: bool) -> None:
        self.note.setText(text)
        self.note.setProperty("problem", problem)
        self.note.style().polish(self.note)


def _shown(keys: tuple[str, ...]) -> str:
    return ", ".join(keys)


def _matches(query: str, command: Command) -> bool:
    wanted = query.casefold().replace(" ", "")
    if any(key.casefold() == wanted for key in command.keys):
        return True
    words = query.casefold().split()
    text = f"{command.menu} {command.title} {command.id}".casefold()
    return all(word in text for word in words) or score(query, command.title) >= 500
