"""Paints GB/s of every lane that has a peak, on the time axis of the timeline; run A as a line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.state.lanes import Row
from app.theme.tokens import blend
from app.viewmodels.bandwidth import Curves, area_rows, rates, reference_rates
from app.viewmodels.formatting import peak_text, significant
from app.viewmodels.hover import step_name
from app.viewmodels.span_source import SpanSource
from app.viewmodels.time_axis import TimeMap, exact_steps, ticks
from app.widgets.painting import Backdrop, NumpyImage, packed
from app.widgets.reference_overlay import exact_pieces
from app.widgets.rulers import Heading, paint_gutter, paint_steps
from app.widgets.time_canvas import Pieces, TimeCanvas
from app.widgets.view import Context
from simcore.results.run import Run
from simcore.results.spans import Spans

BUDGET_S = 0.004
PAD = 3


class BandwidthCanvas(TimeCanvas):
    """Filled curves, one lane below the other; a folded group is the sum of its lanes."""

    ruler = 0
    row_min = 18.0
    row_max = 110.0
    growth_delay_ms = 20
    rank = 2

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self._source: SpanSource | None = None
        self._source_a: tuple[Run, SpanSource] | None = None
        self.rows: list[Row] = []
        self._pinned = 0
        self._scales: list[float] = []
        self._titles_kept = Backdrop()
        self._rates = np.zeros((0, 0))
        self._rates_a = np.zeros((0, 0))
        self._exact: Mapping[int, Spans] = {}
        self._curves = Curves()
        super().__init__(context, parent)
        self.setAccessibleName("Bandwidth lanes")
        self.state.comparison.changed.connect(self._on_lanes_changed)

    def run_replaced(self) -> None:
        run = self.state.runs.current
        assert run is not None
        self._source = SpanSource(run)
        self._exact = {}
        self.lanes_changed()

    def run_cleared(self) -> None:
        self._source, self._source_a, self.rows, self._exact = None, None, [], {}
        self._curves = Curves()
        self._pinned, self._scales = 0, []
        self._rates = self._rates_a = np.zeros((0, 0))

    def lanes_changed(self) -> None:
        run, reference = self.state.runs.current, self.state.comparison.reference()
        if run is None:
            return
        other = reference.run if reference else None
        self.rows = []
        for row in self.state.lanes.rows(run, other):
            own = tuple(at for at in row.lanes if run.lanes[at].peak_GBps > 0)
            its = tuple(at for at in row.others if other and other.lanes[at].peak_GBps > 0)
            if own or its:
                self.rows.append(Row(own, its, row.title, row.pinned, row.folded))
        self._pinned = sum(row.pinned for row in self.rows)
        self._scales = []
        self._rates = np.zeros((len(self.rows), 0))
        self._rates_a = np.zeros((len(self.rows), 0))

    def lane_count(self) -> int:
        return len(self.rows)

    def pinned_rows(self) -> int:
        return self._pinned

    def folded_group(self, row: int) -> str:
        run = self.state.runs.current
        if run is None or not 0 <= row < len(self.rows) or not self.rows[row].folded:
            return ""
        lanes = self.rows[row].lanes
        return run.lanes[lanes[0]].group if lanes else ""

    def exact_spans(self) -> Mapping[int, Spans]:
        return self._exact

    def lane_of_row(self, row: int) -> int:
        lanes = self.rows[row].lanes if 0 <= row < len(self.rows) else ()
        return lanes[0] if len(lanes) == 1 else -1

    def peak_of(self, row: int) -> float:
        """Peak of a row in GB/s: of its lanes together, those of run A if it has no other."""
        run, reference = self.state.runs.current, self.state.comparison.reference()
        assert run is not None
        what = self.rows[row]
        if what.lanes:
            return sum(run.lanes[at].peak_GBps for at in what.lanes)
        assert reference is not None
        return sum(reference.run.lanes[at].peak_GBps for at in what.others)

    def paint_layer(self, painter: QPainter, area: QRect) -> Pieces:
        run, composition = self.state.runs.current, self.composition
        if run is None or composition is None or not composition.steps or self._source is None:
            return True
        axis, theme = self.axis(), self.context.theme
        edges = composition.edges
        exact, complete = self._source.get(
            exact_steps(edges, axis), BUDGET_S, derive=not self.growing
        )
        self._exact = exact
        window = (axis.start_ps, axis.end_ps)
        seen = [(at, row) for at, row in enumerate(self.rows) if self._visible(at, area)]
        wanted = sorted({lane for _, row in seen for lane in row.lanes})
        found = rates(composition, exact, wanted, window, area.width(), self._curves)
        place = {lane: at for at, lane in enumerate(wanted)}
        self._rates = np.zeros((len(self.rows), area.width()))
        for at, row in seen:
            self._rates[at] = found[[place[lane] for lane in row.lanes]].sum(axis=0)
        complete = self._find_reference(axis, area.width()) and complete
        self._scales = [self.scale_of(row) for row in range(len(self.rows))]
        yield
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QPen(QColor(theme.grid), 1))
        for time_ps in ticks(axis).times:
            x = round(axis.x(float(time_ps))) + 0.5
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))
        pinned = self.pinned_rows()
        top = round(pinned * self.row_height())
        painter.setClipRect(area.adjusted(0, top, 0, 0))
        self._paint_curves(painter, area, range(pinned, len(self.rows)))
        painter.setClipRect(QRect(area.left(), area.top(), area.width(), top))
        self._paint_curves(painter, area, range(pinned))
        painter.setClipRect(area)
        paint_steps(painter, area, axis, edges, theme)
        painter.restore()
        self._paint_titles(painter)
        return complete

    def _paint_titles(self, painter: QPainter) -> None:
        """The gutter; it stays while the range changes, unless a scale says something else."""
        theme, rows = self.context.theme, range(len(self.rows))
        peaks = [self.peak_of(row) for row in rows]
        told = [scale if peak > scale else 0.0 for peak, scale in zip(peaks, self._scales)]
        place = (self.gutter, self.row_height(), self.scroll_px)
        painter.save()
        painter.setClipRect(QRect(0, 0, self.gutter, self.height()))
        self._titles_kept.draw(
            painter,
            self,
            (theme, self.rows, peaks, told, place),
            lambda inner: paint_gutter(inner, self, [self._heading(row) for row in rows], theme),
        )
        painter.restore()

    def _find_reference(self, axis: TimeMap, columns: int) -> bool:
        """GB/s of run A at each pixel; whether all spans it needs were there."""
        reference, align = self.state.comparison.reference(), self.state.comparison.align
        self._rates_a = np.full((len(self.rows), columns), np.nan)
        if reference is None:
            self._source_a = None
            return True
        if self._source_a is None or self._source_a[0] is not reference.run:
            self._source_a = (reference.run, SpanSource(reference.run))
        steps = [step for step, *_ in exact_pieces(reference, align, axis)]
        exact, complete = self._source_a[1].get(steps, BUDGET_S)
        wanted = sorted({at for row in self.rows for at in row.others})
        window = (axis.start_ps, axis.end_ps)
        found = reference_rates(reference, align, exact, wanted, window, columns)
        place = {lane: at for at, lane in enumerate(wanted)}
        for at, row in enumerate(self.rows):
            if row.others:
                self._rates_a[at] = found[[place[lane] for lane in row.others]].sum(axis=0)
        return complete

    def scale_of(self, row: int) -> float:
        """GB/s at the top of a lane."""
        peak = self.peak_of(row)
        top = float(self._rates[row].max(initial=0.0))
        if np.isfinite(self._rates_a[row]).any():
            top = max(top, float(np.nanmax(self._rates_a[row])))
        return (
            max(peak, top) * 1.08
            if self.state.window.scale_to_peak
            else max(top * 1.15, peak * 1e-3)
        )

    def _paint_curves(self, painter: QPainter, area: QRect, among: range) -> None:
        theme, height = self.context.theme, int(self.row_height())
        rows = [row for row in among if self._visible(row, area)]
        if not rows:
            return
        scales = np.array([self._scales[row] for row in rows])
        below, line = area_rows(self._rates[rows], scales, height, PAD)
        fill, ink = packed(blend(theme.canvas, theme.accent, 0.35)), packed(theme.accent)
        table = np.array([0, fill, ink, ink], np.uint32)
        line_bit = np.left_shift(line.view(np.uint8), 1)
        pixels = np.take(table, np.bitwise_or(line_bit, below.view(np.uint8), out=line_bit))
        there = np.isfinite(self._rates_a[rows])
        if there.any():
            values = np.nan_to_num(self._rates_a[rows])
            _, other = area_rows(values, scales, height, PAD, joined=False)
            grey = np.uint32(packed(blend(theme.canvas, theme.text, 0.7)))
            pixels = np.where(other & there[:, None, :], grey, pixels)
        for index, row in enumerate(rows):
            if self.pinned_rows():
                painter.fillRect(
                    QRect(area.left(), int(self.row_top(row)), area.width(), height),
                    QColor(theme.canvas),
                )
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
        theme, top = self.context.theme, int(self.row_top(row))
        bottom = top + height - 0.5
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(area.left(), bottom), QPointF(area.right() + 1, bottom))
        peak = self.peak_of(row)
        if peak <= scale:
            y = round(top + height - PAD - 1 - peak / scale * (height - 2 * PAD - 1)) + 0.5
            painter.setPen(QPen(QColor(theme.peak), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right() + 1, y))

    def _heading(self, row: int) -> Heading:
        """Title of a lane and its peak."""
        what, peak, scale = self.rows[row], self.peak_of(row), self._scales[row]
        brief = peak_text(peak)
        text = f"peak {brief}"
        if peak > scale:
            text = f"0–{significant(scale, 2)} of {significant(peak, 3)} GB/s"
        title = f"▸ {what.title}" if what.folded else what.title
        if not what.lanes:
            title += " (only A)"
        colour = self.context.theme.peak
        return Heading(title, text, colour, dim=not what.lanes, brief=brief)

    def clicked(self, position: QPointF) -> None:
        if position.x() >= self.plot_area().left():
            self.state.cursor.seek_time(self.axis().time(position.x()))

    def hover_text(self, position: QPointF) -> str:
        run, row = self.state.runs.current, self.row_at(position.y())
        column = int(position.x()) - self.plot_area().left()
        if run is None or row < 0 or self._rates.shape[0] <= row or not self.state.runs.length:
            return ""
        title, peak = self.rows[row].title, self.peak_of(row)
        if not 0 <= column < self._rates.shape[1]:
            return f"{title}\npeak {significant(peak)} GB/s"
        at = self.axis().time(position.x())
        lines = [f"{title} — {step_name(run, run.step_at(int(at)))}"]
        if self.rows[row].lanes:
            lines.append(_share_text(float(self._rates[row, column]), peak))
        if column < self._rates_a.shape[1] and np.isfinite(self._rates_a[row, column]):
            lines.append(f"A: {_share_text(float(self._rates_a[row, column]), peak)}")
        return "\n".join(lines)


def _share_text(value: float, peak: float) -> str:
    return (
        f"{significant(value, 4)} GB/s, {100 * value / peak:.1f} % of the peak "
        f"{significant(peak)} GB/s"
    )
