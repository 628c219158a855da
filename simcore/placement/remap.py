"""Window remapping (Hermes, IV-D, Algorithm 1): cold neurons move from busy to idle DIMMs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import compiled, set_bits
from simcore.placement.states import Word, Words, lowest

Int = NDArray[np.int64]
Counts = NDArray[np.int32]
Counter = tuple[Words, Words, Words]
"""Bit-sliced number of firings of the neurons of a row in the window, lowest bit first."""

WINDOW_BITS = 3
"""Bits of the number of firings in a window: windows have up to seven tokens."""

_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@compiled
def counter(window: NDArray[np.uint64], layer: int, start: int, stop: int) -> Counter:
    """Some words of a layer of a window's planes, (3, layers, words)."""
    return (
        window[0, layer, start:stop],
        window[1, layer, start:stop],
        window[2, layer, start:stop],
    )


@compiled
def count_firing(window: Counter, fired: Words) -> None:
    """Count a token of a layer into the window, in place; counters stay at seven."""
    a, b, c = window
    for word in range(fired.size):
        first = a[word] & fired[word]
        second = b[word] & first
        full = c[word] & second
        a[word] = (a[word] ^ fired[word]) | full
        b[word] = (b[word] ^ first) | full
        c[word] = (c[word] ^ second) | full


@compiled
def load(home: Words, cold: Words, window: Counter) -> int:
    """Activity of the cold neurons of a DIMM over the window: Z of one layer and block."""
    a, b, c = window
    ones, twos, fours = 0, 0, 0
    for word in range(cold.size):
        mine = home[word] & cold[word]
        ones += set_bits(mine & a[word])
        twos += set_bits(mine & b[word])
        fours += set_bits(mine & c[word])
    return ones + 2 * twos + 4 * fours


@compiled
def rebalance(
    dimms: NDArray[np.uint64],
    gpu: Plane,
    valid: Words,
    window: NDArray[np.uint64],
    room: Int,
    blocks: Int,
    tokens: int,
    moved: Counts,
) -> None:
    """Move cold neurons between paired DIMMs, in place.

    In each layer the heaviest DIMM is paired with the lightest, the second heaviest with the
    second lightest and so on; the most active neurons move first.

    Args:
        dimms: home planes, (DIMMs, layers, words), changed in place.
        gpu: neurons with a copy on the GPU, (layers, words); the others are cold.
        valid: real neurons of a row, (words,).
        window: bit-sliced firings in the window, (3, layers, words).
        room: most neurons one pair of a layer may move, by block.
        blocks: first word, word after the last and bytes of a neuron of each block, (blocks, 3).
        tokens: length of the window, the largest number of firings there can be.
        moved: where to write neurons moved, (layers, blocks, DIMMs // 2).
    """
    units = len(dimms)
    loads, order = np.empty(units, np.int64), np.empty(units, np.int64)
    cold = np.empty_like(valid)
    for layer in range(len(gpu)):
        for word in range(cold.size):
            cold[word] = valid[word] & ~gpu[layer, word]
        for block in range(len(blocks)):
            start, stop, _ = blocks[block]
            pool, firings = cold[start:stop], counter(window, layer, start, stop)
            for unit in range(units):
                loads[unit] = load(dimms[unit, layer, start:stop], pool, firings)
            _heaviest_first(loads, order)
            for pair in range(units // 2):
                heavy, light = order[pair], order[units - 1 - pair]
                moved[layer, block, pair] = _even_out(
                    dimms[heavy, layer, start:stop],
                    dimms[light, layer, start:stop],
                    pool,
                    firings,
                    loads[heavy] - loads[light],
                    room[block],
                    tokens,
                )


@compiled
def _fired(window: Counter, word: int, times: int) -> Word:
    """Neurons of a word that fired exactly so many times."""
    a, b, c = window
    return (
        (a[word] if times & 1 else a[word] ^ _ALL)
        & (b[word] if times & 2 else b[word] ^ _ALL)
        & (c[word] if times & 4 else c[word] ^ _ALL)
    )


@compiled
def _heaviest_first(loads: Int, order: Int) -> None:
    """Sort a few DIMMs by load, the heaviest first, equal ones in their order."""
    for unit in range(loads.size):
        place = unit
        while place > 0 and loads[order[place - 1]] < loads[unit]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = unit


@compiled
def _even_out(
    source: Words, target: Words, pool: Words, window: Counter, gap: int, room: int, tokens: int
) -> int:
    """Move neurons of a pool from the heavier DIMM of a pair to the lighter; how many.

    Args:
        source, target: neurons at home on either, changed in place.
        pool: cold neurons.
        window: their firings.
        gap: difference of the loads.
        room: most neurons to move.
        tokens: the largest number of firings there can be.
    """
    left = room
    for activity in range(tokens, 0, -1):
        # A move goes on while the heavy side is heavier and it still narrows the gap:
        # moving `activity` changes the gap by twice as much.
        if gap <= activity or left <= 0:
            continue
        wanted = min(-((activity - gap) // (2 * activity)), left)
        amount = 0
        for word in range(pool.size):
            found = pool[word] & source[word] & _fired(window, word, activity)
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
    return room - left
