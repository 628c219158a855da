"""The history: every edit in words; a click goes to any of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.history import History, Step
from app.widgets.actions import bind_button
from app.widgets.view import Context, View, register_view


@register_view(
    "history",
    "History",
    "Every edit since the file was opened, newest last; click one, or press Enter on it, to go "
    "there. What was taken back is grey until the next edit.",
)
class HistoryView(View):
    """A list with the state after opening in its first row."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._buttons: dict[str, QToolButton] = {}
        self._shown: list[Step] = []
        self._history = History(self.state.session.bus)
        self.list = QListWidget(self)
        self.list.setAccessibleName("History")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemClicked.connect(self._go)
        self.list.itemActivated.connect(self._go)
        self.note = QLabel(self)
        self.note.setProperty("dim", True)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 3, 6, 0)
        for id, text in (("edit.changes", "Changes…"), ("edit.reset", "Reset to file")):
            bar.addWidget(self._button(id, text))
        bar.addStretch(1)
        self.note.setContentsMargins(8, 0, 6, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(self.note)
        layout.addWidget(self.list, 1)
        session = self.state.session
        session.bus.history_changed.connect(self._show)
        session.file_changed.connect(self._show)
        self._show()

    def on_raised(self) -> None:
        self._show()

    def on_theme_changed(self) -> None:
        self._shown = []
        self._show()

    def _button(self, id: str, text: str) -> QToolButton:
        button = self._buttons[id] = QToolButton(self)
        button.setText(text)
        bind_button(button, self.context.commands, id)
        return button

    def _go(self, item: QListWidgetItem) -> None:
        self.state.session.bus.go(self.list.row(item))

    def _show(self) -> None:
        if not self.on_screen:
            return
        session = self.state.session
        for id, button in self._buttons.items():
            button.setEnabled(self.context.commands.get(id).is_enabled())
        if session.document is None and not session.bus.edits:
            self.list.clear()
            self._shown = []
            self.note.setText("no file open")
            return
        opened = f"Opened {session.path.name}" if session.path else "New scenario"
        steps = self._history.steps(opened)
        while self.list.count() > len(steps):
            self.list.takeItem(self.list.count() - 1)
        for row, step in enumerate(steps):  # only what changed: an edit costs no more than a row
            if row < len(self._shown) and self._shown[row] == step and row < self.list.count():
                continue
            if row == self.list.count():
                self.list.addItem(QListWidgetItem())
            self._show_step(self.list.item(row), step)
        self._shown = steps
        self.list.setCurrentRow(next(i for i, step in enumerate(steps) if step.current))
        edits = len(steps) - 1
        taken = sum(not step.done for step in steps)
        text = f"{edits} edit{'s' if edits != 1 else ''}"
        if taken:
            text += f", {taken} taken back"
        self.note.setText(text + (" · not saved" if session.dirty else ""))

    def _show_step(self, item: QListWidgetItem, step: Step) -> None:
        item.setText(f"{'▸' if step.current else ' '} {step.text}")
        item.setToolTip(step.details)
        font = self.list.font()
        said = step.text
        colour = self.context.theme.text
        if not step.done:
            said, colour = f"{said}, taken back", self.context.theme.text_dim
        elif step.current:
            said = f"{said}, now"
            font.setWeight(QFont.Weight.DemiBold)
        item.setFont(font)
        item.setForeground(QColor(colour))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
