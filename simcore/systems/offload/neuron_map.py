"""The neuron map of Deja Vu: what stays on the GPU, what fires, what is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import WORD, Plane, unpack
from simcore.results.placement import (
    FLAG_MOVING,
    FLAGS,
    NO_CELL,
    ItemInfo,
    PlacementGrid,
    Section,
)
from simcore.results.run import Run
from simcore.systems.offload.machine import PLACES

if TYPE_CHECKING:
    from simcore.systems.offload.dejavu import DejaVuPlan

_BYTE = 8


def _cells(plane: Plane, wide: int) -> NDArray[np.int64]:
    """Set bits of each cell, (layers, cells)."""
    if wide == 1:
        return unpack(plane).astype(np.int64)
    bits = np.bitwise_count(np.ascontiguousarray(plane).view(np.uint8))
    edges = np.arange(0, bits.shape[1], wide // _BYTE)
    return np.add.reduceat(bits, edges, axis=1, dtype=np.int64)


def placement(plan: DejaVuPlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
    """Place and activity of neurons at a step; widths are 1 or rounded down to a multiple of 8."""
    if not plan.items:
        raise ValueError("the run was made without single neurons")
    wide = 1 if items_per_cell < _BYTE else items_per_cell // _BYTE * _BYTE
    active: Plane = run.value("active_bits", index)
    valid = np.broadcast_to(plan.space.valid(), plan.space.shape)
    items = _cells(valid, wide)
    on_gpu = _cells(plan.kept, wide)
    away = items - on_gpu
    category = (away > on_gpu).astype(np.uint8)
    category[items == 0] = NO_CELL
    fetched = _cells(active & ~plan.kept, wide)
    share = _cells(active, wide) * 255 // np.maximum(items, 1)
    exact = wide == 1
    marked = np.zeros((len(FLAGS), *items.shape), np.uint16)
    marked[FLAGS.index(FLAG_MOVING)] = fetched
    return PlacementGrid(
        row_title="layer",
        column_title="neuron",
        rows=plan.space.layers,
        columns=plan.space.columns,
        items_per_cell=wide,
        sections=tuple(
            Section(b.id, b.title, b.first_column, b.first_column + b.neurons)
            for b in plan.space.blocks
        ),
        categories=PLACES,
        category=category,
        active=share.astype(np.uint8),
        flags=np.where(fetched > 0, np.uint8(FLAG_MOVING), np.uint8(0)),
        counts=None if exact else np.stack([on_gpu, away]).astype(np.uint16),
        flag_counts=None if exact else marked,
    )


def _bit(plane: Plane, row: int, column: int) -> bool:
    return bool((int(plane[row, column // WORD]) >> (column % WORD)) & 1)


def item(plan: DejaVuPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
    """What is known about one neuron at a step."""
    if not (0 <= row < plan.space.layers and 0 <= column < plan.space.columns):
        return ItemInfo("outside the map", ())
    block = plan.space.block_of(column)
    neuron = column - block.first_column
    if neuron >= block.neurons:
        return ItemInfo("padding", ())
    kept = _bit(plan.kept, row, column)
    active = _bit(run.value("active_bits", index), row, column)
    now = "silent"
    if active:
        now = "fires" if kept else "fires, brought over PCIe"
    fired = sum(_bit(run.value("active_bits", step), row, column) for step in range(1, index + 1))
    facts = (
        ("place", "stays on the GPU" if kept else "host memory"),
        ("this token", now if index else "prefill: every neuron is computed"),
        ("fired so far", f"{fired} of {index} tokens"),
        ("weights", f"{block.neuron_bytes:,} B"),
    )
    return ItemInfo(f"layer {row} · {block.title} · neuron {neuron}", facts)
