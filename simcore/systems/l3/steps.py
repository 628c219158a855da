"""Advancing a run stretch by stretch, and reading its causes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine import phases
from simcore.engine.pauses import pause
from simcore.engine.row_arrays import row_amounts, row_times
from simcore.model import shapes
from simcore.results.cells import Cells
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.systems.l3.causes import AT, HEAD, Causes, Stretch, at, width
from simcore.systems.l3.machine import (
    MEMORY_KINDS,
    ServingPlan,
    fixed_bytes,
    kv_bytes,
    layer_weights,
)
from simcore.systems.l3.predictors import Predictors, fit_predictors
from simcore.systems.l3.scheduler import Decision, Scheduler
from simcore.systems.l3.work import (
    columns_of_layers,
    durations_ps,
    edge_work,
    layer_work,
    make_times,
)
from simcore.workload.batching import PAUSED, PREFILL, RUNNING, Batch

Int = NDArray[np.int64]

LONGEST_STRETCH = 4096
_CELL = 64
MEMBERS = ("request", "context", "half", "place", "chunk")
"""Rows of a table of members: request, its context before the stretch, sub-batch (2: in memory but
not in the batch), place, and prompt tokens computed (0: it is decoded)."""


class State:
    """What changes from stretch to stretch.

    Attributes:
        batch, scheduler: the requests and who decides about them.
        now_ps: end of the last stretch.
        stretch: the present one; `at` of its steps were given out.
        durations: (steps,) lengths of its steps.
    """

    def __init__(self, plan: ServingPlan) -> None:
        self.batch = Batch(plan.requests)
        self.predictors: Predictors | None = None
        if plan.policy.scheduling == "aligned" and plan.side.lanes:
            self.predictors = fit_predictors(plan)
        self.scheduler = Scheduler(plan, self.batch, self.predictors)
        self.now_ps = 0
        self.stretch: Stretch | None = None
        self.decision: Decision | None = None
        self.durations: Int = np.empty(0, np.int64)
        self.at = 0
        self.number = -1


def advance(plan: ServingPlan, state: State, run: Run, limit: int) -> Mapping[str, Any] | None:
    """Columns of up to `limit` further steps; None when every request is finished."""
    parts: list[dict[str, Int]] = []
    while limit > 0:
        pause()
        if state.stretch is None or state.at == state.stretch.steps:
            _finish(state)
            if state.batch.over:
                break
            _begin(plan, state, run)
        assert state.stretch is not None
        stop = min(state.stretch.steps, state.at + limit)
        parts.append(_columns(plan, state, state.at, stop))
        limit -= stop - state.at
        state.at = stop
    if not parts:
        return None
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _finish(state: State) -> None:
    """Apply the stretch that has ended."""
    stretch, decision, batch = state.stretch, state.decision, state.batch
    if stretch is None or decision is None:
        return
    batch.advance(decision.running, stretch.steps)
    batch.done_prefill[decision.prefill] += decision.chunk
    done = batch.done_prefill[decision.prefill] >= batch.context[decision.prefill]
    batch.state[decision.prefill[done]] = RUNNING
    state.now_ps += int(state.durations.sum())
    state.stretch = None


def _begin(plan: ServingPlan, state: State, run: Run) -> None:
    """Decide what the next stretch does and how long it is."""
    batch = state.batch
    batch.arrive(state.now_ps)
    decision = state.scheduler.decide()
    vectors, steps = _vectors(plan, batch, decision)
    coming = batch.next_arrival_ps()
    if not len(decision.running) and not len(decision.prefill):
        assert coming is not None  # nothing in memory, so the queue was empty
        vectors[2, AT["idle_ps"]] = coming - state.now_ps
        steps = 1
    elif state.predictors is not None:
        steps = min(steps, plan.policy.realign_steps)
    causes = Stretch(vectors, steps).rows(0, steps, plan.side.classes)
    durations = durations_ps(plan, make_times(plan, causes))
    if coming is not None and steps > 1:
        passed = state.now_ps + np.cumsum(durations)
        steps = min(steps, int(np.searchsorted(passed, coming)) + 1)
        durations = durations[:steps]
    state.stretch, state.decision, state.at = Stretch(vectors, steps), decision, 0
    state.durations = durations
    state.number += 1
    run.attach("stretch", vectors)
    run.attach("members", _members(batch, decision))


def _vectors(plan: ServingPlan, batch: Batch, decision: Decision) -> tuple[Int, int]:
    """Causes of the next stretch, and how many steps it may have."""
    classes = plan.side.classes
    vectors = np.zeros((3, width(classes)), np.int64)
    base, growth, first = vectors
    running, half = decision.running, decision.half
    cell = half * classes + batch.place[running]
    counts = np.bincount(cell, minlength=2 * classes)
    loads = np.bincount(cell, batch.context[running] + 1, 2 * classes).astype(np.int64)
    base[HEAD : HEAD + 2 * classes] = loads
    growth[HEAD : HEAD + 2 * classes] = counts
    base[HEAD + 2 * classes :] = counts
    for h in range(plan.halves):
        mine = running[half == h]
        prompts = decision.prefill[decision.prefill_half == h]
        chunk = decision.chunk[decision.prefill_half == h]
        base[AT["rows0"] + h] = len(mine)
        base[AT["chunk0"] + h] = chunk.sum()
        base[AT["pairs0"] + h] = (chunk * (2 * batch.done_prefill[prompts] + chunk)).sum()
        if len(mine):
            base[AT["longest0"] + h] = batch.context[mine].max() + 1
            growth[AT["longest0"] + h] = 1
    inside = batch.members(PREFILL, RUNNING, PAUSED)
    held = int(batch.context[inside].sum())
    base[AT["tokens_held"]] = held + len(running)
    growth[AT["tokens_held"]] = len(running)
    base[AT["queue"]] = len(batch.queue())
    base[AT["paused"]] = len(batch.members(PAUSED))
    first[AT["swap_out"]], first[AT["swap_in"]] = decision.swap_out, decision.swap_in
    if len(decision.prefill) or not len(running):
        return vectors, 1
    room = (plan.capacity_tokens - held) // len(running)
    steps = min(int(batch.left[running].min()), int(room), LONGEST_STRETCH)
    return vectors, max(1, steps)


def _members(batch: Batch, decision: Decision) -> NDArray[np.int32]:
    paused = batch.members(PAUSED)
    waiting = np.setdiff1d(batch.members(PREFILL), decision.prefill, assume_unique=True)
    rest = np.concatenate([paused, waiting])
    who = np.concatenate([decision.running, decision.prefill, rest])
    table = np.zeros((len(MEMBERS), len(who)), np.int32)
    table[0], table[1], table[3] = who, batch.context[who], batch.place[who]
    table[2] = np.concatenate([decision.half, decision.prefill_half, np.full(len(rest), 2)])
    table[4, len(decision.running) : len(who) - len(rest)] = decision.chunk
    return table


def _columns(plan: ServingPlan, state: State, start: int, stop: int) -> dict[str, Int]:
    """Recorded columns of steps of the present stretch."""
    assert state.stretch is not None
    count = stop - start
    base, growth, _ = state.stretch.vectors
    rows = int(base[AT["rows0"]] + base[AT["rows1"]])
    offsets = np.arange(start, stop)
    held = base[AT["tokens_held"]] + growth[AT["tokens_held"]] * offsets
    classes = plan.side.classes
    total = base[HEAD : HEAD + 2 * classes].sum() + rows * offsets
    chunk = int(base[AT["chunk0"]] + base[AT["chunk1"]])
    kind = KIND_PREFILL if chunk and not rows else KIND_DECODE

    def same(value: int, dtype: Any) -> Int:
        return np.full(count, value, dtype)

    return {
        "kind": same(kind, np.int8),
        "duration_ps": state.durations[start:stop],
        "tokens": same(rows * plan.replicas, np.int32),
        "context_tokens": (total // max(1, rows)).astype(np.int32),
        "stretch": same(state.number, np.int32),
        "offset": offsets.astype(np.int32),
        "batch": same(rows, np.int32),
        "prompt_tokens": same(chunk, np.int32),
        "queue": same(int(base[AT["queue"]]), np.int32),
        "kv_tokens": held,
    }


def causes_of(plan: ServingPlan, run: Run, start: int, stop: int) -> Causes:
    """Causes of steps of a run."""
    stretch = run.column("stretch", start, stop)
    offset = run.column("offset", start, stop).astype(np.int64)
    edges = np.flatnonzero(np.diff(stretch)) + 1
    vectors = run.attachments["stretch"]
    parts = [
        at(vectors[int(stretch[low])], offset[low:high])
        for low, high in zip([0, *edges.tolist()], [*edges.tolist(), len(stretch)], strict=True)
    ]
    return Causes(np.concatenate(parts), plan.side.classes)


def middles(plan: ServingPlan, run: Run) -> tuple[Causes, Int]:
    """Causes in the middle of every stretch there is, and its steps.

    Amounts are linear inside a stretch, so these times the steps are sums over the run (to the
    rounding of half a token). Swaps of a first step are left out.
    """
    stretch = run.column("stretch")
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    steps = np.diff(np.append(first, len(stretch)))
    vectors = run.attachments["stretch"]
    values = np.array(
        [
            vectors[index][0] + vectors[index][1] * ((count - 1) // 2)
            for index, count in enumerate(steps.tolist())
        ]
    )
    values[:, AT["idle_ps"]] += [vectors[index][2, AT["idle_ps"]] for index in range(len(steps))]
    return Causes(values, plan.side.classes), steps


def derive(plan: ServingPlan, run: Run, column: str, start: int, stop: int) -> Int:
    """A derived column of steps.

    Raises:
        KeyError: if there is no such column.
    """
    causes = causes_of(plan, run, start, stop)
    if column == "causes":
        return causes.values
    if column == "memory_bytes":
        return memory_bytes(plan, causes)
    if column == "lane_op_ps":
        return lane_times(plan, causes)
    name = {"lane_op_bytes": "amount_bytes", "lane_op_flops": "flops"}[column]
    return lane_amounts(plan, causes, name)


def lane_times(plan: ServingPlan, causes: Causes) -> Int:
    """Time by lane and op, waits included, (n, lanes, ops)."""
    times = make_times(plan, causes)
    return _all_layers(
        plan,
        row_times(plan.edge, edge_work(plan, causes, times)),
        row_times(plan.layer, layer_work(plan, causes, times)),
    )


def lane_amounts(plan: ServingPlan, causes: Causes, name: str) -> Int:
    """Bytes (`amount_bytes`) or operations (`flops`) by lane and op, (n, lanes, ops)."""
    times = make_times(plan, causes)
    edge, layer = edge_work(plan, causes, times), layer_work(plan, causes, times)
    return _all_layers(
        plan,
        row_amounts(plan.edge, getattr(edge, name)),
        row_amounts(plan.layer, getattr(layer, name)),
    )


def _all_layers(plan: ServingPlan, total: Int, one: Int) -> Int:
    """Adds all layers to what a step does once, in place.

    Layers differ only in which lane of the attention side has which part of the requests.
    """
    lanes = max(1, plan.side.lanes)
    if lanes == 1:
        total += plan.model.layers * one
        return total
    whole, rest = divmod(plan.model.layers, lanes)
    first = plan.lane_index("rankset0") if plan.side.kind == "dimm" else 0
    total[:, :first] += plan.model.layers * one[:, :first]
    total[:, first + lanes :] += plan.model.layers * one[:, first + lanes :]
    places = one[:, first : first + lanes]
    mine = total[:, first : first + lanes]
    mine += whole * places.sum(axis=1, keepdims=True)
    for turn in range(rest):
        mine += places[:, (np.arange(lanes) - turn) % lanes]
    return total


def cells(plan: ServingPlan, run: Run, start: int, stop: int) -> Cells:
    """What lanes did, in pieces of stretches of at most `_CELL` steps.

    Inside a stretch amounts grow evenly, so a cell takes the mean of its first and last step; its
    times are scaled to the time it really took.
    """
    shape = (0, len(plan.lanes), len(plan.ops))
    if stop <= start:
        return Cells(np.empty(0, np.int64), np.empty(shape), np.empty(shape[:2]))
    stretch = run.column("stretch", start, stop)
    offset = run.column("offset", start, stop).astype(np.int64)
    # The first step of a stretch stands alone, since only that one moves swapped requests.
    cut = (np.diff(stretch, prepend=-1) != 0) | (offset % _CELL == 0) | (offset == 1)
    first = np.flatnonzero(cut)
    last = np.append(first[1:], len(stretch)) - 1
    vectors = run.attachments["stretch"]
    own = np.array([vectors[index] for index in stretch[first].tolist()])
    ends = [own[:, 0] + own[:, 1] * offset[place][:, None] for place in (first, last)]
    for place, values in zip((first, last), ends, strict=True):
        begins = offset[place] == 0
        values[begins] += own[begins, 2]
    steps = (last - first + 1).astype(np.float64)
    both = Causes(np.concatenate(ends), plan.side.classes)
    count = len(first)
    times = lane_times(plan, both).astype(np.float64)
    amounts = lane_amounts(plan, both, "amount_bytes").sum(axis=-1).astype(np.float64)
    time = (times[:count] + times[count:]) / 2
    whole = np.add.reduceat(run.column("duration_ps", start, stop).astype(np.float64), first)
    said = time[:, 0].sum(axis=-1)  # of any lane: work and waits make up the step
    time *= (whole / np.maximum(said, 1.0))[:, None, None]
    amount = (amounts[:count] + amounts[count:]) / 2 * steps[:, None]
    return Cells(start + last + 1, time, amount)


def memory_bytes(plan: ServingPlan, causes: Causes) -> Int:
    """Use of every memory by kind at the end of steps, (n, devices, kinds)."""
    used = np.zeros((len(causes), len(plan.memory), len(MEMORY_KINDS)), np.int64)
    tables = shapes.table_bytes(plan.model)
    used[:, 0, 0] = layer_weights(plan.model)
    used[:, 0, 1] = tables
    used[:, 0, 3] = fixed_bytes(plan.scenario, plan.gpus) - layer_weights(plan.model) - tables
    used[:, plan.kv_device, 2] = causes.get("tokens_held") * kv_bytes(plan.model)
    return used


def segments(
    plan: ServingPlan, record: Mapping[str, Any]
) -> list[tuple[phases.Template, phases.Work, bool]]:
    """Templates and work of one step, and whether rows are layers, in order of time."""
    causes = Causes(np.asarray(record["causes"], np.int64)[None], plan.side.classes)
    times = make_times(plan, causes)
    turns = columns_of_layers(plan)
    columns = turns[np.arange(plan.model.layers) % len(turns)]
    one = layer_work(plan, causes, times)
    layers = phases.Work(
        one.time_ps[0][columns], one.amount_bytes[0][columns], one.flops[0][columns]
    )
    return [(plan.edge, edge_work(plan, causes, times), False), (plan.layer, layers, True)]
