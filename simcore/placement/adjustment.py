"""Online adjustment (Hermes, IV-C2): newly hot neurons replace the coolest copies on the GPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.compiled import compiled
from simcore.placement.states import (
    Rows,
    Words,
    add_first,
    all_highest,
    between,
    clear,
    count_below,
    how_many,
)

Int = NDArray[np.int64]
Counts = NDArray[np.int32]

_STATES = 16


@compiled
def apply_swaps(gpu: Words, incoming: Words, outgoing: Words) -> None:
    """Put copies into the places of others, in a row and in place."""
    for word in range(gpu.size):
        gpu[word] = gpu[word] & ~outgoing[word] | incoming[word]


@compiled
def choose_swaps(
    gpu: Words,
    valid: Words,
    state: Rows,
    hot_threshold: int,
    room_bytes: int,
    blocks: Int,
    incoming: Words,
    outgoing: Words,
    moved: Counts,
) -> None:
    """Which neurons of a layer change places in this step.

    A neuron off the GPU is hot when its state is above `hot_threshold`. The hottest come first,
    each takes the slot of the neuron of its block with the lowest state on the GPU, and only if
    its own state is higher (an unstated rule; without it two equal neurons would swap for ever).
    Of neurons in the same state the first come first. The last block, the MLP, chooses first: it
    has most of the work.

    Args:
        gpu: neurons with a copy on the GPU, (words,).
        valid: real neurons, (words,).
        state: states of the layer.
        hot_threshold: T_h.
        room_bytes: most that may be copied.
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        incoming, outgoing: where to write who comes and who goes, (words,); equally many.
        moved: where to write how many, (blocks,).
    """
    room = room_bytes
    for block in range(len(blocks) - 1, -1, -1):
        start, stop, size = blocks[block]
        a, b, c, d = state
        moved[block] = _choose(
            gpu[start:stop],
            valid[start:stop],
            (a[start:stop], b[start:stop], c[start:stop], d[start:stop]),
            hot_threshold,
            room // size,
            incoming[start:stop],
            outgoing[start:stop],
        )
        room -= moved[block] * size


@compiled
def _choose(
    on: Words, valid: Words, states: Rows, hot_threshold: int, most: int, come: Words, go: Words
) -> int:
    """Choose in one block, at most so many; returns how many."""
    clear(come)
    clear(go)
    if all_highest(states, on):
        return 0  # as in most blocks: none of these copies is cooler than anybody
    off = np.empty_like(on)
    for word in range(on.size):
        off[word] = valid[word] & ~on[word]
    below = np.empty(_STATES + 1, np.int64)  # copies, by the state they have not reached
    count_below(states, on, below)
    # Pairs whose newcomer is at `value` or above and whose victim is below it. The lower, the more
    # newcomers and the fewer victims, so often the first look is enough.
    value, above, reached, wanted = _STATES, 0, 0, 0
    while wanted < most and value > max(hot_threshold + 1, 0) and below[value - 1] > wanted:
        value, above = value - 1, reached
        reached = how_many(states, value, off)
        wanted = max(wanted, min(reached, below[value], most))
    if not wanted:
        return 0
    # All above the highest state at which there are enough come, and of it the first.
    while above >= wanted:
        value += 1
        above = how_many(states, value + 1, off)
    between(states, value + 1, _STATES, off, come)
    add_first(states, value, wanted - above, off, come)
    # All below the lowest state up to which there are enough go, and of it the first.
    value = 0
    while below[value + 1] < wanted:
        value += 1
    between(states, 0, value, on, go)
    add_first(states, value, wanted - below[value], on, go)
    return wanted
