"""A widget that shows a picture at the pixels it was made for, or a text."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.widgets.empty import NO_RUN, paint_empty
from app.widgets.view import Context


class Picture(QWidget):
    """The picture keeps its size while another one is made; it shrinks only if it must.

    Attributes:
        text: shown instead of a picture.
    """

    resized = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._image = QImage()
        self.text = NO_RUN
        self.setMinimumSize(QSize(160, 90))

    @property
    def image(self) -> QImage:
        """The picture, null when a text is shown."""
        return self._image

    def show_image(self, image: QImage, description: str) -> None:
        """Show a picture made for this widget's size."""
        self._image, self.text = image, ""
        self.setAccessibleDescription(description)
        self.update()

    def show_text(self, text: str) -> None:
        """Show a text."""
        self._image, self.text = QImage(), text
        self.setAccessibleDescription(text)
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self._context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        if self._image.isNull():
            paint_empty(painter, self, theme, self.text)
        else:
            painter.drawImage(self.place(), self._image)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def place(self) -> QRectF:
        """Where the picture is drawn: unscaled if it fits, on whole pixels."""
        ratio = self.devicePixelRatioF()
        width, height = self._image.width() / ratio, self._image.height() / ratio
        factor = min(1.0, self.width() / max(width, 1), self.height() / max(height, 1))
        if factor > 0.99:
            factor = 1.0
        else:
            painterly = width * factor, height * factor
            return QRectF((self.width() - painterly[0]) / 2, 0, *painterly)
        return QRectF(0, 0, width, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()
