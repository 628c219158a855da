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
class Cut:
    """Steps cut for a window.

    Attributes:
        step, index: spans drawn as rectangles: the position of its step among those that were
            cut, and its index in that step.
        lane, key: lane and colour key of each.
        left, right: pixel positions of each, clipped to the window.
        merged: number of spans merged.
        merged_lanes, merged_keys: lanes and colour keys that have any of those, ascending.
        parts: (merged keys, merged lanes, columns) share of each pixel they cover.
        lanes: number of all lanes.
    """

    step: NDArray[np.int64]
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
) -> Cut:
    """Cut the spans of one step for a window of `columns` pixels."""
    return cut_steps([(step_start_ps, spans)], keys, lanes, window_ps, columns)


def cut_steps(
    steps: Sequence[tuple[float, Spans]],
    keys: NDArray[np.int64],
    lanes: int,
    window_ps: tuple[float, float],
    columns: int,
) -> Cut:
    """Cut the spans of some steps, each with its start, for a window of `columns` pixels."""
    begin, end = window_ps
    scale = columns / (end - begin)
    first = np.cumsum([0, *(len(spans) for _, spans in steps)])
    # Tens of thousands of spans: what counts is how often memory is gone through.
    left, right = np.empty(first[-1]), np.empty(first[-1])
    for (start, spans), at_first, until in zip(steps, first, first[1:]):
        np.add(spans.start_ps, start - begin, out=left[at_first:until])
        np.add(spans.end_ps, start - begin, out=right[at_first:until])
    left *= scale
    right *= scale
    width = right - left
    lane_of = _joined([spans.lane for _, spans in steps])
    op_of = _joined([spans.op for _, spans in steps])
    seen = right > 0
    seen &= left < columns
    seen &= width > 0
    wide = width >= WIDE_PX
    wide &= seen
    seen ^= wide
    small, at = np.flatnonzero(seen), np.flatnonzero(wide)
    lane, key = lane_of[small], keys[op_of[small]]
    merged_lanes, place = _dense(lane, lanes)
    merged_keys, which = _dense(key, len(COLOUR_KEYS))
    row = which[key] * len(merged_lanes) + place[lane]
    rows = len(merged_keys) * len(merged_lanes)
    parts = _cover(row, left[small], right[small], rows, columns)
    step = np.searchsorted(first, at, side="right") - 1
    return Cut(
        step,
        at - first[step],
        lane_of[at].astype(np.int64),
        keys[op_of[at]],
        np.clip(left[at], -4.0, columns + 4.0),
        np.clip(right[at], -4.0, columns + 4.0),
        len(small),
        merged_lanes,
        merged_keys,
        parts.reshape(len(merged_keys), len(merged_lanes), columns),
        lanes,
    )


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _dense(values: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of the numbers below `count` that occur, and where each is among them."""
    there = np.bincount(values, minlength=count) > 0
    return np.flatnonzero(there), np.cumsum(there) - 1


def _cover(row: NDArray[np.int64], left: Floats, right: Floats, rows: int, columns: int) -> Floats:
    """Share of each pixel by row; a span shorter than 1.5 px touches at most 3 pixels.

    Changes `left` and `right`.
    """
    np.maximum(left, 0.0, out=left)
    np.minimum(right, float(columns), out=right)
    pixel = left.astype(np.int64)
    row *= columns
    row += pixel
    pixel += 1
    over = right - pixel
    cut = np.flatnonzero(over > 0)  # those that go on in the next pixel
    share = right
    share -= left
    share[cut] -= over[cut]
    found = np.asarray(np.bincount(row, share, minlength=rows * columns), np.float64)
    row, over = row[cut] + 1, over[cut]
    while len(row):
        found += np.bincount(row, np.minimum(over, 1.0), minlength=rows * columns)
        more = np.flatnonzero(over > 1.0)
        row, over = row[more] + 1, over[more] - 1.0
    return found


def cover_colours(cover: Floats, colours: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Merged pixels as premultiplied ARGB, shape (lanes, columns); 0 where nothing was merged.

    A pixel that holds any op is never fainter than `MIN_ALPHA`.
    """
    parts = cover.reshape(-1, cover.shape[2]).T
    return _argb(parts, np.arange(cover.shape[2]), colours).reshape(cover.shape[:2])


def merged_colours(cut: Cut, colours: NDArray[np.float64]) -> NDArray[np.uint32]:
    """The same of a cut: shape (merged lanes, columns)."""
    shape = cut.parts.shape
    parts = cut.parts.reshape(shape[0], shape[1] * shape[2])
    return _argb(parts, cut.merged_keys, colours).reshape(shape[1:])


def _argb(
    parts: Floats, keys: NDArray[np.int64], colours: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Colours of pixels from the share of each that each of some keys covers, (keys, pixels)."""
    total = parts.sum(axis=0)
    busy = np.flatnonzero((keys < OP_KEYS).astype(np.float64) @ parts)
    alpha = np.minimum(total, 1.0)
    alpha[busy] = np.maximum(alpha[busy], MIN_ALPHA)
    means = colours[keys].T @ parts
    means *= alpha / np.maximum(total, 1e-300)
    argb = np.round(alpha * 255).astype(np.uint32) << np.uint32(24)
    for mean, shift in zip(np.round(means).astype(np.uint32), (16, 8, 0), strict=True):
        argb |= mean << np.uint32(shift)
    return argb


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
