"""The map of H2M2: the heads of every sublayer, in HBM or in LPDDR.

Rows are layers, which are all mapped alike; the sections are the sublayers, and a column is a head
or, in FC, as many columns of the weights as make one part. What changed sides before the step is
marked as moving.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.results.placement import (
    FLAG_MOVING,
    FLAGS,
    ItemInfo,
    PlaceCategory,
    PlacementGrid,
    Section,
)
from simcore.results.run import Run
from simcore.systems.h2m2.eight_hbm import DEVICES, deal
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import (
    ATTENTION,
    HBM,
    LPDDR,
    PLACES,
    SUBLAYER_TITLES,
    SUBLAYERS,
    H2M2Plan,
)
from simcore.systems.h2m2.memory import tensors

Int = NDArray[np.int64]


def sections(plan: H2M2Plan) -> tuple[Section, ...]:
    """The sublayers, as many columns as there are heads in each."""
    n = plan.units
    return tuple(
        Section(id, title, at * n, (at + 1) * n)
        for at, (id, title) in enumerate(zip(SUBLAYERS, SUBLAYER_TITLES, strict=True))
    )


def categories(plan: H2M2Plan) -> tuple[PlaceCategory, ...]:
    """The memories."""
    machine = plan.policy.machine
    if machine == "eight_hbm":
        return tuple(PlaceCategory(f"hbm{j}", f"HBM {j}") for j in range(DEVICES))
    return PLACES if machine == "asymmetric" else PLACES[1:]


def _row(plan: H2M2Plan, mapping: Int) -> Int:
    """Place of every column, (columns,)."""
    n = plan.units
    if plan.policy.machine == "eight_hbm":
        return np.tile(np.repeat(np.arange(DEVICES), deal(n)), len(SUBLAYERS))
    if not plan.split:
        return np.zeros(len(SUBLAYERS) * n, np.int64)
    return (np.arange(n)[None, :] >= mapping[:, None]).astype(np.int64).reshape(-1)


def placement(plan: H2M2Plan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
    """Where every head of every sublayer lies, and which ones just changed sides."""
    now = _row(plan, run.value("mapping", index))
    before = _row(plan, run.value("mapping", index - 1)) if index else now
    moved = (now != before) & bool(run.value("moved_pages", index).any())
    columns, wide = len(now), max(1, items_per_cell)
    cells = -(-columns // wide)
    places = categories(plan)
    padded = np.full(cells * wide, -1, np.int64)
    padded[:columns] = now
    blocks = padded.reshape(cells, wide)
    counts = np.stack([(blocks == place).sum(axis=1) for place in range(len(places))])
    moving = np.zeros(cells * wide, np.int64)
    moving[:columns] = moved
    marked = moving.reshape(cells, wide).sum(axis=1)
    rows = plan.model.layers
    shape = (rows, cells)

    def all_rows(values: Int, kind: type[Any]) -> NDArray[Any]:
        return np.broadcast_to(values[..., None, :], (*values.shape[:-1], *shape)).astype(kind)

    exact = wide == 1
    flags = np.zeros((len(FLAGS), cells), np.int64)
    flags[FLAGS.index(FLAG_MOVING)] = marked
    return PlacementGrid(
        row_title="layer",
        column_title="head",
        rows=rows,
        columns=columns,
        items_per_cell=wide,
        sections=sections(plan),
        categories=places,
        category=all_rows(counts.argmax(axis=0), np.uint8),
        active=np.full(shape, 255, np.uint8),
        flags=all_rows(np.where(marked > 0, FLAG_MOVING, 0), np.uint8),
        counts=None if exact else all_rows(counts, np.uint16),
        flag_counts=None if exact else all_rows(flags, np.uint16),
    )


def item(plan: H2M2Plan, kernels: Kernels, run: Run, index: int, row: int, column: int) -> ItemInfo:
    """What is known about one head of a sublayer."""
    if not (0 <= row < plan.model.layers and 0 <= column < len(SUBLAYERS) * plan.units):
        return ItemInfo("outside the map", ())
    sublayer, head = divmod(column, plan.units)
    mapping = run.value("mapping", index)
    place = categories(plan)[int(_row(plan, mapping)[column])].title
    tokens = int(run.value("kv_tokens", index))
    what = "head" if sublayer < 2 else "part"
    title = f"layer {row} · {SUBLAYER_TITLES[sublayer]} · {what} {head}"
    facts = [("place", place)]
    if plan.split:
        n = int(mapping[sublayer])
        before = int(run.value("mapping", index - 1)[sublayer]) if index else n
        size = [
            sum(int(s) for s in tensors(kernels, sublayer, n, side, tokens))
            for side in (HBM, LPDDR)
        ]
        kind = "keys and values" if sublayer == ATTENTION else "weights"
        facts += [
            ("on the HBM side", f"{n} of {plan.units}"),
            (f"{kind} in HBM, this layer", f"{size[HBM]:,} B"),
            (f"{kind} in LPDDR, this layer", f"{size[LPDDR]:,} B"),
        ]
        if min(n, before) <= head < max(n, before) and run.value("moved_pages", index).any():
            facts.append(("moving", f"to {'HBM' if n > before else 'LPDDR'} before this step"))
    return ItemInfo(title, tuple(facts))
