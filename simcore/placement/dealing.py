"""Writing down who gets which neurons, a word at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import compiled

Int = NDArray[np.int64]

_BIT = np.uint64(1)


@compiled
def deal_block(
    rank: NDArray[np.uint32],
    hot: Int,
    turn: Int,
    first_word: int,
    gpu: Plane,
    homes: NDArray[np.uint64],
) -> None:
    """Put the neurons of one block where they belong.

    Args:
        rank: place of each neuron by hotness, (layers, neurons).
        hot: neurons on the GPU, the first by rank, (layers,).
        turn: whose turn it is for each neuron after the hot ones, (neurons,); those on the GPU
            come after all others. Each layer starts with another DIMM.
        first_word: where the block begins in a row.
        gpu: copies on the GPU, (layers, words), added to.
        homes: home planes, (DIMMs, layers, words), added to.
    """
    units, neurons = len(homes), rank.shape[1]
    mine = np.empty(units, np.uint64)
    for layer in range(len(rank)):
        row, taken = rank[layer], hot[layer]
        for word in range((neurons + 63) // 64):
            mine[:] = 0
            copies = np.uint64(0)
            for bit in range(min(64, neurons - 64 * word)):
                place = np.int64(row[64 * word + bit])
                mask = _BIT << np.uint64(bit)
                if place < taken:
                    copies |= mask
                    place += neurons
                unit = turn[place - taken] + layer % units
                mine[unit if unit < units else unit - units] |= mask
            gpu[layer, first_word + word] |= copies
            for unit in range(units):
                homes[unit, layer, first_word + word] |= mine[unit]
