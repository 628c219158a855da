"""Sums of rows of work by operations on whole columns: what `row_pass` does without a compiler."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.engine.layout import lay_out
from simcore.engine.phases import Template, Work
from simcore.engine.sums import sums_by_place

Int = NDArray[np.int64]


def totals(template: Template, work: Work, rows_each: int) -> tuple[Int, Int, Int, Int]:
    """Length of each step, (steps,), and its times, bytes and operations, (steps, lanes, ops)."""
    steps = len(work.time_ps) // rows_each
    lanes, ops = len(template.lanes), len(template.ops)
    laid = lay_out(template, work)
    where = template.column_lane * ops + template.column_op
    sums = []
    for values in (work.time_ps, work.amount_bytes, work.flops):
        out = np.zeros((lanes * ops, steps), np.int64)
        each = values.reshape(steps, rows_each, -1).sum(axis=1) if rows_each > 1 else values
        np.add.at(out, where, each.T)
        sums.append(np.ascontiguousarray(out.T).reshape(steps, lanes, ops))
    gap = laid.gap_end_ps - laid.gap_start_ps
    flat = laid.gap_lane[None, :] * ops + template.first_wait + laid.gap_reason
    flat = flat + np.repeat(np.arange(steps), rows_each)[:, None] * (lanes * ops)
    time = sums[0] + sums_by_place(flat, gap, steps * lanes * ops).reshape(steps, lanes, ops)
    length = time[:, 0].sum(axis=1)  # spans and waits cover every lane
    return length, time, sums[1], sums[2]


def lengths(template: Template, work: Work) -> Int:
    """Length of every row by itself, (rows,): what `lay_out` finds, without naming any wait."""
    rows = len(work.time_ps)
    end = np.zeros_like(work.time_ps)
    length = np.zeros(rows, np.int64)
    for phase in template.phases:
        free = np.zeros((rows, len(template.lanes)), np.int64)
        first = template.slice(phase.groups[0].id).start
        last = first
        for group in phase.groups:
            columns = template.slice(group.id)
            last = columns.stop
            lanes = template.group_lanes[group.id]
            begin = free[:, lanes]
            if group.after:
                ready = end[:, template.before[group.id]].max(axis=1)
                begin = np.maximum(begin, ready[:, None])
            end[:, columns] = begin + work.time_ps[:, columns]
            free[:, lanes] = end[:, columns]
        length += end[:, first:last].max(axis=1)
    return length
