"""Where bursts are: address layouts and access patterns, as columns of bank and row.

A layout says which address bits pick what, lowest first, in units of one burst:

- ``linear``: column, bank group, bank, rank, row (a row is filled before the next bank).
- ``bank-group``: bank group, column, bank, rank, row (bursts rotate over the bank groups).
- ``mop4``: four columns, bank group, bank, rank, other columns, row.
- ``rank``: rank, bank group, column, bank, row (the rank changes with every burst).
- ``one-bank``: column, row (everything in one bank of one pseudo-channel).

The pseudo-channel is the lowest bit of every layout but ``one-bank``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simcore.hardware.dram.timing import DramTiming
from simcore.units import Int64Array


class Layout(StrEnum):
    """Address layouts; see the module."""

    LINEAR = "linear"
    BANK_GROUP = "bank-group"
    MOP4 = "mop4"
    RANK = "rank"
    ONE_BANK = "one-bank"


@dataclass(frozen=True, slots=True)
class Bursts:
    """A sequence of bursts, in the order they are asked for.

    Attributes:
        bank: number of the bank, counted over pseudo-channels, ranks, stack levels, bank groups
            and banks, the last fastest; shape (n,).
        row: row in the bank; shape (n,).
        write: whether it is written; shape (n,).
    """

    bank: Int64Array
    row: Int64Array
    write: NDArray[np.bool_]


def place(
    timing: DramTiming, layout: Layout, ranks: int, burst: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Bank and row of bursts given by number (address / burst bytes).

    Stack levels sit beside the rank: they are the same address bits of a stacked part.
    """
    parts = {
        "pc": timing.pseudo_channels,
        "ra": ranks,
        "si": timing.stack_ids,
        "bg": timing.bank_groups,
        "ba": timing.banks_per_group,
        "co": timing.row_bursts,
        "c4": min(4, timing.row_bursts),
        "cr": max(1, timing.row_bursts // 4),
    }
    order = {
        Layout.LINEAR: ("pc", "co", "bg", "ba", "si", "ra"),
        Layout.BANK_GROUP: ("pc", "bg", "co", "ba", "si", "ra"),
        Layout.MOP4: ("pc", "c4", "bg", "ba", "si", "ra", "cr"),
        Layout.RANK: ("pc", "ra", "bg", "co", "ba", "si"),
        Layout.ONE_BANK: ("co",),
    }[layout]
    rest = burst
    at: dict[str, Int64Array] = {}
    for part in order:
        at[part] = rest % parts[part]
        rest = rest // parts[part]
    zero = np.zeros_like(burst)
    bank = zero
    for part in ("pc", "ra", "si", "bg", "ba"):
        bank = bank * parts[part] + at.get(part, zero)
    return bank, rest % timing.rows


def bursts_in_channel(timing: DramTiming, layout: Layout, ranks: int) -> int:
    """Number of different bursts a layout reaches."""
    one_bank = timing.rows * timing.row_bursts
    if layout is Layout.ONE_BANK:
        return one_bank
    return one_bank * timing.banks * ranks * timing.pseudo_channels


def stream(
    timing: DramTiming, layout: Layout, ranks: int, count: int, streams: int, seed: int = 0
) -> Bursts:
    """`count` bursts of ascending addresses: one stream, or `streams` of them burst by burst.

    Several streams start at random places, so that they do not march through the banks in step.
    """
    size = bursts_in_channel(timing, layout, ranks)
    rng = np.random.default_rng(seed)
    start = rng.integers(0, size, streams) if streams > 1 else np.zeros(1, np.int64)
    steps = np.arange(-(-count // streams))
    burst = ((start[None, :] + steps[:, None]) % size).reshape(-1)[:count]
    bank, row = place(timing, layout, ranks, burst)
    return Bursts(bank, row, np.zeros(count, bool))


def gather(
    timing: DramTiming,
    layout: Layout,
    ranks: int,
    count: int,
    granule_bytes: int,
    interleaved: int = 1,
    seed: int = 0,
) -> Bursts:
    """`count` bursts in granules of `granule_bytes` at random aligned places.

    `interleaved` granules at a time are asked for burst by burst.
    """
    size = bursts_in_channel(timing, layout, ranks)
    each = -(-granule_bytes // timing.burst_bytes)
    rounds = -(-count // (each * interleaved))
    rng = np.random.default_rng(seed)
    base = rng.integers(0, max(1, size // each), (rounds, interleaved)) * each
    burst = (base[:, None, :] + np.arange(each)[None, :, None]).reshape(-1)[:count]
    bank, row = place(timing, layout, ranks, burst)
    return Bursts(bank, row, np.zeros(count, bool))
