"""Paints busy time of lanes that are alike: bars of the step, heat strip of the run."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app.state.turns import Work
from app.theme.tokens import CATEGORY_TITLES, COLOUR_KEYS, rgb
from app.viewmodels.composition import Composition, composition_of
from app.viewmodels.formatting import percent_text, significant, time_text
from app.viewmodels.hover import step_name
from app.viewmodels.load import (
    StepLoad,
    heat_range,
    imbalance_text,
    load_group,
    load_history,
    step_load,
)
from app.widgets.empty import NO_RUN, paint_empty
from app.widgets.painting import Backdrop, NumpyImage, RectBatch, small_font
from app.widgets.texts import wrapped
from app.widgets.view import Context, seen

LEFT_MIN = 40.0
LEFT_MAX = 128.0
RIGHT = 62
BAR_MAX = 34.0
RANK = 3
_HEAD_TIP = (
    "step max/mean: the busiest over the mean, busy time of the whole step, attention included.\n"
    "Unevenness of single layers evens out in it; the timeline shows it as wait: imbalance."
)
_RIGHT_ALIGN = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT_ALIGN = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class LoadCanvas(QWidget):
    """Bars on top, strip below; a click in the strip moves the cursor."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.lanes: list[int] = []
        self._load: StepLoad | None = None
        self._composition: Composition | None = None
        self._heat: NumpyImage | None = None
        self._heat_range = (0.0, 1.0)
        self._backdrop = Backdrop()
        self._batch = RectBatch()
        self._still = 0
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Load bars")
        self.setMinimumSize(QSize(220, 150))
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.cleared.connect(self._on_cleared)
        self._later = QTimer(self, singleShot=True, interval=40)
        self._later.timeout.connect(lambda: self._soon(self._refresh))
        self.state.runs.grew.connect(lambda _: self._later.start())
        self.state.cursor.step_changed.connect(lambda _: self._soon(self._refresh_step))

    @property
    def load(self) -> StepLoad | None:
        """Load of the step at the cursor, None without a run."""
        self._catch_up()
        return self._load

    def _soon(self, work: Work) -> None:
        """Take something in when it is this view's turn, if it can be seen."""
        self.state.turns.ask(work, RANK, lambda: seen(self))

    def _catch_up(self) -> None:
        """Take in what waits: the bars are never those of another step or run than the rest."""
        self.state.turns.now(self._refresh)
        self.state.turns.now(self._refresh_step)

    def _on_replaced(self, _: object) -> None:
        run = self.state.runs.current
        assert run is not None
        self.lanes = load_group(run)
        self._composition = composition_of(run)
        self._load = None
        self._soon(self._refresh)

    def _on_cleared(self) -> None:
        self.state.turns.drop(self._refresh)
        self.state.turns.drop(self._refresh_step)
        self.lanes, self._load = [], None
        self._composition = self._heat = None
        self.update()

    def _refresh(self) -> None:
        run, composition = self.state.runs.current, self._composition
        if run is None or composition is not composition_of(run):
            return  # resized while another view takes the new run: ours comes next
        self.state.turns.drop(self._refresh)
        composition.extend(self.state.runs.length)
        room = max(1, int(self.width() - self._left() - RIGHT))
        self._still += 1
        columns = load_history(composition, self.lanes, room)
        low, high = self._heat_range = heat_range(columns)
        level = np.clip((columns - low) / max(high - low, 1e-9), 0, 1)
        stops = np.array([rgb(c) for c in self.context.theme.heat], dtype=np.float64)
        at = level * (len(stops) - 1)
        parts = [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)]
        red, green, blue = (np.round(p).astype(np.uint32) for p in parts)
        pixels = (0xFF000000 | (red << 16) | (green << 8) | blue).astype(np.uint32)
        self._heat = NumpyImage(pixels) if pixels.size else None
        self._refresh_step()

    def _refresh_step(self) -> None:
        self.state.turns.drop(self._refresh_step)
        step = self.state.cursor.step
        if self._composition is not None:
            self._composition.extend(self.state.runs.length)
        if self._composition is not None and step < self._composition.steps and self.lanes:
            self._load = step_load(self._composition, self.lanes, step)
        self.update()

    def refresh_colours(self) -> None:
        """Take over the theme."""
        self._refresh()

    def resizeEvent(self, _: object) -> None:
        self._refresh()

    def _left(self) -> float:
        """Room for the names of the lanes: what the longest needs, at most two fifths."""
        run = self.state.runs.current
        if run is None or not self.lanes:
            return LEFT_MIN
        metrics = QFontMetricsF(small_font(self.font(), -1))
        need = max(metrics.horizontalAdvance(run.lanes[lane].title) for lane in self.lanes) + 12
        return min(max(need, LEFT_MIN), LEFT_MAX, self.width() * 0.4)

    def _regions(self) -> tuple[QRectF, QRectF]:
        """Bars and heat strip."""
        head, gap = 24.0, 22.0
        room = max(40.0, self.height() - head - gap - 18)
        left = self._left()
        bars = QRectF(left, head, self.width() - left - RIGHT, room * 0.62)
        heat = QRectF(left, bars.bottom() + gap, bars.width(), room * 0.38)
        return bars, heat

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self.context.theme
        self._catch_up()
        painter = QPainter(self)
        run, load = self.state.runs.current, self._load
        key = (theme, self._still, self.state.runs.length, load is None)
        self._backdrop.draw(painter, self, key, self._paint_still)
        if run is None or load is None or not self.lanes:
            text = NO_RUN if run is None else "no devices work in this run"
            paint_empty(painter, self, theme, text)
            return
        bars, heat = self._regions()
        self._paint_head(painter, load)
        self._paint_bars(painter, bars, load)
        x = heat.left() + (self.state.cursor.step + 0.5) / max(1, self.state.runs.length) * (
            heat.width()
        )
        painter.setPen(QPen(QColor(theme.cursor), 1.5))
        painter.drawLine(QPointF(x, heat.top() - 3), QPointF(x, heat.bottom() + 3))
        painter.end()

    def _paint_still(self, painter: QPainter) -> None:
        """What stays from step to step: the ground, the names, the heat of the run."""
        theme = self.context.theme
        painter.fillRect(self.rect(), QColor(theme.panel))
        if self.state.runs.current is not None and self._load is not None and self.lanes:
            bars, heat = self._regions()
            painter.fillRect(bars, QColor(theme.canvas))
            self._paint_names(painter, bars)
            self._paint_heat(painter, heat)

    def _paint_head(self, painter: QPainter, load: StepLoad) -> None:
        run, theme = self.state.runs.current, self.context.theme
        assert run is not None
        font = small_font(self.font(), 0)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        line = QRectF(8, 2, self.width() - 16, 20)
        name = step_name(run, self.state.cursor.step)
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(line, _RIGHT_ALIGN, name)
        text = f"step max/mean {imbalance_text(load)}   mean {time_text(load.mean)}"
        room = line.width() - metrics.horizontalAdvance(name) - 8
        if metrics.horizontalAdvance(text) > room:
            text = f"step max/mean {imbalance_text(load)}"
        painter.setPen(QColor(theme.text))
        painter.drawText(line, _LEFT_ALIGN, text)

    def _rows(self, area: QRectF) -> tuple[float, float, int]:
        """Pitch and height of the bars, and of how many one is named."""
        pitch = min(area.height() / len(self.lanes), BAR_MAX)
        return pitch, max(2.0, pitch - (4 if pitch > 14 else 1)), max(1, int(np.ceil(11 / pitch)))

    def _paint_names(self, painter: QPainter, area: QRectF) -> None:
        run, theme = self.state.runs.current, self.context.theme
        assert run is not None
        font = small_font(self.font(), -1)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        pitch, height, every = self._rows(area)
        for row in range(0, len(self.lanes), every):
            y = area.top() + row * pitch + (pitch - height) / 2
            box = QRectF(0, y - 8, area.left() - 6, height + 16)
            self._paint_name(painter, box, run.lanes[self.lanes[row]].title, pitch)

    def _paint_name(
        self,
        painter: QPainter,
        box: QRectF,
        title: str,
        room: float,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignVCenter,
    ) -> None:
        """A lane's name, over two lines where `room` is enough for them."""
        metrics = QFontMetricsF(painter.font())
        lines = wrapped(title, metrics, box.width() - 4, 2 if room >= 2 * metrics.height() else 1)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | side, "\n".join(lines))

    def _paint_bars(self, painter: QPainter, area: QRectF, load: StepLoad) -> None:
        theme = self.context.theme
        top = max(float(load.busy.max(initial=0.0)), 1.0) * 1.04
        pitch, height, every = self._rows(area)
        tops = area.top() + np.arange(len(self.lanes)) * pitch + (pitch - height) / 2
        widths = load.parts / top * area.width()
        ends = area.left() + np.cumsum(widths, axis=1)
        painter.setPen(Qt.PenStyle.NoPen)
        for key in np.flatnonzero(widths.any(axis=0)).tolist():
            rows = np.flatnonzero(widths[:, key] > 0)
            painter.setBrush(QColor(theme.colour(COLOUR_KEYS[key])))
            width = widths[rows, key]
            self._batch.draw(painter, ends[rows, key] - width, tops[rows], width, height)
        painter.setFont(small_font(self.font(), -1))
        painter.setPen(QColor(theme.text_dim))
        for row in range(0, len(self.lanes), every):
            line = QRectF(area.right() + 5, tops[row] - 8, RIGHT - 8, height + 16)
            painter.drawText(line, _LEFT_ALIGN, time_text(float(load.busy[row]), 3))
        mean = area.left() + load.mean / top * area.width()
        painter.setPen(QPen(QColor(theme.peak), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(mean, area.top() - 3), QPointF(mean, area.bottom() + 3))

    def _paint_heat(self, painter: QPainter, area: QRectF) -> None:
        run, theme = self.state.runs.current, self.context.theme
        assert run is not None
        painter.setFont(small_font(self.font(), -1))
        painter.setPen(QColor(theme.text_dim))
        low, high = self._heat_range
        head = f"busy share of each step, {percent_text(low)} to {percent_text(high)}"
        painter.drawText(QRectF(8, area.top() - 19, self.width() - 16, 18), _LEFT_ALIGN, head)
        if self._heat is not None:
            painter.drawImage(area, self._heat.image)
        upper = QRectF(0, area.top() - 2, area.left() - 6, area.height() / 2)
        lower = upper.translated(0, area.height() / 2 + 4)
        ends = [(upper, self.lanes[0], Qt.AlignmentFlag.AlignTop)]
        if len(self.lanes) > 1:
            ends.append((lower, self.lanes[-1], Qt.AlignmentFlag.AlignBottom))
        for box, lane, side in ends:
            self._paint_name(painter, box, run.lanes[lane].title, box.height(), side)
        count = max(1, self.state.runs.length)
        below = QRectF(area.left(), area.bottom() + 2, area.width(), 15)
        painter.drawText(below, _LEFT_ALIGN, "step 0")
        painter.drawText(below, _RIGHT_ALIGN, significant(count - 1, 9).split(".")[0])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        _, heat = self._regions()
        if heat.adjusted(-2, -4, 2, 4).contains(event.position()):
            share = (event.position().x() - heat.left()) / heat.width()
            self.state.cursor.seek(int(share * self.state.runs.length))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
            return
        text = self._tip(event.position())
        place = event.globalPosition().toPoint() + QPoint(12, 8)
        QToolTip.showText(place, text, self) if text else QToolTip.hideText()

    def _tip(self, at: QPointF) -> str:
        run, load = self.state.runs.current, self.load
        if run is None or load is None or not self.lanes:
            return ""
        bars, _ = self._regions()
        if at.y() < bars.top():
            return _HEAD_TIP
        pitch = min(bars.height() / len(self.lanes), BAR_MAX)
        row = int((at.y() - bars.top()) // pitch)
        if not bars.top() <= at.y() <= bars.bottom() or not 0 <= row < len(self.lanes):
            return ""
        lane = run.lanes[self.lanes[row]]
        lines = [f"{lane.title} — busy {time_text(float(load.busy[row]))}"]
        for key in np.flatnonzero(load.parts[row] > 0):
            title = CATEGORY_TITLES[COLOUR_KEYS[key]]
            lines.append(f"{title}: {time_text(float(load.parts[row, key]))}")
        return "\n".join(lines)
