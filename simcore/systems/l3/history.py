"""What became of every request: read back from the stretches of a run."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.systems.l3.machine import ServingPlan
from simcore.workload.batching import DONE, PAUSED, PREFILL, RUNNING, STATES, SWAPPED, WAITING

Int = NDArray[np.int64]
State = NDArray[np.int8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Intervals:
    """States of requests over time, one row an interval, ordered by request and time.

    Attributes:
        request: number of the request, (n,).
        state: index into `workload.batching.STATES`, (n,).
        start_ps, end_ps: on the run's time axis, (n,).
    """

    request: Int
    state: State
    start_ps: Int
    end_ps: Int
    names: tuple[str, ...] = STATES


@dataclass(frozen=True, slots=True)
class _Table:
    """Stretches of a run as far as it was read. A later one shares memory with those before.

    Attributes:
        steps: steps of the run that are covered.
        first: first step of each stretch, (stretches,).
        state: (stretches, requests) state during each stretch.
        seen, done: (requests,) which were in memory, and are finished, before the last stretch.
        room: memory of which `state` is the begin.
    """

    steps: int
    first: Int
    state: State
    seen: Flags
    done: Flags
    room: State


_CACHE: WeakKeyDictionary[Run, _Table] = WeakKeyDictionary()


def table_of(plan: ServingPlan, run: Run) -> _Table:
    """States of all requests in all stretches there are; only what is new is read."""
    length = len(run)
    known = _CACHE.get(run)
    if known is not None and known.steps >= length:  # another thread may be ahead
        return known
    if known is None:
        nobody = np.zeros(len(plan.requests), bool)
        none = np.empty((0, len(plan.requests)), np.int8)
        known = _Table(0, np.empty(0, np.int64), none, nobody, nobody, none)
    found = _extended(plan, run, known, length)
    _CACHE[run] = found
    return found


def _extended(plan: ServingPlan, run: Run, known: _Table, length: int) -> _Table:
    """The table with the steps up to `length`; two threads that do so write the same."""
    before = len(known.first)
    begin = known.steps - 1 if before else 0
    stretch = run.column("stretch", begin, length)
    changes = np.flatnonzero(np.diff(stretch, prepend=stretch[0] if before else -1))
    first = np.append(known.first, changes + begin)
    count = len(first)
    room = known.room
    if count > len(room):
        room = np.full((max(64, 2 * count), len(plan.requests)), WAITING, np.int8)
        room[:before] = known.state
    left = plan.requests.prompt + plan.requests.output
    seen, done = known.seen.copy(), known.done.copy()
    # What the last stretch finishes is known once it has ended, so it is gone through again.
    for index in range(max(0, before - 1), count):
        who, context, half, _, chunk = run.attachments["members"][index].astype(np.int64)
        if index >= before:
            row = room[index]
            row[seen] = SWAPPED
            row[done] = DONE
            row[who] = np.where(half == 2, PAUSED, np.where(chunk > 0, PREFILL, RUNNING))
        if index == count - 1:
            break
        seen[who] = True
        decoding = (half < 2) & (chunk == 0)
        reached = context[decoding] + first[index + 1] - first[index]
        decoded = who[decoding]
        done[decoded] = reached >= left[decoded]
    return _Table(length, first, room[:count], seen, done, room)


def states_at(plan: ServingPlan, run: Run, index: int) -> State:
    """State of every request during a step, (requests,)."""
    table = _CACHE.get(run)
    if table is None or table.steps <= index:
        table = table_of(plan, run)
    row: State = table.state[int(np.searchsorted(table.first, index, side="right")) - 1]
    return row


def request_intervals(plan: ServingPlan, run: Run) -> Intervals:
    """Every request's states over the run, from its arrival on; finished ones end with it."""
    if not len(run):
        none = np.empty(0, np.int64)
        return Intervals(none, none.astype(np.int8), none, none)
    table = table_of(plan, run)
    start = run.column("start_ps")[table.first]
    end = np.append(start[1:], run.end_ps)
    state = table.state.T
    change = np.ones(state.shape, bool)
    change[:, 1:] = state[:, 1:] != state[:, :-1]
    request, at = np.nonzero(change)
    last = np.append(request[1:] != request[:-1], True)
    until = np.where(last, end[-1], start[np.append(at[1:], 0)])
    begin = np.maximum(start[at], plan.requests.arrival_ps[request])
    kind = state[request, at]
    keep = (kind != DONE) & (until > begin)
    return Intervals(request[keep], kind[keep], begin[keep], until[keep])


def latencies_ps(plan: ServingPlan, run: Run) -> tuple[Int, Int]:
    """Time to the end of the prompt, and to the end, of every finished request; -1 if unknown."""
    spans = request_intervals(plan, run)
    count = len(plan.requests)
    ready, finished = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    prefill = spans.state == PREFILL
    np.maximum.at(ready, spans.request[prefill], spans.end_ps[prefill])
    last = np.zeros(count, np.int64)
    np.maximum.at(last, spans.request, spans.end_ps)
    done = table_of(plan, run).state[-1] == DONE
    over = run.status.finished
    for_all = np.flatnonzero(done | over)
    finished[for_all] = last[for_all] - plan.requests.arrival_ps[for_all]
    ready[ready >= 0] -= plan.requests.arrival_ps[ready >= 0]
    return ready, finished
