"""The log pane: every message with its time, newest last."""

from __future__ import annotations

import time

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app.state.messages import Message, Severity
from app.widgets.view import Context, View, register_view


@register_view("log", "Log", "Messages of this session.")
class LogView(View):
    """Read-only text with one line per message."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._text = QPlainTextEdit(self)
        self._text.setAccessibleName("Log")
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setMaximumBlockCount(2000)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text)
        self.state.messages.added.connect(self._append)
        self._fill()

    def plain_text(self) -> str:
        """Everything shown."""
        return self._text.toPlainText()

    def on_theme_changed(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self._text.clear()
        for message in self.state.messages.entries:
            self._append(message)

    def _append(self, message: Message) -> None:
        theme = self.context.theme
        colours = {Severity.ERROR: theme.error, Severity.WARNING: theme.warning}
        form = QTextCharFormat()
        form.setForeground(QColor(colours.get(message.severity, theme.text)))
        clock = time.strftime("%H:%M:%S", time.localtime(message.wall_time))
        cursor = self._text.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        start = "\n" if self._text.toPlainText() else ""
        cursor.insertText(f"{start}{clock}  {message.severity.value:<7} {message.text}", form)
        self._text.setTextCursor(cursor)
        self._text.ensureCursorVisible()
