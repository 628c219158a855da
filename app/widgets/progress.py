"""How far a simulation is; unlike QProgressBar it never forces the window to paint at once."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.theme.tokens import blend
from app.widgets.painting import small_font
from app.widgets.view import Context


class Progress(QWidget):
    """A bar with ``done/total`` on it, or that a run is being prepared."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._done, self._total = 0, 1
        self._text = ""
        self.setAccessibleName("Simulation progress")
        self.setFixedSize(QSize(130, 18))

    def show_progress(self, done: int, total: int) -> None:
        """Show how many of how many steps are done; 0 of 0 while it is not known how many."""
        self._done, self._total = done, max(total, 1)
        self._text = f"{done:,}/{total:,}" if total else "preparing…"
        self.setAccessibleDescription(f"{done} of {total} steps" if total else "preparing")
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self._context.theme
        painter = QPainter(self)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.fillRect(box, QColor(theme.field))
        done = QRectF(box.left(), box.top(), box.width() * self._done / self._total, box.height())
        painter.fillRect(done, QColor(blend(theme.field, theme.accent, 0.5)))
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawRect(box)
        painter.setPen(QColor(theme.text))
        painter.setFont(small_font(self.font(), -0.5))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
