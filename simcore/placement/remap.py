"""Window remapping (Hermes, IV-D, Algorithm 1): cold neurons move from busy to idle DIMMs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, count, equals, keep_first_bits

Int = NDArray[np.int64]


def loads(dimms: NDArray[np.uint64], cold: Plane, window: Sequence[Plane]) -> Int:
    """Activity of the cold neurons of each DIMM over the window: Z, shape (layers, DIMMs).

    Args:
        dimms: home planes, (DIMMs, layers, words).
        cold: neurons computed on the DIMMs.
        window: bit-sliced number of firings of each neuron in the window.
    """
    out = np.zeros((len(cold), len(dimms)), np.int64)
    both = np.empty_like(cold)
    for bit, plane in enumerate(window):
        counted = cold & plane
        for index, home in enumerate(dimms):
            out[:, index] += count(np.bitwise_and(home, counted, out=both)) << bit
    return out


def _moves(gap: Int, activity: int, available: Int) -> Int:
    """How many neurons of one activity to move.

    A move goes on while the heavy side is heavier and it still narrows the gap: moving a changes
    the gap by 2a, so the gap must exceed a.
    """
    wanted = np.where(gap > activity, -((activity - gap) // (2 * activity)), 0)
    return np.minimum(wanted, available)


def rebalance(
    dimms: NDArray[np.uint64],
    cold: Plane,
    window: Sequence[Plane],
    room: Int,
    *,
    tokens: int = 7,
    printed_rule: bool = False,
) -> Int:
    """Move cold neurons between paired DIMMs, in place.

    In each layer the heaviest DIMM is paired with the lightest, the second heaviest with the
    second lightest and so on; the most active neurons move first.

    Args:
        dimms: home planes of one block, (DIMMs, layers, words), changed in place.
        cold: neurons of the block computed on DIMMs.
        window: bit-sliced firings in the window.
        room: most neurons one pair may move, by layer.
        tokens: length of the window, the largest number of firings there can be.
        printed_rule: follow the printed loop test Z_heavy <= Z_light, which after the descending
            sort only holds for equal loads and so moves nothing.

    Returns:
        Neurons moved by layer and pair, shape (layers, DIMMs // 2).
    """
    layers, pairs = len(cold), len(dimms) // 2
    moved = np.zeros((layers, pairs), np.int64)
    if printed_rule or not pairs:
        return moved
    load = loads(dimms, cold, window)
    order = np.argsort(-load, axis=1, kind="stable")
    every = np.arange(layers)[:, None]
    # From here one row for each pair of each layer.
    heavy, light = order[:, :pairs], order[:, ::-1][:, :pairs]
    gap = (load[every, heavy] - load[every, light]).reshape(-1)
    heavy, light = heavy.reshape(-1), light.reshape(-1)
    layer = np.repeat(np.arange(layers), pairs)
    left = room[layer]
    source = dimms[heavy, layer]
    for activity in range(tokens, 0, -1):
        # Most pairs are balanced by their most active neurons; go on with the others only.
        rows = np.flatnonzero((gap > activity) & (left > 0))
        if not len(rows):
            continue
        here = (equals(window, activity) & cold)[layer[rows]]
        here &= source[rows]
        amount = np.minimum(_moves(gap[rows], activity, count(here)), left[rows])
        keep_first_bits(here, amount)
        row, word = np.divmod(np.flatnonzero(here != 0), here.shape[1])
        bits = here[row, word]
        dimms[heavy[rows[row]], layer[rows[row]], word] &= ~bits
        dimms[light[rows[row]], layer[rows[row]], word] |= bits
        gap[rows] -= 2 * activity * amount
        left[rows] -= amount
        moved.reshape(-1)[rows] += amount
    return moved
