"""Paints one curve over size, sizes in powers of two; a click or the arrows move the mark."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.viewmodels.formatting import nice_step, significant
from app.viewmodels.inspector import Curve, Floats, bytes_size
from app.widgets.painting import small_font
from app.widgets.view import Context

LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 22.0, 34.0


class SizeCanvas(QWidget):
    """A curve, levels to compare with, and a mark where the curve has one."""

    marked = Signal(float)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.curve: Curve | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Bandwidth over size")
        self.setMinimumSize(QSize(220, 150))

    def show_curve(self, curve: Curve | None) -> None:
        """Show a curve, or that there is none."""
        self.curve = curve
        if curve is not None and curve.marker:
            self.setAccessibleDescription(
                f"{curve.title}: {significant(curve.marked)} {curve.y_unit} at "
                f"{bytes_size(curve.marker)}"
            )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 210)

    # Places.

    def _area(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def _top(self, curve: Curve) -> float:
        return 1.08 * max(float(curve.y.max()), *(value for _, value in curve.lines), 1e-9)

    def _x(self, curve: Curve, size: float) -> float:
        area, ends = self._area(), np.log2(curve.x[[0, -1]])
        return float(area.left() + (np.log2(size) - ends[0]) / (ends[1] - ends[0]) * area.width())

    def _y(self, curve: Curve, value: float) -> float:
        area = self._area()
        return float(area.bottom() - value / self._top(curve) * area.height())

    def _size_at(self, curve: Curve, x: float) -> float:
        area, ends = self._area(), np.log2(curve.x[[0, -1]])
        share = (x - area.left()) / max(area.width(), 1.0)
        return float(2 ** np.clip(ends[0] + share * (ends[1] - ends[0]), *ends))

    # Input.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.curve is not None and self.curve.marker:
            self._mark(self._size_at(self.curve, event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        curve = self.curve
        if curve is None:
            return
        if event.buttons() & Qt.MouseButton.LeftButton and curve.marker:
            self._mark(self._size_at(curve, event.position().x()))
        size = self._size_at(curve, event.position().x())
        value = float(np.interp(np.log2(size), np.log2(curve.x), curve.y))
        text = f"{bytes_size(size)}: {significant(value)} {curve.y_unit}"
        if curve.before is not None:
            old = float(np.interp(np.log2(size), np.log2(curve.x), curve.before))
            text += f"\nwithout what-if: {significant(old)} {curve.y_unit}"
        QToolTip.showText(event.globalPosition().toPoint() + QPoint(12, 8), text, self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        curve = self.curve
        if curve is None or not curve.marker or event.key() not in steps:
            super().keyPressEvent(event)
            return
        wanted = np.log2(curve.marker) + steps[Qt.Key(event.key())]
        self._mark(float(2 ** np.clip(round(wanted), *np.log2(curve.x[[0, -1]]))))

    def _mark(self, size: float) -> None:
        """The nearest power of two."""
        self.marked.emit(float(2 ** round(np.log2(size))))

    # Painting.

    def paintEvent(self, _: QPaintEvent) -> None:
        theme, curve = self.context.theme, self.curve
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        painter.setFont(small_font(self.font(), -1))
        if curve is None:
            painter.setPen(QColor(theme.text_dim))
            text = "No curve: no timing or latency is known here."
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 0, -12, 0), flags, text)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_axes(painter, curve)
        self._paint_levels(painter, curve)
        if curve.before is not None:
            self._paint_line(painter, curve, curve.before, theme.text_dim, dashed=True)
        colour = theme.warning if curve.before is not None else theme.accent
        self._paint_line(painter, curve, curve.y, colour)
        if curve.marker:
            self._paint_marker(painter, curve)
        painter.end()

    def _paint_axes(self, painter: QPainter, curve: Curve) -> None:
        theme, area = self.context.theme, self._area()
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QColor(theme.text_dim))
        head = QRectF(6, 2, self.width() - 12, TOP - 4)
        painter.drawText(
            head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, curve.y_unit
        )
        foot = QRectF(LEFT, self.height() - 15, area.width(), 14)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, curve.x_title)
        top = self._top(curve)
        step = nice_step(top / max(2.0, area.height() / 38))
        for value in np.arange(0.0, top, step):
            y = round(self._y(curve, float(value))) + 0.5
            painter.setPen(QPen(QColor(theme.grid), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.text_dim))
            place = QRectF(0, y - 8, LEFT - 6, 16)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, right, f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}")
        low, high = (round(float(v)) for v in np.log2(curve.x[[0, -1]]))
        room = metrics.horizontalAdvance("512 KiB") + 10
        every = max(1, int(np.ceil(room / max(area.width() / (high - low), 1.0))))
        for power in range(low, high + 1, every):
            x = round(self._x(curve, 2.0**power)) + 0.5
            painter.setPen(QPen(QColor(theme.grid), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(QColor(theme.text_dim))
            place = QRectF(x - 40, area.bottom() + 2, 80, 15)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, bytes_size(2.0**power))

    def _paint_levels(self, painter: QPainter, curve: Curve) -> None:
        theme, area = self.context.theme, self._area()
        last = -100.0
        for name, value in curve.lines:
            y = round(self._y(curve, value)) + 0.5
            painter.setPen(QPen(QColor(theme.peak), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.peak))
            text = f"{name} {significant(value)}"
            above = y - 15 if abs(y - last) > 16 or y < last else y + 1
            place = QRectF(area.left(), max(0.0, above), area.width() - 2, 14)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, text)
            last = y

    def _paint_line(
        self,
        painter: QPainter,
        curve: Curve,
        values: Floats,
        colour: str,
        *,
        dashed: bool = False,
    ) -> None:
        pen = QPen(QColor(colour), 1.4 if dashed else 2)
        if dashed:
            pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        area, (low, high) = self._area(), np.log2(curve.x[[0, -1]])
        across = area.left() + (np.log2(curve.x) - low) / (high - low) * area.width()
        down = area.bottom() - values / self._top(curve) * area.height()
        points = zip(across.tolist(), down.tolist(), strict=True)
        painter.drawPolyline(QPolygonF([QPointF(*at) for at in points]))

    def _paint_marker(self, painter: QPainter, curve: Curve) -> None:
        theme, area = self.context.theme, self._area()
        x, y = self._x(curve, curve.marker), self._y(curve, curve.marked)
        painter.setPen(QPen(QColor(theme.cursor), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(QColor(theme.cursor))
        painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        text = f"{significant(curve.marked)} {curve.y_unit}"
        metrics = QFontMetricsF(painter.font())
        wide = metrics.horizontalAdvance(text) + 8
        left = x + 6 if x + wide + 6 < area.right() else x - wide - 6
        high = y + 5 if y + 24 < area.bottom() else y - 21
        place = QRectF(left, high, wide, 16)
        ground = QColor(theme.canvas)
        ground.setAlpha(220)
        painter.fillRect(place, ground)
        painter.setPen(QColor(theme.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
