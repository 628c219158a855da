"""Counting the neurons of a token by block and place, a layer at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.compiled import compiled, set_bits
from simcore.placement.states import clear

Int = NDArray[np.int64]
Counts = NDArray[np.int32]
Words = NDArray[np.uint64]
Planes = NDArray[np.uint64]


@compiled
def count_uses(sequences: Planes, uses: Planes, active: Planes) -> None:
    """In how many sequences each neuron fires, and in which any does.

    Args:
        sequences: (sequences, layers, words).
        uses: where to write the bits of the number, lowest first, (bits, layers, words).
        active: where to write neurons that fire at all, (layers, words).
    """
    carry = np.empty(active.shape[1], np.uint64)
    for layer in range(len(active)):
        clear(active[layer])
        for bit in range(len(uses)):
            clear(uses[bit, layer])
        for sequence in range(len(sequences)):
            for word in range(carry.size):
                carry[word] = sequences[sequence, layer, word]
                active[layer, word] |= carry[word]
            for bit in range(len(uses)):
                if sequence + 1 >> bit == 0:
                    break  # no sum is that large yet
                _add(uses[bit, layer], carry)


@compiled
def _add(total: Words, carry: Words) -> None:
    """Add a bit to a bit of totals, in place; what is carried replaces it."""
    for word in range(total.size):
        both = total[word] & carry[word]
        total[word] ^= carry[word]
        carry[word] = both


@compiled
def common(first: Words, second: Words) -> int:
    """Neurons in both of two rows."""
    found = 0
    for word in range(first.size):
        found += set_bits(first[word] & second[word])
    return found


@compiled
def count_common(first: Words, second: Words, blocks: Int, out: Counts) -> None:
    """Neurons in both of two rows, by block.

    Args:
        first, second: (words,).
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        out: (blocks,).
    """
    for block in range(len(blocks)):
        start, stop, _ = blocks[block]
        out[block] = common(first[start:stop], second[start:stop])


@compiled
def count_placed(
    pool: Words, gpu: Words, dimms: Planes, layer: int, blocks: Int, factor: int, out: Counts
) -> None:
    """Add, `factor` times, the neurons of a pool each place computes, by block.

    The GPU computes those it has a copy of, every DIMM the others that are at home on it.

    Args:
        pool: the neurons in question, (words,); those of the GPU are taken out of it.
        gpu: copies on the GPU, (words,).
        dimms: home planes, (DIMMs, layers, words).
        layer: which one it is.
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        factor: what one neuron counts.
        out: (blocks, 1 + DIMMs), added to.
    """
    for place in range(1 + len(dimms)):
        mine = dimms[place - 1, layer] if place else gpu
        for block in range(len(blocks)):
            start, stop, _ = blocks[block]
            out[block, place] += factor * common(pool[start:stop], mine[start:stop])
        if not place:
            for word in range(pool.size):
                pool[word] &= ~gpu[word]
