"""Online adjustment (Hermes, IV-C2): newly hot neurons replace the coolest copies on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.activations.space import Block
from simcore.compiled import compiled, set_bits
from simcore.placement.states import Words, add_first, between, how_many

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Swap:
    """Copies to the GPU and the copies they overwrite.

    Attributes:
        incoming, outgoing: planes of equal counts in every layer and block.
        moved: neurons copied, (layers, blocks).
    """

    incoming: Plane
    outgoing: Plane
    moved: Int


def choose_swaps(
    gpu: Plane,
    valid: Words,
    state: NDArray[np.uint64],
    hot_threshold: int,
    room_bytes: Int,
    blocks: Sequence[Block],
) -> Swap:
    """Which neurons change places in this step.

    A neuron off the GPU is hot when its state is above `hot_threshold`. The hottest come first,
    each takes the slot of the neuron of its block with the lowest state on the GPU, and only if
    its own state is higher (an unstated rule; without it two equal neurons would swap for ever).
    Of neurons in the same state the first come first. The last block, the MLP, chooses first: it
    has most of the work.

    Args:
        gpu: neurons with a copy on the GPU, (layers, words).
        valid: real neurons of a row, (words,).
        state: bit-sliced states, (4, layers, words).
        hot_threshold: T_h.
        room_bytes: most that may be copied, by layer.
        blocks: the blocks of a row, in its order.
    """
    incoming, outgoing = np.zeros_like(gpu), np.zeros_like(gpu)
    moved = np.empty((len(gpu), len(blocks)), np.int64)
    ends = np.array([(block.start, block.stop, block.neuron_bytes) for block in blocks])
    _choose(gpu, valid, state, hot_threshold, room_bytes, ends, incoming, outgoing, moved)
    return Swap(incoming, outgoing, moved)


@compiled
def _choose(
    gpu: Plane,
    valid: Words,
    state: NDArray[np.uint64],
    hot_threshold: int,
    room_bytes: Int,
    blocks: Int,
    incoming: Plane,
    outgoing: Plane,
    moved: Int,
) -> None:
    outside = np.empty_like(valid)
    reached = np.empty(17, np.int64)  # hot neurons outside, by the state they have at least
    for layer in range(len(gpu)):
        for word in range(outside.size):
            outside[word] = valid[word] & ~gpu[layer, word]
        room = room_bytes[layer]
        for block in range(len(blocks) - 1, -1, -1):
            start, stop, size = blocks[block]
            on, off = gpu[layer, start:stop], outside[start:stop]
            states = (
                state[0, layer, start:stop],
                state[1, layer, start:stop],
                state[2, layer, start:stop],
                state[3, layer, start:stop],
            )
            copies = 0
            for word in range(on.size):
                copies += set_bits(on[word])
            # Pairs whose newcomer is at `value` or above and whose victim is below it.
            wanted = 0
            reached[:] = 0
            for value in range(max(hot_threshold + 1, 0), 16):
                reached[value] = how_many(states, value, off)
                if not reached[value]:
                    break
                wanted = max(wanted, min(reached[value], copies - how_many(states, value, on)))
            wanted = min(wanted, room // size)
            moved[layer, block] = wanted
            room -= wanted * size
            if not wanted:
                continue
            # The highest state at which there are enough: all above it come, and of it the first.
            value = 15
            while reached[value] < wanted:
                value -= 1
            come = incoming[layer, start:stop]
            between(states, value + 1, 16, off, come)
            above = reached[value + 1]
            add_first(states, value, wanted - above, off, come)
            # The lowest state up to which there are enough: all below it go, and of it the first.
            value, below = 0, 0
            while True:
                upto = copies - how_many(states, value + 1, on)
                if upto >= wanted:
                    break
                value, below = value + 1, upto
            go = outgoing[layer, start:stop]
            between(states, 0, value, on, go)
            add_first(states, value, wanted - below, on, go)
