"""Where the cursor can stand inside a step: at ops, at layers, at the token."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.results.spans import Spans

Times = NDArray[np.int64]


class Grain(StrEnum):
    """How far one step of the cursor goes."""

    OP = "op"
    LAYER = "layer"
    TOKEN = "token"


_LOCK = threading.Lock()
"""The step that comes next is looked at in another thread."""
_WAITS: weakref.WeakKeyDictionary[Run, NDArray[np.bool_]] = weakref.WeakKeyDictionary()


def is_wait_table(run: Run) -> NDArray[np.bool_]:
    """For each op of a run, whether it is a wait."""
    with _LOCK:
        known = _WAITS.get(run)
        if known is None or len(known) != len(run.ops):
            known = _WAITS[run] = np.array([op.is_wait for op in run.ops], dtype=bool)
        return known


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the cursor can stand in a step.

    Attributes:
        ops: starts of ops, ascending, beginning with 0.
        layers, layer_starts: layers in order of time, and when the first op of each starts.
    """

    ops: Times
    layers: Times
    layer_starts: Times


_CACHE: weakref.WeakKeyDictionary[Run, dict[int, Marks]] = weakref.WeakKeyDictionary()
_CACHED_STEPS = 64


def has_marks(run: Run, step: int) -> bool:
    """Whether the marks of a step are known, so that asking for them takes no time."""
    with _LOCK:
        return step in _CACHE.get(run, ())


def marks_of(run: Run, step: int) -> Marks:
    """The marks of a step; those of the last steps asked for are kept."""
    with _LOCK:
        known = _CACHE.setdefault(run, {})
        marks = known.pop(step, None)
        if marks is not None:
            known[step] = marks
            return marks
    marks = _find_marks(run, run.spans(step))
    with _LOCK:
        known[step] = marks
        while len(known) > _CACHED_STEPS:
            known.pop(next(iter(known)))
    return marks


def _find_marks(run: Run, spans: Spans) -> Marks:
    work = ~is_wait_table(run)[spans.op] & (spans.end_ps > spans.start_ps)
    starts = spans.start_ps[work]
    layers = spans.layer[work].astype(np.int64)
    ops = np.unique(np.concatenate([np.zeros(1, np.int64), starts]))
    inside = layers >= 0
    if not inside.any():
        none = np.zeros(0, np.int64)
        return Marks(ops, none, none)
    first = np.full(int(layers.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, layers[inside], starts[inside])
    there = np.flatnonzero(first < np.iinfo(np.int64).max)
    order = np.argsort(first[there], kind="stable")
    return Marks(ops, there[order], first[there][order])


def boundaries(run: Run, step: int, grain: Grain) -> Times:
    """Times in a step, ascending and starting with 0, at which the cursor can stand."""
    zero = np.zeros(1, np.int64)
    if grain is Grain.TOKEN:
        return zero
    marks = marks_of(run, step)
    return marks.ops if grain is Grain.OP else np.unique(np.append(zero, marks.layer_starts))


def layer_at(run: Run, step: int, time_ps: int) -> int:
    """The layer worked on at a time of a step, -1 before the first."""
    marks = marks_of(run, step)
    at = int(np.searchsorted(marks.layer_starts, time_ps, side="right")) - 1
    return int(marks.layers[at]) if at >= 0 else -1


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
