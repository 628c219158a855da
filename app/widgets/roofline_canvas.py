"""Paints a device's roofline with the kernels of the step, and names them below."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.viewmodels.formatting import significant
from app.viewmodels.inspector import Floats, Roofline, point_text
from app.widgets.painting import small_font
from app.widgets.view import Context
from simcore.hardware.kernel_points import KernelPoint

LEFT, RIGHT, TOP, BOTTOM = 52.0, 20.0, 20.0, 34.0
ROW = 17.0


class RooflineCanvas(QWidget):
    """Both axes in powers of ten; the list below carries the numbers."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.roofline: Roofline | None = None
        self._categories: tuple[str, ...] = ()
        self._range = (0.0, 1.0, 0.0, 1.0)
        self.setMouseTracking(True)
        self.setAccessibleName("Roofline")
        self.setMinimumSize(QSize(220, 220))

    def show_roofline(self, roofline: Roofline | None, categories: tuple[str, ...]) -> None:
        """Show points; `categories` are the colour keys of the run's ops."""
        self.roofline, self._categories = roofline, categories
        self._range = _span(roofline) if roofline is not None else (0.0, 1.0, 0.0, 1.0)
        points = roofline.points if roofline else ()
        self.setAccessibleDescription("; ".join(point_text(point) for point in points))
        self.setMinimumHeight(int(200 + ROW * (len(points) + 1)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, max(240, self.minimumHeight()))

    def _area(self) -> QRectF:
        rows = len(self.roofline.points) + 1 if self.roofline else 1
        height = self.height() - TOP - BOTTOM - ROW * rows - 6
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, max(60.0, height))

    def _place(self, x: float, y: float) -> QPointF:
        left, right, low, high = self._range
        area = self._area()
        across = (math.log10(max(x, 1e-12)) - left) / (right - left)
        up = (math.log10(max(y, 1e-12)) - low) / (high - low)
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def _line(self, x: Floats, y: Floats) -> QPolygonF:
        """Many points at once."""
        left, right, low, high = self._range
        area = self._area()
        across = area.left() + (np.log10(x) - left) / (right - left) * area.width()
        down = area.bottom() - (np.log10(np.maximum(y, 1e-12)) - low) / (high - low) * area.height()
        return QPolygonF([QPointF(*at) for at in zip(across.tolist(), down.tolist(), strict=True)])

    def _rate_unit(self, roofline: Roofline) -> tuple[float, str]:
        """Unit of the rates, as a multiple of 1 GFLOP/s, and its name."""
        top = max(float(roofline.roof.max()), *(p.GFLOPS for p in roofline.points), 0.0)
        return (1e3, "TFLOP/s") if top >= 1e4 else (1.0, "GFLOP/s")

    def _colour(self, point: KernelPoint) -> str:
        return self.context.theme.colour(self._categories[point.op])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        roofline = self.roofline
        if roofline is None:
            return
        at = event.position()
        near = [
            point
            for point in roofline.points
            if (self._place(point.intensity, point.GFLOPS) - at).manhattanLength() < 12
        ]
        place = event.globalPosition().toPoint() + QPoint(12, 8)
        if near:
            QToolTip.showText(place, "\n".join(point_text(point) for point in near), self)
        else:
            QToolTip.hideText()

    def paintEvent(self, _: QPaintEvent) -> None:
        theme, roofline = self.context.theme, self.roofline
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        painter.setFont(small_font(self.font(), -1))
        if roofline is None:
            painter.setPen(QColor(theme.text_dim))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            text = "No roofline: this is no device that reads and computes."
            painter.drawText(self.rect().adjusted(12, 0, -12, 0), flags, text)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_axes(painter, roofline)
        painter.save()
        painter.setClipRect(self._area().adjusted(-1, -1, 1, 1))
        if roofline.reach is not None:
            x, y = roofline.reach
            painter.setPen(QPen(QColor(theme.text_dim), 1.2, Qt.PenStyle.DotLine))
            painter.drawPolyline(self._line(x, y))
        painter.setPen(QPen(QColor(theme.peak), 2))
        painter.drawPolyline(self._line(roofline.x, roofline.roof))
        painter.restore()
        for point in reversed(roofline.points):
            place = self._place(point.intensity, point.GFLOPS)
            painter.setPen(QPen(QColor(theme.text), 1))
            painter.setBrush(QColor(self._colour(point)))
            painter.drawEllipse(place, 4.5, 4.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_list(painter, roofline)
        painter.end()

    def _paint_axes(self, painter: QPainter, roofline: Roofline) -> None:
        theme, area = self.context.theme, self._area()
        left, right, low, high = self._range
        painter.setPen(QColor(theme.text_dim))
        flat = Qt.AlignmentFlag.AlignVCenter
        head = QRectF(6, 2, self.width() - 12, TOP - 4)
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | flat, self._rate_unit(roofline)[1])
        if roofline.reach is not None:
            metrics = QFontMetricsF(painter.font())
            room = head.width() - metrics.horizontalAdvance("GFLOP/s") - 12
            texts = ("dotted: matrix of 8192 x 8192 over rows", "dotted: 8192 x 8192")
            shown = [text for text in texts if metrics.horizontalAdvance(text) <= room]
            painter.drawText(head, Qt.AlignmentFlag.AlignRight | flat, (*shown, "")[0])
        foot = QRectF(LEFT, area.bottom() + 16, area.width(), 15)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, "operations a byte (FLOP/B)")
        for power in range(math.ceil(low), math.floor(high) + 1):
            y = round(self._place(1.0, 10.0**power).y()) + 0.5
            painter.setPen(QPen(QColor(theme.grid), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.text_dim))
            place = QRectF(0, y - 8, LEFT - 6, 16)
            factor = round(math.log10(self._rate_unit(roofline)[0]))
            text = _power(power - factor)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | flat, text)
        for power in range(math.ceil(left), math.floor(right) + 1):
            x = round(self._place(10.0**power, 1.0).x()) + 0.5
            painter.setPen(QPen(QColor(theme.grid), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(QColor(theme.text_dim))
            place = QRectF(x - 30, area.bottom() + 2, 60, 14)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, _power(power))

    def _paint_list(self, painter: QPainter, roofline: Roofline) -> None:
        theme = self.context.theme
        metrics = QFontMetricsF(painter.font())
        y = self._area().bottom() + BOTTOM + 2
        factor, unit = self._rate_unit(roofline)
        columns = ("FLOP/B", unit, "GB/s")
        texts = [
            (significant(p.intensity, 3), significant(p.GFLOPS / factor, 3), significant(p.GBps, 3))
            for p in roofline.points
        ]
        wides = [
            max(metrics.horizontalAdvance(text) for text in (name, *(row[k] for row in texts))) + 9
            for k, name in enumerate(columns)
        ]
        right = self.width() - 8.0
        edges = [right - wides[1] - wides[2], right - wides[2], right]
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.text_dim))
        for edge, name in zip(edges, columns, strict=True):
            painter.drawText(QRectF(edge - 90, y, 90, ROW), align, name)
        names = "kernel" if roofline.points else "no kernel"
        line = QRectF(10, y, self.width() - 20, ROW)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, names)
        for point, row in zip(roofline.points, texts, strict=True):
            y += ROW
            painter.fillRect(QRectF(10, y + 4, 9, 9), QColor(self._colour(point)))
            painter.setPen(QColor(theme.text))
            room = edges[0] - wides[0] - 24
            shown = metrics.elidedText(point.title, Qt.TextElideMode.ElideRight, room)
            painter.drawText(
                QRectF(24, y, room, ROW),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                shown,
            )
            for edge, text in zip(edges, row, strict=True):
                painter.drawText(QRectF(edge - 90, y, 90, ROW), align, text)


def _span(roofline: Roofline) -> tuple[float, float, float, float]:
    """Powers of ten at the left, right, bottom and top."""
    rates = [point.GFLOPS for point in roofline.points]
    low = math.log10(max(min(float(roofline.roof.min()), *rates, 1e12), 1e-9)) - 0.2
    high = math.log10(max(float(roofline.roof.max()), *rates, 1e-9)) + 0.25
    x = roofline.x
    return math.log10(x[0]), math.log10(x[-1]), max(low, high - 7), high


def _power(power: int) -> str:
    """A power of ten as a short number."""
    if -3 <= power <= 5:
        return f"{10.0**power:,.10g}"
    return f"1e{power}"
