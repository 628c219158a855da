"""The work of some steps of one kind: layers that are alike, and what is around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simcore.engine.phases import Template, Work
from simcore.engine.rows import RowTotals, row_lengths, row_totals, summed
from simcore.systems.hybridserve.machine import Int

Segments = list[tuple[Template, Work, bool]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Work of some steps of one kind, one row a step.

    Attributes:
        template: phases of a layer.
        steady, last: work of all layers but the last, and of the last.
        before, after: phases around the layers.
    """

    template: Template
    steady: Work
    last: Work
    before: Sequence[tuple[Template, Work]] = ()
    after: Sequence[tuple[Template, Work]] = ()

    def totals(self, layers: int) -> RowTotals:
        """Totals of each step."""
        parts = [row_totals(self.template, self.last)]
        parts += [row_totals(t, w) for t, w in (*self.before, *self.after)]
        if layers == 1:
            return summed(parts)
        steady = row_totals(self.template, self.steady)
        return summed([*parts, steady], [*(1 for _ in parts), layers - 1])

    def durations_ps(self, layers: int) -> Int:
        """Length of each step, as `totals` gives it."""
        total = row_lengths(self.template, self.last)
        if layers > 1:
            total += (layers - 1) * row_lengths(self.template, self.steady)
        for template, work in (*self.before, *self.after):
            total += row_lengths(template, work)
        return total

    def busiest_ps(self, layers: int) -> Int:
        """Time of the busiest lane of each layer and phase, added up: no step is shorter."""
        parts = [(self.template, self.last, 1), (self.template, self.steady, layers - 1)]
        parts += [(template, work, 1) for template, work in (*self.before, *self.after)]
        total = np.zeros(len(self.last.time_ps), np.int64)
        for template, work, times in parts:
            lanes = [work.time_ps[:, template.column_lane == lane] for lane in template.all_lanes]
            total += times * np.max([lane.sum(axis=1) for lane in lanes], axis=0)
        return total

    def segments(self, layers: int) -> Segments:
        """The one step of a stretch in order of time, rows being layers."""
        rows = [self.steady] * (layers - 1) + [self.last]
        names = ("time_ps", "amount_bytes", "flops")
        work = Work(*(np.concatenate([getattr(row, name) for row in rows]) for name in names))
        return [
            *((t, w, False) for t, w in self.before),
            (self.template, work, True),
            *((t, w, False) for t, w in self.after),
        ]
