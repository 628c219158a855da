"""Where the cursor can stand inside a step: at ops, at layers, at the token."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.results.spans import Spans


class Grain(StrEnum):
    """How far one step of the cursor goes."""

    OP = "op"
    LAYER = "layer"
    TOKEN = "token"


def is_wait_table(run: Run) -> NDArray[np.bool_]:
    """For each op of a run, whether it is a wait."""
    return np.array([op.is_wait for op in run.ops], dtype=bool)


def boundaries(run: Run, step: int, grain: Grain) -> NDArray[np.int64]:
    """Times in a step, ascending and starting with 0, at which the cursor can stand."""
    zero = np.zeros(1, np.int64)
    if grain is Grain.TOKEN:
        return zero
    spans = run.spans(step)
    work = ~is_wait_table(run)[spans.op] & (spans.end_ps > spans.start_ps)
    if grain is Grain.OP:
        return np.unique(np.concatenate([zero, spans.start_ps[work]]))
    return np.unique(np.concatenate([zero, layer_starts(run, spans)[1]]))


def layer_starts(run: Run, spans: Spans) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Layers of a step in order of time, and when the first op of each starts."""
    work = ~is_wait_table(run)[spans.op] & (spans.layer >= 0) & (spans.end_ps > spans.start_ps)
    layers = spans.layer[work].astype(np.int64)
    if not len(layers):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.full(int(layers.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, layers, spans.start_ps[work])
    there = np.flatnonzero(first < np.iinfo(np.int64).max)
    order = np.argsort(first[there], kind="stable")
    return there[order], first[there][order]


def layer_at(run: Run, step: int, time_ps: int) -> int:
    """The layer worked on at a time of a step, -1 before the first."""
    layers, starts = layer_starts(run, run.spans(step))
    at = int(np.searchsorted(starts, time_ps, side="right")) - 1
    return int(layers[at]) if at >= 0 else -1


def op_at(run: Run, step: int, time_ps: int, lane: int = -1) -> int:
    """The span that best says what happens at a time: an op of the lane, else of any lane.

    Of all ops running at that time, the one that started last is taken; -1 if there is none.
    """
    spans = run.spans(step)
    running = (spans.start_ps <= time_ps) & (time_ps < spans.end_ps)
    running &= ~is_wait_table(run)[spans.op]
    if lane >= 0 and np.any(running & (spans.lane == lane)):
        running &= spans.lane == lane
    found = np.flatnonzero(running)
    return int(found[np.argmax(spans.start_ps[found])]) if len(found) else -1
