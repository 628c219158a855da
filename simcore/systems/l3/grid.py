"""The map: load of every rank in every layer, and where each request's KV is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.results.placement import FLAGS, ItemInfo, PlaceCategory, PlacementGrid, Section
from simcore.results.run import Run
from simcore.systems.l3.history import states_at
from simcore.systems.l3.machine import ServingPlan, kv_bytes
from simcore.systems.l3.steps import causes_of
from simcore.workload.batching import DONE, PAUSED, PREFILL, RUNNING, STATES, SWAPPED, WAITING

Int = NDArray[np.int64]

PLACES = (
    PlaceCategory("half0", "sub-batch 0"),
    PlaceCategory("half1", "sub-batch 1"),
    PlaceCategory("paused", "in memory, not in the batch"),
    PlaceCategory("elsewhere", "not on this rank"),
    PlaceCategory("waiting", "waiting"),
    PlaceCategory("swapped", "moved out"),
    PlaceCategory("finished", "finished"),
)
_HALF0, _PAUSED, _ELSEWHERE, _WAITING, _SWAPPED, _FINISHED = 0, 2, 3, 4, 5, 6
_OUTSIDE = {WAITING: _WAITING, SWAPPED: _SWAPPED, DONE: _FINISHED}


def shape(plan: ServingPlan) -> tuple[int, int]:
    """Ranks of each lane, and lanes (one where attention has none of its own)."""
    return len(plan.side.rank_of), max(1, plan.side.lanes)


def row_title(plan: ServingPlan) -> str:
    """What a row is."""
    return {"gpu": "GPU", "dimm": "rank", "cpu": "memory channel"}.get(plan.side.kind, "stack")


def sections(plan: ServingPlan) -> tuple[Section, ...]:
    """Layers, then requests."""
    layers, count = plan.model.layers, len(plan.requests)
    return (
        Section("layers", "load by layer", 0, layers),
        Section("requests", "requests (KV of layer 0)", layers, layers + count),
    )


def loads(plan: ServingPlan, run: Run, index: int) -> Int:
    """Tokens times slots of each rank in layer 0 by sub-batch, (2, lanes, ranks)."""
    causes = causes_of(plan, run, index, index + 1)
    lanes, side = max(1, plan.side.lanes), plan.side
    by_place = causes.loads()[0].reshape(2, lanes, side.offsets)
    ranks: Int = (by_place @ side.slots)[:, :, side.rank_of]
    return ranks


def exact(plan: ServingPlan, run: Run, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Category and intensity of every cell."""
    ranks, lanes = shape(plan)
    layers, count = plan.model.layers, len(plan.requests)
    rows = ranks * lanes
    category = np.full((rows, layers + count), _ELSEWHERE, np.uint8)
    active = np.zeros((rows, layers + count), np.uint8)
    halves = loads(plan, run, index)
    total = halves.sum(axis=0)
    lead = np.where(total > 0, halves.argmax(axis=0) + _HALF0, _ELSEWHERE)
    scale = 255 / max(1, int(total.max()))
    turn = (np.arange(lanes)[:, None] - np.arange(layers)) % lanes
    category[:, :layers] = lead[turn].swapaxes(1, 2).reshape(rows, layers)
    busy = (total * scale).astype(np.uint8)
    active[:, :layers] = busy[turn].swapaxes(1, 2).reshape(rows, layers)
    state = states_at(plan, run, index)
    for kind, place in _OUTSIDE.items():
        category[:, layers + np.flatnonzero(state == kind)] = place
    who, context, half, place, _ = run.attachments["members"][
        int(run.value("stretch", index))
    ].astype(np.int64)
    if len(who):
        offset = int(run.value("offset", index))
        context = context + np.where((state[who] == RUNNING), offset, 0)
        lane, start = place // plan.side.offsets, place % plan.side.offsets
        here = plan.side.slots[start][:, plan.side.rank_of] > 0  # (members, ranks)
        mine = (np.arange(lanes)[:, None, None] == lane) & here.T[None]
        mine = mine.reshape(rows, len(who))
        columns = layers + who
        category[:, columns] = np.where(mine, half, _ELSEWHERE)
        most = max(1, int((plan.requests.prompt + plan.requests.output).max()))
        active[:, columns] = np.where(mine, np.maximum(1, context * 255 // most), 0)
    return category, active


def placement(plan: ServingPlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
    """The map at a step; coarse cells take the most frequent category and the mean intensity."""
    wide = max(1, items_per_cell)
    category, active = exact(plan, run, index)
    rows, columns = category.shape
    counts = flags = None
    if wide > 1:
        cells = -(-columns // wide)
        padded = np.full((rows, cells * wide), len(PLACES), np.uint8)
        padded[:, :columns] = category
        blocks = padded.reshape(rows, cells, wide)
        counts = np.stack([(blocks == place).sum(axis=2) for place in range(len(PLACES))]).astype(
            np.uint16
        )
        category = counts.argmax(axis=0).astype(np.uint8)
        strength = np.zeros((rows, cells * wide), np.int64)
        strength[:, :columns] = active
        items = np.maximum(1, counts.sum(axis=0))
        active = (strength.reshape(rows, cells, wide).sum(axis=2) // items).astype(np.uint8)
        flags = np.zeros((len(FLAGS), rows, cells), np.uint16)
    return PlacementGrid(
        row_title=row_title(plan),
        column_title="layer or request",
        rows=rows,
        columns=columns,
        items_per_cell=wide,
        sections=sections(plan),
        categories=PLACES,
        category=category,
        active=active,
        flags=np.zeros_like(category),
        counts=counts,
        flag_counts=flags,
    )


def item(plan: ServingPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
    """What is known about a rank in a layer, or about a request."""
    ranks, lanes = shape(plan)
    layers, count = plan.model.layers, len(plan.requests)
    if not (0 <= row < ranks * lanes and 0 <= column < layers + count):
        return ItemInfo("outside the map", ())
    lane, rank = divmod(row, ranks)
    where = f"{row_title(plan)} {rank}" + (f" of rankset {lane}" if lanes > 1 else "")
    if column < layers:
        both = loads(plan, run, index)[:, (lane - column) % lanes, rank]
        every = loads(plan, run, index).sum(axis=0)
        about = (
            ("sub-batch 0", f"{int(both[0]):,} tokens of a head group"),
            ("sub-batch 1", f"{int(both[1]):,} tokens of a head group"),
            ("against the mean", f"{both.sum() / max(1.0, float(every.mean())):.2f}"),
        )
        return ItemInfo(f"{where} · layer {column}", about)
    request = column - layers
    state = int(states_at(plan, run, index)[request])
    wanted = plan.requests
    facts = [
        ("state", STATES[state]),
        ("prompt", f"{int(wanted.prompt[request]):,} tokens"),
        ("output", f"{int(wanted.output[request]):,} tokens"),
    ]
    if state in (RUNNING, PREFILL, PAUSED):
        table = run.attachments["members"][int(run.value("stretch", index))]
        at = int(np.flatnonzero(table[0] == request)[0])
        context = int(table[1, at])
        if state == RUNNING:
            context += int(run.value("offset", index)) + 1
        facts += [
            ("context", f"{context:,} tokens"),
            ("KV in all layers", f"{context * kv_bytes(plan.model):,} B"),
        ]
        if plan.side.kind == "dimm":
            place = int(table[3, at])
            facts.append(("layer 0 on", f"rankset {place // plan.side.offsets}"))
    return ItemInfo(f"request {request} · {where}", tuple(facts))
