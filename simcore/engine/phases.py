"""Timeline algebra for work that runs in phases separated by barriers.

A phase is a list of groups; a group is one op on one or more lanes. Inside a phase a lane runs its
groups in order, and a group may also wait for other groups (`after`). The phase ends when its last
op ends; all lanes then start the next phase together. Durations come in rows (one row a layer), so
a whole step is a handful of numpy operations however many layers there are.

Times and waits of the same durations are always the same: the record of a step needs only the
durations, and spans can be derived again at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simcore.results.spans import WAIT_OPS, Lane, Op, Spans, WaitReason

Int = NDArray[np.int64]

_REASONS = tuple(WaitReason)


@dataclass(frozen=True, slots=True)
class Group:
    """One op on one or more lanes in one phase.

    Attributes:
        id: name inside the template.
        op: index of the op.
        lanes: lanes the op runs on, one column of durations each.
        after: ids of earlier groups of the phase that must have ended everywhere.
    """

    id: str
    op: int
    lanes: tuple[int, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """Groups between two barriers.

    Attributes:
        id: name of the phase.
        groups: in an order in which every `after` comes before its user.
        idle: reason for lanes without any group in this phase, by lane; others have no work.
    """

    id: str
    groups: tuple[Group, ...]
    idle: dict[int, WaitReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """Durations and amounts of one segment, columns as in `Template.columns`.

    Attributes:
        time_ps, amount_bytes, flops: (rows, columns).
    """

    time_ps: Int
    amount_bytes: Int
    flops: Int


class Template:
    """Phases repeated for a number of rows, the columns of their work numbered.

    Attributes:
        columns: number of (group, lane) columns.
        column_lane, column_op: lane and op of each column.
    """

    def __init__(self, phases: Sequence[Phase], lanes: Sequence[Lane], ops: Sequence[Op]) -> None:
        self.phases = tuple(phases)
        self.lanes = tuple(lanes)
        self.ops = tuple(ops)
        self._slices: dict[str, slice] = {}
        at = 0
        lane_of: list[int] = []
        op_of: list[int] = []
        for phase in self.phases:
            for group in phase.groups:
                self._slices[group.id] = slice(at, at + len(group.lanes))
                lane_of.extend(group.lanes)
                op_of.extend([group.op] * len(group.lanes))
                at += len(group.lanes)
        self.columns = at
        self.column_lane = np.array(lane_of, np.int64)
        self.column_op = np.array(op_of, np.int64)
        self.first_wait = len(ops) - len(WAIT_OPS)

    def slice(self, group: str) -> slice:
        """Columns of a group."""
        return self._slices[group]

    def blank(self, rows: int) -> Work:
        """Work of zeros, to be filled in."""
        return Work(*(np.zeros((rows, self.columns), np.int64) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Laid:
    """A segment laid out in time.

    Attributes:
        start_ps, end_ps: (rows, columns), from the start of the segment.
        gap_start_ps, gap_end_ps: (rows, gaps) intervals in which a lane waits.
        gap_lane, gap_reason, gap_cause: (gaps,) lane; (rows, gaps) reason index and causing column.
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
    lanes = len(template.lanes)
    every = np.arange(rows)
    start = np.zeros_like(work.time_ps)
    end = np.zeros_like(work.time_ps)
    # The column to name as a cause: an op of no duration hands on its own cause.
    root = np.broadcast_to(np.arange(template.columns), work.time_ps.shape).copy()
    lengths = np.zeros((rows, len(template.phases)), np.int64)
    gaps: list[tuple[int, Int, Int, Int, Int, int]] = []
    for number, phase in enumerate(template.phases):
        free = np.zeros((rows, lanes), np.int64)
        used: dict[int, int] = {}
        first, last = template.columns, 0
        for group in phase.groups:
            columns = template.slice(group.id)
            first, last = min(first, columns.start), max(last, columns.stop)
            lane = np.array(group.lanes)
            ready = free[:, lane]
            if group.after:
                before = np.concatenate(
                    [np.arange(s.start, s.stop) for s in map(template.slice, group.after)]
                )
                barrier = end[:, before].max(axis=1)
                cause = root[every, before[end[:, before].argmax(axis=1)]]
                own = root[:, columns]
                empty = work.time_ps[:, columns] == 0
                root[:, columns] = np.where(empty, cause[:, None], own)
                begin = np.maximum(ready, barrier[:, None])
                reason = np.full(rows, _REASONS.index(WaitReason.DEPENDENCY))
                for k, lane_id in enumerate(group.lanes):
                    gaps.append((lane_id, ready[:, k], begin[:, k], reason, cause, number))
            else:
                begin = ready
            start[:, columns] = begin
            end[:, columns] = begin + work.time_ps[:, columns]
            free[:, lane] = end[:, columns]
            used.update(dict.fromkeys(group.lanes, group.op))
        if last > first:
            lengths[:, number] = end[:, first:last].max(axis=1)
            critical = root[every, first + end[:, first:last].argmax(axis=1)]
        else:
            critical = np.zeros(rows, np.int64)
        critical_op = template.column_op[critical]
        for lane_id in range(lanes):
            if lane_id in used:
                same = critical_op == used[lane_id]
                reason = np.where(
                    same,
                    _REASONS.index(WaitReason.IMBALANCE),
                    _REASONS.index(WaitReason.SYNC),
                )
            else:
                why = phase.idle.get(lane_id, WaitReason.NO_WORK)
                reason = np.full(rows, _REASONS.index(why))
            gaps.append((lane_id, free[:, lane_id], lengths[:, number], reason, critical, number))
    offsets = np.zeros((rows, len(template.phases)), np.int64)
    offsets.reshape(-1)[1:] = np.cumsum(lengths.reshape(-1))[:-1]
    at = 0
    for number, phase in enumerate(template.phases):
        width = sum(len(group.lanes) for group in phase.groups)
        start[:, at : at + width] += offsets[:, number, None]
        end[:, at : at + width] += offsets[:, number, None]
        at += width
    shift = [offsets[:, gap[5]] for gap in gaps]
    return Laid(
        start,
        end,
        np.stack([g[1] + s for g, s in zip(gaps, shift, strict=True)], axis=1),
        np.stack([g[2] + s for g, s in zip(gaps, shift, strict=True)], axis=1),
        np.array([g[0] for g in gaps], np.int64),
        np.stack([g[3] for g in gaps], axis=1),
        np.stack([g[4] for g in gaps], axis=1),
        int(lengths.sum()),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of a step by lane and op, waits included.

    Attributes:
        duration_ps: length of the step.
        time_ps, amount_bytes, flops: (lanes, ops).
    """

    duration_ps: int
    time_ps: Int
    amount_bytes: Int
    flops: Int


def totals(segments: Sequence[tuple[Template, Work]]) -> Totals:
    """Totals of a step made of segments one after the other."""
    lanes, ops = len(segments[0][0].lanes), len(segments[0][0].ops)
    time_ps = np.zeros((lanes, ops), np.int64)
    amount = np.zeros((lanes, ops), np.int64)
    flops = np.zeros((lanes, ops), np.int64)
    duration = 0
    for template, work in segments:
        laid = lay_out(template, work)
        where = (template.column_lane, template.column_op)
        np.add.at(time_ps, where, work.time_ps.sum(axis=0))
        np.add.at(amount, where, work.amount_bytes.sum(axis=0))
        np.add.at(flops, where, work.flops.sum(axis=0))
        gap = laid.gap_end_ps - laid.gap_start_ps
        flat = laid.gap_lane[None, :] * ops + template.first_wait + laid.gap_reason
        time_ps += (
            np.bincount(flat.reshape(-1), gap.reshape(-1).astype(np.float64), lanes * ops)
            .reshape(lanes, ops)
            .astype(np.int64)
        )
        duration += laid.duration_ps
    return Totals(duration, time_ps, amount, flops)


def spans(segments: Sequence[tuple[Template, Work, bool]]) -> Spans:
    """Spans of a step made of segments one after the other.

    Args:
        segments: template, work, and whether its rows are layers.
    """
    parts: list[tuple[NDArray[np.int64], ...]] = []
    offset = 0
    base = 0
    for template, work, layered in segments:
        laid = lay_out(template, work)
        rows, columns = work.time_ps.shape
        layer = np.arange(rows) if layered else np.full(rows, -1)
        ids = base + np.arange(rows * columns).reshape(rows, columns)
        shape = (rows, columns)
        parts.append(
            (
                np.broadcast_to(template.column_lane, shape).reshape(-1),
                np.broadcast_to(template.column_op, shape).reshape(-1),
                np.broadcast_to(layer[:, None], shape).reshape(-1),
                (laid.start_ps + offset).reshape(-1),
                (laid.end_ps + offset).reshape(-1),
                work.amount_bytes.reshape(-1),
                work.flops.reshape(-1),
                np.full(rows * columns, -1),
                ids.reshape(-1),
            )
        )
        gaps = laid.gap_lane.size
        gap_shape = (rows, gaps)
        zero = np.zeros(rows * gaps, np.int64)
        parts.append(
            (
                np.broadcast_to(laid.gap_lane, gap_shape).reshape(-1),
                (template.first_wait + laid.gap_reason).reshape(-1),
                np.broadcast_to(layer[:, None], gap_shape).reshape(-1),
                (laid.gap_start_ps + offset).reshape(-1),
                (laid.gap_end_ps + offset).reshape(-1),
                zero,
                zero,
                (base + np.arange(rows)[:, None] * columns + laid.gap_cause).reshape(-1),
                np.full(rows * gaps, -1),
            )
        )
        offset += laid.duration_ps
        base += rows * columns
    lane, op, layer, start, end, amount, flops, cause, ids = (
        np.concatenate([part[k] for part in parts]) for k in range(9)
    )
    keep = np.flatnonzero(end > start)
    order = keep[np.lexsort((start[keep], lane[keep]))]
    position = np.full(base + 1, -1, np.int64)
    mine = ids[order]
    position[mine[mine >= 0]] = np.flatnonzero(mine >= 0)
    cause = cause[order]
    cause = np.where(cause >= 0, position[cause], -1)
    return Spans(
        lane[order].astype(np.int16),
        op[order].astype(np.int16),
        layer[order].astype(np.int16),
        start[order],
        end[order],
        amount[order],
        flops[order],
        cause.astype(np.int32),
    )
