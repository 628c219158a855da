"""Sets of neurons as packed bits, and small counters as stacks of such planes.

A plane is a C-contiguous uint64 array of shape (layers, words); bit k of word w stands for column
64 * w + k. At three million neurons a plane is 369 kB: logic on whole planes costs tens of
microseconds where a byte per neuron costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint64]

WORD = 64
ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def pack(flags: NDArray[np.bool_]) -> Plane:
    """Pack booleans of shape (layers, columns); columns must be a multiple of 64."""
    return np.packbits(flags, axis=-1, bitorder="little").view(np.uint64)


def unpack(plane: Plane) -> NDArray[np.uint8]:
    """The 0/1 values of a plane, shape (layers, 64 * words)."""
    return np.unpackbits(np.ascontiguousarray(plane).view(np.uint8), axis=-1, bitorder="little")


def count(plane: Plane) -> NDArray[np.int64]:
    """Set bits of each row of a plane."""
    narrow = np.uint16 if plane.shape[-1] * WORD < 1 << 16 else np.uint32  # 3x faster to sum
    return np.bitwise_count(plane).sum(axis=-1, dtype=narrow).astype(np.int64)


def at_least(counter: Sequence[Plane], value: int) -> Plane:
    """Neurons whose bit-sliced counter (least significant plane first) is >= value."""
    if value <= 0:
        return np.full_like(counter[0], ONES)
    if value >> len(counter):
        return np.zeros_like(counter[0])
    result: Plane | None = None
    for bit, plane in enumerate(counter):
        if (value >> bit) & 1:
            result = plane.copy() if result is None else np.bitwise_and(result, plane, out=result)
        elif result is not None:
            np.bitwise_or(result, plane, out=result)
        # Below the lowest set bit of `value` nothing can make the counter too small.
    assert result is not None
    return result


def equals(counter: Sequence[Plane], value: int) -> Plane:
    """Neurons whose counter is exactly `value`."""
    result: Plane | None = None
    for bit, plane in enumerate(counter):
        wanted = plane if (value >> bit) & 1 else ~plane
        if result is None:
            result = wanted.copy() if wanted is plane else wanted
        else:
            np.bitwise_and(result, wanted, out=result)
    assert result is not None
    return result


def read_counter(counter: Sequence[Plane]) -> NDArray[np.uint8]:
    """Counter values as bytes, shape (layers, 64 * words)."""
    total = unpack(counter[0])
    for bit, plane in enumerate(counter[1:], start=1):
        total += unpack(plane) << np.uint8(bit)
    return total


def write_counter(values: NDArray[np.uint8], bits: int) -> list[Plane]:
    """Planes of a counter from byte values of shape (layers, columns)."""
    return [pack(((values >> bit) & 1).astype(np.bool_)) for bit in range(bits)]


def add_saturating(counter: Sequence[Plane], mask: Plane, amount: int) -> None:
    """Add `amount` to the counters in `mask`, in place, holding at the largest value."""
    carry: Plane | None = None
    for bit, plane in enumerate(counter):
        if (amount >> bit) & 1:
            carried = plane & mask
            np.bitwise_xor(plane, mask, out=plane)  # without what is carried in
            if carry is not None:
                carried |= plane & carry
                np.bitwise_xor(plane, carry, out=plane)
            carry = carried
        elif carry is not None:
            carried = plane & carry
            np.bitwise_xor(plane, carry, out=plane)
            carry = carried
    if carry is not None:
        for plane in counter:
            np.bitwise_or(plane, carry, out=plane)


def add_one(counter: Sequence[Plane]) -> None:
    """Add one to every counter, in place; the planes must have room for the result."""
    carry = np.full_like(counter[0], ONES)
    for plane in counter:
        carry_out = plane & carry
        np.bitwise_xor(plane, carry, out=plane)
        carry = carry_out


def tally(planes: Sequence[Plane]) -> list[Plane]:
    """In how many of the planes each bit is set, as a bit-sliced counter.

    Three planes of one weight become their sum and their carry (a full adder on every bit at
    once) until there is one of each weight.
    """
    counter: list[Plane] = []
    pending = list(planes)
    while pending:
        carried: list[Plane] = []
        while len(pending) > 1:
            first, second = pending.pop(), pending.pop()
            total, carry = first ^ second, first & second
            if pending:
                third = pending.pop()
                np.bitwise_or(carry, total & third, out=carry)
                np.bitwise_xor(total, third, out=total)
            carried.append(carry)
            pending.append(total)
        counter += pending
        pending = carried
    return counter


def subtract_one(counter: Sequence[Plane], mask: Plane) -> None:
    """Subtract one from the counters in `mask`, in place, holding at zero."""
    positive = counter[0].copy()
    for plane in counter[1:]:
        np.bitwise_or(positive, plane, out=positive)
    borrow = np.bitwise_and(mask, positive, out=positive)
    for plane in counter:
        borrowed = ~plane & borrow
        np.bitwise_xor(plane, borrow, out=plane)
        borrow = borrowed


def list_bits(plane: Plane) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of every set bit, ordered by row, then column."""
    words = plane.shape[-1]
    flat = plane.reshape(-1)
    index = np.flatnonzero(flat)
    bits = np.unpackbits(
        np.ascontiguousarray(flat[index]).view(np.uint8).reshape(-1, 8), axis=1, bitorder="little"
    )
    position = np.flatnonzero(bits.view(np.bool_))
    where = index[position >> 6]
    row = where // words
    return row, (where - row * words) * WORD + (position & 63)


_STRETCH = 64
"""Words looked at together when a row is searched for the place where a limit falls."""


def first_bits(plane: Plane, limit: NDArray[np.int64]) -> Plane:
    """The first ``limit[row]`` set bits of each row, as a plane.

    Whole words are kept up to the word in which the limit falls; of that one word a row, the
    lowest bits.
    """
    result = plane.copy()
    keep_first_bits(result, limit)
    return result


def keep_first_bits(plane: Plane, limit: NDArray[np.int64]) -> None:
    """Clear all but the first ``limit[row]`` set bits of each row, in place."""
    words = plane.shape[1]
    cut, taken = _last_below(np.bitwise_count(plane), limit)
    rows = np.flatnonzero((cut < words) & (taken < limit))
    word = cut[rows]
    flags = unpack(plane[rows, word][:, None])
    keep = np.cumsum(flags, axis=1, dtype=np.uint8) <= (limit - taken)[rows][:, None]
    some = int(cut.max(initial=0))  # often far from the end of the rows
    beyond = np.arange(some, dtype=np.int32) >= cut.astype(np.int32)[:, None]
    np.copyto(plane[:, :some], np.uint64(0), where=beyond)
    plane[:, some:] = 0
    if len(rows):
        plane[rows, word] = pack((flags & keep).view(np.bool_))[:, 0]


def _last_below(
    bits: NDArray[np.uint8], limit: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many words of each row hold no more than its limit together, and how much they hold.

    Stretches of words first, then the words of one stretch: adding up every word of every row one
    by one would be most of the work.
    """
    rows, words = bits.shape
    starts = np.arange(0, words, _STRETCH)
    upto = np.add.reduceat(bits, starts, axis=1, dtype=np.uint32).astype(np.int64)
    np.cumsum(upto, axis=1, out=upto)
    whole = (upto <= limit[:, None]).sum(axis=1)
    every = np.arange(rows)
    before = np.where(whole > 0, upto[every, whole - 1], 0)
    first = whole * _STRETCH
    where = first[:, None] + np.arange(_STRETCH)
    fine = np.where(where < words, bits[every[:, None], np.minimum(where, words - 1)], 0)
    upto = np.cumsum(fine, axis=1, dtype=np.int64)
    more = (upto <= (limit - before)[:, None]).sum(axis=1)
    taken = before + np.where(more > 0, upto[every, more - 1], 0)
    return np.minimum(first + more, words), taken


def from_positions(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> Plane:
    """A plane with the given bits set."""
    out = np.zeros(shape, np.uint64)
    bits = np.left_shift(np.uint64(1), (column & 63).astype(np.uint64))
    np.bitwise_or.at(out.reshape(-1), row * shape[1] + (column >> 6), bits)
    return out
