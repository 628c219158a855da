"""Totals of many steps at once: their rows laid out in the same few numpy operations.

A system whose steps do not depend on each other's times can lay out many of them together; one
whose layers are all alike lays out one layer a step. Either way the cost of a call of numpy is
shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template, Work, lay_out
from simcore.engine.sums import sums_by_place

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Sums of each step by lane and op, waits included.

    Attributes:
        duration_ps: (steps,) length of each step.
        time_ps, amount_bytes, flops: (steps, lanes, ops).
    """

    duration_ps: Int
    time_ps: Int
    amount_bytes: Int
    flops: Int


def row_totals(template: Template, work: Work, rows_each: int = 1) -> RowTotals:
    """Totals of every step by itself, as `phases.totals` would give for a segment of its rows.

    Args:
        template: what a row is made of.
        work: the rows of all steps, one step after the other.
        rows_each: rows of each step.
    """
    steps = len(work.time_ps) // rows_each
    lanes, ops = len(template.lanes), len(template.ops)
    laid = lay_out(template, work)
    where = template.column_lane * ops + template.column_op
    sums = []
    for values in (work.time_ps, work.amount_bytes, work.flops):
        out = np.zeros((lanes * ops, steps), np.int64)
        each = values.reshape(steps, rows_each, -1).sum(axis=1) if rows_each > 1 else values
        np.add.at(out, where, each.T)
        sums.append(np.ascontiguousarray(out.T))
    gap = laid.gap_end_ps - laid.gap_start_ps
    flat = laid.gap_lane[None, :] * ops + template.first_wait + laid.gap_reason
    flat = flat + np.repeat(np.arange(steps), rows_each)[:, None] * (lanes * ops)
    waits = sums_by_place(flat, gap, steps * lanes * ops)
    time = (sums[0] + waits.reshape(steps, -1)).reshape(steps, lanes, ops)
    length = time[:, 0].sum(axis=1)  # spans and waits cover every lane
    shape = (steps, lanes, ops)
    return RowTotals(length, time, sums[1].reshape(shape), sums[2].reshape(shape))
