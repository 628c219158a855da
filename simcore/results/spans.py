"""What a step looks like on a time axis: lanes, ops, waits.

Spans are derived from a step's record by a pure function; nobody stores them for a whole run.
On each lane the spans of a step are disjoint, touch each other, and cover the step from 0 to its
duration: what is not an op is a wait with a named reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class WaitReason(StrEnum):
    """Why a lane does nothing."""

    DEPENDENCY = "dependency"  # needs a result of another lane
    LINK_BUSY = "link busy"  # needs a link that is in use
    SYNC = "sync"  # at a barrier, a different kind of work is still running
    IMBALANCE = "imbalance"  # at a barrier, a sister lane has more of the same work
    MEMORY_FULL = "memory full"  # room must be made first
    NO_WORK = "no work"  # nothing was assigned to this lane


class LaneKind(StrEnum):
    """What a lane is."""

    COMPUTE = "compute"
    LINK = "link"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Lane:
    """One serial resource.

    Attributes:
        id: short stable id such as ``dimm3``.
        title: as shown, ``DIMM 3``.
        group: lanes of one group are alike (``DIMM``); imbalance is measured inside a group.
        kind: compute, link or host.
        peak_GBps: peak of the memory behind a compute lane, or of the link; 0 when not meaningful.
    """

    id: str
    title: str
    group: str
    kind: LaneKind
    peak_GBps: float = 0.0


@dataclass(frozen=True, slots=True)
class Op:
    """A kind of operation or of wait.

    Attributes:
        id: short stable id such as ``mlp_cold`` or ``wait.sync``.
        title: as shown.
        category: colour class: ``attention`` ``qkv`` ``mlp`` ``projection`` ``transfer``
            ``migration`` ``predict`` ``merge`` ``weights`` ``other`` or ``wait``.
        reason: the reason of a wait, None for an op.
        help: one sentence on what happens.
    """

    id: str
    title: str
    category: str
    reason: WaitReason | None = None
    help: str = ""

    @property
    def is_wait(self) -> bool:
        """Whether this is a wait."""
        return self.reason is not None


WAIT_OPS: tuple[Op, ...] = tuple(
    Op(f"wait.{reason.name.lower()}", f"wait: {reason.value}", "wait", reason)
    for reason in WaitReason
)
"""One op per wait reason; every op table of a run ends with these, in this order."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Ops and waits of one step, ordered by lane, then start.

    All arrays have shape (n,). Times are int64 ps from the start of the step.

    Attributes:
        lane: index into the run's lanes.
        op: index into the run's ops (waits included).
        layer: transformer layer, -1 outside the layers.
        start_ps, end_ps: interval.
        amount_bytes: bytes read, written or moved by the op (0 for waits).
        flops: floating-point operations (0 for waits and transfers).
        cause: for a wait, the index in these arrays of the op it waits for, else -1.
        source: for an op, the index of the op whose result or barrier came last among those it
            needs, whether or not its lane had to wait for it; -1 for none. May be empty where
            nobody recorded it; `sources` gives what follows from the waits then.
    """

    lane: NDArray[np.int16]
    op: NDArray[np.int16]
    layer: NDArray[np.int16]
    start_ps: NDArray[np.int64]
    end_ps: NDArray[np.int64]
    amount_bytes: NDArray[np.int64]
    flops: NDArray[np.int64]
    cause: NDArray[np.int32]
    source: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.lane)

    @property
    def duration_ps(self) -> NDArray[np.int64]:
        """Length of each span."""
        return self.end_ps - self.start_ps


def sources(spans: Spans) -> NDArray[np.int32]:
    """For every op the op it needed last, -1 for none or for a wait.

    Recorded where the layout knows it; else an op that follows a wait needs what was waited for.
    """
    if len(spans.source) == len(spans):
        return spans.source
    found = np.full(len(spans), -1, np.int32)
    if len(spans) > 1:
        after = (spans.cause[:-1] >= 0) & (spans.lane[:-1] == spans.lane[1:])
        after &= spans.end_ps[:-1] == spans.start_ps[1:]
        at = np.flatnonzero(after & (spans.cause[1:] < 0)) + 1
        found[at] = spans.cause[at - 1]
    return found


def consumers(spans: Spans, span: int) -> NDArray[np.int64]:
    """Ops that needed an op last, in order of their start."""
    found = np.flatnonzero(sources(spans) == span)
    return found[np.lexsort((spans.lane[found], spans.start_ps[found]))]
