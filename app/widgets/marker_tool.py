"""Markers in a time canvas: painted over it, set by Ctrl+click, dragged, a range by Shift+drag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen

from app.theme.tokens import Theme
from app.viewmodels.formatting import time_text
from app.viewmodels.snap import snap
from app.widgets.painting import ink_on, small_font

if TYPE_CHECKING:
    from app.widgets.time_canvas import TimeCanvas

GRAB_PX = 4.0
SNAP_PX = 9.0
FLAG = 14.0
"""Side of the flag with the number of a marker."""


def marker_colour(theme: Theme) -> QColor:
    """Colour of markers and of the range between them."""
    return QColor(theme.accent)


class MarkerTool:
    """Handles the mouse before the canvas does, and paints above it."""

    def __init__(self, canvas: TimeCanvas) -> None:
        self._canvas = canvas
        self._model = canvas.state.markers
        self._dragged = -1
        self._anchor: float | None = None  # of a range being drawn
        self._ctrl: QPointF | None = None

    @property
    def active(self) -> bool:
        """Whether a marker or a range is being dragged."""
        return self._dragged >= 0 or self._anchor is not None

    # Mouse and keys; True if the event was for the markers.

    def press(self, event: QMouseEvent) -> bool:
        at, canvas = event.position(), self._canvas
        inside = at.x() >= canvas.plot_area().left()
        if event.button() != Qt.MouseButton.LeftButton or not canvas.state.runs.length:
            return False
        if not inside:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._anchor = self.snapped(at, event.modifiers())
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._ctrl = at
            return True
        self._dragged = self.under(at)
        return self._dragged >= 0

    def move(self, event: QMouseEvent) -> bool:
        at = event.position()
        if self._ctrl is not None:
            return True
        if self._anchor is not None:
            time = self.snapped(at, event.modifiers())
            places = (self._model.place_at(self._anchor), self._model.place_at(time))
            if time != self._anchor:
                self._model.drag(places)
            return True
        if self._dragged >= 0:
            place = self._model.place_at(self.snapped(at, event.modifiers()))
            first, second = self._model.places
            self._model.drag((place, second) if self._dragged == 0 else (first, place))
            return True
        if not event.buttons() and self.under(at) >= 0:
            self._canvas.setCursor(Qt.CursorShape.SizeHorCursor)
        elif not event.buttons():
            self._canvas.unsetCursor()
        return False

    def release(self, event: QMouseEvent) -> bool:
        if self._ctrl is not None:
            self._ctrl = None
            self._model.set_next(self.snapped(event.position(), event.modifiers()))
            return True
        if not self.active:
            return False
        self._model.drop("set the range" if self._anchor is not None else "move a marker")
        self._dragged, self._anchor = -1, None
        self._canvas.unsetCursor()
        return True

    def key(self, event: QKeyEvent) -> bool:
        """Esc puts back what is being dragged."""
        if event.key() != Qt.Key.Key_Escape or not self.active:
            return False
        self._model.give_up()
        self._dragged, self._anchor = -1, None
        return True

    def under(self, at: QPointF) -> int:
        """The marker whose line or flag is at a position, -1 for none."""
        canvas = self._canvas
        if at.x() < canvas.plot_area().left() - GRAB_PX:
            return -1
        best, distance = -1, GRAB_PX
        for index, time in self._model.times():
            x = canvas.x_of(float(time))
            flag = _flag_left(canvas, index, x)
            top = _flag_top(canvas)
            on_flag = top <= at.y() <= top + FLAG and flag <= at.x() <= flag + FLAG
            apart = 0.0 if on_flag else abs(at.x() - x)
            if apart <= distance:
                best, distance = index, apart
        return best

    def snapped(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> float:
        """Time at a position, at the edge of a span or step near it unless Alt is held."""
        canvas = self._canvas
        time = canvas.time_at(at.x())
        if canvas.composition is None:
            return time
        within = abs(canvas.time_at(at.x() + SNAP_PX) - time)
        if modifiers & Qt.KeyboardModifier.AltModifier:
            within = 0.0
        row = canvas.row_at(at.y())
        lane = canvas.lane_of_row(row) if row >= 0 else -1
        others = (float(canvas.state.cursor.absolute_ps),) if within else ()
        return snap(time, within, canvas.composition.edges, canvas.exact_spans(), lane, others)

    # Painting.

    def paint(self, painter: QPainter, area: QRect) -> None:
        """The band of the range, a line and a flag for each marker, the time between them."""
        times = self._model.times()
        if not times:
            return
        canvas, theme = self._canvas, self._canvas.context.theme
        colour = marker_colour(theme)
        places = [(index, canvas.x_of(float(time))) for index, time in times]
        painter.save()
        painter.setClipRect(QRectF(area.left(), 0, area.width() + 1, canvas.height()))
        if len(places) == 2:
            self._paint_band(painter, area, colour, sorted(x for _, x in places))
        painter.setFont(small_font(canvas.font(), -0.5))
        for index, x in places:
            painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, canvas.height()))
            flag = QRectF(_flag_left(canvas, index, x), _flag_top(canvas), FLAG, FLAG)
            painter.fillRect(flag, colour)
            painter.setPen(ink_on(colour.name()))
            painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, str(index + 1))
        if len(times) == 2 and canvas.ruler >= 3 * FLAG:
            self._paint_delta(painter, area, places, abs(times[1][1] - times[0][1]))
        painter.restore()

    def _paint_band(
        self, painter: QPainter, area: QRect, colour: QColor, ends: list[float]
    ) -> None:
        band = QColor(colour)
        band.setAlphaF(0.10)
        painter.fillRect(QRectF(ends[0], area.top(), ends[1] - ends[0], area.height()), band)

    def _paint_delta(
        self, painter: QPainter, area: QRect, places: list[tuple[int, float]], apart_ps: int
    ) -> None:
        text = f"Δ {time_text(apart_ps)}"
        metrics = QFontMetricsF(painter.font())
        width = metrics.horizontalAdvance(text) + 8
        low, high = sorted(x for _, x in places)
        low, high = max(low, float(area.left())), min(high, float(area.right()))
        if high - low < width + FLAG:
            return
        top = _flag_top(self._canvas)
        box = QRectF((low + high - width) / 2, top, width, FLAG)
        cursor = self._canvas.x_of(float(self._canvas.state.cursor.absolute_ps))
        if box.left() - 3 < cursor < box.right() + 3:  # its line would strike the text through
            free = cursor + 4 + width < high
            box.moveLeft(cursor + 4 if free else max(low, cursor - 4 - width))
        theme = self._canvas.context.theme
        painter.fillRect(box, QColor(theme.panel))
        painter.setPen(QPen(marker_colour(theme), 1))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        y = top + FLAG / 2
        for start, stop in ((low, box.left()), (box.right(), high)):
            painter.drawLine(QPointF(start, y), QPointF(stop, y))


def _flag_top(canvas: TimeCanvas) -> float:
    """Top of the flags: in the lowest row of a ruler of three, where they hide no times."""
    return canvas.ruler - FLAG - 1 if canvas.ruler >= 3 * FLAG else float(canvas.ruler)


def _flag_left(canvas: TimeCanvas, index: int, x: float) -> float:
    """Left edge of a flag: towards the other marker's far side, so that both can be read."""
    times = dict(canvas.state.markers.times())
    other = times.get(1 - index)
    mine = times.get(index)
    if other is None or mine is None:
        return x if index == 0 else x - FLAG
    earlier = mine < other or (mine == other and index == 0)
    return x - FLAG if earlier else x
