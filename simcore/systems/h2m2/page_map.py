"""What the pages of both memories hold at a step: a row for each layer, sublayer and memory.

Tensors of a layer lie side by side in logical order, layer by layer; the rest is free. Physical
order changes nothing in the model, so this is the order of the page tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import ATTENTION, FC, HBM, LPDDR, QKV, H2M2Plan
from simcore.systems.h2m2.memory import activation_bytes, activation_pages, pages, tensors

Int = NDArray[np.int64]

OWNERS = ("QKV weights", "keys and values", "FC weights", "activations", "free")
ACTIVATIONS, FREE = 3, 4
_ORDER = (QKV, ATTENTION, FC)


@dataclass(frozen=True, slots=True)
class PageMap:
    """Runs of pages in the order of their addresses, HBM first.

    Attributes:
        side: 0 HBM, 1 LPDDR, (n,).
        layer: layer they belong to, -1 for none, (n,).
        owner: index into `OWNERS`, (n,).
        pages: how many, (n,).
        used_bytes: bytes of them that hold something, (n,).
        reads: times each page is read in an iteration, (n,).
        moved: pages of them that came from the other memory before this step, (n,).
        page_bytes: size of a page.
    """

    side: Int
    layer: Int
    owner: Int
    pages: Int
    used_bytes: Int
    reads: Int
    moved: Int
    page_bytes: int
    owners: tuple[str, ...] = OWNERS


def page_map(
    plan: H2M2Plan, record: Mapping[str, Any], before: Mapping[str, Any] | None
) -> PageMap:
    """Pages at a step.

    Args:
        plan: of the run; only for the machine with two paged memories.
        record: of the step.
        before: record of the step before, None for the first one; tells what has moved.
    """
    kernels = Kernels(plan)
    now = np.asarray(record["mapping"], np.int64)
    old = now if before is None else np.asarray(before["mapping"], np.int64)
    tokens = int(record["kv_tokens"])
    layers, page = plan.model.layers, plan.page_bytes
    rows: list[tuple[int, int, int, int, int, int, int]] = []
    for side in (HBM, LPDDR):
        one: list[tuple[int, int, int, int, int]] = []
        for owner, sublayer in enumerate(_ORDER):
            sizes = tensors(kernels, sublayer, now[sublayer], side, tokens)
            past = tensors(kernels, sublayer, old[sublayer], side, tokens)
            count = sum(int(pages(size, page)) for size in sizes)
            came = sum(
                int(pages(max(0, int(size) - int(was)), page))
                for size, was in zip(sizes, past, strict=True)
            )
            # Of experts at most once: nobody knows beforehand which ones are needed.
            reads = kernels.reads_per_kv_head if sublayer == ATTENTION else 1
            one.append((owner, count, sum(map(int, sizes)), reads, came))
        rows += [
            (side, layer, owner, count, used, reads, came)
            for layer in range(layers)
            for owner, count, used, reads, came in one
            if count
        ]
        kept = activation_pages(plan)
        rows.append((side, -1, ACTIVATIONS, kept, activation_bytes(plan), layers, 0))
        taken = kept + layers * sum(count for _, count, _, _, _ in one)
        rows.append((side, -1, FREE, plan.capacity[side] // page - taken, 0, 0, 0))
    side_of, layer_of, owner_of, count_of, used_of, reads_of, came_of = np.array(rows, np.int64).T
    return PageMap(side_of, layer_of, owner_of, count_of, used_of, reads_of, came_of, page)
