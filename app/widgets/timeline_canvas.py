"""Paints the timeline: blended totals from afar, exact spans from near, nothing dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.state.lanes import Row
from app.state.selection import SpanRef
from app.theme.tokens import COLOUR_KEYS
from app.viewmodels import hover
from app.viewmodels.composition import stacked
from app.viewmodels.exact import Cut, cut_steps, mean_shares, merged_colours, span_at
from app.viewmodels.flows import Flow, flows_at
from app.viewmodels.formatting import percent_text
from app.viewmodels.grains import marks_of
from app.viewmodels.keys import key_of_op
from app.viewmodels.span_source import SpanSource
from app.viewmodels.time_axis import TimeMap, exact_steps, neighbours, visible_steps
from app.widgets.flow_arrows import paint_arrow
from app.widgets.painting import (
    NumpyImage,
    RectBatch,
    ink_on,
    key_components,
    key_table,
    small_font,
)
from app.widgets.reference_overlay import Bar, ReferenceOverlay
from app.widgets.rulers import Heading, paint_gutter, paint_layers, paint_ruler, paint_steps
from app.widgets.texts import texts_in
from app.widgets.time_canvas import Pieces, TimeCanvas
from app.widgets.view import Context
from simcore.results.spans import Spans

BUDGET_S = 0.006
PATIENCE_S = 0.012
"""How long a picture waits for operations that are derived step by step."""
LABEL_PX = 30.0
MAX_LABELS = 240
NOTE_PX = 110.0
FLOW_PX = 4.0
"""Spans at least this wide get arrows."""
Blended = list[tuple[float, NDArray[np.uint32]]]
"""Bars seen from afar: top of each, and its pixels."""
FAR = -1e4
"""Top of lanes that have no row of their own; nothing that high is seen."""


class TimelineCanvas(TimeCanvas):
    """Lanes of ops and waits over the shared time range."""

    span_clicked = Signal(object)
    ruler = 45
    row_min = 15.0

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self._source: SpanSource | None = None
        self._keys: NDArray[np.int64] = np.zeros(0, np.int64)
        self.shown: dict[int, Spans] = {}
        self.rows: list[Row] = []
        self._row_of: dict[int, int] = {}
        self._pinned = 0
        self._tops: NDArray[np.float64] = np.zeros(0)
        self._batch = RectBatch()
        self.merged_spans = 0
        self.hovered: SpanRef | None = None
        self.arrows = 0
        self.marked = 0
        self._searched: object = None
        super().__init__(context, parent)
        self.setAccessibleName("Timeline")
        self.overlay = ReferenceOverlay()
        self.state.selection.changed.connect(self.touch)
        self.state.comparison.changed.connect(self._on_lanes_changed)
        self.state.search.changed.connect(self._on_search)

    def run_replaced(self) -> None:
        run = self.state.runs.current
        assert run is not None
        self._source = SpanSource(run)
        self._keys = key_of_op(run)
        self.shown, self.hovered = {}, None
        self.lanes_changed()

    def run_cleared(self) -> None:
        self._source, self.shown = None, {}
        self.rows, self._row_of, self._pinned = [], {}, 0

    def lanes_changed(self) -> None:
        run, reference = self.state.runs.current, self.state.comparison.reference()
        if run is None:
            return
        self.rows = self.state.lanes.rows(run, reference.run if reference else None)
        self._row_of = {lane: at for at, row in enumerate(self.rows) for lane in row.lanes}
        self._pinned = sum(row.pinned for row in self.rows)

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
        return self.shown

    def lane_of_row(self, row: int) -> int:
        lanes = self.rows[row].lanes if 0 <= row < len(self.rows) else ()
        return lanes[0] if len(lanes) == 1 else -1

    def bar_height(self) -> int:
        """Height of a bar inside its lane."""
        height = self.row_height()
        return max(6, int(height - (4 if height >= 20 else 3)))

    # Painting.

    def before_layer(self) -> Iterator[None]:
        run, composition = self.state.runs.current, self.composition
        if run is None or composition is None or not composition.steps or self._source is None:
            return
        if self.growing:
            return  # nothing is derived for a picture that is painted again in a moment
        begin = time.perf_counter()
        for step in self._source.missing(exact_steps(composition.edges, self.axis())):
            self._source.derive(step)
            marks_of(run, step)
            yield
            if time.perf_counter() - begin > PATIENCE_S:
                return  # what there is is painted, then the rest

    def paint_layer(self, painter: QPainter, area: QRect) -> Pieces:
        run, composition = self.state.runs.current, self.composition
        if run is None or composition is None or not composition.steps or self._source is None:
            return True
        theme, axis = self.context.theme, self.axis()
        edges = composition.edges
        wanted = exact_steps(edges, axis)
        now = self._hurried or not self.isVisible()  # else they are derived before
        self.shown, _ = self._source.get(wanted, BUDGET_S, derive=now and not self.growing)
        complete = self.growing or len(self.shown) == len(wanted)
        steps = visible_steps(edges, axis.start_ps, axis.end_ps)
        for clip, rows in self._passes(area):
            self._tops = np.full(len(run.lanes), FAR)
            for row in rows:
                lanes = self.rows[row].lanes
                if len(lanes) == 1:
                    self._tops[lanes[0]] = self._bar_top(row)
            folded = [row for row in rows if len(self.rows[row].lanes) > 1]
            blended: Blended = []
            if len(self.shown) < len(steps):
                blended = self._blended(area, axis, folded)
                yield
            painter.setClipRect(clip)
            painter.fillRect(clip, QColor(theme.canvas))
            self._paint_rows(painter, area, rows)
            self._paint_blended(painter, area, axis, blended)
            self.merged_spans = 0
            if self.shown:
                if blended:
                    yield
                cut = self._cut(area, axis)
                yield
                self._paint_exact(painter, area, axis, cut)
            for step, spans in self.shown.items():
                self._paint_folded(painter, area, axis, step, spans, folded)
            self._paint_hits(painter, area, axis)
            complete = self._paint_reference(painter, clip, axis, rows) and complete
            paint_steps(painter, area, axis, edges, theme)
            painter.setClipping(False)
            yield
        busy = composition.busy_share(steps.start, steps.stop)
        paint_gutter(painter, self, [self._heading(row, busy) for row in self.rows], theme)
        paint_ruler(painter, self, axis, edges, theme)
        for step in self.shown:
            paint_layers(painter, self, run, step, (float(edges[step]), axis), theme)
        return complete

    def _passes(self, area: QRect) -> list[tuple[QRect, range]]:
        """Parts of the plot that scroll apart from each other, with their rows."""
        pinned = self.pinned_rows()
        if not pinned:
            return [(area, range(len(self.rows)))]
        height = round(pinned * self.row_height())
        below = area.adjusted(0, height, 0, 0)
        top = QRect(area.left(), area.top(), area.width(), height)
        return [(below, range(pinned, len(self.rows))), (top, range(pinned))]

    def _heading(self, row: Row, busy: NDArray[np.float64]) -> Heading:
        theme = self.context.theme
        if not row.lanes:
            return Heading(row.title, "only A", theme.text_dim, dim=True)
        share = float(busy[list(row.lanes)].mean())
        title = f"▸ {row.title}" if row.folded else row.title
        return Heading(title, f"{100 * share:.1f} %", theme.text_dim)

    def _paint_reference(self, painter: QPainter, area: QRect, axis: TimeMap, rows: range) -> bool:
        """Run A over the bars; whether all of it could be painted."""
        reference = self.state.comparison.reference()
        if reference is None:
            return True
        return self.overlay.paint(
            painter,
            area,
            axis,
            reference,
            self.state.comparison.align,
            [Bar(self._bar_top(row), self.rows[row].others) for row in rows],
            float(self.bar_height()),
            self.context.theme,
            BUDGET_S,
        )

    def _paint_rows(self, painter: QPainter, area: QRect, rows: range) -> None:
        tint = QColor(self.context.theme.row_alt)
        for row in rows:
            if row % 2:
                continue
            top = self.row_top(row)
            painter.fillRect(QRectF(area.left(), top, area.width(), self.row_height()), tint)

    def _blended(self, area: QRect, axis: TimeMap, folded: list[int]) -> Blended:
        """What lanes did between the edges of the pixels, with the top of each bar."""
        assert self.composition is not None
        columns, bar = area.width(), self.bar_height()
        pixels = np.linspace(axis.start_ps, axis.end_ps, columns + 1)
        width = (axis.end_ps - axis.start_ps) / columns
        shares = self.composition.between(pixels)
        shares /= width
        seen = np.flatnonzero(self._tops > FAR)
        parts = [shares if len(seen) == shares.shape[1] else shares[:, seen]]
        tops = [*self._tops[seen].tolist(), *(self._bar_top(row) for row in folded)]
        for row in folded:
            parts.append(shares[:, list(self.rows[row].lanes)].mean(axis=1, keepdims=True))
        if not tops:
            return []
        table = key_table(self.context.theme, self.context.theme.canvas)
        joined = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return list(zip(tops, np.take(table, stacked(joined, bar)), strict=True))

    def _paint_blended(
        self,
        painter: QPainter,
        area: QRect,
        axis: TimeMap,
        found: Blended,
    ) -> None:
        assert self.composition is not None
        edges, bar = self.composition.edges, self.bar_height()
        begin = min(max(axis.x(0.0), area.left()), area.right())
        end = min(max(axis.x(float(edges[-1])), area.left()), area.right() + 1)
        skip = begin - area.left()
        for top, pixels in found:
            drawn = NumpyImage(pixels).image
            painter.drawImage(
                QRectF(begin, top, end - begin, bar), drawn, QRectF(skip, 0, end - begin, bar)
            )

    def _bar_top(self, row: int) -> float:
        return float(round(self.row_top(row) + (self.row_height() - self.bar_height()) / 2))

    def _on_search(self) -> None:
        search = self.state.search
        now = (search.query, search.hits)
        if now != self._searched:
            self._searched = now
            self.invalidate()

    def _paint_hits(self, painter: QPainter, area: QRect, axis: TimeMap) -> None:
        """A strip on top of the bars of spans the search found; of steps from afar, by lane."""
        search, composition = self.state.search, self.composition
        self.marked = 0
        if search.query is None or composition is None:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.context.theme.warning))
        edges = composition.edges
        if search.hits is not None:
            columns = np.linspace(axis.start_ps, axis.end_ps, area.width() + 1)
            middle = (columns[1:] + columns[:-1]) / 2
            step = np.searchsorted(edges, middle, side="right") - 1
            inside = (step >= 0) & (step < len(edges) - 1)
            inside &= ~np.isin(step, list(self.shown))
            piece = np.searchsorted(search.hits.stop, step, side="right")
            inside &= piece < len(search.hits.stop)
            for lane in np.flatnonzero(self._tops > FAR).tolist():
                on = np.zeros(len(step), bool)
                on[inside] = search.hits.lanes[piece[inside], lane]
                ends = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
                left, right = ends[::2].astype(np.float64), ends[1::2].astype(np.float64)
                self._strip(painter, area.left() + left, right - left, self._tops[lane])
        for at, spans in self.shown.items():
            mask = search.mask(at, spans)
            if mask is None:
                continue
            use = np.flatnonzero(mask & (self._tops[spans.lane] > FAR))
            scale = area.width() / (axis.end_ps - axis.start_ps)
            begin = area.left() + (edges[at] - axis.start_ps) * scale
            left = begin + spans.start_ps[use] * scale
            width = np.maximum((spans.end_ps[use] - spans.start_ps[use]) * scale, 1.5)
            seen = (left < area.right() + 1) & (left + width > area.left())
            lanes = spans.lane[use][seen]
            self._strip(painter, left[seen], width[seen], self._tops[lanes])

    def _strip(
        self,
        painter: QPainter,
        left: NDArray[np.float64],
        width: NDArray[np.float64],
        top: NDArray[np.float64] | float,
    ) -> None:
        tops = np.broadcast_to(np.asarray(top, np.float64), left.shape)
        self.marked += len(left)
        self._batch.draw(painter, left, tops - 1, width, 3.0)

    def _paint_folded(
        self,
        painter: QPainter,
        area: QRect,
        axis: TimeMap,
        step: int,
        spans: Spans,
        folded: list[int],
    ) -> None:
        """The mean of folded lanes in a step, pixel by pixel."""
        run = self.state.runs.current
        if not folded or self.composition is None or run is None:
            return
        edges, bar = self.composition.edges, self.bar_height()
        begin = int(max(axis.x(float(edges[step])), float(area.left())))
        end = min(axis.x(float(edges[step + 1])), float(area.right() + 1))
        columns = max(1, int(np.ceil(end)) - begin)
        times = np.array([axis.time(begin + at) for at in (0, columns)])
        times = np.linspace(times[0], times[1], columns + 1) - float(edges[step])
        table = key_table(self.context.theme, self.context.theme.canvas)
        for row in folded:
            shares = mean_shares(spans, self._keys, self.rows[row].lanes, len(run.lanes), times)
            rows = stacked(shares[:, None, :], bar)[0]
            painter.drawImage(QPointF(begin, self._bar_top(row)), NumpyImage(table[rows]).image)

    def _cut(self, area: QRect, axis: TimeMap) -> Cut:
        """The spans of the exact steps on the pixels of the plot."""
        assert self.composition is not None
        edges = self.composition.edges
        steps = [(float(edges[step]), spans) for step, spans in self.shown.items()]
        window = (axis.start_ps, axis.end_ps)
        return cut_steps(steps, self._keys, len(self._tops), window, area.width())

    def _paint_exact(self, painter: QPainter, area: QRect, axis: TimeMap, cut: Cut) -> None:
        assert self.composition is not None
        edges, bar = self.composition.edges, self.bar_height()
        theme, tops = self.context.theme, self._tops
        seen = tops[tops > FAR]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.canvas))
        for first, last in neighbours(self.shown):
            begin = max(axis.x(float(edges[first])), float(area.left()))
            end = min(axis.x(float(edges[last + 1])), float(area.right() + 1))
            places = np.full(len(seen), begin)
            self._batch.draw(painter, places, seen, np.full(len(seen), end - begin), float(bar))
        self.merged_spans += cut.merged
        left = np.round(cut.left) + area.left()
        width = np.maximum(np.round(cut.right) + area.left() - left, 1.0)
        width = np.where(width >= 4, width - 1, width)
        for key in np.unique(cut.key):
            use = cut.key == key
            painter.setBrush(QColor(theme.colour(COLOUR_KEYS[key])))
            self._batch.draw(painter, left[use], tops[cut.lane[use]], width[use], float(bar))
        if cut.merged:
            argb = merged_colours(cut, key_components(theme))
            for at, top in enumerate(tops[cut.merged_lanes].tolist()):
                if top > FAR:
                    strip = NumpyImage(argb[at : at + 1], alpha=True).image
                    painter.drawImage(QRectF(area.left(), top, area.width(), bar), strip)
        if bar >= 11:
            self._paint_labels(painter, cut, left, width, tops)

    def _paint_labels(
        self,
        painter: QPainter,
        cut: Cut,
        left: NDArray[np.float64],
        width: NDArray[np.float64],
        tops: NDArray[np.float64],
    ) -> None:
        run = self.state.runs.current
        assert run is not None
        font = small_font(self.font(), -1.5)
        painter.setFont(font)
        texts = texts_in(font)
        theme, bar = self.context.theme, self.bar_height()
        edge = float(self.plot_area().left())
        width = width - np.maximum(edge - left, 0.0)
        left = np.maximum(left, edge)
        wide = np.flatnonzero((width >= LABEL_PX) & (tops[cut.lane] > FAR))
        steps = list(self.shown.values())
        for at in wide[np.argsort(-width[wide])][:MAX_LABELS]:
            spans, span = steps[cut.step[at]], int(cut.index[at])
            op = run.ops[int(spans.op[span])]
            if op.id == "wait.no_work":
                continue
            text = op.title
            layer = int(spans.layer[span])
            if layer >= 0 and width[at] >= texts.width(f"{text} · L{layer}") + 8:
                text = f"{text} · L{layer}"
            note = run.system.note(run.plan, spans, span) if width[at] >= NOTE_PX else ""
            if note and width[at] >= texts.width(f"{text} · {note}") + 8:
                text = f"{text} · {note}"
            shown = texts.elided(text, float(width[at]) - 6)
            if len(shown) < 3:
                continue
            ink = ink_on(theme.colour(COLOUR_KEYS[int(cut.key[at])]))
            painter.setPen(QColor(theme.text_dim) if op.is_wait else ink)
            place = QRectF(left[at] + 3, tops[cut.lane[at]], width[at] - 4, bar)
            texts.draw(painter, place, shown)

    def paint_overlay(self, painter: QPainter, area: QRect) -> None:
        if self.composition is None:
            return
        self._paint_flows(painter, area)
        chosen = self.state.selection.span
        if chosen is None or chosen.step not in self.shown:
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

    def _paint_flows(self, painter: QPainter, area: QRect) -> None:
        """Dependencies of the span under the pointer and of the selected one, between lanes."""
        run = self.state.runs.current
        painter.save()
        painter.setClipRect(area)
        self.arrows = 0
        for ref in {self.hovered, self.state.selection.span}:
            if ref is None or run is None or ref.step not in self.shown:
                continue
            spans = self.shown[ref.step]
            length = float(spans.end_ps[ref.span] - spans.start_ps[ref.span])
            if self.axis().px(length) < FLOW_PX:
                continue  # so near to each other that arrows would be a blot
            for flow in flows_at(run, ref.step, spans, ref.span).arrows:
                self._paint_flow(painter, ref.step, spans, flow)
        painter.restore()

    def _paint_flow(self, painter: QPainter, step: int, spans: Spans, flow: Flow) -> None:
        assert self.composition is not None
        lanes = [int(spans.lane[span]) for span in (flow.start, flow.end)]
        rows = [self._row_of.get(lane, -1) for lane in lanes]
        if min(rows) < 0 or rows[0] == rows[1]:
            return
        axis, begin = self.axis(), float(self.composition.edges[step])
        heights = [self._bar_top(row) + self.bar_height() / 2 for row in rows]
        start = QPointF(axis.x(begin + float(spans.end_ps[flow.start])), heights[0])
        end = QPointF(axis.x(begin + float(spans.start_ps[flow.end])), heights[1])
        keys = [COLOUR_KEYS[self._keys[spans.op[span]]] for span in (flow.start, flow.end)]
        moved = next((key for key in keys if key in ("transfer", "migration")), "")
        theme = self.context.theme
        colour = QColor(theme.colour(moved) if moved else theme.accent)
        paint_arrow(painter, start, end, colour)
        self.arrows += 1

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(None)

    def _hover(self, ref: SpanRef | None) -> None:
        if ref != self.hovered:
            self.hovered = ref
            self.update()

    def _outline(
        self, painter: QPainter, axis: TimeMap, start: float, spans: Spans, span: int, colour: str
    ) -> None:
        left = axis.x(start + float(spans.start_ps[span]))
        right = axis.x(start + float(spans.end_ps[span]))
        painter.setPen(QPen(QColor(colour), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        row = self._row_of.get(int(spans.lane[span]), -1)
        if row < 0:
            return
        top = self._bar_top(row)
        painter.drawRect(QRectF(left, top, max(right - left - 1, 2), self.bar_height()))

    # Mouse.

    def span_under(self, position: QPointF) -> SpanRef | None:
        """The span at a position, None outside the exactly drawn steps."""
        lane = self.lane_of_row(self.row_at(position.y()))
        run = self.state.runs.current
        outside = lane < 0 or position.x() < self.plot_area().left()
        if outside or run is None or self.composition is None:
            return None
        at = self.axis().time(position.x())
        for step, spans in self.shown.items():
            start = float(self.composition.edges[step])
            if start <= at < float(self.composition.edges[step + 1]):
                span = span_at(spans, len(run.lanes), lane, at - start)
                return SpanRef(step, span, lane) if span >= 0 else None
        return None

    def clicked(self, position: QPointF) -> None:
        if position.x() < self.plot_area().left():
            return
        self.span_clicked.emit(self.span_under(position))
        self.state.cursor.seek_time(self.axis().time(position.x()))

    def double_clicked(self, position: QPointF) -> None:
        run = self.state.runs.current
        if run is not None and self.state.runs.length:
            self.state.window.show_step(run.step_at(int(self.axis().time(position.x()))))

    def hover_text(self, position: QPointF) -> str:
        run = self.state.runs.current
        row = self.row_at(position.y())
        if position.x() < self.plot_area().left() or self.lane_of_row(row) < 0:
            self._hover(None)
        if run is None or row < 0 or self.composition is None or not self.composition.steps:
            return ""
        lane = self.lane_of_row(row)
        if lane < 0:
            return self._group_text(row)
        if position.x() < self.plot_area().left():
            return hover.lane_text(run, self.composition, lane)
        found = self.span_under(position)
        self._hover(found)
        if found is not None:
            return hover.span_text(run, self.shown[found.step], found.step, found.span)
        at = self.axis().time(position.x())
        if not 0 <= at < float(self.composition.edges[-1]):
            return ""
        step = run.step_at(int(at))
        return hover.step_text(run, self.composition, step, lane) + self._other_text(step, lane)

    def _group_text(self, row: int) -> str:
        """What a row is that is not a single lane of the run on screen."""
        run, composition, what = self.state.runs.current, self.composition, self.rows[row]
        assert run is not None
        assert composition is not None
        if not what.lanes:
            return f"{what.title}: a lane that only run A has; its outline is drawn"
        busy = composition.busy_share()
        lines = [f"{run.lanes[at].title}: busy {percent_text(busy[at])}" for at in what.lanes]
        head = f"{what.title}, the mean of its lanes; double click the title to unfold"
        return "\n".join([head, *lines])

    def _other_text(self, step: int, lane: int) -> str:
        """How busy the lane was in run A at this place."""
        comparison = self.state.comparison
        reference = comparison.reference()
        if reference is None:
            return ""
        share = float(reference.busy_share(step, step + 1, comparison.align)[lane])
        return f"\nA: busy {percent_text(share)}" if np.isfinite(share) else "\nA: no such lane"
