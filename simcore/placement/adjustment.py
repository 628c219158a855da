"""Online adjustment (Hermes, IV-C2): newly hot neurons replace the coolest copies on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import ONES, Plane, at_least, count, first_bits

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


def _ranked_first(pool: Plane, state: Sequence[Plane], wanted: Int, *, hottest: bool) -> Plane:
    """`wanted[layer]` neurons of the pool by state, lower index first among equals.

    A radix selection on bit planes, from the highest bit of the state down: if all neurons with
    the preferred bit still fit they are taken and the rest compete for what is left, else they
    alone go on competing.
    """
    taken = np.zeros_like(pool)
    rivals = pool
    left = wanted.copy()
    for plane in reversed(state):
        preferred = rivals & plane if hottest else rivals & ~plane
        amount = count(preferred)
        fits = amount <= left
        mask = np.where(fits, ONES, np.uint64(0))[:, None]
        taken |= preferred & mask
        left -= np.where(fits, amount, 0)
        # Where they fit the others go on (rivals without the preferred), elsewhere the preferred.
        rivals = (rivals & mask) ^ preferred
    return taken | first_bits(rivals, left)


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
    for value in hot_states:
        reached = at_least(state, value)
        # Pairs whose newcomer is at `value` or above and whose victim is below it.
        pairs = np.minimum(count(outside & reached), count(gpu & ~reached))
        np.maximum(matched, pairs, out=matched)
    moved = np.minimum(matched, room)
    return Swap(
        _ranked_first(outside, state, moved, hottest=True),
        _ranked_first(gpu, state, moved, hottest=False),
        moved,
    )
