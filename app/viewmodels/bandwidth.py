"""GB/s of the lanes over a window: averages of steps from afar, of single ops from near."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.composition import Composition
from simcore.results.spans import Spans

Floats = NDArray[np.float64]


def rates(
    composition: Composition,
    exact: Mapping[int, Spans],
    lanes: list[int],
    window_ps: tuple[float, float],
    columns: int,
) -> Floats:
    """Average GB/s per lane and pixel column, shape (lanes, columns).

    Bytes of an op are spread evenly over the op; steps without derived spans spread theirs over
    the step. Averages over pixels therefore always add up to the bytes of the record.
    """
    edges = composition.edges
    out = np.zeros((len(lanes), columns))
    if len(edges) < 2 or columns < 1:
        return out
    pixels = np.linspace(window_ps[0], window_ps[1], columns + 1)
    width = (window_ps[1] - window_ps[0]) / columns
    steps = sorted(step for step in exact if step < composition.steps)
    for row, lane in enumerate(lanes):
        time, amount = _knots(composition, exact, steps, lane)
        total = np.interp(pixels, time, amount)
        out[row] = np.diff(total) * (1e3 / width)
    return out


def _knots(
    composition: Composition, exact: Mapping[int, Spans], steps: list[int], lane: int
) -> tuple[Floats, Floats]:
    edges = composition.edges
    amounts = composition.bytes_at_edges[:, lane]
    if not steps:
        return edges, amounts
    times: list[Floats] = []
    sums: list[Floats] = []
    at = 0
    for step in steps:
        times.append(edges[at : step + 1])
        sums.append(amounts[at : step + 1])
        spans = exact[step]
        low, high = np.searchsorted(spans.lane, (lane, lane + 1))
        use = low + np.flatnonzero(spans.amount_bytes[low:high])
        moved = spans.amount_bytes[use].astype(np.float64)
        inner = np.empty(2 * len(moved))
        inner[0::2] = edges[step] + spans.start_ps[use]
        inner[1::2] = edges[step] + spans.end_ps[use]
        level = np.empty(2 * len(moved))
        level[0::2] = amounts[step] + np.cumsum(moved) - moved
        level[1::2] = amounts[step] + np.cumsum(moved)
        times.append(inner)
        sums.append(level)
        at = step + 1
    times.append(edges[at:])
    sums.append(amounts[at:])
    return np.concatenate(times), np.concatenate(sums)


def area_rows(
    rates: Floats, scales: Floats, height: int, pad: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Filled curves as masks of (lanes, height, columns): what lies below, and the line itself.

    The line joins neighbouring columns, so that a jump is a vertical stroke.
    """
    room = height - 2 * pad
    shares = np.clip(rates / np.maximum(scales, 1e-12)[:, None], 0, 1)
    tops = np.round(height - pad - 1 - shares * (room - 1)).astype(np.int16)
    before = np.concatenate([tops[:, :1], tops[:, :-1]], axis=1)
    low, high = np.minimum(tops, before), np.maximum(tops, before)
    ys = np.arange(height, dtype=np.int16)[None, :, None]
    below = (ys >= tops[:, None, :]) & (ys < height - pad)
    line = (ys >= low[:, None, :]) & (ys <= high[:, None, :])
    return below, line
