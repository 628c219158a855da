"""Offline placement: which neurons are copied to the GPU, and which DIMM is each neuron's home.

The paper minimises the sum over layers of max(GPU time, slowest DIMM) under the capacities
(IV-B, equations 1 to 7). With weights of one block all alike, the gain per byte of a neuron is its
frequency until its layer's GPU time reaches its DIMM time, and nothing after; so taking neurons in
order of frequency, layer by layer no further than that balance point, is the greedy solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, pack
from simcore.activations.source import Frequencies
from simcore.activations.space import NeuronSpace


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """Time one active neuron of a block costs, and what an FC layer costs on the GPU regardless.

    Attributes:
        gpu_ps: reading it on the GPU, where multiplying hides behind reading.
        dimm_ps: reading it on one DIMM.
        dimm_mac_ps: multiplying it on one DIMM, for each sequence in which it is active.
        gpu_fixed_ps: launch and two synchronisations (2 T_sync of equation 3).
    """

    gpu_ps: float
    dimm_ps: float
    dimm_mac_ps: float
    gpu_fixed_ps: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where every neuron is.

    Attributes:
        gpu: plane of the neurons with a copy on the GPU.
        dimms: one plane a DIMM; together they hold every neuron exactly once.
    """

    gpu: Plane
    dimms: list[Plane]


@dataclass(frozen=True, slots=True)
class BlockRanking:
    """Neurons of one block by offline frequency, layer by layer; costly, so kept between edits.

    Attributes:
        rank: position of each neuron, hottest first, lower index first among equals,
            (layers, neurons).
        values: frequencies in that order.
        active: their running sum: neurons active in one sequence.
        needed: running sum of 1 - (1 - f)**batch: neurons active in any sequence.
        batch: sequences.
    """

    rank: NDArray[np.uint32]
    values: Frequencies
    active: NDArray[np.float64]
    needed: NDArray[np.float64]
    batch: int


def rank_neurons(
    space: NeuronSpace, frequency: Frequencies, batch: int = 1
) -> tuple[BlockRanking, ...]:
    """The ranking of every block.

    Args:
        space: the neurons.
        frequency: offline frequency, (layers, columns).
        batch: sequences decoded together.
    """
    result = []
    for block in space.blocks:
        part = frequency[:, block.first_column : block.first_column + block.neurons]
        rank = np.empty(part.shape, np.uint32)
        values = np.empty(part.shape, part.dtype)
        active = np.empty(part.shape, np.float64)
        positions = np.arange(block.neurons, dtype=np.uint32)
        for layer, row in enumerate(part):  # layer by layer, so that all of it stays in the cache
            if layer and np.array_equal(row, part[layer - 1]):
                for table in (rank, values, active):
                    table[layer] = table[layer - 1]
                continue
            order = np.argsort(-row, kind="stable")
            rank[layer, order] = positions
            np.take(row, order, out=values[layer])
            np.cumsum(values[layer].astype(np.float64), out=active[layer])
        needed = active
        if batch > 1:
            union = 1.0 - (1.0 - values.astype(np.float64)) ** batch
            needed = np.cumsum(union, axis=1)
        result.append(BlockRanking(rank, values, active, needed, batch))
    return tuple(result)


def _balance_points(ranking: BlockRanking, costs: UnitCosts, dimms: int) -> NDArray[np.int64]:
    """Most neurons of each layer the GPU may take before it becomes the slower side.

    GPU time grows and DIMM time falls with every neuron, so the point is found by bisection.
    """
    layers, neurons = ranking.values.shape
    needed, active = ranking.needed[:, -1], ranking.active[:, -1]
    low = np.zeros(layers, np.int64)
    high = np.full(layers, neurons, np.int64)
    rows = np.arange(layers)
    while (low < high).any():
        middle = (low + high + 1) // 2
        hot = ranking.needed[rows, middle - 1]
        gpu = hot * costs.gpu_ps + costs.gpu_fixed_ps
        read = (needed - hot) * costs.dimm_ps
        multiply = (active - ranking.active[rows, middle - 1]) * ranking.batch * costs.dimm_mac_ps
        cold = (read + multiply) / dimms
        good = (gpu <= cold) & (ranking.values[rows, middle - 1] > 0)
        low = np.where(good, middle, low)
        high = np.where(good, high, middle - 1)
    return low


def _above(
    ranking: BlockRanking,
    threshold: float,
    fewest: NDArray[np.int64],
    most: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Neurons of each layer with a frequency above the threshold, from `fewest` to `most`."""
    layers, neurons = ranking.values.shape
    low, high = fewest.copy(), most.copy()
    rows = np.arange(layers)
    while (low < high).any():
        middle = (low + high + 1) // 2
        good = ranking.values[rows, np.minimum(middle, neurons) - 1] > threshold
        low = np.where(good & (low < high), middle, low)
        high = np.where(good, high, np.maximum(middle - 1, low))
    return low


def _take_hottest(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    most: Sequence[NDArray[np.int64]],
    room_bytes: int,
) -> list[NDArray[np.int64]]:
    """How many neurons of each layer and block fit, hottest first over all of them.

    Bisects the frequency above which all neurons fit, then fills what is left with the next ones,
    layer by layer.
    """
    sizes = [block.neuron_bytes for block in space.blocks]

    def weight(counts: Sequence[NDArray[np.int64]]) -> int:
        return sum(int(c.sum()) * size for c, size in zip(counts, sizes, strict=True))

    if weight(most) <= room_bytes:
        return list(most)
    low, high = 0.0, 1.0  # too many above low, few enough above high
    ties, counts = list(most), [np.zeros_like(m) for m in most]  # counts between are between these

    def taken(threshold: float) -> list[NDArray[np.int64]]:
        limits = zip(rankings, counts, ties, strict=True)
        return [_above(ranking, threshold, fewest, most) for ranking, fewest, most in limits]

    for _ in range(40):
        middle = 0.5 * (low + high)
        above = taken(middle)
        if weight(above) > room_bytes:
            low, ties = middle, above
        else:
            high, counts = middle, above
    if not low:
        ties = taken(low)
    if high == 1.0:
        counts = taken(high)
    left = room_bytes - weight(counts)
    for count, tie, size in zip(counts, ties, sizes, strict=True):
        for layer in np.flatnonzero(tie > count):  # a handful of layers at the cut
            more = min(int(tie[layer] - count[layer]), left // size)
            count[layer] += more
            left -= more * size
    return counts


def greedy_counts(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    room_bytes: int,
    costs: Sequence[UnitCosts],
    dimms: int,
) -> list[NDArray[np.int64]]:
    """How many neurons of each layer the GPU gets, hottest first, one array of (layers,) a block.

    Args:
        space: the neurons.
        rankings: neurons by offline frequency, one entry a block.
        room_bytes: GPU memory for hot neurons.
        costs: time of an active neuron, one entry a block.
        dimms: number of DIMMs.
    """
    most = [_balance_points(r, c, dimms) for r, c in zip(rankings, costs, strict=True)]
    return _take_hottest(space, rankings, most, room_bytes)


def expected_ps(
    rankings: Sequence[BlockRanking],
    counts: Sequence[NDArray[np.int64]],
    costs: Sequence[UnitCosts],
    dimms: int,
) -> float:
    """The paper's objective (equation 1): sum over layers and blocks of the slower side.

    Cold neurons are taken as shared equally by the DIMMs.

    Args:
        rankings, costs: one entry a block.
        counts: neurons on the GPU, one array of (layers,) a block, hottest first.
        dimms: number of DIMMs.
    """
    total = 0.0
    for ranking, hot, cost in zip(rankings, counts, costs, strict=True):
        rows, last = np.arange(len(hot)), np.maximum(hot, 1) - 1
        any_hot = hot > 0
        needed = np.where(any_hot, ranking.needed[rows, last], 0.0)
        active = np.where(any_hot, ranking.active[rows, last], 0.0)
        gpu = needed * cost.gpu_ps + cost.gpu_fixed_ps * any_hot
        read = (ranking.needed[:, -1] - needed) * cost.dimm_ps
        multiply = (ranking.active[:, -1] - active) * ranking.batch * cost.dimm_mac_ps
        total += float(np.maximum(gpu, (read + multiply) / dimms).sum())
    return total


def deal(
    space: NeuronSpace,
    rankings: Sequence[BlockRanking],
    counts: Sequence[NDArray[np.int64]],
    dimms: int,
) -> Placement:
    """The hottest neurons to the GPU, the rest to DIMMs so that expected loads are equal.

    Cold neurons are dealt back and forth from the hottest on, each layer starting at another DIMM;
    the homes of the hot ones, which matter for capacity only, follow.

    Args:
        space: the neurons.
        rankings: neurons by offline frequency, one entry a block.
        counts: neurons on the GPU, one array of (layers,) a block.
        dimms: number of DIMMs.
    """
    # Here, as who only looks at a run needs no compiler.
    from simcore.placement.dealing import deal_block

    gpu, homes = np.zeros(space.shape, np.uint64), np.zeros((dimms, *space.shape), np.uint64)
    for block, ranking, hot in zip(space.blocks, rankings, counts, strict=True):
        lap, position = np.divmod(np.arange(block.neurons), dimms)
        snake = np.where(lap % 2 == 0, position, dimms - 1 - position)
        deal_block(ranking.rank, hot, snake, block.start, gpu, homes)
    return Placement(gpu, [*homes])


def oracle_counts(
    needed: Sequence[NDArray[np.int64]],
    sizes: Sequence[int],
    costs: Sequence[UnitCosts],
    units: int,
    room_bytes: int,
) -> list[NDArray[np.int64]]:
    """How many of the neurons a token needs the GPU should have, layer by layer.

    With n neurons needed, the sides take equally long when the GPU has
    x = (n * dimm / units - fixed) / (gpu + dimm / units) of them; if that exceeds the GPU's
    memory, all layers are cut by the same share.

    Args:
        needed: neurons needed, one array of (layers,) a block.
        sizes: bytes of a neuron, by block.
        costs: time of a neuron, by block.
        units: number of DIMMs.
        room_bytes: GPU memory for hot neurons.
    """
    ideal = []
    for n, cost in zip(needed, costs, strict=True):
        each = (cost.dimm_ps + cost.dimm_mac_ps) / units
        ideal.append(np.clip((n * each - cost.gpu_fixed_ps) / (cost.gpu_ps + each), 0, n))
    total = sum(float(x.sum()) * size for x, size in zip(ideal, sizes, strict=True))
    share = min(1.0, room_bytes / total) if total else 1.0
    return [np.floor(x * share).astype(np.int64) for x in ideal]


def random_partition(
    space: NeuronSpace, room_bytes: int, dimms: int, rng: np.random.Generator
) -> Placement:
    """Neurons to the GPU and to DIMMs at random (Hermes-random)."""
    total = sum(b.neurons * b.neuron_bytes for b in space.blocks) * space.layers
    share = min(1.0, room_bytes / total)
    gpu = np.zeros((space.layers, space.columns), np.bool_)
    home = np.full((space.layers, space.columns), 255, np.uint8)
    for block in space.blocks:
        first, stop = block.first_column, block.first_column + block.neurons
        hot = int(block.neurons * share)
        for layer in range(space.layers):  # once, offline
            order = rng.permutation(block.neurons)
            gpu[layer, first + order[:hot]] = True
            home[layer, first:stop] = rng.permutation(block.neurons) % dimms
    return Placement(pack(gpu), [pack(home == j) for j in range(dimms)])
