"""The strip above the views that shows the message the user should act on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.state.messages import Messages
from app.widgets.restyle import restyle

MAX_LINES = 6


class MessageStrip(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, messages: Messages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._messages = messages
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        close = QToolButton(self)
        close.setText("Dismiss")
        close.setAccessibleName("Dismiss the message")
        close.clicked.connect(messages.clear_strip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 8, 5)
        layout.addWidget(self.label, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        messages.strip_changed.connect(self._show)
        self.hide()

    def _show(self) -> None:
        message = self._messages.strip
        self.setVisible(message is not None)
        if message is None:
            return
        lines = message.text.splitlines()
        more = len(lines) - MAX_LINES
        if more > 0:
            lines = [*lines[:MAX_LINES], f"… and {more} more, see the log"]
        self.label.setText("\n".join(lines))
        self.setProperty("severity", message.severity.value)
        restyle(self)
