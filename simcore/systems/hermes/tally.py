"""Counting the neurons of a token by layer, block and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import compiled, set_bits

Int = NDArray[np.int64]
Counts = NDArray[np.int32]


@compiled
def count_common(first: Plane, second: Plane, ends: Int, out: Counts) -> None:
    """Neurons in both planes, by layer and block.

    Args:
        first, second: (layers, words).
        ends: first and last word (excluded) of each block, (blocks, 2).
        out: (layers, blocks).
    """
    for layer in range(len(first)):
        for block in range(len(ends)):
            start, stop = ends[block]
            one, other = first[layer, start:stop], second[layer, start:stop]
            found = 0
            for word in range(one.size):
                found += set_bits(one[word] & other[word])
            out[layer, block] = found


@compiled
def count_placed(
    gpu: Plane, dimms: NDArray[np.uint64], pool: Plane, ends: Int, factor: int, out: Counts
) -> None:
    """Add, `factor` times, the neurons of a pool each place computes, by layer and block.

    The GPU computes those it has a copy of, every DIMM the others that are at home on it.

    Args:
        gpu: copies on the GPU, (layers, words).
        dimms: home planes, (DIMMs, layers, words).
        pool: the neurons in question.
        ends: first and last word (excluded) of each block, (blocks, 2).
        factor: what one neuron counts.
        out: (layers, blocks, 1 + DIMMs), added to.
    """
    for layer in range(len(gpu)):
        for block in range(len(ends)):
            start, stop = ends[block]
            hot, mine = gpu[layer, start:stop], pool[layer, start:stop]
            found = 0
            for word in range(mine.size):
                found += set_bits(mine[word] & hot[word])
            out[layer, block, 0] += found * factor
            for unit in range(len(dimms)):
                home = dimms[unit, layer, start:stop]
                found = 0
                for word in range(mine.size):
                    found += set_bits(mine[word] & ~hot[word] & home[word])
                out[layer, block, 1 + unit] += found * factor
