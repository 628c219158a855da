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
from simcore.activations.space import Block, NeuronSpace


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """Time one active neuron of a block costs, and what an FC layer costs on the GPU regardless.

    Attributes:
        gpu_ps: on the GPU.
        dimm_ps: on one DIMM.
        gpu_fixed_ps: launch and two synchronisations (2 T_sync of equation 3).
    """

    gpu_ps: float
    dimm_ps: float
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


def _priority(
    frequency: Frequencies, costs: UnitCosts, dimms: int
) -> tuple[Frequencies, NDArray[np.int64]]:
    """Frequencies with neurons beyond their layer's balance point set to -1, and the ranking."""
    order = np.argsort(-frequency, axis=1, kind="stable")
    ranked = np.take_along_axis(frequency, order, axis=1)
    hot = np.cumsum(ranked, axis=1, dtype=np.float64)
    gpu = hot * costs.gpu_ps + costs.gpu_fixed_ps
    cold = (hot[:, -1:] - hot) * costs.dimm_ps / dimms
    ranked = np.where((gpu <= cold) & (ranked > 0), ranked, np.float32(-1.0))
    return ranked, order


def _take_hottest(
    blocks: Sequence[Block], ranked: Sequence[Frequencies], room_bytes: int
) -> list[NDArray[np.int64]]:
    """How many of each layer's ranked neurons fit, hottest first over all layers and blocks."""
    values = np.concatenate([r.reshape(-1) for r in ranked])
    sizes = np.concatenate(
        [np.full(r.size, b.neuron_bytes, np.int64) for b, r in zip(blocks, ranked, strict=True)]
    )
    wanted = np.flatnonzero(values > 0)
    order = wanted[np.argsort(-values[wanted], kind="stable")]
    fits = np.cumsum(sizes[order]) <= room_bytes
    chosen = np.zeros(len(values), np.bool_)
    chosen[order[fits]] = True
    counts, at = [], 0
    for r in ranked:
        counts.append(chosen[at : at + r.size].reshape(r.shape).sum(axis=1))
        at += r.size
    return counts


def _deal(places: NDArray[np.uint8], order: NDArray[np.int64], dimms: int) -> None:
    """Deal ranked neurons to DIMMs back and forth, each layer starting at another DIMM."""
    layers, count = order.shape
    turn = np.arange(count)
    lap, position = np.divmod(turn, dimms)
    snake = np.where(lap % 2 == 0, position, dimms - 1 - position)
    dealt = (snake[None, :] + np.arange(layers)[:, None]) % dimms
    np.put_along_axis(places, order, dealt.astype(np.uint8), axis=1)


def greedy_partition(
    space: NeuronSpace,
    frequency: Frequencies,
    room_bytes: int,
    costs: Sequence[UnitCosts],
    dimms: int,
) -> Placement:
    """Hottest neurons to the GPU, the rest dealt to DIMMs so that expected loads are equal.

    Args:
        space: the neurons.
        frequency: offline frequency, (layers, columns).
        room_bytes: GPU memory for hot neurons.
        costs: time of an active neuron, one entry a block.
        dimms: number of DIMMs.
    """
    ranked, orders = [], []
    for block, cost in zip(space.blocks, costs, strict=True):
        first = block.first_column
        part = frequency[:, first : first + block.neurons]
        r, o = _priority(part, cost, dimms)
        ranked.append(r)
        orders.append(o)
    counts = _take_hottest(space.blocks, ranked, room_bytes)
    gpu = np.zeros((space.layers, space.columns), np.bool_)
    home = np.full((space.layers, space.columns), 255, np.uint8)
    for block, order, hot in zip(space.blocks, orders, counts, strict=True):
        first = block.first_column
        on_gpu = np.zeros(order.shape, np.bool_)
        np.put_along_axis(on_gpu, order, np.arange(order.shape[1])[None, :] < hot[:, None], axis=1)
        gpu[:, first : first + block.neurons] = on_gpu
        # Rotate each layer's ranking so that dealing starts at its first cold neuron: the cold
        # ones, which the DIMMs compute, are then balanced exactly, the hot copies' homes nearly.
        turn = (np.arange(order.shape[1])[None, :] + hot[:, None]) % order.shape[1]
        _deal(
            home[:, first : first + block.neurons],
            np.take_along_axis(order, turn, axis=1),
            dimms,
        )
    return Placement(pack(gpu), [pack(home == j) for j in range(dimms)])


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
