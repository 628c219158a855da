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
    """Stretches of a run as far as it was read.

    Attributes:
        steps: steps of the run that are covered.
        first: first step of each stretch, (stretches,).
        state: (stretches, requests) state during each stretch.
    """

    steps: int
    first: Int
    state: State


_CACHE: WeakKeyDictionary[Run, _Table] = WeakKeyDictionary()


def table_of(plan: ServingPlan, run: Run) -> _Table:
    """States of all requests in all stretches there are; cached while the run does not grow."""
    length = len(run)
    known = _CACHE.get(run)
    if known is not None and known.steps == length:
        return known
    stretch = run.column("stretch", 0, length)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    count = len(first)
    state = np.full((count, len(plan.requests)), WAITING, np.int8)
    seen = np.zeros(len(plan.requests), bool)
    left = plan.requests.prompt + plan.requests.output
    done = np.zeros(len(plan.requests), bool)
    ends = np.append(first[1:], length)
    for index in range(count):
        who, context, half, _, chunk = run.attachments["members"][index].astype(np.int64)
        row = state[index]
        row[seen] = SWAPPED
        row[done] = DONE
        row[who] = np.where(half == 2, PAUSED, np.where(chunk > 0, PREFILL, RUNNING))
        seen[who] = True
        decoded = who[(half < 2) & (chunk == 0)]
        reached = context[(half < 2) & (chunk == 0)] + ends[index] - first[index]
        done[decoded] = reached >= left[decoded]
    found = _Table(length, first, state)
    _CACHE[run] = found
    return found


def states_at(plan: ServingPlan, run: Run, index: int) -> State:
    """State of every request during a step, (requests,)."""
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
