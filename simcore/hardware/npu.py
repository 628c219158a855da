"""An accelerator chip: cycles of its systolic array, dot-product trees and vector unit.

Everything here counts clock cycles of the chip or turns them into picoseconds; memory is not part
of it. Sources: H2M2, arXiv 2504.14893, Table 2 (units), and the public simulator mNPUsim of the
same first author (time of a GEMV on a tree, of a tile on the array). How a GEMM at decode is
run is not stated by the paper: see `TILE_MODELS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.scenario.schema import NpuChip
from simcore.units import Int64Array

Int = NDArray[np.int64]

TILE_MODELS = ("min_mm_mv", "mm_overlap", "mm_serial", "bandwidth")
"""How many cycles a core spends on one weight tile of a GEMM with B input vectors.

min_mm_mv: rows + B on the array, or the trees where they take less. mm_overlap: rows + B, the next
tile is loaded while results drain. mm_serial: 2 rows + B, nothing overlaps (mNPUsim, literally).
bandwidth: B, the array's peak, so that memory decides.
"""

MM, MV = "mm", "mv"


@dataclass(frozen=True, slots=True)
class TileCost:
    """Cycles of one weight tile on one core.

    Attributes:
        cycles: the cycles.
        unit: ``mm`` (systolic array) or ``mv`` (dot-product trees).
        mm_cycles, mv_cycles: what either unit would take.
    """

    cycles: int
    unit: str
    mm_cycles: int
    mv_cycles: int


def peak_TMACps(chip: NpuChip) -> tuple[float, float]:
    """Multiply-accumulates per second of array and trees, in 10**12."""
    each = chip.cores * chip.clock_GHz / 1e3
    return each * chip.array_rows * chip.array_columns, each * chip.mv_units * chip.mv_width


def drain_cycles(chip: NpuChip) -> int:
    """Cycles from the last product of a tree to its sum: one a level, and one (mNPUsim)."""
    return math.ceil(math.log2(chip.mv_width)) + 1


def gemv_cycles(chip: NpuChip, m: ArrayLike, k: ArrayLike) -> Int:
    """Cycles of an M x K GEMV on one tree: M * ceil(K / width) + log2(width) + 1 (mNPUsim)."""
    steps = np.asarray(m, np.int64) * -(-np.asarray(k, np.int64) // chip.mv_width)
    result: Int = steps + drain_cycles(chip)
    return result


def tile_cost(chip: NpuChip, batch: int, model: str, *, drain: bool = True) -> TileCost:
    """Cycles of one weight tile for `batch` input vectors.

    On the trees a tile is `array_columns` dot products a vector, dealt over the trees of the core.

    Args:
        chip: the chip.
        batch: input vectors.
        model: one of `TILE_MODELS`.
        drain: whether the trees empty at the end of each tile, or only once a kernel.
    """
    passes = -(-chip.array_rows // chip.mv_width)
    mv = -(-chip.array_columns * batch * passes // chip.mv_units)
    mv += drain_cycles(chip) if drain else 0
    mm = chip.array_rows + batch
    if model == "mm_serial":
        mm += chip.array_rows
    elif model == "bandwidth":
        mm = batch
    if model == "min_mm_mv" and mv < mm:
        return TileCost(mv, MV, mm, mv)
    return TileCost(mm, MM, mm, mv)


def tiles(chip: NpuChip, inputs: int, outputs: ArrayLike) -> Int:
    """Weight tiles of a matrix with so many inputs and outputs."""
    across = -(-np.asarray(outputs, np.int64) // chip.array_columns)
    result: Int = across * -(-inputs // chip.array_rows)
    return result


def cycles_ps(chip: NpuChip, cycles: ArrayLike) -> Int64Array:
    """Time of cycles, in ps, rounded up."""
    return np.ceil(np.asarray(cycles, np.float64) * (1e3 / chip.clock_GHz)).astype(np.int64)


def gemm_ps(
    chip: NpuChip, inputs: int, outputs: ArrayLike, cost: TileCost, matrices: float = 1.0
) -> Int64Array:
    """Time of a GEMM whose tiles are dealt over the cores.

    Args:
        chip: the chip.
        inputs: rows of the weight matrix.
        outputs: columns of it, any shape.
        cost: cycles of a tile.
        matrices: how many of the kind there are; an expected number need not be whole.
    """
    count = tiles(chip, inputs, outputs)
    if matrices != 1.0:
        count = np.ceil(count * matrices - 1e-6).astype(np.int64)
    rounds = -(-count // chip.cores)
    return cycles_ps(chip, rounds * cost.cycles)


def attention_ps(
    chip: NpuChip,
    heads: ArrayLike,
    tokens: ArrayLike,
    padded_tokens: ArrayLike,
    head_dim: int,
    batch: int,
) -> Int64Array:
    """Time of the logit and attend GEMVs of some query heads, dealt evenly over all trees.

    For one head and one sequence of S tokens: logits S x head_dim, attend head_dim x S.

    Args:
        chip: the chip.
        heads: query heads, any shape.
        tokens: tokens of all sequences together.
        padded_tokens: the same, each sequence rounded up to whole widths of a tree.
        head_dim: width of a head.
        batch: sequences.
    """
    passes = -(-head_dim // chip.mv_width)
    logits = np.asarray(tokens, np.int64) * passes
    attend = np.asarray(padded_tokens, np.int64) // chip.mv_width * head_dim
    each = logits + attend + 2 * batch * drain_cycles(chip)
    total = np.asarray(heads, np.int64) * each
    return cycles_ps(chip, -(-total // (chip.mv_units * chip.cores)))


def vector_ps(chip: NpuChip, elements: ArrayLike, passes: int) -> Int64Array:
    """Time of `passes` passes over elements in the vector units of all cores."""
    each = -(-np.asarray(elements, np.int64) // (chip.vector_lanes * chip.cores))
    return cycles_ps(chip, each * passes)
