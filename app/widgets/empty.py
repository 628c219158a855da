"""What a pane says when it has nothing to draw."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from app.theme.tokens import Theme

NO_RUN = "no run yet"


def paint_empty(painter: QPainter, widget: QWidget, theme: Theme, text: str = NO_RUN) -> None:
    """Put a text into the middle of a widget."""
    painter.setFont(widget.font())
    painter.setPen(QColor(theme.text_dim))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(QRectF(widget.rect()).adjusted(16, 8, -16, -8), int(flags), text)
