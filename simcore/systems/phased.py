"""Systems whose steps are phases: their causes come step by step, their times many at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from simcore.engine import step_spans
from simcore.engine.pauses import pause
from simcore.engine.phases import Template, Work
from simcore.engine.rows import RowTotals, joined, row_totals, summed
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
        for at, index in enumerate(range(first, stop)):
            pause()
            record = self.causes(plan, state, run, index)
            for name, value in record.items():
                if not at:
                    values = np.asarray(value)
                    columns[name] = np.empty((stop - first, *values.shape), values.dtype)
                # Copied at once: the state goes on changing what it gave.
                columns[name][at] = value
        totals = self.totals(plan, columns)
        columns["duration_ps"] = totals.duration_ps
        columns["lane_op_ps"] = totals.time_ps
        columns["lane_op_bytes"] = totals.amount_bytes
        columns["lane_op_flops"] = totals.flops
        return columns

    def totals(self, plan: Any, columns: Mapping[str, Any]) -> RowTotals:
        """Totals of each step, from what a block of them records.

        Args:
            plan: the run.
            columns: causes, steps first.
        """
        steps = range(len(next(iter(columns.values()))))
        records = [{name: values[at] for name, values in columns.items()} for at in steps]
        return step_totals([self.segments(plan, record) for record in records])

    def spans(self, plan: Any, record: Mapping[str, Any]) -> Spans:
        return step_spans.spans(self.segments(plan, record))


def step_totals(steps: Sequence[Segments]) -> RowTotals:
    """Totals of each step; steps of the same templates that follow each other go together."""
    return joined(
        [
            summed([_rows(alike, place) for place in range(len(alike[0]))])
            for alike in _runs_of_equal_shape(steps)
        ]
    )


def _rows(alike: Sequence[Segments], place: int) -> RowTotals:
    """Totals of one segment of each step, all of them of one shape."""
    template, one, _ = alike[0][place]
    works = [step[place][1] for step in alike]
    rows = Work(
        np.concatenate([work.time_ps for work in works]),
        np.concatenate([work.amount_bytes for work in works]),
        np.concatenate([work.flops for work in works]),
    )
    return row_totals(template, rows, len(one.time_ps))


def _runs_of_equal_shape(steps: Sequence[Segments]) -> list[list[Segments]]:
    """The steps in order, those together that have the same templates and rows."""

    def shape(step: Segments) -> list[tuple[int, int]]:
        return [(id(template), len(work.time_ps)) for template, work, _ in step]

    return [list(alike) for _, alike in groupby(steps, shape)]
