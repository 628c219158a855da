"""Online adjustment (Hermes, IV-C2): newly hot neurons replace the coolest copies on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import ONES, Plane, at_least, count, keep_first_bits

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Swap:
    """Copies to the GPU and the copies they overwrite, of one block.

    Attributes:
        incoming, outgoing: planes of equal counts in every layer.
        moved: neurons copied, by layer.
    """

    incoming: Plane
    outgoing: Plane
    moved: Int


def _hottest(reached: NDArray[np.uint64], amounts: Int, wanted: Int) -> Plane:
    """`wanted[layer]` neurons by state from the highest down, lower index first among equals.

    Args:
        reached: the neurons in question at each state of interest or above, lowest state first,
            (states, layers, words).
        amounts: how many that are, (states, layers); at the lowest state no fewer than wanted.
        wanted: how many to take, by layer.
    """
    # The highest state at which there are enough: all above it go, and of it as many as lack.
    level = np.maximum((amounts >= wanted).sum(axis=0) - 1, 0)
    every = np.arange(len(wanted))
    above = np.minimum(level + 1, len(reached) - 1)
    last = level + 1 == len(reached)
    sure = reached[above, every]
    sure[last] = 0
    left = wanted - np.where(last, 0, amounts[above, every])
    rest = reached[level, every]
    rest ^= sure
    keep_first_bits(rest, left)
    sure |= rest
    return sure


def _coolest(pool: Plane, state: Sequence[Plane], wanted: Int) -> Plane:
    """`wanted[layer]` neurons of the pool by state from zero up, lower index first among equals.

    A radix selection on bit planes, from the highest bit of the state down: if all neurons without
    the bit still fit they are taken and the rest compete for what is left, else they alone go on
    competing.
    """
    taken = np.zeros_like(pool)
    rivals = pool.copy()
    with_bit, without = np.empty_like(pool), np.empty_like(pool)
    amount, left = count(pool), wanted.copy()
    for plane in reversed(state):
        np.bitwise_and(rivals, plane, out=with_bit)
        others = count(with_bit)
        np.bitwise_xor(rivals, with_bit, out=without)
        fits = amount - others <= left
        left -= np.where(fits, amount - others, 0)
        amount = np.where(fits, others, amount - others)
        mask = np.where(fits, ONES, np.uint64(0))[:, None]
        # Where they fit: taken, and the others compete; elsewhere `rivals` becomes `without`.
        rivals &= mask
        rivals ^= without
        without &= mask
        taken |= without
    keep_first_bits(rivals, left)
    taken |= rivals
    return taken


def choose_swaps(
    gpu: Plane, valid: Plane, state: Sequence[Plane], hot_threshold: int, room: Int
) -> Swap:
    """Which neurons of one block change places in this step.

    A neuron off the GPU is hot when its state is above `hot_threshold`. The hottest come first,
    each takes the slot of the neuron with the lowest state on the GPU, and only if its own state
    is higher (an unstated rule; without it two equal neurons would swap for ever).

    Args:
        gpu: neurons with a copy on the GPU, (layers, words of the block).
        valid: real neurons, broadcastable to `gpu`.
        state: bit-sliced states of the block.
        hot_threshold: T_h.
        room: most neurons that may be copied, by layer.
    """
    outside = ~gpu
    outside &= valid
    copies = count(gpu)
    hot_states = range(hot_threshold + 1, 1 << len(state))
    hot = np.empty((len(hot_states), *gpu.shape), np.uint64)
    amounts = np.empty((len(hot_states), len(gpu)), np.int64)
    matched = np.zeros(len(gpu), np.int64)
    for index, value in enumerate(hot_states):
        reached = at_least(state, value)
        amounts[index] = count(np.bitwise_and(reached, outside, out=hot[index]))
        reached &= gpu
        # Pairs whose newcomer is at `value` or above and whose victim is below it.
        np.maximum(matched, np.minimum(amounts[index], copies - count(reached)), out=matched)
    moved = np.minimum(matched, room)
    return Swap(_hottest(hot, amounts, moved), _coolest(gpu, state, moved), moved)
