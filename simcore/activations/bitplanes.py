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
    carry = np.zeros_like(mask)
    for bit, plane in enumerate(counter):
        if (amount >> bit) & 1:
            both = plane & mask
            half = plane ^ mask
            carry_out = both | (half & carry)
            np.bitwise_xor(half, carry, out=plane)
            carry = carry_out
        else:
            carry_out = plane & carry
            np.bitwise_xor(plane, carry, out=plane)
            carry = carry_out
    for plane in counter:
        np.bitwise_or(plane, carry, out=plane)


def add_one(counter: Sequence[Plane]) -> None:
    """Add one to every counter, in place; the planes must have room for the result."""
    carry = np.full_like(counter[0], ONES)
    for plane in counter:
        carry_out = plane & carry
        np.bitwise_xor(plane, carry, out=plane)
        carry = carry_out


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


def first_bits(plane: Plane, limit: NDArray[np.int64]) -> Plane:
    """The first ``limit[row]`` set bits of each row, as a plane.

    Whole words are kept up to the word in which the limit falls; of that one word a row, the
    lowest bits.
    """
    upto = np.cumsum(np.bitwise_count(plane), axis=1, dtype=np.int32)
    whole = upto <= limit[:, None]
    result = np.where(whole, plane, np.uint64(0))
    cut = whole.sum(axis=1)
    rows = np.flatnonzero(cut < plane.shape[1])
    if len(rows):
        word = cut[rows]
        taken = np.where(word > 0, upto[rows, word - 1], 0)
        bits = unpack(plane[rows, word][:, None])
        keep = np.cumsum(bits, axis=1, dtype=np.int32) <= (limit[rows] - taken)[:, None]
        result[rows, word] = pack((bits & keep).view(np.bool_))[:, 0]
    return result


def from_positions(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> Plane:
    """A plane with the given bits set."""
    out = np.zeros(shape, np.uint64)
    bits = np.left_shift(np.uint64(1), (column & 63).astype(np.uint64))
    np.bitwise_or.at(out.reshape(-1), row * shape[1] + (column >> 6), bits)
    return out
