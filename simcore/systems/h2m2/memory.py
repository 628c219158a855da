"""Pages of the two memories: footprints, page table, translation misses, fragmentation, moves.

A tensor of a layer and a side is contiguous in logical addresses and takes whole pages; which
physical pages these are changes nothing, so the free-space manager is a count for each memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.errors import CapacityError
from simcore.scenario.schema import Mmu
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import (
    ATTENTION,
    FC,
    HBM,
    LPDDR,
    MEMORY_KINDS,
    QKV,
    SUBLAYERS,
    H2M2Plan,
)
from simcore.units import KiB

Int = NDArray[np.int64]

EVICTION_ORDER = (FC, QKV, ATTENTION)
"""Sublayers in the order in which growing sequences push them out of HBM (H2M2, migration)."""

GROWTH = f"H2M2 needs {', '.join(SUBLAYERS)} of every layer in the two memories together"


def page_table_entries(mmu: Mmu) -> int:
    """Entries of the flat table of one side: one for every page of the logical space."""
    return int(mmu.logical_TiB * 2**40) // (mmu.page_KiB * KiB)


def page_table_bytes(mmu: Mmu) -> int:
    """Size of the flat table of one side."""
    return page_table_entries(mmu) * mmu.entry_bytes


def pages(size: ArrayLike, page_bytes: int) -> Int:
    """Pages a tensor of that size takes."""
    count: Int = -(-np.asarray(size, np.int64) // page_bytes)
    return count


def remainder(size: ArrayLike, page_bytes: int) -> Int:
    """Bytes of the last, partly used page (Eq. 2 of the paper: tensor size mod page size)."""
    rest: Int = np.asarray(size, np.int64) % page_bytes
    return rest


def tensors(
    kernels: Kernels, sublayer: int, n: ArrayLike, side: int, tokens: ArrayLike
) -> list[Int]:
    """Sizes of the tensors of one layer of a sublayer on a side."""
    if sublayer == ATTENTION:
        half = kernels.kv_bytes(n, side, tokens) // 2
        return [half, half]
    sizes = []
    for kernel in kernels.of(sublayer):
        whole = kernels.weight_bytes(kernel, n, side)
        parts = kernels.model.ffn_matrices - 1 if kernel.id == "up" else 1
        parts *= kernels.stored(kernel)
        sizes += [whole // parts] * parts  # gate and up are two matrices
    return sizes


def footprint_pages(
    kernels: Kernels, sublayer: int, n: ArrayLike, side: int, tokens: ArrayLike
) -> Int:
    """Pages of a sublayer on a side, all layers together."""
    page = kernels.plan.page_bytes
    total = np.zeros((), np.int64)
    for size in tensors(kernels, sublayer, n, side, tokens):
        total = total + pages(size, page)
    return np.asarray(total * kernels.model.layers)


def activation_bytes(plan: H2M2Plan) -> int:
    """Activations of one layer, which both memories keep room for: input, QKV, FFN, output."""
    picked = plan.model.experts_per_token
    outputs = sum(k.outputs * (picked if k.id == "up" else 1) for k in plan.kernels)
    width = 2 * plan.model.hidden + outputs
    return plan.batch * width * plan.model.bytes_per_kv


def activation_pages(plan: H2M2Plan) -> int:
    """Pages kept for activations in each memory."""
    return int(pages(activation_bytes(plan), plan.page_bytes))


def free_pages(plan: H2M2Plan) -> tuple[int, int]:
    """Pages of HBM and of LPDDR that weights, keys and values can have."""
    kept = activation_pages(plan)
    hbm, lpddr = (size // plan.page_bytes - kept for size in plan.capacity)
    return hbm, lpddr


@dataclass(frozen=True, slots=True)
class Footprints:
    """Pages of every sublayer for every n, and what is free.

    Attributes:
        hbm, lpddr: by sublayer: (N + 1,), or (steps, N + 1) for attention.
        free_hbm, free_lpddr: pages there are.
    """

    hbm: tuple[Int, Int, Int]
    lpddr: tuple[Int, Int, Int]
    free_hbm: int
    free_lpddr: int


def footprints(kernels: Kernels, tokens: Int) -> Footprints:
    """Footprints of all mappings.

    Args:
        kernels: of the plan.
        tokens: tokens of all sequences together, (steps,).
    """
    sides = []
    for side in (HBM, LPDDR):
        fixed = [footprint_pages(kernels, s, kernels.every, side, 0) for s in (QKV, FC)]
        grows = footprint_pages(kernels, ATTENTION, kernels.every, side, tokens[:, None])
        sides.append((fixed[0], grows, fixed[1]))
    free = free_pages(kernels.plan)
    return Footprints(sides[0], sides[1], free[0], free[1])


def used_bytes(kernels: Kernels, mapping: Int, tokens: Int) -> Int:
    """Bytes in use by side and kind, (steps, 2, kinds); `mapping` is (steps, sublayers)."""
    plan = kernels.plan
    page, layers = plan.page_bytes, plan.model.layers
    used = np.zeros((len(mapping), 2, len(MEMORY_KINDS)), np.int64)
    for side in (HBM, LPDDR):
        rest = np.zeros(len(mapping), np.int64)
        for sublayer, kind in ((QKV, 0), (FC, 1), (ATTENTION, 2)):
            for size in tensors(kernels, sublayer, mapping[:, sublayer], side, tokens):
                used[:, side, kind] += size * layers
                rest += (pages(size, page) * page - size) * layers
        used[:, side, 3] = activation_bytes(plan)
        used[:, side, 4] = rest + activation_pages(plan) * page - activation_bytes(plan)
    return used


def tlb_misses(kernels: Kernels, mapping: Int, tokens: Int) -> Int:
    """Page walks of one layer, (steps, kernels, 2).

    A chip goes through all its pages once an iteration, far more than it has translations for, so
    each page of a kernel misses once; it misses again for every further reading of keys and values
    if these do not fit the TLB. Nothing misses on a side whose pages all fit.
    """
    plan = kernels.plan
    out = np.zeros((len(mapping), len(plan.kernels), 2), np.int64)
    if not plan.paged:
        return out
    page, entries = plan.page_bytes, plan.parts.mmu.tlb_entries
    for side in (HBM, LPDDR):
        for at, kernel in enumerate(plan.kernels):
            n = mapping[:, kernel.sublayer]
            if kernel.is_attention:
                half = kernels.kv_bytes(n, side, tokens) // 2
                mine = 2 * pages(half, page)
                again = kernels.reads_per_kv_head - 1
                out[:, at, side] = mine + again * mine * (mine > entries)
            else:
                # Of experts, those that are read.
                out[:, at, side] = pages(kernels.traffic(kernel, n, side, tokens), page)
        whole = out[:, :, side].sum(axis=1) * plan.model.layers
        out[:, :, side] *= (whole > entries)[:, None]
    return out


@dataclass(frozen=True, slots=True)
class Moves:
    """What changes sides before an iteration, each (steps, sublayers), all layers together.

    Attributes:
        out_bytes, in_bytes: from HBM to LPDDR, and back.
        out_pages, in_pages: the same in pages.
    """

    out_bytes: Int
    in_bytes: Int
    out_pages: Int
    in_pages: Int


def moves(kernels: Kernels, before: Int, after: Int, tokens: Int) -> Moves:
    """What moves when heads are shared out anew.

    Args:
        kernels: of the plan.
        before, after: units on the HBM side, (steps, sublayers).
        tokens: tokens held before the iteration, (steps,).
    """
    shape = before.shape
    out = [np.zeros(shape, np.int64) for _ in range(4)]
    if kernels.plan.paged:
        layers, page = kernels.model.layers, kernels.plan.page_bytes
        for sublayer in range(len(SUBLAYERS)):
            old = tensors(kernels, sublayer, before[:, sublayer], HBM, tokens)
            new = tensors(kernels, sublayer, after[:, sublayer], HBM, tokens)
            for was, now in zip(old, new, strict=True):
                gone, come = np.maximum(0, was - now), np.maximum(0, now - was)
                for at, amount in ((0, gone), (1, come)):
                    out[at][:, sublayer] += amount * layers
                    out[at + 2][:, sublayer] += pages(amount, page) * layers
    return Moves(out[0], out[1], out[2], out[3])


def fragmentation_bytes(kernels: Kernels, mapping: Int, tokens: Int) -> Int:
    """Eq. 2 for the tensors in HBM: size mod page size, over all layers; (steps,)."""
    total = np.zeros(len(mapping), np.int64)
    for sublayer in range(len(SUBLAYERS)):
        for size in tensors(kernels, sublayer, mapping[:, sublayer], HBM, tokens):
            total += remainder(size, kernels.plan.parts.mmu.page_KiB * KiB)
    return total * kernels.model.layers


def needed_bytes(kernels: Kernels, tokens: int) -> int:
    """Weights of the decoder layers and all keys and values."""
    weights = sum(int(kernels.weight_bytes(k, kernels.units, HBM)) for k in kernels.plan.kernels)
    kv = int(kernels.kv_bytes(kernels.units, HBM, tokens))
    return kernels.model.layers * (weights + kv)


def check_capacity(kernels: Kernels) -> None:
    """Check that the longest sequences of the run fit.

    Raises:
        CapacityError: naming what is missing.
    """
    plan = kernels.plan
    tokens = int(plan.lengths.tokens.max())
    needed = needed_bytes(kernels, tokens) + activation_bytes(plan)
    kv = int(kernels.kv_bytes(plan.units, HBM, tokens)) * plan.model.layers
    hbm, lpddr = plan.capacity
    what = {
        "asymmetric": ("HBM and LPDDR together", hbm + lpddr, "hbm.capacity_GB or hardware.lpddr"),
        "lpddr_only": (plan.parts.lpddr.title, lpddr, "lpddr"),
        "hierarchical": (plan.parts.lpddr.title, lpddr, "lpddr"),
        "eight_hbm": (f"8 x {plan.parts.hbm.title}", 8 * hbm, "hbm"),
    }[plan.policy.machine]
    if needed > what[1]:
        raise CapacityError(
            what[0],
            needed,
            what[1],
            f"weights take {(needed - kv) / 1e9:.1f} GB, keys and values of {tokens:,} tokens "
            f"{kv / 1e9:.1f} GB, {(needed - what[1]) / 1e9:.1f} GB are missing: raise "
            f"hardware.{what[2]}.capacity_GB, or lower workload.batch, workload.prompt_tokens or "
            "model.bytes_per_weight",
        )
