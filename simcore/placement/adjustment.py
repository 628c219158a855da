"""Online adjustment (Hermes, IV-C2): newly hot neurons replace the coolest copies on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, at_least, at_least_rows, count, first_bits

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


def _coolest(pool: Plane, state: Sequence[Plane], wanted: Int) -> Plane:
    """`wanted[layer]` neurons of lowest state of the pool; lower index first among equals.

    Finds each layer's largest state v with fewer than `wanted` neurons below it, by bisection on
    whole planes, takes all of those and fills up with neurons of state v.
    """
    low = np.zeros(len(pool), np.int64)
    high = np.full(len(pool), 1 << len(state), np.int64)
    inside = np.zeros_like(pool)
    while (high - low > 1).any():
        middle = (low + high) // 2
        under = pool & ~at_least_rows(state, middle)
        fewer = count(under) <= wanted
        inside[fewer] = under[fewer]
        low = np.where(fewer, middle, low)
        high = np.where(fewer, high, middle)
    rest = pool & ~inside & ~at_least_rows(state, low + 1)
    return inside | first_bits(rest, wanted - count(inside))


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
    outside = ~gpu & valid
    hot_states = range(hot_threshold + 1, 1 << len(state))
    matched = np.zeros(len(gpu), np.int64)
    pools = []
    for value in hot_states:
        reached = at_least(state, value)
        pool = outside & reached
        waiting = count(pool)
        pools.append((pool, waiting))
        # Pairs whose newcomer is at `value` or above and whose victim is below it.
        np.maximum(matched, np.minimum(waiting, count(gpu & ~reached)), out=matched)
    moved = np.minimum(matched, room)
    incoming = np.zeros_like(gpu)
    for pool, waiting in reversed(pools):  # from the hottest down, whole pools while they fit
        fits = waiting <= moved
        incoming[fits] = pool[fits]
    for pool, _ in reversed(pools):
        short = moved - count(incoming)
        if not short.any():
            break
        incoming |= first_bits(pool & ~incoming, short)
    return Swap(incoming, _coolest(gpu, state, moved), moved)
