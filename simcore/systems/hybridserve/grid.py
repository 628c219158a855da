"""The map of HybridServe: requests by token blocks, where each lies and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simcore.results.placement import FLAGS, ItemInfo, PlaceCategory, PlacementGrid, Section
from simcore.systems.hybridserve.block_map import KINDS, NONE, TITLES, BlockMap

if TYPE_CHECKING:
    from simcore.systems.hybridserve.machine import StreamPlan

PLACES = tuple(PlaceCategory(id, title) for id, title in zip(KINDS, TITLES, strict=True))


def placement(plan: StreamPlan, blocks: BlockMap, items_per_cell: int) -> PlacementGrid:
    """Every block of every request."""
    rows, columns = blocks.kind.shape
    wide = max(1, items_per_cell)
    cells = -(-columns // wide)
    padded = np.full((rows, cells * wide), 255, np.uint8)
    padded[:, :columns] = blocks.kind
    split = padded.reshape(rows, cells, wide)
    counts = np.stack([(split == place).sum(axis=2) for place in range(len(PLACES))])
    exact = wide == 1
    held = counts.sum(axis=0) - counts[NONE]  # blocks that are not there yet stay pale
    return PlacementGrid(
        row_title="request",
        column_title="block",
        rows=rows,
        columns=columns,
        items_per_cell=wide,
        sections=(Section("blocks", f"blocks of {blocks.tokens} tokens", 0, columns),),
        categories=PLACES,
        category=counts.argmax(axis=0).astype(np.uint8),
        active=(255 * held // np.maximum(1, counts.sum(axis=0))).astype(np.uint8),
        flags=np.zeros((rows, cells), np.uint8),
        counts=None if exact else counts.astype(np.uint16),
        flag_counts=None if exact else np.zeros((len(FLAGS), rows, cells), np.uint16),
    )


def item(plan: StreamPlan, blocks: BlockMap, row: int, column: int) -> ItemInfo:
    """What is known about one block."""
    rows, columns = blocks.kind.shape
    if not (0 <= row < rows and 0 <= column < columns):
        return ItemInfo("outside the map", (("requests", f"{rows}"), ("blocks", f"{columns}")))
    kind = int(blocks.kind[row, column])
    first = column * blocks.tokens
    facts = [("is", TITLES[kind]), ("tokens", f"{first} to {first + blocks.tokens - 1}")]
    if kind != NONE:
        facts.append(("number in its pool", f"{int(blocks.table.number[row, column])}"))
    return ItemInfo(f"request {row} · block {column}", tuple(facts))


_WEIGHTS = (PlaceCategory("gpu", "GPU"), PlaceCategory("host", "Host memory"))


def _parts(percent: int) -> NDArray[np.uint8]:
    """Place of each hundredth of a layer's weights."""
    return (np.arange(100) >= percent).astype(np.uint8)


def layers(plan: StreamPlan, percent: int, items_per_cell: int) -> PlacementGrid:
    """Weights of every layer in hundredths, for systems that share out weights."""
    wide = max(1, items_per_cell)
    cells = -(-100 // wide)
    padded = np.full(cells * wide, 255, np.uint8)
    padded[:100] = _parts(percent)
    split = padded.reshape(cells, wide)
    counts = np.stack([(split == place).sum(axis=1) for place in range(len(_WEIGHTS))])
    rows, exact = plan.model.layers, wide == 1
    shape = (rows, cells)
    return PlacementGrid(
        row_title="layer",
        column_title="hundredth",
        rows=rows,
        columns=100,
        items_per_cell=wide,
        sections=(Section("weights", "weights", 0, 100),),
        categories=_WEIGHTS,
        category=np.broadcast_to(counts.argmax(axis=0), shape).astype(np.uint8),
        active=np.full(shape, 255, np.uint8),
        flags=np.zeros(shape, np.uint8),
        counts=None
        if exact
        else np.broadcast_to(counts[:, None], (len(_WEIGHTS), *shape)).astype(np.uint16),
        flag_counts=None if exact else np.zeros((len(FLAGS), *shape), np.uint16),
    )


def layer_item(plan: StreamPlan, percent: int, row: int, column: int) -> ItemInfo:
    """What is known about a hundredth of a layer."""
    if not (0 <= row < plan.model.layers and 0 <= column < 100):
        return ItemInfo("outside the map", (("layers", f"{plan.model.layers}"),))
    place = _WEIGHTS[int(_parts(percent)[column])].title
    facts = (("place", place), ("weights of a layer", f"{plan.costs.layer_bytes:,} B"))
    return ItemInfo(f"layer {row} · weights, part {column}", facts)
