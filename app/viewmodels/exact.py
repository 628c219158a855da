"""The near end of the level of detail: exact rectangles, and what is too small for one, merged.

A span of at least `WIDE_PX` pixels is a rectangle. Shorter ones are spread over the pixels they
cover, so that a thousand of them in a pixel give their average and a single one still shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        merged: number of spans merged.
        merged_lanes, merged_keys: lanes and colour keys that have any of those, ascending.
        parts: (merged keys, merged lanes, columns) share of each pixel they cover.
        lanes: number of all lanes.
    """

    index: NDArray[np.int64]
    lane: NDArray[np.int64]
    key: NDArray[np.int64]
    left: Floats
    right: Floats
    merged: int
    merged_lanes: NDArray[np.int64]
    merged_keys: NDArray[np.int64]
    parts: Floats
    lanes: int

    @property
    def cover(self) -> Floats:
        """Share of each pixel covered by merged spans, (lanes, columns, keys)."""
        out = np.zeros((self.lanes, self.parts.shape[2], len(COLOUR_KEYS)))
        out[np.ix_(self.merged_lanes, np.arange(out.shape[1]), self.merged_keys)] = (
            self.parts.transpose(1, 2, 0)
        )
        return out


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
    wide = right - left >= WIDE_PX
    small = np.flatnonzero(seen & ~wide)
    at = np.flatnonzero(seen & wide)
    lane, key = spans.lane[small], keys[spans.op[small]]
    merged_lanes, place = _dense(lane, lanes)
    merged_keys, which = _dense(key, len(COLOUR_KEYS))
    row = which[key] * len(merged_lanes) + place[lane]
    rows = len(merged_keys) * len(merged_lanes)
    parts = _cover(row, left[small], right[small], rows, columns)
    return ExactStep(
        at,
        spans.lane[at].astype(np.int64),
        keys[spans.op[at]],
        np.clip(left[at], -4.0, columns + 4.0),
        np.clip(right[at], -4.0, columns + 4.0),
        len(small),
        merged_lanes,
        merged_keys,
        parts.reshape(len(merged_keys), len(merged_lanes), columns),
        lanes,
    )


def _dense(values: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of the numbers below `count` that occur, and where each is among them."""
    there = np.bincount(values, minlength=count) > 0
    return np.flatnonzero(there), np.cumsum(there) - 1


def _cover(row: NDArray[np.int64], left: Floats, right: Floats, rows: int, columns: int) -> Floats:
    """Share of each pixel by row; a span shorter than 1.5 px touches at most 3 pixels."""
    where, shares = [], []
    pixel = np.floor(left)
    for _ in range(3):
        last = right <= pixel + 1.0
        shares.append(np.where(last, right, pixel + 1.0) - left)
        where.append(row * columns + pixel.astype(np.int64))
        outside = (pixel < 0) | (pixel >= columns)
        if outside.any():
            where[-1][outside] = rows * columns
        row, right, pixel = row[~last], right[~last], pixel[~last] + 1.0
        left = pixel
        if not len(row):
            break
    total = rows * columns
    found = np.bincount(np.concatenate(where), np.concatenate(shares), minlength=total)
    return np.asarray(found[:total], np.float64)


def cover_colours(cover: Floats, colours: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Merged pixels as premultiplied ARGB, shape (lanes, columns); 0 where nothing was merged.

    A pixel that holds any op is never fainter than `MIN_ALPHA`.
    """
    parts = cover.reshape(-1, cover.shape[2]).T
    return _argb(parts, np.arange(cover.shape[2]), colours).reshape(cover.shape[:2])


def merged_colours(cut: ExactStep, colours: NDArray[np.float64]) -> NDArray[np.uint32]:
    """The same of a cut step: shape (merged lanes, columns)."""
    shape = cut.parts.shape
    parts = cut.parts.reshape(shape[0], shape[1] * shape[2])
    return _argb(parts, cut.merged_keys, colours).reshape(shape[1:])


def _argb(
    parts: Floats, keys: NDArray[np.int64], colours: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Colours of pixels from the share of each that each of some keys covers, (keys, pixels)."""
    whole = parts.sum(axis=0)
    there = np.flatnonzero(whole)
    parts, total = parts[:, there], whole[there]
    alpha = np.minimum(total, 1.0)
    busy = parts[keys < OP_KEYS].any(axis=0)
    alpha[busy] = np.maximum(alpha[busy], MIN_ALPHA)
    scale = alpha / total
    argb = np.round(alpha * 255).astype(np.uint32) << np.uint32(24)
    for channel, shift in enumerate((16, 8, 0)):
        mean = np.zeros(len(there))
        for part, key in zip(parts, keys.tolist()):
            mean += part * colours[key, channel]
        argb |= np.round(mean * scale).astype(np.uint32) << np.uint32(shift)
    out = np.zeros(len(whole), np.uint32)
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
