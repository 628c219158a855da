"""Sums of rows of work by operations on whole columns: what `row_pass` does without a compiler."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.engine.layout import lay_out
from simcore.engine.phases import Template, Work
from simcore.engine.sums import add_by_place

Int = NDArray[np.int64]


def totals(template: Template, work: Work, rows_each: int) -> tuple[Int, Int, Int, Int]:
    """Length of each step, (steps,), and its times, bytes and operations, (steps, lanes, ops)."""
    time = row_times(template, work, rows_each)
    length = time[:, 0].sum(axis=1)  # spans and waits cover every lane
    amounts = (row_amounts(template, part, rows_each) for part in (work.amount_bytes, work.flops))
    return length, time, *amounts


def row_times(template: Template, work: Work, rows_each: int = 1) -> Int:
    """Times of steps of so many rows by lane and op, waits included, (steps, lanes, ops)."""
    out = row_amounts(template, work.time_ps, rows_each)
    laid = lay_out(template, work)
    waits = laid.gap_lane * len(template.ops) + template.first_wait + laid.gap_reason
    flat = out.reshape(len(out), len(template.lanes) * len(template.ops))
    add_by_place(flat, waits, laid.gap_end_ps - laid.gap_start_ps, rows_each)
    return out


def row_amounts(template: Template, amounts: Int, rows_each: int = 1) -> Int:
    """Amounts of steps of so many rows by lane and op, (steps, lanes, ops)."""
    steps, lanes, ops = len(amounts) // rows_each, len(template.lanes), len(template.ops)
    out = np.zeros((steps, lanes * ops), np.int64)
    add_by_place(out, template.column_lane * ops + template.column_op, amounts, rows_each)
    return out.reshape(steps, lanes, ops)


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
