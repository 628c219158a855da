"""Timeline algebra for work that runs in phases separated by barriers.

A phase is a list of groups; a group is one op on one or more lanes. Inside a phase a lane runs its
groups in order, and a group may also wait for other groups (`after`). The phase ends when its last
op ends; all lanes then start the next phase together. Durations come in rows (one row a layer), so
a whole step is a handful of numpy operations however many layers there are.

Times and waits of the same durations are always the same: the record of a step needs only the
durations, and spans can be derived again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcore.errors import InvariantError
from simcore.results.spans import WAIT_OPS, Lane, Op, Spans, WaitReason

Int = NDArray[np.int64]

_REASONS = tuple(WaitReason)
IMBALANCE = _REASONS.index(WaitReason.IMBALANCE)


@dataclass(frozen=True, slots=True)
class Group:
    """One op on one or more lanes in one phase.

    Attributes:
        id: name inside the template.
        op: index of the op.
        lanes: lanes the op runs on, one column of durations each.
        after: ids of earlier groups of the phase that must have ended everywhere.
        held: reason to wait for some of `after`, where it is not that a result is needed.
    """

    id: str
    op: int
    lanes: tuple[int, ...]
    after: tuple[str, ...] = ()
    held: Mapping[str, WaitReason] = field(default_factory=dict)


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

    def repeated(self, times: int) -> Work:
        """Each row so many times, one after the other."""
        parts = self.time_ps, self.amount_bytes, self.flops
        return Work(*(np.repeat(part, times, axis=0) for part in parts))


class Flat(NamedTuple):
    """A template as arrays of numbers, for compiled loops.

    Attributes:
        phase_groups: (phases + 1,) first group of each phase.
        group_columns: (groups + 1,) first column of each group.
        group_before: (groups + 1,) where the ops a group waits for begin in the next two.
        before, before_reason: column and reason to wait for it.
        column_lane, column_op: (columns,).
        used, idle: (phases, lanes), as of `Template`.
    """

    phase_groups: Int
    group_columns: Int
    group_before: Int
    before: Int
    before_reason: Int
    column_lane: Int
    column_op: Int
    used: Int
    idle: Int


def _starts(lengths: Sequence[int]) -> Int:
    """Where parts of some lengths start one after the other, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _check(phases: Sequence[Phase], lanes: int, ops: Sequence[Op]) -> None:
    """Refuse what would let a loop over a template read or write beside its arrays."""
    if not phases or tuple(ops[-len(WAIT_OPS) :]) != WAIT_OPS:
        raise InvariantError("a template needs phases, and ops that end with WAIT_OPS")
    for phase in phases:
        before: set[str] = set()
        for group in phase.groups:
            where = f"group {group.id!r} of phase {phase.id!r}"
            if not group.lanes or min(group.lanes) < 0 or max(group.lanes) >= lanes:
                raise InvariantError(f"{where}: lanes {group.lanes}; allowed: 0 to {lanes - 1}")
            if not 0 <= group.op < len(ops):
                raise InvariantError(f"{where}: op {group.op}; allowed: 0 to {len(ops) - 1}")
            if not before.issuperset(group.after):
                raise InvariantError(f"{where}: not all of {group.after} are before it")
            before.add(group.id)
        if not before:
            raise InvariantError(f"phase {phase.id!r} has no group")


class Template:
    """Phases repeated for a number of rows, the columns of their work numbered.

    Attributes:
        columns: number of (group, lane) columns.
        column_lane, column_op: lane and op of each column.
        gap_lane: lane of each place in which there may be a wait.
        used, idle: for each phase, the last op of every lane and its reason to wait at the end.

    Raises:
        InvariantError: if phases are not what their documentation asks for. The compiled loops
            that go through them check nothing.
    """

    def __init__(self, phases: Sequence[Phase], lanes: Sequence[Lane], ops: Sequence[Op]) -> None:
        _check(phases, len(lanes), ops)
        self.phases = tuple(phases)
        self.lanes = tuple(lanes)
        self.ops = tuple(ops)
        self._slices: dict[str, slice] = {}
        self._numbered: dict[str, Int] = {}
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
        self.all_lanes = np.arange(len(lanes))
        groups = [group for phase in self.phases for group in phase.groups]
        self.group_lanes = {group.id: np.array(group.lanes, np.int64) for group in groups}
        self.before = {
            group.id: np.concatenate(
                [np.arange(s.start, s.stop) for s in map(self.slice, group.after)]
            )
            for group in groups
            if group.after
        }
        self.before_reason = {
            group.id: np.concatenate(
                [
                    np.full(
                        len(self.group_lanes[name]),
                        _REASONS.index(group.held.get(name, WaitReason.DEPENDENCY)),
                    )
                    for name in group.after
                ]
            )
            for group in groups
            if group.after
        }
        # A lane may wait before each group that needs others, and for the end of each phase.
        self.gap_lane = np.concatenate(
            [
                lanes
                for phase in self.phases
                for lanes in (
                    *(self.group_lanes[group.id] for group in phase.groups if group.after),
                    self.all_lanes,
                )
            ]
        )
        self.used = [self._used(phase) for phase in self.phases]
        self.idle = [self._idle(phase) for phase in self.phases]
        self.flat = self._flat(groups)

    def _flat(self, groups: Sequence[Group]) -> Flat:
        none = np.empty(0, np.int64)
        before = [self.before.get(group.id, none) for group in groups]
        reasons = [self.before_reason.get(group.id, none) for group in groups]
        return Flat(
            _starts([len(phase.groups) for phase in self.phases]),
            _starts([len(group.lanes) for group in groups]),
            _starts([len(each) for each in before]),
            np.concatenate(before),
            np.concatenate(reasons),
            self.column_lane,
            self.column_op,
            np.array(self.used),
            np.array(self.idle),
        )

    def _used(self, phase: Phase) -> Int:
        """Last op of each lane in a phase, -1 for lanes without any."""
        used = np.full(len(self.lanes), -1, np.int64)
        for group in phase.groups:
            used[list(group.lanes)] = group.op
        return used

    def _idle(self, phase: Phase) -> Int:
        """Why each lane waits for the end of a phase, unless a sister lane is to blame."""
        reasons = [
            WaitReason.SYNC if used >= 0 else phase.idle.get(lane, WaitReason.NO_WORK)
            for lane, used in enumerate(self._used(phase))
        ]
        return np.array([_REASONS.index(reason) for reason in reasons], np.int64)

    def slice(self, group: str) -> slice:
        """Columns of a group."""
        return self._slices[group]

    def numbered(self, name: str) -> Int:
        """Columns of the groups ``name.0``, ``name.1`` and so on, in that order."""
        found = self._numbered.get(name)
        if found is None:
            columns: list[int] = []
            while f"{name}.{len(columns)}" in self._slices:
                columns.append(self._slices[f"{name}.{len(columns)}"].start)
            found = self._numbered[name] = np.array(columns, np.int64)
        return found

    def blank(self, rows: int) -> Work:
        """Work of zeros, to be filled in."""
        return Work(*(np.zeros((rows, self.columns), np.int64) for _ in range(3)))


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


_NONE, _OPENS = -1, -2
"""Of sources: nothing is needed, and the barrier that opens the row."""


def last_inputs(template: Template, laid: Laid) -> tuple[Int, int]:
    """For each op the one it needed last: of its `after`, else what ended the phase before.

    An op that runs after another one of its lane needs nothing but the lane, unless its group
    says so. Ops of no duration hand on what they needed.

    Returns:
        Place of that op as row * columns + column, shape (rows, columns); -1 for none and -2 for
        what came before the segment. And the place of the op that ends the segment.
    """
    rows, columns = laid.start_ps.shape
    places = np.arange(rows * columns).reshape(rows, columns)
    root = places.copy()
    source = np.full((rows, columns), _NONE)
    every = np.arange(rows)
    begin = np.zeros(rows, np.int64)  # of the phase; set for the first one below
    last = template.slice(template.phases[-1].groups[0].id).start
    begin[1:] = laid.end_ps[:-1, last:].max(axis=1)
    barrier = np.full(rows, _OPENS)
    for phase in template.phases:
        free = np.repeat(begin[:, None], len(template.lanes), axis=1)
        first = template.slice(phase.groups[0].id).start
        stop = first
        for group in phase.groups:
            where = template.slice(group.id)
            stop = where.stop
            lanes = template.group_lanes[group.id]
            opens = free[:, lanes] == begin[:, None]
            found = np.where(opens, barrier[:, None], _NONE)
            if group.after:
                before = template.before[group.id]
                ends = laid.end_ps[:, before]
                latest = ends.argmax(axis=1)
                cause = root[every, before[latest]][:, None]
                later = (ends.max(axis=1) > begin)[:, None] | ~opens
                found = np.where(later, cause, found)
            empty = laid.end_ps[:, where] == laid.start_ps[:, where]
            if empty.any():
                root[:, where] = np.where(empty, found, root[:, where])
            source[:, where] = found
            free[:, lanes] = laid.end_ps[:, where]
        ends = laid.end_ps[:, first:stop]
        barrier = root[every, first + ends.argmax(axis=1)]
        begin = ends.max(axis=1)
    ended = np.full(rows, _OPENS)
    ended[1:] = barrier[:-1]
    for row in np.flatnonzero(ended == _OPENS)[1:].tolist():  # rows without any work hand on
        ended[row] = ended[row - 1]
    source = np.where(source == _OPENS, ended[:, None], source)
    closing = int(barrier[-1]) if barrier[-1] != _OPENS else int(ended[-1])
    return source, closing


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


def spans(segments: Sequence[tuple[Template, Work, bool]]) -> Spans:
    """Spans of a step made of segments one after the other.

    Args:
        segments: template, work, and whether its rows are layers.
    """
    total = sum(
        len(work.time_ps) * (template.columns + template.gap_lane.size)
        for template, work, _ in segments
    )
    # Ops and waits of all segments, each written once to where it belongs.
    lane, op, layer = (np.empty(total, np.int16) for _ in range(3))
    start, end = np.empty(total, np.int64), np.empty(total, np.int64)
    amount, flops = np.zeros(total, np.int64), np.zeros(total, np.int64)
    cause, ids, needs = (np.full(total, -1) for _ in range(3))
    offset = base = at = 0
    before = _NONE  # the op that ended the segment before
    for template, work, layered in segments:
        laid = lay_out(template, work)
        needed, ended = last_inputs(template, laid)
        rows, columns = work.time_ps.shape
        layers = np.arange(rows)[:, None] if layered else -1

        here, shape = slice(at, at + rows * columns), work.time_ps.shape
        lane[here].reshape(shape)[:] = template.column_lane
        op[here].reshape(shape)[:] = template.column_op
        layer[here].reshape(shape)[:] = layers
        np.add(laid.start_ps, offset, out=start[here].reshape(shape))
        np.add(laid.end_ps, offset, out=end[here].reshape(shape))
        amount[here].reshape(shape)[:] = work.amount_bytes
        flops[here].reshape(shape)[:] = work.flops
        ids[here] = np.arange(base, base + rows * columns)
        inner = np.where(needed == _OPENS, before, _NONE)
        needs[here].reshape(shape)[:] = np.where(needed >= 0, needed + base, inner)
        before = ended + base if ended >= 0 else before
        at = here.stop

        here, shape = slice(at, at + rows * laid.gap_lane.size), (rows, laid.gap_lane.size)
        lane[here].reshape(shape)[:] = laid.gap_lane
        np.add(template.first_wait, laid.gap_reason, out=op[here].reshape(shape), casting="unsafe")
        layer[here].reshape(shape)[:] = layers
        np.add(laid.gap_start_ps, offset, out=start[here].reshape(shape))
        np.add(laid.gap_end_ps, offset, out=end[here].reshape(shape))
        firsts = base + np.arange(rows)[:, None] * columns
        np.add(firsts, laid.gap_cause, out=cause[here].reshape(shape))
        at = here.stop
        offset += laid.duration_ps
        base += rows * columns
    keep = np.flatnonzero(end > start)
    order = keep[_by_lane(lane[keep], start[keep])]
    position = np.full(base + 1, -1, np.int32)  # the last is of what there is not
    mine = ids[order]
    position[mine[mine >= 0]] = np.flatnonzero(mine >= 0)
    return Spans(
        lane[order],
        op[order],
        layer[order],
        start[order],
        end[order],
        amount[order],
        flops[order],
        position[cause[order]],
        position[needs[order]],
    )


def _by_lane(lane: NDArray[np.int16], start_ps: Int) -> NDArray[np.intp]:
    """The order by lane, and by start within a lane.

    One number for both is sorted in a quarter of the time of two, where there is room for it.
    """
    if len(start_ps):
        room = np.int64(1 << (62 - int(lane.max()).bit_length()))
        if start_ps.min() >= 0 and start_ps.max() < room:
            joined = lane * room
            joined += start_ps
            order = np.argsort(joined)
            joined = joined[order]
            if (joined[1:] > joined[:-1]).all():  # else equal ones keep the order they have
                return order
    return np.lexsort((start_ps, lane))


def row_times(template: Template, work: Work) -> Int:
    """Times of every row by lane and op, waits included, (rows, lanes, ops).

    For segments whose rows are steps of a run rather than layers of one step.
    """
    rows, lanes, ops = len(work.time_ps), len(template.lanes), len(template.ops)
    laid = lay_out(template, work)
    out = np.zeros((rows, lanes * ops), np.int64)
    where = template.column_lane * ops + template.column_op
    for column, target in enumerate(where.tolist()):
        out[:, target] += work.time_ps[:, column]
    gap = laid.gap_end_ps - laid.gap_start_ps
    target = laid.gap_lane[None, :] * ops + template.first_wait + laid.gap_reason
    every = np.arange(rows)
    for column in range(gap.shape[1]):
        out[every, target[:, column]] += gap[:, column]  # a row occurs once: no need of add.at
    return out.reshape(rows, lanes, ops)


def row_amounts(template: Template, amounts: Int) -> Int:
    """Amounts of every row by lane and op, (rows, lanes, ops)."""
    lanes, ops = len(template.lanes), len(template.ops)
    out = np.zeros((len(amounts), lanes * ops), np.int64)
    where = template.column_lane * ops + template.column_op
    for column, target in enumerate(where.tolist()):
        out[:, target] += amounts[:, column]
    return out.reshape(len(amounts), lanes, ops)
