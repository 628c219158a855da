"""Window remapping (Hermes, IV-D, Algorithm 1): cold neurons move from busy to idle DIMMs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, count, equals, first_bits

Int = NDArray[np.int64]


def loads(dimms: Sequence[Plane], cold: Plane, window: Sequence[Plane]) -> Int:
    """Activity of the cold neurons of each DIMM over the window: Z, shape (layers, DIMMs).

    Args:
        dimms: home planes.
        cold: neurons computed on the DIMMs.
        window: bit-sliced number of firings of each neuron in the window.
    """
    out = np.zeros((len(cold), len(dimms)), np.int64)
    for index, home in enumerate(dimms):
        mine = home & cold
        for bit, plane in enumerate(window):
            out[:, index] += count(mine & plane) << bit
    return out


def _moves(gap: Int, activity: int, available: Int) -> Int:
    """How many neurons of one activity to move.

    A move goes on while the heavy side is heavier and it still narrows the gap: moving a changes
    the gap by 2a, so the gap must exceed a.
    """
    wanted = np.where(gap > activity, -((activity - gap) // (2 * activity)), 0)
    return np.minimum(wanted, available)


def rebalance(
    dimms: Sequence[Plane],
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
        dimms: home planes of one block, changed in place.
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
    rows = np.arange(layers)
    for pair in range(pairs):
        heavy, light = order[:, pair], order[:, -1 - pair]
        gap = load[rows, heavy] - load[rows, light]
        left = room.copy()
        source = _gather(dimms, heavy) & cold
        taken = np.zeros_like(source)
        for activity in range(tokens, 0, -1):
            # Most layers are balanced by their most active neurons; go on with the others only.
            open_rows = np.flatnonzero((gap > activity) & (left > 0))
            if not len(open_rows):
                continue
            here = equals([plane[open_rows] for plane in window], activity) & source[open_rows]
            amount = np.minimum(_moves(gap[open_rows], activity, count(here)), left[open_rows])
            taken[open_rows] |= first_bits(here, amount)
            gap[open_rows] -= 2 * activity * amount
            left[open_rows] -= amount
            moved[open_rows, pair] += amount
        _apply(dimms, heavy, light, taken)
    return moved


def _gather(dimms: Sequence[Plane], which: Int) -> Plane:
    """Row l of plane which[l]."""
    out = np.empty_like(dimms[0])
    for index, plane in enumerate(dimms):
        chosen = np.flatnonzero(which == index)
        out[chosen] = plane[chosen]
    return out


def _apply(dimms: Sequence[Plane], heavy: Int, light: Int, taken: Plane) -> None:
    for index, plane in enumerate(dimms):
        gives, gets = np.flatnonzero(heavy == index), np.flatnonzero(light == index)
        plane[gives] &= ~taken[gives]
        plane[gets] |= taken[gets]
