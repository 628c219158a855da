"""Paints run A in outline over the lanes of the timeline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.theme.tokens import Theme
from app.viewmodels.alignment import Align, Reference
from app.viewmodels.exact import cut_step
from app.viewmodels.keys import OP_KEYS, key_of_op
from app.viewmodels.span_source import SpanSource
from app.viewmodels.time_axis import TimeMap, exact_steps
from app.widgets.painting import RectBatch
from simcore.results.run import Run
from simcore.results.spans import Spans

Floats = NDArray[np.float64]
COLUMN_PX = 2
FRAME_PX = 6
COVERED = 0.02
"""Least share of a pixel that merged spans must cover to be marked."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Where lanes of A are drawn.

    Attributes:
        top: of the bar.
        lanes: lanes of A; the mean of several.
    """

    top: float
    lanes: tuple[int, ...]


class ReferenceOverlay:
    """Spans of A as frames where B's are drawn one by one, else its busy share as a line."""

    def __init__(self) -> None:
        self._source: SpanSource | None = None
        self._run: Run | None = None
        self._keys: NDArray[np.int64] = np.zeros(0, np.int64)
        self._batch = RectBatch()
        self.frames = 0

    def paint(
        self,
        painter: QPainter,
        area: QRect,
        axis: TimeMap,
        reference: Reference,
        align: Align,
        bars: list[Bar],
        height: float,
        theme: Theme,
        budget_s: float,
    ) -> bool:
        """Paint into `area`; False if spans are still to be derived.

        Args:
            bars: what is drawn where, each `height` high.
        """
        run = reference.run
        if run is not self._run:
            self._run, self._source, self._keys = run, SpanSource(run), key_of_op(run)
        assert self._source is not None
        pieces = exact_pieces(reference, align, axis)
        spans, complete = self._source.get([step for step, *_ in pieces], budget_s)
        colour = QColor(theme.text)
        colour.setAlphaF(0.85)
        painter.save()
        painter.setClipRect(area)
        self._paint_shares(painter, area, axis, reference, align, bars, height, colour, pieces)
        tops = np.full(len(run.lanes), np.nan)
        for bar in bars:
            if len(bar.lanes) == 1:
                tops[bar.lanes[0]] = bar.top
        self.frames = 0
        for step, start, end in pieces:
            if step in spans:
                self._paint_spans(
                    painter,
                    area,
                    reference,
                    spans[step],
                    step,
                    (start, end),
                    (tops, height),
                    axis,
                    colour,
                )
        painter.restore()
        return complete

    def _paint_shares(
        self,
        painter: QPainter,
        area: QRect,
        axis: TimeMap,
        reference: Reference,
        align: Align,
        bars: list[Bar],
        height: float,
        colour: QColor,
        pieces: list[tuple[int, float, float]],
    ) -> None:
        count = max(1, area.width() // COLUMN_PX)
        times = np.linspace(axis.start_ps, axis.end_ps, count + 1)
        busy = reference.busy_own(times, align)
        exact = np.zeros(count, bool)
        for _, start, end in pieces:
            exact |= (times[1:] > start) & (times[:-1] < end)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        width = area.width() / count
        left = area.left() + np.arange(count) * width
        for bar in bars:
            if not bar.lanes:
                continue
            share = busy[list(bar.lanes)].mean(axis=0)
            if len(bar.lanes) == 1:
                share[exact] = np.nan  # there its spans are drawn one by one
            level = bar.top + (1 - np.clip(share, 0, 1)) * (height - 1.5)
            use = np.isfinite(level)
            if not use.any():
                continue
            after = np.append(level[1:], np.nan)
            after = np.where(np.isfinite(after), after, level)
            low, high = np.minimum(level, after)[use], np.maximum(level, after)[use]
            self._batch.draw(painter, left[use], level[use], np.full(int(use.sum()), width), 1.5)
            self._batch.draw(
                painter, left[use] + width - 1, low, np.ones(len(low)), high - low + 1.5
            )

    def _paint_spans(
        self,
        painter: QPainter,
        area: QRect,
        reference: Reference,
        spans: Spans,
        step: int,
        place: tuple[float, float],
        bars: tuple[Floats, float],
        axis: TimeMap,
        colour: QColor,
    ) -> None:
        start, end = place
        begin = max(axis.x(start), float(area.left()))
        stop = min(axis.x(end), float(area.right() + 1))
        left_px, columns = int(begin), max(1, int(np.ceil(stop)) - int(begin))
        edges = reference.composition.edges
        first, length = float(edges[step]), float(edges[step + 1] - edges[step])
        scale = length / max(end - start, 1.0)
        window = tuple(first + (axis.time(x) - start) * scale for x in (left_px, left_px + columns))
        run = reference.run
        cut = cut_step(
            spans,
            self._keys,
            len(run.lanes),
            first,
            (window[0], window[1]),
            columns,
        )
        tops, height = bars
        use = np.isfinite(tops[cut.lane]) & (cut.key < OP_KEYS)
        lanes = cut.lane[use]
        left = np.round(cut.left[use]) + left_px + 0.5
        right = np.round(cut.right[use]) + left_px - 0.5
        framed = right - left >= FRAME_PX
        painter.setPen(QPen(colour, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._batch.draw(
            painter,
            left[framed],
            tops[lanes[framed]] + 0.5,
            right[framed] - left[framed] - 1,
            height - 1.0,
        )
        self.frames += int(framed.sum())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        narrow = ~framed  # frames this small would hide what is below them
        width = np.maximum(right[narrow] - left[narrow], 1.0)
        self._batch.draw(painter, left[narrow], tops[lanes[narrow]], width, 1.5)
        if cut.merged:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            covered = cut.cover[:, :, :OP_KEYS].sum(axis=2) > COVERED
            for lane in np.flatnonzero(covered.any(axis=1)).tolist():
                if not np.isfinite(tops[lane]):
                    continue
                at = left_px + np.flatnonzero(covered[lane]).astype(np.float64)
                top = np.full(len(at), tops[lane])
                self._batch.draw(painter, at, top, np.ones(len(at)), 1.5)


def exact_pieces(
    reference: Reference, align: Align, axis: TimeMap
) -> list[tuple[int, float, float]]:
    """Steps of A wide enough to be drawn span by span, with start and end on B's axis."""
    mine, other = reference.composition.edges, reference.other_edges
    if align is Align.TIME:
        return [
            (step, float(mine[step]), float(mine[step + 1])) for step in exact_steps(mine, axis)
        ]
    found = []
    for step in exact_steps(other, axis):
        at = step + reference.offset
        if 0 <= at < reference.composition.steps:
            found.append((at, float(other[step]), float(other[step + 1])))
    return found
