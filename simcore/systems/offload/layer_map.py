"""The map of a dense model: outputs of every FC block, on the GPU or passing through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.model import shapes
from simcore.results.placement import (
    FLAG_MOVING,
    FLAGS,
    ItemInfo,
    PlacementGrid,
    Section,
)
from simcore.systems.offload.machine import BLOCKS, PLACES, OffloadPlan

Int = NDArray[np.int64]

_TITLES = ("QKV", "projection", "MLP")


def sections(plan: OffloadPlan) -> tuple[Section, ...]:
    """Columns of the map: the outputs of each block."""
    model = plan.model
    stops = np.cumsum([shapes.qkv_width(model), model.hidden, model.ffn]).tolist()
    starts = [0, *stops[:-1]]
    return tuple(Section(*values) for values in zip(BLOCKS, _TITLES, starts, stops, strict=True))


def resident_outputs(plan: OffloadPlan) -> Int:
    """Outputs of each block that are on the GPU, first ones first; (layers, blocks)."""
    widths = np.array([s.stop - s.start for s in sections(plan)], np.int64)
    return widths * plan.resident // plan.sizes


def _overlap(start: Int, stop: Int, low: Int | int, high: Int | int) -> Int:
    """Columns of each cell inside [low, high)."""
    return np.maximum(0, np.minimum(stop, high) - np.maximum(start, low))


def placement(plan: OffloadPlan, items_per_cell: int) -> PlacementGrid:
    """Where every output's weights lie; what is not on the GPU passes through it in every step."""
    parts = sections(plan)
    columns, wide = parts[-1].stop, max(1, items_per_cell)
    start = np.arange(0, columns, wide)[None, :]
    stop = np.minimum(start + wide, columns)
    on_gpu = np.zeros((plan.model.layers, start.shape[1]), np.int64)
    for block, section in enumerate(parts):
        last = section.start + resident_outputs(plan)[:, block, None]
        on_gpu += _overlap(start, stop, section.start, last)
    away = (stop - start) - on_gpu
    moving = np.where(away > 0, np.uint8(FLAG_MOVING), np.uint8(0))
    exact = wide == 1
    marked = np.zeros((len(FLAGS), *away.shape), np.uint16)
    marked[FLAGS.index(FLAG_MOVING)] = away
    return PlacementGrid(
        row_title="layer",
        column_title="output",
        rows=plan.model.layers,
        columns=columns,
        items_per_cell=wide,
        sections=parts,
        categories=PLACES,
        category=(away > on_gpu).astype(np.uint8),
        active=np.full(away.shape, 255, np.uint8),
        flags=moving,
        counts=None if exact else np.stack([on_gpu, away]).astype(np.uint16),
        flag_counts=None if exact else marked,
    )


def item(plan: OffloadPlan, row: int, column: int) -> ItemInfo:
    """What is known about one output of a block."""
    for block, section in enumerate(sections(plan)):
        if section.start <= column < section.stop and 0 <= row < plan.model.layers:
            output = column - section.start
            here = output < resident_outputs(plan)[row, block]
            size = int(plan.sizes[block])
            facts = (
                ("place", "stays on the GPU" if here else "host memory, copied in every step"),
                ("weights of the block", f"{size:,} B"),
                ("of these on the GPU", f"{int(plan.resident[row, block]):,} B"),
            )
            return ItemInfo(f"layer {row} · {section.title} · output {output}", facts)
    return ItemInfo("outside the map", ())
