"""How many heads of every sublayer the HBM side gets: Algorithm 1 and its alternatives.

Pure functions of times and footprints. `n` counts the units on the HBM side; times and footprints
are given for every n from 0 to N. A mapping fits if its sublayers together fit both memories.
Rows are iterations, so a whole stretch of a run is decided in a few numpy operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.systems.h2m2.machine import ATTENTION, FC, QKV
from simcore.systems.h2m2.memory import Footprints

Int = NDArray[np.int64]

NEVER = np.iinfo(np.int64).max // 8
"""A time longer than any, small enough to add three of them."""

GREEDY_ORDER = (ATTENTION, QKV, FC)
"""Algorithm 1: the most bandwidth-bound sublayer chooses first."""


def space(units: int) -> int:
    """Options of the mapping problem as the paper counts them: heads to the power of three."""
    return units**3


@dataclass(frozen=True, slots=True)
class Problem:
    """Times and footprints of all options.

    Attributes:
        hbm_ps, lpddr_ps: by sublayer, (N + 1,), or (rows, N + 1) for attention: the time of either
            side when HBM has n units.
        feet: pages of all options and what is free.
    """

    hbm_ps: tuple[Int, Int, Int]
    lpddr_ps: tuple[Int, Int, Int]
    feet: Footprints

    @property
    def rows(self) -> int:
        """Iterations."""
        return len(self.hbm_ps[ATTENTION])

    def slower_ps(self, sublayer: int) -> Int:
        """Time of a sublayer: both sides run beside each other."""
        return np.maximum(self.hbm_ps[sublayer], self.lpddr_ps[sublayer])

    def total_ps(self, mapping: Int) -> Int:
        """Time of a layer under a mapping of (rows, sublayers), (rows,)."""
        every = np.arange(self.rows)
        attention: Int = self.slower_ps(ATTENTION)[every, mapping[:, ATTENTION]]
        return self.slower_ps(QKV)[mapping[:, QKV]] + attention + self.slower_ps(FC)[mapping[:, FC]]

    def fits(self, mapping: Int) -> NDArray[np.bool_]:
        """Whether mappings of (rows, sublayers) fit both memories, (rows,)."""
        feet, every = self.feet, np.arange(self.rows)
        hbm, lpddr = (
            side[QKV][mapping[:, QKV]]
            + side[ATTENTION][every, mapping[:, ATTENTION]]
            + side[FC][mapping[:, FC]]
            for side in (feet.hbm, feet.lpddr)
        )
        result: NDArray[np.bool_] = (hbm <= feet.free_hbm) & (lpddr <= feet.free_lpddr)
        return result

    def row(self, index: int) -> Problem:
        """The problem of one iteration."""

        def one(values: tuple[Int, Int, Int]) -> tuple[Int, Int, Int]:
            return values[0], values[1][index : index + 1], values[2]

        feet = self.feet
        return Problem(
            one(self.hbm_ps),
            one(self.lpddr_ps),
            Footprints(one(feet.hbm), one(feet.lpddr), feet.free_hbm, feet.free_lpddr),
        )


def greedy(problem: Problem) -> Int:
    """Algorithm 1: sublayer by sublayer, the n that ends first among those that still fit.

    Returns:
        (rows, sublayers) units on the HBM side. A row in which a sublayer finds no room any more,
        which the paper does not treat, is a row of -1.
    """
    feet, rows = problem.feet, problem.rows
    mapping = np.zeros((rows, 3), np.int64)
    free_hbm = np.full(rows, feet.free_hbm)
    free_lpddr = np.full(rows, feet.free_lpddr)
    every, lost = np.arange(rows), np.zeros(rows, np.bool_)
    for sublayer in GREEDY_ORDER:
        hbm, lpddr = feet.hbm[sublayer], feet.lpddr[sublayer]
        room = (hbm <= free_hbm[:, None]) & (lpddr <= free_lpddr[:, None])
        time = np.where(room, problem.slower_ps(sublayer), NEVER)
        best = time.argmin(axis=1)
        lost |= time[every, best] == NEVER
        mapping[:, sublayer] = best
        free_hbm = free_hbm - (hbm[best] if hbm.ndim == 1 else hbm[every, best])
        free_lpddr = free_lpddr - (lpddr[best] if lpddr.ndim == 1 else lpddr[every, best])
    mapping[lost] = -1
    return mapping


def exhaustive(problem: Problem, index: int = 0) -> Int:
    """The best of all (N + 1)^3 options of one row, each looked at; (sublayers,), -1 if none fits.

    The first one in order of (QKV, attention, FC) wins a tie.
    """
    one, feet = problem.row(index), problem.row(index).feet
    q, a, f = (one.slower_ps(s).reshape(-1) for s in range(3))
    time = (q[:, None] + a[None, :])[:, :, None] + f[None, None, :]
    for side, free in ((feet.hbm, feet.free_hbm), (feet.lpddr, feet.free_lpddr)):
        sq, sa, sf = (side[s].reshape(-1) for s in range(3))
        room = free - (sq[:, None] + sa[None, :])
        time[sf[None, None, :] > room[:, :, None]] = NEVER
    best = int(time.argmin())
    if time.reshape(-1)[best] == NEVER:
        return np.full(3, -1, np.int64)
    return np.array(np.unravel_index(best, time.shape), np.int64)


class Optimum:
    """The best of all options, without looking at each: for runs of many iterations.

    QKV and FC do not change from iteration to iteration. Their pairs are sorted once by footprint
    in HBM, with the best time so far; an iteration then looks up N + 1 rooms. Where that choice
    would overfill LPDDR the row is searched exhaustively.
    """

    def __init__(self, problem: Problem) -> None:
        q, f = problem.slower_ps(QKV), problem.slower_ps(FC)
        feet = problem.feet
        size = (feet.hbm[QKV][:, None] + feet.hbm[FC][None, :]).reshape(-1)
        time = (q[:, None] + f[None, :]).reshape(-1)
        order = np.lexsort((time, size))
        self._size = size[order]
        best = np.minimum.accumulate(time[order])
        improves = np.concatenate([[True], best[1:] < best[:-1]])
        at = np.maximum.accumulate(np.where(improves, np.arange(len(best)), 0))
        self._time, self._pair = best, order[at]
        self._width = len(f)

    def solve(self, problem: Problem) -> Int:
        """Mappings of (rows, sublayers); -1 in a row without any that fits."""
        feet, every = problem.feet, np.arange(problem.rows)
        room = feet.free_hbm - feet.hbm[ATTENTION]
        at = np.searchsorted(self._size, room, side="right") - 1
        time = np.where(at >= 0, self._time[at] + problem.slower_ps(ATTENTION), NEVER)
        n = time.argmin(axis=1)
        pair = self._pair[at[every, n]]
        mapping = np.stack([pair // self._width, n, pair % self._width], axis=1)
        bad = (time[every, n] >= NEVER) | ~problem.fits(mapping)
        for index in np.flatnonzero(bad):
            mapping[index] = exhaustive(problem, int(index))
        return mapping


def first_choice(problem: Problem, sublayer: int, *, fill: bool) -> Int:
    """Units of the sublayer that is served first, alone in HBM, (rows,).

    Args:
        problem: times and footprints.
        sublayer: the one that is served.
        fill: as many as fit; else the share that ends first.
    """
    feet = problem.feet
    room = np.broadcast_to(
        feet.hbm[sublayer] <= feet.free_hbm, (problem.rows, feet.hbm[sublayer].shape[-1])
    )
    if fill:
        most: Int = room.shape[1] - 1 - room[:, ::-1].argmax(axis=1)
        return most
    best: Int = np.where(room, problem.slower_ps(sublayer), NEVER).argmin(axis=1)
    return best


def major(problem: Problem, sublayer: int, *, fill: bool) -> Int:
    """One sublayer is served first, the other two are searched together; (rows, sublayers)."""
    feet, rows = problem.feet, problem.rows
    chosen = first_choice(problem, sublayer, fill=fill)
    others = [s for s in range(3) if s != sublayer]
    mapping = np.zeros((rows, 3), np.int64)
    mapping[:, sublayer] = chosen
    every = np.arange(rows)

    def mine(values: tuple[Int, Int, Int]) -> Int:
        of = values[sublayer]
        return np.asarray(of[chosen] if of.ndim == 1 else of[every, chosen])

    def pair(first: Int, second: Int) -> Int:
        left, right = np.atleast_2d(first)[:, :, None], np.atleast_2d(second)[:, None, :]
        return np.asarray(np.broadcast_to(left + right, (rows, left.shape[1], right.shape[2])))

    time = pair(problem.slower_ps(others[0]), problem.slower_ps(others[1])).copy()
    for side, free in ((feet.hbm, feet.free_hbm), (feet.lpddr, feet.free_lpddr)):
        left = (free - mine(side))[:, None, None]
        time[pair(side[others[0]], side[others[1]]) > left] = NEVER
    flat = time.reshape(rows, -1)
    best = flat.argmin(axis=1)
    width = time.shape[2]
    mapping[:, others[0]], mapping[:, others[1]] = best // width, best % width
    mapping[flat[every, best] == NEVER] = -1
    return mapping


def whole_sublayers(problem: Problem, hbm_ps: Int, lpddr_ps: Int) -> Int:
    """The best of the eight ways to keep every sublayer on one side; (rows, sublayers).

    Args:
        problem: footprints.
        hbm_ps, lpddr_ps: (rows, sublayers) time of a whole sublayer in either memory.
    """
    rows, feet, every = problem.rows, problem.feet, np.arange(problem.rows)
    units = feet.hbm[QKV].shape[0] - 1
    times, options = [], []
    for code in range(8):
        sides = [(code >> s) & 1 for s in range(3)]
        option = np.broadcast_to(np.array(sides, np.int64) * units, (rows, 3))
        time = sum((hbm_ps if inside else lpddr_ps)[:, s] for s, inside in enumerate(sides))
        options.append(option)
        times.append(np.where(problem.fits(option), time, NEVER))
    stacked = np.stack(times)
    best = stacked.argmin(axis=0)
    mapping: Int = np.stack(options)[best, every].copy()
    mapping[stacked[best, every] == NEVER] = -1
    return mapping


def static_split(
    units: int,
    weight_bytes: int,
    kv_bytes: int,
    room_bytes: int,
    hbm_GBps: float,
    lpddr_GBps: float,
) -> tuple[int, int]:
    """FlexGen's split by kind of data: units of the weights and of the KV cache in HBM.

    The linear program with every byte weighted alike: as much as fits in HBM, but no more than
    balances the two bandwidths, the same share of either kind.
    """
    whole = max(1, weight_bytes + kv_bytes)
    share = min(hbm_GBps / (hbm_GBps + lpddr_GBps), room_bytes / whole)
    n = max(0, int(share * units))
    return n, n
