"""Paints GB/s of every lane that has a peak, on the time axis of the timeline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme.tokens import blend
from app.viewmodels.bandwidth import area_rows, rates
from app.viewmodels.formatting import significant
from app.viewmodels.hover import step_name
from app.viewmodels.span_source import SpanSource
from app.viewmodels.time_axis import exact_steps, ticks
from app.widgets.painting import NumpyImage, packed
from app.widgets.rulers import paint_gutter, paint_steps
from app.widgets.time_canvas import TimeCanvas
from app.widgets.view import Context
from simcore.results.spans import Spans

BUDGET_S = 0.004
PAD = 3


class BandwidthCanvas(TimeCanvas):
    """Filled curves, one lane below the other."""

    ruler = 0
    row_min = 30.0
    row_max = 70.0
    growth_delay_ms = 20

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self._source: SpanSource | None = None
        self._lanes: list[int] = []
        self._rates = np.zeros((0, 0))
        self._exact: Mapping[int, Spans] = {}
        super().__init__(context, parent)
        self.setAccessibleName("Bandwidth lanes")

    def run_replaced(self) -> None:
        run = self.state.runs.current
        assert run is not None
        self._source = SpanSource(run)
        self._exact = {}
        self._lanes = [index for index, lane in enumerate(run.lanes) if lane.peak_GBps > 0]

    def run_cleared(self) -> None:
        self._source, self._lanes, self._exact = None, [], {}
        self._rates = np.zeros((0, 0))

    def lane_count(self) -> int:
        return len(self._lanes)

    def exact_spans(self) -> Mapping[int, Spans]:
        return self._exact

    def lane_of_row(self, row: int) -> int:
        return self._lanes[row]

    def paint_layer(self, painter: QPainter, area: QRect) -> None:
        run, composition = self.state.runs.current, self.composition
        if run is None or composition is None or not composition.steps or self._source is None:
            return
        axis, theme = self.axis(), self.context.theme
        edges = composition.edges
        exact, complete = self._source.get(exact_steps(edges, axis), BUDGET_S)
        self._exact = exact
        window = (axis.start_ps, axis.end_ps)
        self._rates = rates(composition, exact, self._lanes, window, area.width())
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QPen(QColor(theme.grid), 1))
        for time_ps in ticks(axis).times:
            x = round(axis.x(float(time_ps))) + 0.5
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))
        self._paint_curves(painter, area)
        paint_steps(painter, area, axis, edges, theme)
        painter.restore()
        paint_gutter(painter, self, [self._titles(row) for row in range(len(self._lanes))], theme)
        if not complete:
            self.invalidate()

    def scale_of(self, row: int) -> float:
        """GB/s at the top of a lane."""
        run = self.state.runs.current
        assert run is not None
        peak = run.lanes[self._lanes[row]].peak_GBps
        top = float(self._rates[row].max(initial=0.0))
        return (
            max(peak, top) * 1.08
            if self.state.window.scale_to_peak
            else max(top * 1.15, peak * 1e-3)
        )

    def _paint_curves(self, painter: QPainter, area: QRect) -> None:
        theme, height = self.context.theme, int(self.row_height())
        rows = [row for row in range(len(self._lanes)) if self._visible(row, area)]
        if not rows:
            return
        scales = np.array([self.scale_of(row) for row in rows])
        below, line = area_rows(self._rates[rows], scales, height, PAD)
        pixels = np.where(below, np.uint32(packed(blend(theme.canvas, theme.accent, 0.35))), 0)
        pixels = np.where(line, np.uint32(packed(theme.accent)), pixels)
        for index, row in enumerate(rows):
            painter.drawImage(
                QPointF(area.left(), int(self.row_top(row))),
                NumpyImage(pixels[index], alpha=True).image,
            )
            self._paint_peak(painter, area, row, scales[index], height)

    def _visible(self, row: int, area: QRect) -> bool:
        top = self.row_top(row)
        return top < area.bottom() and top + self.row_height() > area.top()

    def _paint_peak(
        self, painter: QPainter, area: QRect, row: int, scale: float, height: int
    ) -> None:
        run, theme, top = self.state.runs.current, self.context.theme, int(self.row_top(row))
        assert run is not None
        bottom = top + height - 0.5
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(area.left(), bottom), QPointF(area.right() + 1, bottom))
        peak = run.lanes[self._lanes[row]].peak_GBps
        if peak <= scale:
            y = round(top + height - PAD - 1 - peak / scale * (height - 2 * PAD - 1)) + 0.5
            painter.setPen(QPen(QColor(theme.peak), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right() + 1, y))

    def _titles(self, row: int) -> tuple[str, str, str]:
        """Title of a lane, its peak, and the colour of the peak."""
        run = self.state.runs.current
        assert run is not None
        lane = run.lanes[self._lanes[row]]
        text = f"peak {significant(lane.peak_GBps, 3)} GB/s"
        scale = self.scale_of(row)
        if lane.peak_GBps > scale:
            text = f"0–{significant(scale, 2)} of {significant(lane.peak_GBps, 3)} GB/s"
        return lane.title, text, self.context.theme.peak

    def clicked(self, position: QPointF) -> None:
        if position.x() >= self.plot_area().left():
            self.state.cursor.seek_time(self.axis().time(position.x()))

    def hover_text(self, position: QPointF) -> str:
        run, row = self.state.runs.current, self.row_at(position.y())
        column = int(position.x()) - self.plot_area().left()
        if run is None or row < 0 or self._rates.shape[0] <= row or not self.state.runs.length:
            return ""
        lane = run.lanes[self._lanes[row]]
        if not 0 <= column < self._rates.shape[1]:
            return f"{lane.title}\npeak {significant(lane.peak_GBps)} GB/s"
        value = float(self._rates[row, column])
        at = self.axis().time(position.x())
        return (
            f"{lane.title} — {step_name(run, run.step_at(int(at)))}\n"
            f"{significant(value, 4)} GB/s, {100 * value / lane.peak_GBps:.1f} % of the peak "
            f"{significant(lane.peak_GBps)} GB/s"
        )
