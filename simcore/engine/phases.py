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
from simcore.results.spans import WAIT_OPS, Lane, Op, WaitReason

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
