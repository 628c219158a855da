"""One pass through rows of work that keeps nothing but sums: the inner loop of all totals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.compiled import compiled
from simcore.engine.phases import IMBALANCE, Flat
from simcore.results.spans import WAIT_OPS

Int = NDArray[np.int64]

_WAITS = len(WAIT_OPS)


@compiled
def add_totals(
    flat: Flat,
    first_wait: int,
    work: tuple[Int, Int, Int],
    rows_each: int,
    duration_ps: Int,
    sums: tuple[Int, Int, Int],
) -> None:
    """Add up rows by step, lane and op.

    Args:
        flat: what a row is made of.
        first_wait: op of the first reason to wait.
        work: (rows, columns) times, bytes and operations.
        rows_each: rows of each step.
        duration_ps: (steps,), added to.
        sums: (steps, lanes, ops) of each part of the work, added to; waits to the first.
    """
    times, amounts, flops = work
    time_sums, amount_sums, flop_sums = sums
    columns = flat.column_lane.size
    end, root = np.empty(columns, np.int64), np.empty(columns, np.int64)
    handed, free = np.empty(columns, np.int64), np.empty(flat.used.shape[1], np.int64)
    for row in range(len(times)):
        step = row // rows_each
        out = time_sums[step]
        duration_ps[step] += _row(flat, times[row], end, root, handed, free, out[:, first_wait:])
        for column in range(columns):
            lane, op = flat.column_lane[column], flat.column_op[column]
            out[lane, op] += times[row, column]
            amount_sums[step, lane, op] += amounts[row, column]
            flop_sums[step, lane, op] += flops[row, column]


@compiled
def measure(flat: Flat, times: Int, lengths: Int) -> None:
    """Write the length of every row to `lengths`."""
    columns = flat.column_lane.size
    end, root = np.empty(columns, np.int64), np.empty(columns, np.int64)
    handed, free = np.empty(columns, np.int64), np.empty(flat.used.shape[1], np.int64)
    waits = np.zeros((free.size, _WAITS), np.int64)
    for row in range(len(times)):
        lengths[row] = _row(flat, times[row], end, root, handed, free, waits)


@compiled
def _row(flat: Flat, times: Int, end: Int, root: Int, handed: Int, free: Int, waits: Int) -> int:
    """Lay out one row and add up its waits.

    Args:
        flat: the template.
        times: (columns,) durations.
        end, root, handed: room for (columns,): when an op ends, the op to name as cause (one of no
            duration hands on its own), and the reason it hands on, or -1.
        free: room for (lanes,): from when on a lane is free.
        waits: (lanes, reasons), added to.

    Returns:
        The length of the row.
    """
    length = 0
    for phase in range(flat.phase_groups.size - 1):
        free[:] = 0
        first_group, last_group = flat.phase_groups[phase], flat.phase_groups[phase + 1]
        for group in range(first_group, last_group):
            ready, cause, reason = 0, -1, 0
            for place in range(flat.group_before[group], flat.group_before[group + 1]):
                before = flat.before[place]
                if cause < 0 or end[before] > ready:
                    ready, cause = end[before], root[before]
                    passed = handed[before]
                    reason = passed if passed >= 0 else flat.before_reason[place]
            for column in range(flat.group_columns[group], flat.group_columns[group + 1]):
                lane, begin = flat.column_lane[column], free[flat.column_lane[column]]
                root[column], handed[column] = column, -1
                if cause >= 0:
                    if ready > begin:
                        waits[lane, reason] += ready - begin
                        begin = ready
                    if times[column] == 0:
                        root[column], handed[column] = cause, reason
                end[column] = free[lane] = begin + times[column]
        ended, critical = -1, 0
        for column in range(flat.group_columns[first_group], flat.group_columns[last_group]):
            if end[column] > ended:
                ended, critical = end[column], root[column]
        op = flat.column_op[critical]
        for lane in range(free.size):
            reason = IMBALANCE if flat.used[phase, lane] == op else flat.idle[phase, lane]
            waits[lane, reason] += ended - free[lane]
        length += ended
    return length
