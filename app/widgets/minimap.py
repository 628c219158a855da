"""The whole run in one strip: activity, the visible range as a window to drag, cursor, markers."""

from __future__ import annotations

from enum import Enum

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.viewmodels.composition import Composition, composition_of, stacked
from app.viewmodels.formatting import time_text
from app.viewmodels.keys import OP_KEYS
from app.widgets.marker_tool import marker_colour
from app.widgets.painting import Backdrop, NumpyImage, key_table, line_area, small_font
from app.widgets.view import Context, seen

HEIGHT = 34
LOW_HEIGHT = 24
EDGE_PX = 5.0
LEAST_PX = 7.0
"""Least width of the window on screen, so that it can be seen and grabbed."""
GROWTH_MS = 120


class Part(Enum):
    """What of the window a position is on."""

    OUTSIDE = 0
    LEFT = 1
    RIGHT = 2
    MIDDLE = 3


class Minimap(QWidget):
    """Drag the window or its edges, click to go there, double click to show the whole run.

    The height of a column is the mean busy share of all lanes against the busiest column; its
    colours are the categories of work.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self._composition: Composition | None = None
        self._image: NumpyImage | None = None
        self._dirty = True
        self._part = Part.OUTSIDE
        self._backdrop = Backdrop()
        self._base = Backdrop()
        self._revision = 0
        self._line_x = 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._grab_ps: float | None = None
        self._from = (0.0, 0.0)
        self.setMouseTracking(True)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Overview of the run")
        self.setAccessibleDescription(
            "Activity of the whole run. Drag the window to pan, its edges to zoom."
        )
        self._growth = QTimer(self, singleShot=True, interval=GROWTH_MS)
        self._growth.timeout.connect(self._renew)
        state = self.state
        state.runs.replaced.connect(lambda _: self._on_replaced())
        state.runs.cleared.connect(self._on_replaced)
        state.runs.grew.connect(lambda _: self._growth.isActive() or self._growth.start())
        for signal in (
            state.window.changed,
            state.markers.changed,
            state.playback.changed,
            state.search.changed,
        ):
            signal.connect(self._change)
        state.cursor.moved.connect(self._move_line)
        context.themes.changed.connect(self._renew)
        state.lanes.changed.connect(self._renew)
        self._on_replaced()

    def sizeHint(self) -> QSize:
        return QSize(400, HEIGHT)

    # Geometry.

    def area(self) -> QRect:
        """Where time goes from left to right."""
        return QRect(
            self.state.lanes.gutter_px,
            2,
            max(1, self.width() - self.state.lanes.gutter_px - 1),
            self.height() - 4,
        )

    def end_ps(self) -> float:
        """End of the axis: of the steps that all views show, while more are there already."""
        if self._composition is None:
            return 0.0
        edges = self._composition.edges
        return float(edges[min(len(edges) - 1, self.state.runs.length)])

    def x_of(self, time_ps: float) -> float:
        """Pixel of a time."""
        area = self.area()
        return area.left() + time_ps / max(self.end_ps(), 1.0) * area.width()

    def time_at(self, x: float) -> float:
        """Time of a pixel."""
        area = self.area()
        return (x - area.left()) / area.width() * self.end_ps()

    def window_px(self) -> tuple[float, float]:
        """Left and right of the window on screen, at least `LEAST_PX` apart."""
        area, window = self.area(), self.state.window
        left = max(self.x_of(max(window.start_ps, 0.0)), float(area.left()))
        right = min(self.x_of(min(window.end_ps, self.end_ps())), float(area.right() + 1))
        if right - left < LEAST_PX:
            middle = (left + right) / 2
            left, right = middle - LEAST_PX / 2, middle + LEAST_PX / 2
        return left, right

    def part_at(self, x: float) -> Part:
        """What of the window is at a pixel."""
        left, right = self.window_px()
        inner = min(EDGE_PX, (right - left) / 4)
        if left - EDGE_PX <= x <= left + inner:
            return Part.LEFT
        if right - inner <= x <= right + EDGE_PX:
            return Part.RIGHT
        return Part.MIDDLE if left < x < right else Part.OUTSIDE

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, area, state = self.context.theme, self.area(), self.state
        painter = QPainter(self)
        steps = self._composition.steps if self._composition is not None else 0
        key = (theme, self._revision, self.state.runs.length)
        self._backdrop.draw(painter, self, key, self._paint_still)
        if event.rect().contains(self.rect()):
            self.state.turns.drop(self._redraw)
        if steps:
            painter.setPen(QPen(QColor(theme.cursor), 1.5))
            x = self._line_x = self.x_of(float(state.cursor.absolute_ps))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(area).adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.end()

    def _move_line(self) -> None:
        """Paint where the line was and where it is, unless all is painted in a moment."""
        if self.state.turns.waits(self._redraw):
            return
        self.update(line_area(self._line_x, self.height()))
        self._line_x = self.x_of(float(self.state.cursor.absolute_ps))
        self.update(line_area(self._line_x, self.height()))

    def _paint_still(self, painter: QPainter) -> None:
        """All but the cursor and the frame."""
        area, composition = self.area(), self._composition
        whole = composition is not None and composition.steps > 0
        if composition is not None and whole and self._dirty:
            self._draw_activity(composition)
        key = (self.context.theme, self._image, whole, self.end_ps(), area.getRect())
        self._base.draw(painter, self, key, self._paint_base)
        if whole:
            self._paint_window(painter, area)
            self._paint_marks(painter, area)

    def _paint_base(self, painter: QPainter) -> None:
        """What stays while the range moves."""
        theme, area = self.context.theme, self.area()
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(area, QColor(theme.canvas))
        painter.setFont(small_font(self.font(), -1))
        painter.setPen(QColor(theme.text_dim))
        box = QRectF(8, 0, self.state.lanes.gutter_px - 16, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, "whole run")
        composition = self._composition
        if composition is not None and composition.steps:
            text = time_text(self.end_ps(), 3)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
            if self._image is not None:
                painter.drawImage(QRectF(area), self._image.image)

    def _draw_activity(self, composition: Composition) -> None:
        self._dirty = False
        area = self.area()
        times = np.linspace(0.0, self.end_ps(), area.width() + 1)
        width = max(self.end_ps() / area.width(), 1.0)
        parts = composition.between(times).mean(axis=1) / width
        parts[:, OP_KEYS:] = 0.0
        top = float(parts.sum(axis=1).max(initial=0.0))
        if top <= 0:
            self._image = None
            return
        rows = stacked(parts[:, None, :] / (top * 1.06), area.height())[0]
        theme = self.context.theme
        self._image = NumpyImage(key_table(theme, theme.canvas)[rows])

    def _paint_marks(self, painter: QPainter, area: QRect) -> None:
        theme, state = self.context.theme, self.state
        loop, run = state.playback.loop, state.runs.current
        if loop is not None and run is not None and loop[0] < state.runs.length:
            left = self.x_of(float(run.start_ps(loop[0])))
            last = min(loop[1], state.runs.length) - 1
            right = self.x_of(float(run.start_ps(last) + int(run.value("duration_ps", last))))
            painter.setPen(QPen(QColor(theme.warning), 2))
            painter.drawLine(QPointF(left, area.bottom()), QPointF(right, area.bottom()))
        self._paint_hits(painter, area)
        painter.setPen(QPen(marker_colour(theme), 1.5, Qt.PenStyle.DashLine))
        for _, time in state.markers.times():
            x = self.x_of(float(time))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))

    def _paint_hits(self, painter: QPainter, area: QRect) -> None:
        """Where the search found something, as a line of ticks on top."""
        search, composition = self.state.search, self._composition
        if search.hits is None or composition is None:
            return
        edges = composition.edges
        pieces = np.minimum(search.hits.pieces(), len(edges) - 1)
        scale = area.width() / max(self.end_ps(), 1.0)
        left = np.minimum((edges[pieces[:, 0]] * scale).astype(np.int64), area.width() - 1)
        right = np.maximum(np.ceil(edges[pieces[:, 1]] * scale).astype(np.int64), left + 1)
        begun = np.zeros(area.width() + 1, np.int64)
        np.add.at(begun, left, 1)
        np.add.at(begun, np.minimum(right, area.width()), -1)
        shown = np.cumsum(begun)[:-1] > 0
        starts = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(np.int8), [0]])))
        colour = QColor(self.context.theme.warning)
        for first, stop in zip(starts[::2].tolist(), starts[1::2].tolist(), strict=True):
            painter.fillRect(QRectF(area.left() + first, area.top(), stop - first, 3), colour)

    def _paint_window(self, painter: QPainter, area: QRect) -> None:
        theme = self.context.theme
        left, right = self.window_px()
        veil = QColor(theme.panel)
        veil.setAlphaF(0.62)
        painter.fillRect(QRectF(area.left(), area.top(), left - area.left(), area.height()), veil)
        painter.fillRect(QRectF(right, area.top(), area.right() + 1 - right, area.height()), veil)
        painter.setPen(QPen(QColor(theme.text_dim), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(left, area.top() + 0.5, right - left, area.height() - 1))
        if right - left > 4 * EDGE_PX:
            painter.setPen(QPen(QColor(theme.text_dim), 3))
            for x in (left, right):
                painter.drawLine(
                    QPointF(x, area.center().y() - 4), QPointF(x, area.center().y() + 5)
                )

    # Mouse.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.state.runs.length:
            return
        x, window = event.position().x(), self.state.window
        if x < self.area().left() - EDGE_PX:
            return
        self._part = self.part_at(x)
        if self._part is Part.OUTSIDE:
            middle = self.time_at(x)
            window.set(middle - window.span_ps / 2, middle + window.span_ps / 2)
            self._part = Part.MIDDLE
        self._grab_ps = self.time_at(x)
        self._from = (window.start_ps, window.end_ps)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x, window = event.position().x(), self.state.window
        if self._grab_ps is None:
            self._show_part(x, event)
            return
        delta = self.time_at(x) - self._grab_ps
        start, end = self._from
        if self._part is Part.MIDDLE:
            delta = min(max(delta, -start), max(self.end_ps() - end, -start))
            window.set(start + delta, end + delta)
        elif self._part is Part.LEFT:
            window.set(min(start + delta, end), end)
        else:
            window.set(start, max(end + delta, start))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grab_ps = None
        self._show_part(event.position().x(), event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._grab_ps = None
        self.state.window.all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        window = self.state.window
        at = min(max(self.time_at(event.position().x()), window.start_ps), window.end_ps)
        window.zoom(0.8**notches, at)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self.unsetCursor()

    def _show_part(self, x: float, event: QMouseEvent) -> None:
        part = self.part_at(x)
        if part in (Part.LEFT, Part.RIGHT):
            self.setCursor(Qt.CursorShape.SizeHorCursor)
        elif part is Part.MIDDLE:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()
        if self.state.runs.length and x >= self.area().left() and not event.buttons():
            at = time_text(min(max(self.time_at(x), 0.0), self.end_ps()))
            tip = f"{at} of {time_text(self.end_ps())}\ndrag the window, or its edges; click to go"
            QToolTip.showText(event.globalPosition().toPoint(), tip, self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._renew()

    # Models.

    def _on_replaced(self) -> None:
        run = self.state.runs.current
        self._composition = composition_of(run) if run is not None else None
        self._renew()

    def _renew(self) -> None:
        self._dirty = True
        self._change()

    def _change(self) -> None:
        """Something other than the cursor has changed."""
        self._revision += 1
        self.state.turns.ask(self._redraw, 0, lambda: seen(self))

    def _redraw(self) -> None:
        self.update()
