"""The near end of the level of detail: exact rectangles, and what is too small for one, merged.

A span of at least `WIDE_PX` pixels is a rectangle. Shorter ones are spread over the pixels they
cover, so that a thousand of them in a pixel give their average and a single one still shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import COLOUR_KEYS
from app.viewmodels.keys import OP_KEYS
from simcore.results.spans import Spans

WIDE_PX = 1.5
MIN_ALPHA = 0.45
"""Least opacity of a pixel that holds any op, so that nothing vanishes."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExactStep:
    """A step cut for a window.

    Attributes:
        index: spans drawn as rectangles.
        lane, key: lane and colour key of each.
        left, right: pixel positions of each, clipped to the window.
        cover: (lanes, columns, keys) share of each pixel covered by merged spans.
        merged: number of spans merged.
        merged_lanes: lanes that have any, ascending.
    """

    index: NDArray[np.int64]
    lane: NDArray[np.int64]
    key: NDArray[np.int64]
    left: Floats
    right: Floats
    cover: Floats
    merged: int
    merged_lanes: NDArray[np.int64]


def cut_step(
    spans: Spans,
    keys: NDArray[np.int64],
    lanes: int,
    step_start_ps: float,
    window_ps: tuple[float, float],
    columns: int,
) -> ExactStep:
    """Cut the spans of a step for a window of `columns` pixels."""
    begin, end = window_ps
    scale = columns / (end - begin)
    left = np.asarray((spans.start_ps + (step_start_ps - begin)) * scale, np.float64)
    right = np.asarray((spans.end_ps + (step_start_ps - begin)) * scale, np.float64)
    seen = (right > 0) & (left < columns) & (right > left)
    wide = seen & (right - left >= WIDE_PX)
    small = seen & ~wide
    at = np.flatnonzero(wide)
    key = keys[spans.op]
    lane = spans.lane[small].astype(np.int64)
    merged_lanes = np.flatnonzero(np.bincount(lane, minlength=lanes))
    cover = np.zeros((lanes, columns, len(COLOUR_KEYS)))
    if len(merged_lanes):
        place = np.zeros(lanes, np.int64)
        place[merged_lanes] = np.arange(len(merged_lanes))
        cover[merged_lanes] = _cover(
            place[lane], key[small], left[small], right[small], len(merged_lanes), columns
        )
    return ExactStep(
        at,
        spans.lane[at].astype(np.int64),
        key[at],
        np.clip(left[at], -4.0, columns + 4.0),
        np.clip(right[at], -4.0, columns + 4.0),
        cover,
        len(lane),
        merged_lanes,
    )


def _cover(
    lane: NDArray[np.int64],
    key: NDArray[np.int64],
    left: Floats,
    right: Floats,
    lanes: int,
    columns: int,
) -> Floats:
    """Share of each pixel by lane and key; a span shorter than 1.5 px touches at most 3 pixels."""
    total = lanes * columns * len(COLOUR_KEYS)
    pixel = np.floor(left).astype(np.int64) + np.arange(3)[:, None]
    share = np.minimum(right, pixel + 1.0) - np.maximum(left, pixel)
    use = (share > 0) & (pixel >= 0) & (pixel < columns)
    flat = ((lane * columns + pixel) * len(COLOUR_KEYS) + key)[use]
    out: Floats = np.bincount(flat, weights=share[use], minlength=total).astype(np.float64)
    return out.reshape(lanes, columns, len(COLOUR_KEYS))


def cover_colours(
    cover: Floats, colours: NDArray[np.float64], lanes: NDArray[np.int64] | None = None
) -> NDArray[np.uint32]:
    """Merged pixels as premultiplied ARGB, shape (lanes, columns); 0 where nothing was merged.

    A pixel that holds any op is never fainter than `MIN_ALPHA`.

    Args:
        lanes: those that have anything, all if not given; most have nothing that small.
    """
    out = np.zeros(cover.shape[:2], np.uint32)
    there = np.zeros(out.shape, bool)
    for lane in range(len(cover)) if lanes is None else lanes.tolist():
        there[lane] = cover[lane].any(axis=1)
    part = cover[there]
    total = part.sum(axis=-1)
    alpha = np.minimum(total, 1.0)
    busy = part[:, :OP_KEYS].any(axis=1)
    alpha[busy] = np.maximum(alpha[busy], MIN_ALPHA)
    mean = np.einsum("pk,kd->pd", part, colours) * (alpha / total)[:, None]
    levels = np.round(mean).astype(np.uint32)
    argb = np.round(alpha * 255).astype(np.uint32) << np.uint32(24)
    argb |= (levels[:, 0] << np.uint32(16)) | (levels[:, 1] << np.uint32(8)) | levels[:, 2]
    out[there] = argb
    return out


def mean_shares(
    spans: Spans,
    keys: NDArray[np.int64],
    lanes: Sequence[int],
    count: int,
    times_ps: Floats,
) -> Floats:
    """What several lanes did on average between consecutive times of a step.

    Args:
        lanes: which lanes, of `count`.

    Returns:
        Shares of the time, shape (n - 1, keys).
    """
    offsets = lane_ranges(spans, count)
    total = np.zeros((len(times_ps), len(COLOUR_KEYS)))
    every = np.arange(len(times_ps))
    for lane in lanes:
        part = slice(int(offsets[lane]), int(offsets[lane + 1]))
        if part.start == part.stop:
            continue
        key = keys[spans.op[part]]
        start = spans.start_ps[part].astype(np.float64)
        length = spans.end_ps[part] - start
        sums = np.zeros((len(key) + 1, len(COLOUR_KEYS)))
        sums[np.arange(1, len(key) + 1), key] = length
        np.cumsum(sums, axis=0, out=sums)
        at = np.clip(np.searchsorted(start, times_ps, side="right") - 1, 0, len(key) - 1)
        total += sums[at]
        total[every, key[at]] += np.clip(times_ps - start[at], 0.0, length[at])
    width = np.maximum(np.diff(times_ps), 1e-9)[:, None]
    return np.asarray(np.diff(total, axis=0) / width / max(1, len(lanes)))


def lane_ranges(spans: Spans, lanes: int) -> NDArray[np.int64]:
    """Offsets of the lanes in the arrays of a step, shape (lanes + 1,)."""
    return np.searchsorted(spans.lane, np.arange(lanes + 1))


def span_at(spans: Spans, lanes: int, lane: int, time_ps: float) -> int:
    """The span of a lane that covers a time, -1 if there is none."""
    offsets = lane_ranges(spans, lanes)
    low, high = int(offsets[lane]), int(offsets[lane + 1])
    at = low + int(np.searchsorted(spans.start_ps[low:high], time_ps, side="right")) - 1
    return at if low <= at < high and time_ps < spans.end_ps[at] else -1


def neighbour(spans: Spans, lanes: int, span: int, direction: int, wait: NDArray[np.bool_]) -> int:
    """The next (+1) or previous (-1) op in the lane of a span, -1 if there is none."""
    offsets = lane_ranges(spans, lanes)
    lane = int(spans.lane[span])
    low, high = int(offsets[lane]), int(offsets[lane + 1])
    at = span + direction
    while low <= at < high:
        if not wait[spans.op[at]] and spans.end_ps[at] > spans.start_ps[at]:
            return at
        at += direction
    return -1
