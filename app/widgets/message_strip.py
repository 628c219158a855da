"""The strip above the views that shows the message the user should act on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.state.messages import Messages
from app.widgets.restyle import restyle

MAX_LINES = 6


class MessageStrip(QWidget):
    """Shows the message; the window hides the bar it sits in while there is none."""

    def __init__(self, messages: Messages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._messages = messages
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._close = close = QToolButton(self)
        close.setText("Dismiss")
        close.setAccessibleName("Dismiss the message")
        close.clicked.connect(messages.clear_strip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 8, 4)
        layout.addWidget(self.label, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        messages.strip_changed.connect(self._show)

    def _show(self) -> None:
        message = self._messages.strip
        if message is None:
            return
        lines = message.text.splitlines()
        more = len(lines) - MAX_LINES
        if more > 0:
            lines = [*lines[:MAX_LINES], f"… and {more} more, see the log"]
        self.label.setText("\n".join(lines))
        self.setProperty("severity", message.severity.value)
        restyle(self)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Be as high as the wrapped text, no higher."""
        # It spans the window. Before it is laid out its own width is too small: a long text would
        # ask for a height that makes the window grow.
        wide = self.width() if self.window() is self else self.window().width()
        room = max(100, wide - self._close.sizeHint().width() - 40)
        text = self.label.heightForWidth(room)
        self.setFixedHeight(max(text, self._close.sizeHint().height()) + 8)
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
