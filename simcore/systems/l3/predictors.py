"""Latency predictors of the scheduler, fitted on a profile of the machine (section VI-C).

The attention side is linear in the tokens of the slowest rank, the number of decodes and the
prompt tokens that come over the link. The GPU is a table over its rows, interpolated, plus prefill
attention in the products of chunk and finished tokens. (The paper fits random forests; rows are
the only thing a FC depends on, so a table over them serves as well.) 1,000 drawn points, a fifth
of them held back to measure the error, as in the paper.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.systems.l3.causes import AT, HEAD, Causes, width
from simcore.systems.l3.machine import ServingPlan
from simcore.systems.l3.work import Times, make_times

Float = NDArray[np.float64]
Int = NDArray[np.int64]

POINTS, HELD_BACK = 1000, 0.2
_KNOTS = 48
_MOST_KEPT = 32
_KEPT: dict[bytes, Predictors] = {}


@dataclass(frozen=True, slots=True)
class Predictors:
    """Fitted latencies of a layer of one sub-batch, in ps.

    Attributes:
        side: coefficients of slowest rank's tokens, decodes, prompt tokens, and 1.
        rows, gpu: knots of the table.
        prefill: coefficients of chunk times finished tokens, and of chunk squared.
        side_error, gpu_error: median size of the relative error on the points held back.
    """

    side: Float
    rows: Float
    gpu: Float
    prefill: Float
    side_error: float
    gpu_error: float

    def side_ps(self, slowest: float, decodes: int, chunk: int) -> float:
        """Attention side, transfers included."""
        a, b, c, d = self.side
        return float(a * slowest + b * decodes + c * chunk + d) if decodes or chunk else 0.0

    def gpu_ps(self, decodes: int, chunk: int, finished: int) -> float:
        """GPU."""
        if not decodes and not chunk:
            return 0.0
        fc = np.interp(decodes + chunk, self.rows, self.gpu)
        return float(fc + self.prefill[0] * chunk * finished + self.prefill[1] * chunk * chunk)


def slowest(plan: ServingPlan, loads: Int) -> Int:
    """Tokens times slots of the slowest rank, loads (..., classes)."""
    side = plan.side
    by_rank = loads.reshape(*loads.shape[:-1], max(1, side.lanes), side.offsets) @ side.slots
    most: Int = by_rank.max(axis=(-1, -2))
    return most


def gpu_of_half(times: Times) -> Int:
    """GPU time of a layer of each sub-batch, (n, 2)."""
    fc = times.fc
    total: Int = fc["norm"] + fc["qkv"] + fc["projection"] + fc["mlp"] + 2 * fc["all_reduce"]
    return total + times.prefill


def side_of_half(times: Times) -> Int:
    """Attention side's time of a layer of each sub-batch, (n, 2)."""
    busy = times.side.max(axis=2) + times.receive + times.send
    longest: Int = np.maximum(busy, np.maximum(times.inputs, times.outputs))
    return longest


def fit_predictors(plan: ServingPlan) -> Predictors:
    """Profile the machine at drawn points and fit; what follows from the same machine is kept."""
    machine = (plan.gpu, plan.gpus, plan.nvlink, plan.pcie, plan.caps, plan.side, plan.lanes)
    served = (plan.model, plan.policy, plan.capacity_tokens, plan.layer, plan.edge)
    key = hashlib.sha1(pickle.dumps((machine, served)), usedforsecurity=False).digest()
    known = _KEPT.get(key)
    if known is None:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        known = _KEPT[key] = _fitted(plan)
    return known


def _fitted(plan: ServingPlan) -> Predictors:
    random = np.random.default_rng(0)  # profiling is offline: the same points for every run
    classes = plan.side.classes
    values = np.zeros((POINTS, width(classes)), np.int64)
    most = max(4, min(1024, 4 * plan.capacity_tokens // 4096))
    decodes = np.rint(np.exp(random.uniform(0, np.log(most), POINTS))).astype(np.int64)
    chunk = np.where(
        random.random(POINTS) < 0.5,
        0,
        random.integers(1, plan.policy.prefill_chunk_tokens + 1, POINTS),
    )
    finished = random.integers(0, 4096, POINTS)
    context = random.integers(64, 32768, POINTS)
    for point in range(POINTS):
        place = random.integers(0, classes, decodes[point])
        counts = np.bincount(place, minlength=classes)
        values[point, HEAD : HEAD + classes] = counts * context[point]
        values[point, HEAD + 2 * classes : HEAD + 3 * classes] = counts
    values[:, AT["rows0"]], values[:, AT["chunk0"]] = decodes, chunk
    values[:, AT["pairs0"]] = chunk * (2 * finished + chunk)
    causes = Causes(values, classes)
    times = make_times(plan, causes)
    side, gpu = side_of_half(times)[:, 0], gpu_of_half(times)[:, 0]
    worst = slowest(plan, causes.loads()[:, 0])
    train = np.arange(POINTS) >= HELD_BACK * POINTS
    features = np.stack([worst, decodes, chunk, np.ones(POINTS)], axis=1).astype(np.float64)
    weight = 1.0 / np.maximum(side, 1.0)  # relative errors count, not those of the longest points
    solved = np.linalg.lstsq(
        (features * weight[:, None])[train], (side * weight)[train], rcond=None
    )[0]
    products = np.stack([chunk * finished, chunk * chunk], axis=1).astype(np.float64)
    prefill = times.prefill[:, 0].astype(np.float64)
    second = np.linalg.lstsq(products[train], prefill[train], rcond=None)[0]
    rows, table = _table((decodes + chunk)[train], (gpu - prefill)[train])
    guess = np.interp(decodes + chunk, rows, table) + products @ second
    return Predictors(
        side=solved.astype(np.float64),
        rows=rows,
        gpu=table,
        prefill=second.astype(np.float64),
        side_error=_error(features @ solved, side, ~train),
        gpu_error=_error(guess, gpu, ~train),
    )


def _table(rows: Int, time: Float) -> tuple[Float, Float]:
    """Means of the points between knots, at their mean rows."""
    edges = np.unique(np.rint(np.geomspace(1, rows.max() + 1, _KNOTS)).astype(np.int64))
    bin_of = np.searchsorted(edges, rows, side="right")
    count = np.bincount(bin_of)
    some = count > 0
    x = np.bincount(bin_of, rows)[some] / count[some]
    y = np.bincount(bin_of, time)[some] / count[some]
    return x, y


def _error(guess: Float, true: Int, held: NDArray[np.bool_]) -> float:
    known = held & (true > 0)
    return float(np.median(np.abs(guess[known] / true[known] - 1)))
