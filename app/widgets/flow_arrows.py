"""Paints dependencies as arrows from the end of one bar to the start of another."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

HEAD = 6.0


def paint_arrow(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    """A curve with a head; it leaves and arrives horizontally where there is room."""
    bend = max(14.0, min(60.0, abs(end.x() - start.x()) / 2))
    path = QPainterPath(start)
    path.cubicTo(QPointF(start.x() + bend, start.y()), QPointF(end.x() - bend - HEAD, end.y()), end)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.setPen(QPen(colour, 1.6))
    painter.drawPath(path)
    painter.setBrush(colour)
    head = [end, QPointF(end.x() - HEAD, end.y() - 3.5), QPointF(end.x() - HEAD, end.y() + 3.5)]
    painter.setPen(QPen(colour, 1))
    painter.drawPolygon(QPolygonF(head))
    painter.drawEllipse(start, 2.0, 2.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
