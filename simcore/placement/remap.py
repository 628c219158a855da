"""Window remapping (Hermes, IV-D, Algorithm 1): cold neurons move from busy to idle DIMMs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import compiled, set_bits
from simcore.placement.states import Word, lowest

Int = NDArray[np.int64]

WINDOW_BITS = 3
"""Bits of the number of firings in a window: windows have up to seven tokens."""

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@compiled
def count_firing(window: NDArray[np.uint64], active: Plane) -> None:
    """Count a token into the window, in place; counters stay at seven."""
    for layer in range(len(active)):
        fired = active[layer]
        a, b, c = window[0, layer], window[1, layer], window[2, layer]
        for word in range(fired.size):
            first = a[word] & fired[word]
            second = b[word] & first
            full = c[word] & second
            a[word] = (a[word] ^ fired[word]) | full
            b[word] = (b[word] ^ first) | full
            c[word] = (c[word] ^ second) | full


@compiled
def loads(dimms: NDArray[np.uint64], cold: Plane, window: NDArray[np.uint64]) -> Int:
    """Activity of the cold neurons of each DIMM over the window: Z, shape (layers, DIMMs).

    Args:
        dimms: home planes, (DIMMs, layers, words).
        cold: neurons computed on the DIMMs.
        window: bit-sliced number of firings of each neuron in the window, (3, layers, words).
    """
    out = np.empty((len(cold), len(dimms)), np.int64)
    for layer in range(len(cold)):
        _row_loads(dimms, cold, window, layer, 0, cold.shape[1], out[layer])
    return out


def rebalance(
    dimms: NDArray[np.uint64],
    cold: Plane,
    window: NDArray[np.uint64],
    room: int,
    words: slice,
    *,
    tokens: int = 7,
    printed_rule: bool = False,
) -> Int:
    """Move cold neurons between paired DIMMs, in place.

    In each layer the heaviest DIMM is paired with the lightest, the second heaviest with the
    second lightest and so on; the most active neurons move first.

    Args:
        dimms: home planes, (DIMMs, layers, words), changed in place.
        cold: neurons computed on DIMMs, (layers, words).
        window: bit-sliced firings in the window, (3, layers, words).
        room: most neurons one pair of a layer may move.
        words: those of the block in question.
        tokens: length of the window, the largest number of firings there can be.
        printed_rule: follow the printed loop test Z_heavy <= Z_light, which after the descending
            sort only holds for equal loads and so moves nothing.

    Returns:
        Neurons moved by layer and pair, shape (layers, DIMMs // 2).
    """
    moved = np.zeros((len(cold), len(dimms) // 2), np.int64)
    if not printed_rule and moved.size:
        _rebalance(dimms, cold, window, room, words.start, words.stop, tokens, moved)
    return moved


@compiled
def _row_loads(
    dimms: NDArray[np.uint64],
    cold: Plane,
    window: NDArray[np.uint64],
    layer: int,
    start: int,
    stop: int,
    out: Int,
) -> None:
    pool = cold[layer, start:stop]
    for unit in range(len(dimms)):
        home = dimms[unit, layer, start:stop]
        total = 0
        for bit in range(len(window)):
            counted = window[bit, layer, start:stop]
            found = 0
            for word in range(pool.size):
                found += set_bits(home[word] & pool[word] & counted[word])
            total += found << bit
        out[unit] = total


@compiled
def _fired(a: Word, b: Word, c: Word, times: int) -> Word:
    """Neurons that fired exactly so many times."""
    return (
        (a if times & 1 else a ^ _ALL)
        & (b if times & 2 else b ^ _ALL)
        & (c if times & 4 else c ^ _ALL)
    )


@compiled
def _heaviest_first(load: Int, order: Int) -> None:
    """Sort a few DIMMs by load, the heaviest first, equal ones in their order."""
    for unit in range(load.size):
        place = unit
        while place > 0 and load[order[place - 1]] < load[unit]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = unit


@compiled
def _rebalance(
    dimms: NDArray[np.uint64],
    cold: Plane,
    window: NDArray[np.uint64],
    room: int,
    start: int,
    stop: int,
    tokens: int,
    moved: Int,
) -> None:
    units = len(dimms)
    load, order = np.empty(units, np.int64), np.empty(units, np.int64)
    for layer in range(len(cold)):
        _row_loads(dimms, cold, window, layer, start, stop, load)
        _heaviest_first(load, order)
        pool = cold[layer, start:stop]
        a, b, c = (
            window[0, layer, start:stop],
            window[1, layer, start:stop],
            window[2, layer, start:stop],
        )
        for pair in range(units // 2):
            heavy, light = order[pair], order[units - 1 - pair]
            gap, left = load[heavy] - load[light], room
            source, target = dimms[heavy, layer, start:stop], dimms[light, layer, start:stop]
            for activity in range(tokens, 0, -1):
                # A move goes on while the heavy side is heavier and it still narrows the gap:
                # moving `activity` changes the gap by twice as much.
                if gap <= activity or left <= 0:
                    continue
                wanted = min(-((activity - gap) // (2 * activity)), left)
                amount = 0
                for word in range(pool.size):
                    found = pool[word] & source[word] & _fired(a[word], b[word], c[word], activity)
                    if not found:
                        continue
                    here = set_bits(found)
                    if here > wanted - amount:
                        here = wanted - amount
                        found = lowest(found, here)
                    source[word] &= ~found
                    target[word] |= found
                    amount += here
                    if amount == wanted:
                        break
                gap -= 2 * activity * amount
                left -= amount
                moved[layer, pair] += amount
