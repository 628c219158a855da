"""Numpy's SFC64 and what it draws from it, for compiled loops: the same numbers, bit for bit.

Numpy's own generators give the interpreter back and fetch it again at every call, and leave their
numbers in memory where a loop would have them in the cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.compiled import compiled

State = NDArray[np.uint64]
"""Six words as `streams.state_words` makes them."""

_11, _24, _40, _3 = np.uint64(11), np.uint64(24), np.uint64(40), np.uint64(3)
_NONE, _ONE, _HALF_WORD = np.uint64(0), np.uint64(1), np.uint64(32)
_LOW = np.uint64(0xFFFF_FFFF)
_UNIT = 2.0**-53


@compiled
def fill(state: State, out: NDArray[np.uint64]) -> None:
    """Draw words, as ``random_raw``."""
    a, b, c, count = state[0], state[1], state[2], state[3]
    for place in range(out.size):
        word = a + b + count
        count += _ONE
        a = b ^ (b >> _11)
        b = c + (c << _3)
        c = ((c << _24) | (c >> _40)) + word
        out[place] = word
    state[0], state[1], state[2], state[3] = a, b, c, count


@compiled
def _word(state: State) -> np.uint64:
    a, b, c = state[0], state[1], state[2]
    word = a + b + state[3]
    state[3] += _ONE
    state[0] = b ^ (b >> _11)
    state[1] = c + (c << _3)
    state[2] = ((c << _24) | (c >> _40)) + word
    return word


@compiled
def _half(state: State) -> np.uint64:
    """32 bits: the low half of a word first, its high half at the next call."""
    if state[4]:
        state[4] = _NONE
        return state[5]
    word = _word(state)
    state[4], state[5] = _ONE, word >> _HALF_WORD
    return word & _LOW


@compiled
def uniform(state: State) -> float:
    """A number from 0 to 1, 1 excluded, as ``random``."""
    return np.float64(_word(state) >> _11) * _UNIT


@compiled
def below(state: State, limit: int) -> np.int64:
    """A whole number from 0 to `limit`, which is below 2^32 and excluded, as ``integers``.

    By Lemire, arXiv 1805.10941: the high half of a product; a few products would favour some
    numbers and are drawn again.
    """
    if limit == 1:
        return np.int64(0)
    wide = np.uint64(limit)
    product = _half(state) * wide
    if product & _LOW < wide:
        unfair = ((_LOW - wide) + _ONE) % wide
        while product & _LOW < unfair:
            product = _half(state) * wide
    return np.int64(product >> _HALF_WORD)


@compiled
def shuffle(state: State, values: NDArray[np.int64]) -> None:
    """Put values into another order, in place, as ``permutation`` does with a copy."""
    mask = np.uint64(1)
    while mask < np.uint64(values.size):
        mask = (mask << _ONE) | _ONE
    for last in range(values.size - 1, 0, -1):
        while mask >> _ONE >= np.uint64(last):
            mask >>= _ONE
        other = np.int64(_half(state) & mask)
        while other > last:  # bits of no use are drawn again
            other = np.int64(_half(state) & mask)
        values[last], values[other] = values[other], values[last]
