"""The map of a tensor-parallel model: which GPU has which heads and neurons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simcore.results.placement import FLAGS, ItemInfo, PlaceCategory, PlacementGrid, Section
from simcore.systems.tensor_parallel.machine import Int, TensorParallelPlan


def widths(plan: TensorParallelPlan) -> Int:
    """Columns of each section on each GPU, (sections, GPUs)."""
    shares, wide = plan.shares, plan.model.head_dim
    return np.stack(
        [(shares.queries + 2 * shares.kv) * wide, shares.queries * wide, shares.neurons]
    )


def sections(plan: TensorParallelPlan) -> tuple[Section, ...]:
    """Outputs of QKV, inputs of the projection, neurons of the MLP."""
    stops = np.cumsum(widths(plan).sum(axis=1)).tolist()
    names = (("qkv", "QKV"), ("projection", "projection inputs"), ("mlp", "MLP neurons"))
    return tuple(
        Section(*name, start, stop)
        for name, start, stop in zip(names, [0, *stops[:-1]], stops, strict=True)
    )


def _edges(plan: TensorParallelPlan) -> Int:
    """Start and end of the GPUs' parts, (sections * GPUs + 1,)."""
    return np.concatenate([[0], np.cumsum(widths(plan).reshape(-1))])


def placement(plan: TensorParallelPlan, items_per_cell: int) -> PlacementGrid:
    """The GPU of every column; all layers are alike and nothing moves."""
    edges, wide = _edges(plan), max(1, items_per_cell)
    columns = int(edges[-1])
    start = np.arange(0, columns, wide)
    stop = np.minimum(start + wide, columns)
    counts = np.zeros((plan.count, len(start)), np.int64)
    for part, (low, high) in enumerate(pairwise(edges.tolist())):
        inside = np.maximum(0, np.minimum(stop, high) - np.maximum(start, low))
        counts[part % plan.count] += inside
    shape = (plan.model.layers, len(start))
    every = np.broadcast_to(counts[:, None], (plan.count, *shape)).astype(np.uint16)
    exact = wide == 1
    return PlacementGrid(
        row_title="layer",
        column_title="column",
        rows=plan.model.layers,
        columns=columns,
        items_per_cell=wide,
        sections=sections(plan),
        categories=tuple(PlaceCategory(f"gpu{j}", f"GPU {j}") for j in range(plan.count)),
        category=np.broadcast_to(counts.argmax(axis=0).astype(np.uint8), shape).copy(),
        active=np.full(shape, 255, np.uint8),
        flags=np.zeros(shape, np.uint8),
        counts=None if exact else every,
        flag_counts=None if exact else np.zeros((len(FLAGS), *shape), np.uint16),
    )


def item(plan: TensorParallelPlan, row: int, column: int) -> ItemInfo:
    """What is known about one column of a layer."""
    edges = _edges(plan)
    if not (0 <= row < plan.model.layers and 0 <= column < edges[-1]):
        return ItemInfo("outside the map", ())
    part = int(np.searchsorted(edges, column, side="right")) - 1
    section, gpu = sections(plan)[part // plan.count], part % plan.count
    shares = plan.shares
    facts = (
        ("place", f"GPU {gpu} of {plan.count}"),
        ("query heads there", f"{int(shares.queries[gpu])} of {plan.model.heads}"),
        ("key/value heads there", f"{int(shares.kv[gpu])} of {plan.model.kv_heads}"),
        ("MLP neurons there", f"{int(shares.neurons[gpu]):,} of {plan.model.ffn:,}"),
    )
    return ItemInfo(f"layer {row} · {section.title} · {column - section.start}", facts)
