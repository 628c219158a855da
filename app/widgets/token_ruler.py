"""The token slider: every step as a bar as high as it is long, with a draggable cursor."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.tokens import blend
from app.viewmodels.formatting import time_text
from app.viewmodels.grains import Grain
from app.viewmodels.hover import step_name
from app.viewmodels.token_bars import TokenBars
from app.widgets.marker_tool import marker_colour
from app.widgets.painting import Backdrop, RectBatch, line_area
from app.widgets.view import Context

PAD = 7


class TokenRuler(QWidget):
    """Steps left to right at equal width; steps still to come are empty."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self._batch = RectBatch()
        self._bars = TokenBars()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Token slider")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(34)
        self._backdrop = Backdrop()
        self._line_x = 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.state.cursor.step_changed.connect(lambda _: self._move_line())
        self.state.runs.grew.connect(lambda _: self.update())
        self.state.runs.replaced.connect(lambda _: self.update())
        self.state.runs.cleared.connect(self.update)
        self.state.playback.changed.connect(self.update)
        self.state.markers.changed.connect(self.update)
        self.state.runs.stale_changed.connect(lambda _: self.update())

    def sizeHint(self) -> QSize:
        return QSize(400, 34)

    def step_under(self, x: float) -> int:
        """The step at a position, clamped to the run."""
        total = max(1, self.state.runs.total_steps)
        share = (x - PAD) / max(1, self.width() - 2 * PAD)
        return min(max(int(share * total), 0), max(self.state.runs.length - 1, 0))

    def paintEvent(self, _: QPaintEvent) -> None:
        theme, runs = self.context.theme, self.state.runs
        painter = QPainter(self)
        area = self._area()
        total = max(1, runs.total_steps)
        key = (theme, runs.current, runs.length, total, runs.stale, self.state.playback.loop)
        marks = tuple(self.state.markers.places)
        self._backdrop.draw(painter, self, (key, marks), self._paint_steps)
        if runs.current is not None and runs.length:
            x = self._line_x = self._cursor_x()
            painter.setPen(QPen(QColor(theme.cursor), 2))
            painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.border), 1))
        painter.drawRect(area)
        painter.end()

    def _area(self) -> QRectF:
        return QRectF(PAD, 4, self.width() - 2 * PAD, self.height() - 8)

    def _cursor_x(self) -> float:
        area, total = self._area(), max(1, self.state.runs.total_steps)
        return area.left() + (self.state.cursor.step + 0.5) / total * area.width()

    def _move_line(self) -> None:
        """Paint where the line was and where it is."""
        self.update(line_area(self._line_x, self.height()))
        self._line_x = self._cursor_x()
        self.update(line_area(self._line_x, self.height()))

    def _paint_steps(self, painter: QPainter) -> None:
        """All but the cursor and the frame."""
        theme, runs, area = self.context.theme, self.state.runs, self._area()
        painter.fillRect(self.rect(), QColor(theme.window))
        painter.fillRect(area, QColor(theme.canvas))
        total, length, run = max(1, runs.total_steps), runs.length, runs.current
        if run is not None and length:
            bars = self._bars.of(run, length, total, area.width(), area.height())
            painter.setPen(Qt.PenStyle.NoPen)
            live = blend(theme.canvas, theme.accent, 0.30 if runs.stale else 0.65)
            for mask, colour in (
                (~bars.prefill, live),
                (bars.prefill, theme.categories["transfer"]),
            ):
                painter.setBrush(QColor(colour))
                height = bars.height[mask]
                self._batch.draw(
                    painter,
                    area.left() + bars.left[mask],
                    area.bottom() - height,
                    np.full(len(height), bars.width),
                    height,
                )
            self._paint_loop(painter, area, total)
            self._paint_markers(painter, area, total)

    def _paint_loop(self, painter: QPainter, area: QRectF, total: int) -> None:
        """The steps that are played again and again, as a bracket below."""
        loop = self.state.playback.loop
        if loop is None or loop[0] >= total:
            return
        left = area.left() + loop[0] / total * area.width()
        right = area.left() + min(loop[1], total) / total * area.width()
        painter.setPen(QPen(QColor(self.context.theme.warning), 2))
        y = area.bottom() + 2
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        for x in (left, right):
            painter.drawLine(QPointF(x, area.top()), QPointF(x, y))

    def _paint_markers(self, painter: QPainter, area: QRectF, total: int) -> None:
        """The markers, as triangles above and lines down the steps they are in."""
        painter.setBrush(marker_colour(self.context.theme))
        for index, _ in self.state.markers.times():
            place = self.state.markers.places[index]
            assert place is not None
            inside = place.offset_ps / max(place.of_ps, 1)
            x = area.left() + (place.step + inside) / total * area.width()
            painter.setPen(QPen(marker_colour(self.context.theme), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, area.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPolygon([QPointF(x - 4, 0), QPointF(x + 4, 0), QPointF(x, 6)])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.state.cursor.seek(self.step_under(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
        run, step = self.state.runs.current, self.step_under(event.position().x())
        if run is not None and step < self.state.runs.length:
            duration = int(run.value("duration_ps", step))
            place = event.globalPosition().toPoint() + QPoint(12, 8)
            QToolTip.showText(place, f"{step_name(run, step)} · {time_text(duration)}", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.state.cursor.move(Grain.TOKEN, 10 if event.key() == Qt.Key.Key_PageDown else -10)
        else:
            super().keyPressEvent(event)
