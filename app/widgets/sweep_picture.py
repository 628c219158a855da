"""A chart of a sweep whose points can be pointed at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app.widgets.picture import Picture
from app.widgets.view import Context
from simcore.sweep.charts.kinds import Places

REACH_PX = 12.0


class SweepPicture(Picture):
    """`pointed` carries the point that was clicked, `opened` one that was double-clicked.

    Attributes:
        marked: the point with a ring around it, -1 for none.
    """

    pointed = Signal(int)
    opened = Signal(int)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._places: Places | None = None
        self.marked = -1
        self.tip_of = lambda point: f"Point {point}"
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_places(self, places: Places | None) -> None:
        """Where the points of the picture are."""
        self._places = places
        self.update()

    def mark(self, point: int) -> None:
        """Put a ring around a point."""
        if point != self.marked:
            self.marked = point
            self.update()

    def positions_of(self, point: int) -> list[QPointF]:
        """Where a point is, in pixels of the widget: several places where it is a line."""
        if self._places is None or self.image.isNull():
            return []
        box = self.place()
        return [
            QPointF(box.left() + x * box.width(), box.top() + y * box.height())
            for x, y in self._places.at[self._places.rows == point].tolist()
        ]

    def point_at(self, position: QPointF) -> int:
        """The nearest point within reach, -1 if there is none."""
        if self._places is None or self.image.isNull() or not len(self._places.rows):
            return -1
        box = self.place()
        at = self._places.at * (box.width(), box.height()) + (box.left(), box.top())
        distance = np.hypot(at[:, 0] - position.x(), at[:, 1] - position.y())
        nearest = int(distance.argmin())
        return int(self._places.rows[nearest]) if distance[nearest] <= REACH_PX else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        near = self.point_at(event.position()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if near else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = self.point_at(event.position())
        if point >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.pointed.emit(point)
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        point = self.point_at(event.position())
        if point >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(point)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            point = self.point_at(QPointF(event.pos()))
            if point >= 0:
                QToolTip.showText(event.globalPos(), self.tip_of(point), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        positions = self.positions_of(self.marked)
        if positions:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._context.theme.text), 1.6))
            for position in positions:
                painter.drawEllipse(position, 7.0, 7.0)
            painter.end()
