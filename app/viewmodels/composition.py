"""What lanes did over time, from the totals of the steps: the far end of the level of detail."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import COLOUR_KEYS
from app.viewmodels.keys import OP_KEYS, fold, key_of_op
from simcore.results.run import Run

Floats = NDArray[np.float64]


_KEPT_STEPS = 16
"""Steps whose totals are kept: several views ask for the one at the cursor, and the next is derived
ahead."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Running sums up to some steps of a run; arrays may be longer than what is valid.

    Attributes:
        steps: steps taken in.
        knots: cells taken in; sums are known at their ends.
        edges: step edges in ps.
        at_ps: times of the knots.
        time: (knots, lanes, keys) time up to each knot.
        amount: (knots, lanes) bytes up to each knot.
    """

    steps: int
    knots: int
    edges: Floats
    at_ps: Floats
    time: Floats
    amount: Floats


class Composition:
    """Running sums of time by (lane, colour key) and of bytes by lane over a growing run.

    One thread may take steps in while others read. It holds the run weakly, since it is kept per
    run.
    """

    def __init__(self, run: Run) -> None:
        self._run = weakref.ref(run)
        self._keys = key_of_op(run)
        lanes = len(run.lanes)
        self._lock = threading.Lock()
        self._sums = _Sums(
            0,
            0,
            np.zeros(1),
            np.zeros(1),
            np.zeros((1, lanes, len(COLOUR_KEYS))),
            np.zeros((1, lanes)),
        )
        self._totals: dict[int, Floats] = {}

    @property
    def run(self) -> Run:
        """The run, which lives at least as long as a view shows it."""
        run = self._run()
        assert run is not None
        return run

    @property
    def steps(self) -> int:
        """Steps taken in so far."""
        return self._sums.steps

    @property
    def edges(self) -> Floats:
        """Step edges in ps."""
        sums = self._sums
        return sums.edges[: sums.steps + 1]

    def extend(self, length: int) -> None:
        """Take in the steps of the run up to `length`; costs nothing where they are in already.

        A view that has not taken over a new run yet may ask for more steps than this one has.
        """
        if length <= self._sums.steps:
            return  # whoever takes in later ones meanwhile holds the lock for long
        with self._lock:
            length = min(length, len(self.run))
            if length > self._sums.steps:
                self._sums = self._extended(self._sums, length)

    def _extended(self, old: _Sums, length: int) -> _Sums:
        run, done, known = self.run, old.steps, old.knots
        cells = run.cells(done, length)
        count = known + len(cells.stop)
        edges = _with_room(old.edges, length + 1)
        at_ps = _with_room(old.at_ps, count + 1)
        time, amount = _with_room(old.time, count + 1), _with_room(old.amount, count + 1)
        duration = run.column("duration_ps", done, length).astype(np.float64)
        edges[done + 1 : length + 1] = edges[done] + np.cumsum(duration)
        at_ps[known + 1 : count + 1] = edges[cells.stop]
        parts = fold(cells.time_ps, self._keys)
        time[known + 1 : count + 1] = time[known] + np.cumsum(parts, axis=0)
        amount[known + 1 : count + 1] = amount[known] + np.cumsum(cells.amount_bytes, axis=0)
        return _Sums(length, count, edges, at_ps, time, amount)

    def between(self, times_ps: Floats, lanes: Sequence[int] | None = None) -> Floats:
        """Time by (lane, colour key) between consecutive times, shape (n - 1, lanes, keys).

        Args:
            lanes: which lanes, in which order; all if not given.
        """
        sums = self._sums
        stop = sums.knots + 1
        found = _interpolated(sums.at_ps[:stop], sums.time[:stop], times_ps, lanes)
        return found[1:] - found[:-1]

    def amounts_at(self, times_ps: Floats) -> Floats:
        """Bytes moved on each lane up to some times, shape (n, lanes)."""
        sums = self._sums
        stop = sums.knots + 1
        return _interpolated(sums.at_ps[:stop], sums.amount[:stop], times_ps)

    def step_totals(self, step: int) -> Floats:
        """Time by (lane, colour key) of one step, exact."""
        known = self._totals.get(step)
        if known is None:
            known = fold(self.run.value("lane_op_ps", step), self._keys)
            if len(self._totals) >= _KEPT_STEPS:
                self._totals = {}
            self._totals[step] = known
        return known

    def busy_share(self, first: int = 0, stop: int | None = None) -> Floats:
        """Share of the time each lane worked over steps first..stop."""
        edges = self.edges
        stop = len(edges) - 1 if stop is None else min(stop, len(edges) - 1)
        if stop <= first:
            return np.zeros(len(self.run.lanes))
        work = self.between(edges[[first, stop]])[0, :, :OP_KEYS].sum(axis=1)
        return np.asarray(work / max(edges[stop] - edges[first], 1.0))


_SHARED: weakref.WeakKeyDictionary[Run, Composition] = weakref.WeakKeyDictionary()
_SHARING = threading.Lock()


def composition_of(run: Run) -> Composition:
    """The composition of a run that all views, and the thread that simulates it, share."""
    with _SHARING:
        known = _SHARED.get(run)
        if known is None:
            known = _SHARED[run] = Composition(run)
        return known


def _with_room(array: Floats, need: int) -> Floats:
    """The array itself, or a longer copy; readers keep theirs."""
    if need <= len(array):
        return array
    out = np.zeros((max(64, 2 * need), *array.shape[1:]))
    out[: len(array)] = array
    return out


def _interpolated(
    edges: Floats, values: Floats, times: Floats, lanes: Sequence[int] | None = None
) -> Floats:
    """Piecewise linear values of shape (edges, lanes, ...) at times, constant outside."""
    which = slice(None) if lanes is None else np.asarray(lanes, np.int64)[None, :]
    if len(edges) < 2:
        count = values.shape[1] if lanes is None else len(lanes)
        return np.zeros((len(times), count, *values.shape[2:]))
    at = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    width = np.maximum(edges[at + 1] - edges[at], 1e-9)
    share = np.clip((times - edges[at]) / width, 0.0, 1.0)
    share = share.reshape(-1, *([1] * (values.ndim - 1)))
    rows = at if lanes is None else at[:, None]
    low = values[rows] if lanes is None else values[rows, which]
    out = values[rows + 1] if lanes is None else values[rows + 1, which]
    out -= low
    out *= share
    out += low
    return np.asarray(out)


def stacked(shares: Floats, rows: int) -> NDArray[np.uint8]:
    """Colour keys of a stacked bar per lane and column.

    Args:
        shares: (columns, lanes, keys), summing to at most 1 over the keys.
        rows: pixel rows of one bar.

    Returns:
        (lanes, rows, columns) key indices, row 0 on top; 255 where nothing was.
    """
    columns, lanes, _ = shares.shape
    place = np.full((lanes, rows, columns), 255, np.uint8)
    there: NDArray[np.bool_] = np.asarray(shares.any(axis=0))
    reach = np.zeros((lanes, columns))
    reaches = []
    parts = np.ascontiguousarray(shares.transpose(2, 1, 0))
    for key in np.flatnonzero(there.any(axis=0)).tolist():
        for part in _stretches(there[:, key]):
            reach[part] += parts[key, part]
            # A pixel is below where its centre is: (up + 0.5) / rows < reach.
            pixels = np.clip(np.ceil((reach[part] + 1e-6) * rows - 0.5), 0, rows)
            reaches.append((key, part, pixels.astype(np.uint16)))
    up = np.arange(rows - 1, -1, -1, dtype=np.uint16)[None, :, None]
    for key, part, pixels in reversed(reaches):  # what is lower covers what is higher
        np.copyto(place[part], key, where=up < pixels[:, None, :])
    return place


def _stretches(there: NDArray[np.bool_]) -> list[slice]:
    """Where neighbours are all true."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    return [slice(first, stop) for first, stop in zip(ends[::2].tolist(), ends[1::2].tolist())]
