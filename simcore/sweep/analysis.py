"""What a finished sweep says: the points nothing beats, and which axis matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.sweep.spec import Axis, Objective, SweepSpec
from simcore.sweep.table import Row, column

MOST_BINS = 8


def better_last(rows: Sequence[Row], objectives: Sequence[Objective]) -> NDArray[np.float64]:
    """Objectives as numbers that should be large, shape (rows, objectives); NaN if missing."""
    return np.column_stack(
        [column(rows, o.figure) * (1.0 if o.maximise else -1.0) for o in objectives]
    )


def pareto(rows: Sequence[Row], objectives: Sequence[Objective]) -> NDArray[np.bool_]:
    """Which rows are on the Pareto front, shape (rows,).

    A row is on it if it meets the constraints, has all objectives, and no other such row is at
    least as good in all of them and better in one. Equal rows are on it together.
    """
    good = better_last(rows, objectives) if rows else np.empty((0, len(objectives)))
    able = np.array([row.feasible for row in rows], np.bool_) & ~np.isnan(good).any(axis=1)
    front = np.zeros(len(rows), np.bool_)
    places = np.flatnonzero(able)
    # Whoever beats a row comes before it when sorted by the sum of ranks, best first.
    ranks = sum(np.unique(good[places, k], return_inverse=True)[1] for k in range(good.shape[1]))
    kept = np.empty((0, good.shape[1]))
    for place in places[np.argsort(-np.asarray(ranks), kind="stable")].tolist():
        mine = good[place]
        beaten = (kept >= mine).all(axis=1) & (kept > mine).any(axis=1)
        if not beaten.any():
            front[place] = True
            kept = np.vstack([kept, mine])
    return front


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much of a figure's variance an axis explains by itself.

    Attributes:
        path: the axis.
        share: first-order variance share, 0 to 1; NaN if it cannot be told.
        lowest, highest: means of the figure over the worst and the best of its values.
    """

    path: str
    share: float
    lowest: float
    highest: float


def sensitivity(spec: SweepSpec, rows: Sequence[Row], figure: str) -> tuple[Sensitivity, ...]:
    """Main effects: variance of the figure's mean given an axis, over its whole variance.

    This is the first-order index of variance-based analysis (Saltelli et al., Global Sensitivity
    Analysis, 2008, section 1.2), exact on a full grid of points that all have the figure. In
    samples, ranges are cut into up to eight bins of equal counts, and what bins of that many points
    would explain by chance (as the adjusted correlation ratio has it) is taken off. Shares of a
    grid add up to one less what axes do only together; failed points are left out.
    """
    values = column(rows, figure)
    there = np.isfinite(values)
    values = values[there]
    whole = float(values.var()) if len(values) else 0.0
    out = []
    for number, axis in enumerate(spec.axes):
        given = [row.values[number] for row, has in zip(rows, there.tolist(), strict=True) if has]
        bins, sampled = _bins(axis, given)
        counts = np.bincount(bins)
        if whole <= 0 or len(counts) < 2:
            mean = float(values.mean()) if len(values) else float("nan")
            out.append(Sensitivity(axis.path, 0.0 if len(values) > 1 else float("nan"), mean, mean))
            continue
        means = np.bincount(bins, values) / counts
        share = float((counts * (means - values.mean()) ** 2).sum() / (len(values) * whole))
        if sampled and len(values) > len(counts):
            share = 1 - (1 - share) * (len(values) - 1) / (len(values) - len(counts))
        share = min(1.0, max(0.0, share))
        out.append(Sensitivity(axis.path, share, float(means.min()), float(means.max())))
    return tuple(out)


def _bins(axis: Axis, given: Sequence[object]) -> tuple[NDArray[np.int64], bool]:
    """The group of each value, and whether groups are bins of a sample."""
    order = {value: place for place, value in enumerate(dict.fromkeys(given))}
    if axis.range is None or len(order) <= MOST_BINS or len(order) * 2 <= len(given):
        return np.array([order[value] for value in given], np.int64), False
    numbers = np.array(given, np.float64)
    count = max(2, min(MOST_BINS, len(numbers) // 5))
    places = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    return (places * count // len(numbers)).astype(np.int64), True
