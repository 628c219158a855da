"""What lanes did over time, from the totals of the steps: the far end of the level of detail."""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import COLOUR_KEYS
from app.viewmodels.keys import OP_KEYS, fold, key_of_op
from simcore.results.run import Run

Floats = NDArray[np.float64]


class Composition:
    """Running sums of time by (lane, colour key) and of bytes by lane over a growing run.

    It holds the run weakly, since it is kept per run.
    """

    def __init__(self, run: Run) -> None:
        self._run = weakref.ref(run)
        self._keys = key_of_op(run)
        lanes = len(run.lanes)
        self._steps = 0
        self._edges = np.zeros(1)
        self._time = np.zeros((1, lanes, len(COLOUR_KEYS)))
        self._bytes = np.zeros((1, lanes))

    @property
    def run(self) -> Run:
        """The run, which lives at least as long as a view shows it."""
        run = self._run()
        assert run is not None
        return run

    @property
    def steps(self) -> int:
        """Steps taken in so far."""
        return self._steps

    @property
    def edges(self) -> Floats:
        """Step edges in ps."""
        return self._edges[: self._steps + 1]

    @property
    def bytes_at_edges(self) -> Floats:
        """Bytes moved on each lane up to each edge, shape (steps + 1, lanes)."""
        return self._bytes[: self._steps + 1]

    def extend(self, length: int) -> None:
        """Take in the steps of the run up to `length`."""
        done = self._steps
        if length <= done:
            return
        if length + 1 > len(self._edges):
            capacity = max(64, 2 * length)
            self._edges = _grown(self._edges, capacity)
            self._time = _grown(self._time, capacity)
            self._bytes = _grown(self._bytes, capacity)
        run = self.run
        duration = run.column("duration_ps", done, length).astype(np.float64)
        self._edges[done + 1 : length + 1] = self._edges[done] + np.cumsum(duration)
        times = fold(run.column("lane_op_ps", done, length), self._keys)
        self._time[done + 1 : length + 1] = self._time[done] + np.cumsum(times, axis=0)
        amounts = run.column("lane_op_bytes", done, length).sum(axis=-1).astype(np.float64)
        self._bytes[done + 1 : length + 1] = self._bytes[done] + np.cumsum(amounts, axis=0)
        self._steps = length

    def between(self, times_ps: Floats) -> Floats:
        """Time by (lane, colour key) between consecutive times, shape (n - 1, lanes, keys)."""
        return np.diff(_interpolated(self.edges, self._time[: self._steps + 1], times_ps), axis=0)

    def step_totals(self, step: int) -> Floats:
        """Time by (lane, colour key) of one step."""
        return np.asarray(self._time[step + 1] - self._time[step])

    def busy_share(self, first: int = 0, stop: int | None = None) -> Floats:
        """Share of the time each lane worked over steps first..stop."""
        stop = self._steps if stop is None else min(stop, self._steps)
        if stop <= first:
            return np.zeros(len(self.run.lanes))
        work = (self._time[stop] - self._time[first])[:, :OP_KEYS].sum(axis=1)
        return np.asarray(work / max(self._edges[stop] - self._edges[first], 1.0))


_SHARED: weakref.WeakKeyDictionary[Run, Composition] = weakref.WeakKeyDictionary()


def composition_of(run: Run) -> Composition:
    """The composition of a run that all views share."""
    known = _SHARED.get(run)
    if known is None:
        known = _SHARED[run] = Composition(run)
    return known


def _grown(array: Floats, capacity: int) -> Floats:
    out = np.zeros((capacity, *array.shape[1:]))
    out[: len(array)] = array
    return out


def _interpolated(edges: Floats, values: Floats, times: Floats) -> Floats:
    """Piecewise linear values of shape (edges, ...) at times, constant outside."""
    if len(edges) < 2:
        return np.zeros((len(times), *values.shape[1:]))
    at = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    width = np.maximum(edges[at + 1] - edges[at], 1e-9)
    share = np.clip((times - edges[at]) / width, 0.0, 1.0)
    share = share.reshape(-1, *([1] * (values.ndim - 1)))
    return np.asarray(values[at] + share * (values[at + 1] - values[at]))


def stacked(shares: Floats, rows: int) -> NDArray[np.uint8]:
    """Colour keys of a stacked bar per lane and column.

    Args:
        shares: (columns, lanes, keys), summing to at most 1 over the keys.
        rows: pixel rows of one bar.

    Returns:
        (lanes, rows, columns) key indices, row 0 on top; 255 where nothing was.
    """
    columns, lanes, keys = shares.shape
    used = [key for key in range(keys) if shares[..., key].any()]
    tops = np.cumsum(shares[..., used], axis=-1, dtype=np.float64).astype(np.float32) + 1e-6
    centres = ((np.arange(rows)[::-1] + 0.5) / rows).astype(np.float32)[None, :, None]
    place = np.zeros((lanes, rows, columns), np.uint8)
    for index in range(len(used)):
        place += centres >= np.ascontiguousarray(tops[..., index].T)[:, None, :]
    return np.array([*used, 255], np.uint8)[place]
