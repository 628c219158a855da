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


def read_counter(counter: Sequence[Plane]) -> NDArray[np.uint8]:
    """Counter values as bytes, shape (layers, 64 * words)."""
    total = unpack(counter[0])
    for bit, plane in enumerate(counter[1:], start=1):
        total += unpack(plane) << np.uint8(bit)
    return total


def write_counter(values: NDArray[np.uint8], bits: int) -> list[Plane]:
    """Planes of a counter from byte values of shape (layers, columns)."""
    return [
        np.packbits(values & np.uint8(1 << bit), axis=-1, bitorder="little").view(np.uint64)
        for bit in range(bits)
    ]


def add_one(counter: Sequence[Plane]) -> None:
    """Add one to every counter, in place; the planes must have room for the result."""
    carry = np.full_like(counter[0], np.iinfo(np.uint64).max)
    for plane in counter:
        carry_out = plane & carry
        np.bitwise_xor(plane, carry, out=plane)
        carry = carry_out
