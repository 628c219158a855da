"""Which ops a span depends on and which depend on it: arrows, and where following one leads."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.grains import is_wait_table
from simcore.results.run import Run
from simcore.results.spans import Spans, consumers, sources

MOST = 12
"""Arrows that leave a span; of more only the first are drawn, and the number is said."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An arrow from the end of one op to the start of another.

    Attributes:
        start, end: spans of the same step.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Flows:
    """Arrows of a span.

    Attributes:
        arrows: into it, then out of it.
        left_out: how many more leave it.
    """

    arrows: tuple[Flow, ...]
    left_out: int = 0


def work_of(run: Run, spans: Spans, span: int) -> int:
    """The op a span stands for: for a wait, the op it waits for; -1 for none."""
    return int(spans.cause[span]) if is_wait_table(run)[spans.op[span]] else span


def flows_of(run: Run, spans: Spans, span: int) -> Flows:
    """Arrows to and from a span; a wait has one, from what it waits for to what comes after it."""
    waits = is_wait_table(run)
    if waits[spans.op[span]]:
        after = _next_op(spans, waits, span)
        cause = int(spans.cause[span])
        return Flows((Flow(cause, after),) if cause >= 0 and after >= 0 else ())
    before = int(sources(spans)[span])
    arrows = [Flow(before, span)] if before >= 0 else []
    following = consumers(spans, span)
    arrows += [Flow(span, int(item)) for item in following[:MOST]]
    return Flows(tuple(arrows), max(0, len(following) - MOST))


def cause_of(run: Run, spans: Spans, span: int) -> int:
    """The op to go back to: what a span waits for or needed last, else the op before in its lane.

    -1 if there is none in the step.
    """
    waits = is_wait_table(run)
    if waits[spans.op[span]]:
        return int(spans.cause[span])
    before = int(sources(spans)[span])
    return before if before >= 0 else _op_before(spans, waits, span)


def effect_of(run: Run, spans: Spans, span: int) -> int:
    """The op to go on to: the first that needed a span last, else the op after it in its lane."""
    waits = is_wait_table(run)
    if waits[spans.op[span]]:
        return _next_op(spans, waits, span)
    following = consumers(spans, span)
    return int(following[0]) if len(following) else _next_op(spans, waits, span)


def _next_op(spans: Spans, waits: NDArray[np.bool_], span: int) -> int:
    return _walk(spans, waits, span, 1)


def _op_before(spans: Spans, waits: NDArray[np.bool_], span: int) -> int:
    return _walk(spans, waits, span, -1)


def _walk(spans: Spans, waits: NDArray[np.bool_], span: int, direction: int) -> int:
    at = span + direction
    while 0 <= at < len(spans) and spans.lane[at] == spans.lane[span]:
        if not waits[spans.op[at]]:
            return at
        at += direction
    return -1


_KNOWN: weakref.WeakKeyDictionary[Run, tuple[int, int, Flows]] = weakref.WeakKeyDictionary()


def flows_at(run: Run, step: int, spans: Spans, span: int) -> Flows:
    """`flows_of`, remembered for the last span asked for, since frames ask again and again."""
    known = _KNOWN.get(run)
    if known is None or known[:2] != (step, span):
        known = _KNOWN[run] = (step, span, flows_of(run, spans, span))
    return known[2]
