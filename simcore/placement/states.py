"""Neuron states of four bits, looked at a word of 64 neurons at a time in compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.compiled import compiled, set_bits

Word = np.uint64
Words = NDArray[np.uint64]
State = tuple[Word, Word, Word, Word]
Rows = tuple[Words, Words, Words, Words]
Masks = tuple[Word, Word, Word, Word, Word]

_NO = np.uint64(0)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_LOWEST = np.uint64(1)


@compiled
def clear(out: Words) -> None:
    """Take everybody out of a row; a loop is compiled in a fraction of the time of a slice."""
    for word in range(out.size):
        out[word] = _NO


@compiled
def rows(state: NDArray[np.uint64], layer: int) -> Rows:
    """The states of a layer, from planes (4, layers, words)."""
    return state[0, layer], state[1, layer], state[2, layer], state[3, layer]


@compiled
def bit_masks(value: int) -> Masks:
    """A word of ones for each bit set in a value of 0 to 16, lowest first, else of zeros."""
    return (
        _ALL if value & 1 else _NO,
        _ALL if value & 2 else _NO,
        _ALL if value & 4 else _NO,
        _ALL if value & 8 else _NO,
        _ALL if value & 16 else _NO,
    )


@compiled
def reaches(state: State, value: Masks) -> Word:
    """Neurons whose state is at least a value, given by its masks; none reaches 16.

    From the lowest bit up: where the value has the bit, the state must have it too and reach the
    rest; where it has not, having it is enough.
    """
    a, b, c, d = state
    result = a | ~value[0]
    result = (b & result) | (~value[1] & (b | result))
    result = (c & result) | (~value[2] & (c | result))
    result = (d & result) | (~value[3] & (d | result))
    return result & ~value[4]


@compiled
def how_many(state: Rows, value: int, among: Words) -> int:
    """How many of the neurons set in a row have a state of at least a value."""
    a, b, c, d = state
    masks = bit_masks(value)
    found = 0
    for word in range(among.size):
        found += set_bits(among[word] & reaches((a[word], b[word], c[word], d[word]), masks))
    return found


@compiled
def all_highest(state: Rows, among: Words) -> bool:
    """Whether all neurons set in a row have the highest state."""
    a, b, c, d = state
    others = _NO
    for word in range(among.size):
        others |= among[word] & ~(a[word] & b[word] & c[word] & d[word])
    return others == _NO


@compiled
def count_below(state: Rows, among: Words, out: NDArray[np.int64]) -> None:
    """How many of the neurons set in a row have a state below each of 0 to 16, (17,)."""
    a, b, c, d = state
    found = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    out[0] = 0
    for word in range(among.size):
        upper = _four(c[word], d[word], among[word])
        lower = _four(a[word], b[word], _ALL)
        found = (
            found[0] + set_bits(upper[0] & lower[0]),
            found[1] + set_bits(upper[0] & lower[1]),
            found[2] + set_bits(upper[0] & lower[2]),
            found[3] + set_bits(upper[0] & lower[3]),
            found[4] + set_bits(upper[1] & lower[0]),
            found[5] + set_bits(upper[1] & lower[1]),
            found[6] + set_bits(upper[1] & lower[2]),
            found[7] + set_bits(upper[1] & lower[3]),
            found[8] + set_bits(upper[2] & lower[0]),
            found[9] + set_bits(upper[2] & lower[1]),
            found[10] + set_bits(upper[2] & lower[2]),
            found[11] + set_bits(upper[2] & lower[3]),
            found[12] + set_bits(upper[3] & lower[0]),
            found[13] + set_bits(upper[3] & lower[1]),
            found[14] + set_bits(upper[3] & lower[2]),
            found[15] + set_bits(upper[3] & lower[3]),
        )
    for value in range(16):
        out[value + 1] = out[value] + found[value]


@compiled
def _four(low: Word, high: Word, among: Word) -> tuple[Word, Word, Word, Word]:
    """Which of the neurons have 0, 1, 2 and 3 in two bits of their state."""
    with_high, without = among & high, among & ~high
    return without & ~low, without & low, with_high & ~low, with_high & low


@compiled
def lowest(word: Word, amount: int) -> Word:
    """The lowest so many set bits of a word."""
    rest = word
    for _ in range(amount):
        if not rest:
            break
        rest &= rest - _LOWEST
    return word ^ rest


@compiled
def between(state: Rows, low: int, high: int, pool: Words, out: Words) -> None:
    """Write to `out` the neurons of a row whose state is at least `low` and below `high`."""
    if low >= high:
        clear(out)
        return
    a, b, c, d = state
    from_here, up_to = bit_masks(low), bit_masks(high)
    for word in range(out.size):
        values = (a[word], b[word], c[word], d[word])
        out[word] = pool[word] & reaches(values, from_here) & ~reaches(values, up_to)


@compiled
def add_first(state: Rows, value: int, wanted: int, pool: Words, out: Words) -> None:
    """Add to `out` the first `wanted` neurons of a row whose state is exactly `value`."""
    a, b, c, d = state
    from_here, up_to = bit_masks(value), bit_masks(value + 1)
    left = wanted
    for word in range(pool.size):
        if left <= 0:
            break
        values = (a[word], b[word], c[word], d[word])
        found = pool[word] & reaches(values, from_here) & ~reaches(values, up_to)
        amount = set_bits(found)
        if amount > left:
            found = lowest(found, left)
        out[word] |= found
        left -= amount


@compiled
def first_bits(plane: Plane, limits: NDArray[np.int64], start: int, stop: int, out: Plane) -> None:
    """Write to words `start` to `stop` of `out` the first ``limits[layer]`` bits set in `plane`."""
    for layer in range(len(plane)):
        pool, taken = plane[layer, start:stop], out[layer, start:stop]
        left = limits[layer]
        for word in range(pool.size):
            taken[word] = lowest(pool[word], min(left, 64))
            left -= set_bits(taken[word])
