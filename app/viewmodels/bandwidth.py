"""GB/s of the lanes over a window: averages of steps from afar, of single ops from near."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.alignment import Align, Reference
from app.viewmodels.composition import Composition
from simcore.results.spans import Spans

Floats = NDArray[np.float64]
Curve = tuple[Floats, Floats]
"""Times in a step, and the share of its bytes that a lane has moved by them."""


class Curves:
    """How lanes move the bytes of the steps in sight; kept while the range changes."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Spans, dict[int, Curve | None]]] = {}

    def keep(self, exact: Mapping[int, Spans]) -> None:
        """Forget all steps but these."""
        self._of = {step: kept for step, kept in self._of.items() if exact.get(step) is kept[0]}

    def get(self, step: int, spans: Spans, lane: int) -> Curve | None:
        """The curve of a lane, None if it moves nothing."""
        known = self._of.get(step)
        if known is None or known[0] is not spans:
            known = self._of[step] = (spans, {})
        if lane not in known[1]:
            known[1][lane] = _curve(spans, lane)
        return known[1][lane]


def rates(
    composition: Composition,
    exact: Mapping[int, Spans],
    lanes: list[int],
    window_ps: tuple[float, float],
    columns: int,
    curves: Curves | None = None,
) -> Floats:
    """Average GB/s per lane and pixel column, shape (lanes, columns).

    Bytes of an op are spread evenly over the op; steps without derived spans spread theirs over
    the step. Averages over pixels therefore always add up to the bytes of the record.
    """
    if len(composition.edges) < 2 or columns < 1:
        return np.zeros((len(lanes), columns))
    pixels = np.linspace(window_ps[0], window_ps[1], columns + 1)
    width = (window_ps[1] - window_ps[0]) / columns
    curves = curves or Curves()
    curves.keep(exact)
    amounts = _amounts(composition, exact, lanes, pixels, curves)
    return np.asarray(np.diff(amounts, axis=1) * (1e3 / width))


def reference_rates(
    reference: Reference,
    align: Align,
    exact: Mapping[int, Spans],
    lanes: list[int],
    window_ps: tuple[float, float],
    columns: int,
) -> Floats:
    """The same of run A's lanes at the places of run B; NaN where A has nothing there."""
    if len(reference.composition.edges) < 2 or columns < 1:
        return np.full((len(lanes), columns), np.nan)
    times = reference.times(np.linspace(window_ps[0], window_ps[1], columns + 1), align)
    amounts = _amounts(reference.composition, exact, lanes, np.nan_to_num(times), Curves())
    width = np.diff(times)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(width > 0, np.diff(amounts, axis=1) * 1e3 / width, np.nan))


def _amounts(
    composition: Composition,
    exact: Mapping[int, Spans],
    lanes: list[int],
    pixels: Floats,
    curves: Curves,
) -> Floats:
    """Bytes moved up to some ascending times, shape (lanes, n)."""
    edges = composition.edges
    amounts = composition.amounts_at(pixels)[:, lanes].T
    for step in sorted(step for step in exact if step < composition.steps):
        ends = edges[step : step + 2]
        inside = np.flatnonzero((pixels > ends[0]) & (pixels < ends[1]))
        if len(inside):
            around = composition.amounts_at(ends)[:, lanes]
            times = pixels[inside] - ends[0]
            for row, lane in enumerate(lanes):
                curve = curves.get(step, exact[step], lane)
                if curve is not None:
                    low, high = around[:, row]
                    share = np.interp(times, *curve)
                    amounts[row, inside] = low + share * (high - low)
    return np.asarray(amounts)


def _curve(spans: Spans, lane: int) -> Curve | None:
    """When a lane has moved which share of a step's bytes; None if it moves none."""
    low, high = np.searchsorted(spans.lane, (lane, lane + 1))
    use = low + np.flatnonzero(spans.amount_bytes[low:high])
    moved = spans.amount_bytes[use].astype(np.float64)
    whole = moved.sum()
    if not whole:
        return None
    time, level = np.empty((2, 2 * len(moved)))
    time[0::2], time[1::2] = spans.start_ps[use], spans.end_ps[use]
    level[1::2] = np.cumsum(moved)
    level[0::2] = level[1::2] - moved
    return time, level / whole


def area_rows(
    rates: Floats, scales: Floats, height: int, pad: int, *, joined: bool = True
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Filled curves as masks of (lanes, height, columns): what lies below, and the line itself.

    The line joins neighbouring columns, so that a jump is a vertical stroke, unless it is a second
    one over another, of which it would hide too much.
    """
    room = height - 2 * pad
    shares = np.clip(rates / np.maximum(scales, 1e-12)[:, None], 0, 1)
    kind = np.dtype(np.uint8 if height < 256 else np.int16)  # bytes are faster; most rows are low
    tops: NDArray[Any] = np.round(height - pad - 1 - shares * (room - 1)).astype(kind)
    before = np.concatenate([tops[:, :1], tops[:, :-1]], axis=1) if joined else tops
    low, high = np.minimum(tops, before), np.maximum(tops, before)
    ys: NDArray[Any] = np.arange(height).astype(kind)[None, :, None]
    below = (ys >= tops[:, None, :]) & (ys < height - pad)
    line = (ys >= low[:, None, :]) & (ys <= high[:, None, :])
    return below, line
