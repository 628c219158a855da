"""Work of a template placed in time: when every op starts and ends, and why lanes wait.

All rows are laid out at once, phase by phase and group by group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simcore.engine.phases import IMBALANCE, Int, Template, Work


@dataclass(frozen=True, slots=True)
class Laid:
    """A segment laid out in time.

    Attributes:
        start_ps, end_ps: (rows, columns), from the start of the segment.
        gap_start_ps, gap_end_ps: (rows, gaps) intervals in which a lane waits; may be empty.
        gap_lane: (gaps,) the lane.
        gap_reason, gap_cause: (rows, gaps) reason index and causing column.
        duration_ps: length of the segment.
    """

    start_ps: Int
    end_ps: Int
    gap_start_ps: Int
    gap_end_ps: Int
    gap_lane: Int
    gap_reason: Int
    gap_cause: Int
    duration_ps: int


def lay_out(template: Template, work: Work) -> Laid:
    """Place every op of a segment and name every wait."""
    rows = len(work.time_ps)
    every = np.arange(rows)
    start = np.zeros_like(work.time_ps)
    end = np.zeros_like(work.time_ps)
    # The column to name as a cause: an op of no duration hands on its own cause.
    root = np.broadcast_to(np.arange(template.columns), work.time_ps.shape).copy()
    handed = np.full(work.time_ps.shape, -1, np.int64)  # and its own reason to wait
    gaps = _Gaps(template, rows)
    offset = np.zeros(rows, np.int64)  # of the phase inside its row
    for phase, used_op, idle in zip(template.phases, template.used, template.idle, strict=True):
        free = np.zeros((rows, len(template.lanes)), np.int64)
        first = template.slice(phase.groups[0].id).start
        for group in phase.groups:
            columns = template.slice(group.id)
            last = columns.stop
            lanes = template.group_lanes[group.id]
            begin = free[:, lanes]
            if group.after:
                before = template.before[group.id]
                ends = end[:, before]
                latest = ends.argmax(axis=1)
                cause = root[every, before[latest]]
                passed = handed[every, before[latest]]
                own_reason = template.before_reason[group.id][latest]
                reason = np.where(passed >= 0, passed, own_reason)[:, None]
                own = root[:, columns]
                empty = work.time_ps[:, columns] == 0
                root[:, columns] = np.where(empty, cause[:, None], own)
                handed[:, columns] = np.where(empty, reason, -1)
                ready = begin
                begin = np.maximum(ready, ends.max(axis=1)[:, None])
                gaps.add(len(lanes), ready, begin, reason, cause[:, None], offset)
            start[:, columns] = begin
            end[:, columns] = begin + work.time_ps[:, columns]
            free[:, lanes] = end[:, columns]
        ends = end[:, first:last]
        length = ends.max(axis=1)
        critical = root[every, first + ends.argmax(axis=1)]
        same = template.column_op[critical][:, None] == used_op
        reason = np.where(same, IMBALANCE, idle)
        gaps.add(len(free[0]), free, length[:, None], reason, critical[:, None], offset)
        start[:, first:last] += offset[:, None]
        end[:, first:last] += offset[:, None]
        offset = offset + length
    base = (np.cumsum(offset) - offset)[:, None]
    for times in (start, end, gaps.start, gaps.end):
        times += base
    return Laid(
        start, end, gaps.start, gaps.end, gaps.lane, gaps.reason, gaps.cause, int(offset.sum())
    )


class _Gaps:
    """Intervals in which lanes wait, filled in phase by phase; each is a column of rows."""

    def __init__(self, template: Template, rows: int) -> None:
        self.lane = template.gap_lane
        shape = (rows, len(self.lane))
        self.start, self.end, self.reason, self.cause = (
            np.empty(shape, np.int64) for _ in range(4)
        )
        self._at = 0

    def add(
        self, lanes: int, start: Int, end: Int, reason: Int | int, cause: Int, offset: Int
    ) -> None:
        here = slice(self._at, self._at + lanes)
        self._at += lanes
        shift = offset[:, None]
        np.add(start, shift, out=self.start[:, here])
        np.add(end, shift, out=self.end[:, here])
        self.reason[:, here] = reason
        self.cause[:, here] = cause
