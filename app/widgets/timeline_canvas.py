"""Paints the timeline: blended totals from afar, exact spans from near, nothing dropped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.state.selection import SpanRef
from app.theme.tokens import COLOUR_KEYS
from app.viewmodels import hover
from app.viewmodels.composition import stacked
from app.viewmodels.exact import ExactStep, cover_colours, cut_step, span_at
from app.viewmodels.formatting import percent_text
from app.viewmodels.keys import key_of_op
from app.viewmodels.span_source import SpanSource
from app.viewmodels.time_axis import TimeMap, exact_steps, visible_steps
from app.widgets.painting import (
    NumpyImage,
    RectBatch,
    ink_on,
    key_components,
    key_table,
    small_font,
)
from app.widgets.reference_overlay import ReferenceOverlay
from app.widgets.rulers import paint_gutter, paint_layers, paint_ruler, paint_steps
from app.widgets.time_canvas import TimeCanvas
from app.widgets.view import Context
from simcore.results.spans import Spans

BUDGET_S = 0.006
LABEL_PX = 30.0
MAX_LABELS = 240
NOTE_PX = 110.0


class TimelineCanvas(TimeCanvas):
    """Lanes of ops and waits over the shared time range."""

    span_clicked = Signal(object)
    ruler = 45
    row_min = 15.0

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self._source: SpanSource | None = None
        self._keys: NDArray[np.int64] = np.zeros(0, np.int64)
        self.shown: dict[int, Spans] = {}
        self._batch = RectBatch()
        self.merged_spans = 0
        super().__init__(context, parent)
        self.setAccessibleName("Timeline")
        self.overlay = ReferenceOverlay()
        self.state.selection.changed.connect(self.update)
        self.state.comparison.changed.connect(self.invalidate)

    def run_replaced(self) -> None:
        run = self.state.runs.current
        assert run is not None
        self._source = SpanSource(run)
        self._keys = key_of_op(run)
        self.shown = {}

    def run_cleared(self) -> None:
        self._source, self.shown = None, {}

    def lane_count(self) -> int:
        run = self.state.runs.current
        return len(run.lanes) if run else 0

    def exact_spans(self) -> Mapping[int, Spans]:
        return self.shown

    def lane_of_row(self, row: int) -> int:
        return row

    def bar_height(self) -> int:
        """Height of a bar inside its lane."""
        height = self.row_height()
        return max(6, int(height - (4 if height >= 20 else 3)))

    # Painting.

    def paint_layer(self, painter: QPainter, area: QRect) -> None:
        run, composition = self.state.runs.current, self.composition
        if run is None or composition is None or not composition.steps or self._source is None:
            return
        theme, axis = self.context.theme, self.axis()
        edges = composition.edges
        wanted = exact_steps(edges, axis)
        self.shown, complete = self._source.get(wanted, BUDGET_S)
        painter.save()
        painter.setClipRect(area)
        self._paint_rows(painter, area)
        steps = visible_steps(edges, axis.start_ps, axis.end_ps)
        if len(self.shown) < len(steps):
            self._paint_blended(painter, area, axis)
        self.merged_spans = 0
        for step, spans in self.shown.items():
            self._paint_exact(painter, area, axis, step, spans)
        complete = self._paint_reference(painter, area, axis) and complete
        paint_steps(painter, area, axis, edges, theme)
        painter.restore()
        busy = composition.busy_share(steps.start, steps.stop)
        paint_gutter(
            painter,
            self,
            [
                (lane.title, f"{100 * share:.1f} %", theme.text_dim)
                for lane, share in zip(run.lanes, busy)
            ],
            theme,
        )
        paint_ruler(painter, self, axis, edges, theme)
        for step in self.shown:
            paint_layers(painter, self, run, step, (float(edges[step]), axis), theme)
        if not complete:
            self.invalidate()

    def _paint_reference(self, painter: QPainter, area: QRect, axis: TimeMap) -> bool:
        """Run A over the bars; whether all of it could be painted."""
        reference = self.state.comparison.reference()
        if reference is None:
            return True
        tops = np.array([self._bar_top(lane) for lane in range(self.lane_count())])
        return self.overlay.paint(
            painter,
            area,
            axis,
            reference,
            self.state.comparison.align,
            (tops, float(self.bar_height())),
            self.context.theme,
            BUDGET_S,
        )

    def _paint_rows(self, painter: QPainter, area: QRect) -> None:
        tint = QColor(self.context.theme.row_alt)
        for row in range(0, self.lane_count(), 2):
            top = self.row_top(row)
            painter.fillRect(QRectF(area.left(), top, area.width(), self.row_height()), tint)

    def _paint_blended(self, painter: QPainter, area: QRect, axis: TimeMap) -> None:
        assert self.composition is not None
        columns, bar = area.width(), self.bar_height()
        pixels = np.linspace(axis.start_ps, axis.end_ps, columns + 1)
        width = (axis.end_ps - axis.start_ps) / columns
        shares = self.composition.between(pixels) / width
        image = key_table(self.context.theme, self.context.theme.canvas)[stacked(shares, bar)]
        edges = self.composition.edges
        begin = min(max(axis.x(0.0), area.left()), area.right())
        end = min(max(axis.x(float(edges[-1])), area.left()), area.right() + 1)
        skip = begin - area.left()
        for lane in range(len(image)):
            drawn = NumpyImage(image[lane]).image
            top = self._bar_top(lane)
            painter.drawImage(
                QRectF(begin, top, end - begin, bar), drawn, QRectF(skip, 0, end - begin, bar)
            )

    def _bar_top(self, lane: int) -> float:
        return float(round(self.row_top(lane) + (self.row_height() - self.bar_height()) / 2))

    def _paint_exact(
        self, painter: QPainter, area: QRect, axis: TimeMap, step: int, spans: Spans
    ) -> None:
        assert self.composition is not None
        edges = self.composition.edges
        lanes, bar = self.lane_count(), self.bar_height()
        begin = max(axis.x(float(edges[step])), float(area.left()))
        end = min(axis.x(float(edges[step + 1])), float(area.right() + 1))
        left_px, columns = int(begin), max(1, int(np.ceil(end)) - int(begin))
        window = (axis.time(left_px), axis.time(left_px + columns))
        cut = cut_step(spans, self._keys, lanes, float(edges[step]), window, columns)
        self.merged_spans += cut.merged
        theme = self.context.theme
        tops = np.array([self._bar_top(lane) for lane in range(lanes)])
        for top in tops:
            painter.fillRect(QRectF(begin, top, end - begin, bar), QColor(theme.canvas))
        left = np.round(cut.left) + left_px
        width = np.maximum(np.round(cut.right) + left_px - left, 1.0)
        width = np.where(width >= 4, width - 1, width)
        painter.setPen(Qt.PenStyle.NoPen)
        for key in np.unique(cut.key):
            use = cut.key == key
            painter.setBrush(QColor(theme.colour(COLOUR_KEYS[key])))
            self._batch.draw(painter, left[use], tops[cut.lane[use]], width[use], float(bar))
        if cut.merged:
            argb = cover_colours(cut.cover, key_components(theme))
            for lane in np.flatnonzero(argb.any(axis=1)):
                strip = NumpyImage(argb[lane : lane + 1], alpha=True).image
                painter.drawImage(QRectF(left_px, tops[lane], columns, bar), strip)
        if bar >= 11:
            self._paint_labels(painter, cut, spans, left, width, tops)

    def _paint_labels(
        self,
        painter: QPainter,
        cut: ExactStep,
        spans: Spans,
        left: NDArray[np.float64],
        width: NDArray[np.float64],
        tops: NDArray[np.float64],
    ) -> None:
        run = self.state.runs.current
        assert run is not None
        font = small_font(self.font(), -1.5)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        theme, bar = self.context.theme, self.bar_height()
        edge = float(self.plot_area().left())
        width = width - np.maximum(edge - left, 0.0)
        left = np.maximum(left, edge)
        wide = np.flatnonzero(width >= LABEL_PX)
        for at in wide[np.argsort(-width[wide])][:MAX_LABELS]:
            span = int(cut.index[at])
            op = run.ops[int(spans.op[span])]
            if op.id == "wait.no_work":
                continue
            text = op.title
            layer = int(spans.layer[span])
            if layer >= 0 and width[at] >= metrics.horizontalAdvance(f"{text} · L{layer}") + 8:
                text = f"{text} · L{layer}"
            note = run.system.note(run.plan, spans, span) if width[at] >= NOTE_PX else ""
            if note and width[at] >= metrics.horizontalAdvance(f"{text} · {note}") + 8:
                text = f"{text} · {note}"
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, float(width[at]) - 6)
            if len(shown) < 3:
                continue
            ink = ink_on(theme.colour(COLOUR_KEYS[int(cut.key[at])]))
            painter.setPen(QColor(theme.text_dim) if op.is_wait else ink)
            place = QRectF(left[at] + 3, tops[cut.lane[at]], width[at] - 4, bar)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)

    def paint_overlay(self, painter: QPainter, area: QRect) -> None:
        chosen = self.state.selection.span
        if chosen is None or chosen.step not in self.shown or self.composition is None:
            return
        spans, axis = self.shown[chosen.step], self.axis()
        start = float(self.composition.edges[chosen.step])
        painter.save()
        painter.setClipRect(area)
        self._outline(painter, axis, start, spans, chosen.span, self.context.theme.selection)
        cause = int(spans.cause[chosen.span])
        if cause >= 0:
            self._outline(painter, axis, start, spans, cause, self.context.theme.accent)
        painter.restore()

    def _outline(
        self, painter: QPainter, axis: TimeMap, start: float, spans: Spans, span: int, colour: str
    ) -> None:
        left = axis.x(start + float(spans.start_ps[span]))
        right = axis.x(start + float(spans.end_ps[span]))
        painter.setPen(QPen(QColor(colour), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        top = self._bar_top(int(spans.lane[span]))
        painter.drawRect(QRectF(left, top, max(right - left - 1, 2), self.bar_height()))

    # Mouse.

    def span_under(self, position: QPointF) -> SpanRef | None:
        """The span at a position, None outside the exactly drawn steps."""
        lane = self.row_at(position.y())
        if lane < 0 or position.x() < self.plot_area().left() or self.composition is None:
            return None
        at = self.axis().time(position.x())
        for step, spans in self.shown.items():
            start = float(self.composition.edges[step])
            if start <= at < float(self.composition.edges[step + 1]):
                span = span_at(spans, self.lane_count(), lane, at - start)
                return SpanRef(step, span, lane) if span >= 0 else None
        return None

    def clicked(self, position: QPointF) -> None:
        if position.x() < self.plot_area().left():
            return
        self.span_clicked.emit(self.span_under(position))
        self.state.cursor.seek_time(self.axis().time(position.x()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        run = self.state.runs.current
        if run is not None and self.state.runs.length:
            self.state.window.show_step(run.step_at(int(self.axis().time(event.position().x()))))

    def hover_text(self, position: QPointF) -> str:
        run = self.state.runs.current
        lane = self.row_at(position.y())
        if run is None or lane < 0 or self.composition is None or not self.composition.steps:
            return ""
        if position.x() < self.plot_area().left():
            return hover.lane_text(run, self.composition, lane)
        found = self.span_under(position)
        if found is not None:
            return hover.span_text(run, self.shown[found.step], found.step, found.span)
        at = self.axis().time(position.x())
        if not 0 <= at < float(self.composition.edges[-1]):
            return ""
        step = run.step_at(int(at))
        return hover.step_text(run, self.composition, step, lane) + self._other_text(step, lane)

    def _other_text(self, step: int, lane: int) -> str:
        """How busy the lane was in run A at this place."""
        comparison = self.state.comparison
        reference = comparison.reference()
        if reference is None:
            return ""
        share = float(reference.busy_share(step, step + 1, comparison.align)[lane])
        return f"\nA: busy {percent_text(share)}" if np.isfinite(share) else "\nA: no such lane"
