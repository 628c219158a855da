"""Systems whose steps are phases: their causes come step by step, their times many at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from simcore.engine import phases
from simcore.engine.pauses import pause
from simcore.engine.phases import Template, Work
from simcore.engine.rows import row_totals
from simcore.results.run import Run
from simcore.results.spans import Spans
from simcore.systems.base import System

Segments = list[tuple[Template, Work, bool]]


class PhasedSystem(System):
    """A system that says what causes a step and what work that makes; the rest is common.

    The times of a step never decide what happens in a later one, so a block of steps is simulated
    cause by cause and then laid out in time together.
    """

    block_steps: ClassVar[int] = 4

    @abstractmethod
    def causes(self, plan: Any, state: Any, run: Run, index: int) -> dict[str, Any]:
        """What step `index` records, but for the totals that follow from it."""

    @abstractmethod
    def segments(self, plan: Any, record: Mapping[str, Any]) -> Segments:
        """Templates, work and whether rows are layers, in order of time."""

    def advance(self, plan: Any, state: Any, run: Run) -> Mapping[str, Any]:
        columns = self.advance_many(plan, state, run, 1)
        assert columns is not None, "the run is over"
        return {name: values[0] for name, values in columns.items()}

    def advance_many(self, plan: Any, state: Any, run: Run, limit: int) -> Mapping[str, Any] | None:
        first, stop = len(run), min(len(run) + limit, plan.total_steps)
        if first >= stop:
            return None
        columns: dict[str, Any] = {}
        work: list[Segments] = []
        for at, index in enumerate(range(first, stop)):
            pause()
            record = self.causes(plan, state, run, index)
            for name, value in record.items():
                values = np.asarray(value)
                if not at:
                    columns[name] = np.empty((stop - first, *values.shape), values.dtype)
                # Copied at once: the state goes on changing what it gave.
                columns[name][at] = values
            work.append(self.segments(plan, record))
        totals = step_totals(work)
        columns["duration_ps"] = np.array([each.duration_ps for each in totals], np.int64)
        columns["lane_op_ps"] = np.array([each.time_ps for each in totals])
        columns["lane_op_bytes"] = np.array([each.amount_bytes for each in totals])
        columns["lane_op_flops"] = np.array([each.flops for each in totals])
        return columns

    def spans(self, plan: Any, record: Mapping[str, Any]) -> Spans:
        return phases.spans(self.segments(plan, record))


def step_totals(steps: Sequence[Segments]) -> list[phases.Totals]:
    """Totals of each step; steps of the same templates that follow each other go together."""
    out: list[phases.Totals] = []
    for alike in _runs_of_equal_shape(steps):
        if len(alike) == 1:
            out.append(phases.totals([(t, w) for t, w, _ in alike[0]]))
            continue
        parts = []
        for place, (template, one, _) in enumerate(alike[0]):
            works = [step[place][1] for step in alike]
            rows = Work(
                np.concatenate([work.time_ps for work in works]),
                np.concatenate([work.amount_bytes for work in works]),
                np.concatenate([work.flops for work in works]),
            )
            parts.append(row_totals(template, rows, len(one.time_ps)))
        duration = np.sum([part.duration_ps for part in parts], axis=0)
        sums = [
            np.sum([getattr(part, name) for part in parts], axis=0)
            for name in ("time_ps", "amount_bytes", "flops")
        ]
        out += [
            phases.Totals(int(length), *each) for length, *each in zip(duration, *sums, strict=True)
        ]
    return out


def _runs_of_equal_shape(steps: Sequence[Segments]) -> list[list[Segments]]:
    """The steps in order, those together that have the same templates and rows."""

    def shape(step: Segments) -> list[tuple[int, int]]:
        return [(id(template), len(work.time_ps)) for template, work, _ in step]

    return [list(alike) for _, alike in groupby(steps, shape)]
