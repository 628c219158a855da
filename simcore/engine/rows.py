"""Totals of many independent rows of a template at once: one row a step, not one a layer.

A system whose layers are all alike, and whose steps do not depend on each other's times, can lay
out one layer of many steps in the same few numpy operations that `phases.totals` needs for one.
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
    """Sums of each row by lane and op, waits included.

    Attributes:
        duration_ps: (rows,) length of each row.
        time_ps, amount_bytes, flops: (rows, lanes, ops).
    """

    duration_ps: Int
    time_ps: Int
    amount_bytes: Int
    flops: Int


def row_totals(template: Template, work: Work) -> RowTotals:
    """Totals of every row by itself, as `phases.totals` would give for a segment of that row."""
    rows = len(work.time_ps)
    lanes, ops = len(template.lanes), len(template.ops)
    laid = lay_out(template, work)
    where = template.column_lane * ops + template.column_op
    sums = []
    for values in (work.time_ps, work.amount_bytes, work.flops):
        out = np.zeros((lanes * ops, rows), np.int64)
        np.add.at(out, where, values.T)
        sums.append(np.ascontiguousarray(out.T))
    gap = laid.gap_end_ps - laid.gap_start_ps
    flat = laid.gap_lane[None, :] * ops + template.first_wait + laid.gap_reason
    flat = flat + np.arange(rows)[:, None] * (lanes * ops)
    waits = sums_by_place(flat, gap, rows * lanes * ops)
    time = (sums[0] + waits.reshape(rows, -1)).reshape(rows, lanes, ops)
    length = time[:, 0].sum(axis=1)  # spans and waits cover every lane
    shape = (rows, lanes, ops)
    return RowTotals(length, time, sums[1].reshape(shape), sums[2].reshape(shape))
