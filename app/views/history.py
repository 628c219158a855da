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

from app.viewmodels.history import History
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
        bar.addWidget(self.note, 1)
        for id, text in (("edit.changes", "Changes…"), ("edit.reset", "Reset to file")):
            bar.addWidget(self._button(id, text))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(self.list, 1)
        session = self.state.session
        session.bus.history_changed.connect(self._show)
        session.file_changed.connect(self._show)
        self._show()

    def on_raised(self) -> None:
        self._show()

    def on_theme_changed(self) -> None:
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
        session, theme = self.state.session, self.context.theme
        for id, button in self._buttons.items():
            button.setEnabled(self.context.commands.get(id).is_enabled())
        self.list.clear()
        if session.document is None and not session.bus.edits:
            self.note.setText("no file open")
            return
        opened = f"Opened {session.path.name}" if session.path else "New scenario"
        steps = self._history.steps(opened)
        for step in steps:
            item = QListWidgetItem(f"{'▸' if step.current else ' '} {step.text}")
            item.setToolTip(step.details)
            if not step.done:
                item.setForeground(QColor(theme.text_dim))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{step.text}, taken back")
            elif step.current:
                font = item.font()
                font.setWeight(QFont.Weight.DemiBold)
                item.setFont(font)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{step.text}, now")
            self.list.addItem(item)
            if step.current:
                self.list.setCurrentItem(item)
        edits = len(steps) - 1
        taken = sum(not step.done for step in steps)
        text = f"{edits} edit{'s' if edits != 1 else ''}"
        if taken:
            text += f", {taken} taken back"
        self.note.setText(text + (" · not saved" if session.dirty else ""))
