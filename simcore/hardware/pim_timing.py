"""DIMM-PIM: a processing unit in every DRAM bank and one beside every rank, after L3 (CHIME).

Bandwidths come out of the DRAM timing: a bank's unit takes a burst every nCCD_L, the unit of a rank
the rank's whole data bus. Times are seconds as floats; nothing here is a system, and no constant is
tuned. Source of structure and formulas: L3 (CHIME), arXiv 2504.17584v2, sections V and VI.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.errors import Problem, ScenarioErrors
from simcore.hardware.dram.analytic import Access, Estimate, Pattern, Scope, estimate
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming

FloatArray = NDArray[np.float64]

FP16_BYTES = 2


class MacMode(StrEnum):
    """How the register of a bank's unit is used (section V-A).

    `ADDER_TREE` sums the products of one access (scores: a row of K with Q), `ACCUMULATOR` adds
    each to its own sum (context: rows of V weighted by S).
    """

    ADDER_TREE = "adder-tree"
    ACCUMULATOR = "accumulator"


class BankPace(StrEnum):
    """What spaces the accesses of a bank's unit.

    nCCD_L is what one bank allows and what the 13.0 TB/s of Table I say. With nCCD_S equation (1)
    gives the head mappings the paper prints (8 and 1), but the bandwidth would be 26 TB/s.
    """

    CCD_L = "nCCD_L"
    CCD_S = "nCCD_S"


@dataclass(frozen=True, slots=True, kw_only=True)
class DimmPim:
    """Memory of DIMM-PIMs.

    Attributes:
        timing: one channel.
        channels, dimms_per_channel, ranks_per_dimm: how many there are.
        chips: devices of a rank, each with its share of the data bus and a unit in every bank.
        macs_per_element: products a unit makes of each element it reads (N_cmr; n for GQA-n).
        pace: what spaces the accesses of a unit.
    """

    timing: DramTiming
    channels: int = 16
    dimms_per_channel: int = 2
    ranks_per_dimm: int = 2
    chips: int = 8
    macs_per_element: int = 1
    pace: BankPace = BankPace.CCD_L

    def __post_init__(self) -> None:
        found = [
            Problem(name, "too small", "at least 1", value=str(getattr(self, name)))
            for name in (
                *("channels", "dimms_per_channel", "ranks_per_dimm", "chips", "macs_per_element"),
            )
            if getattr(self, name) < 1
        ]
        if found:
            raise ScenarioErrors(found, "DIMM-PIM")

    @property
    def ranksets(self) -> int:
        """Ranks of a channel; a rankset is one rank of every channel."""
        return self.dimms_per_channel * self.ranks_per_dimm

    @property
    def ranks(self) -> int:
        """Ranks of the machine."""
        return self.channels * self.ranksets

    @property
    def rank_GBps(self) -> float:
        """Data bus of one rank (l3-ddr4-3200: 64 B / (4 x 0.63 ns) = 25.40 GB/s)."""
        return self.timing.peak_GBps

    @property
    def bank_unit_GBps(self) -> float:
        """One unit in one bank of one chip (8 B / (8 x 0.63 ns) = 1.587 GB/s)."""
        gap = self.timing.nCCD_L if self.pace is BankPace.CCD_L else self.timing.nCCD_S
        return 1e3 * self.timing.burst_bytes / self.chips / (gap * self.timing.tCK_ps)

    @property
    def host_GBps(self) -> float:
        """What the host's channels carry (406.3 GB/s)."""
        return self.channels * self.rank_GBps

    @property
    def rank_level_GBps(self) -> float:
        """Every rank read by the unit beside it (1.625 TB/s)."""
        return self.ranks * self.rank_GBps

    @property
    def bank_level_GBps(self) -> float:
        """Every bank read by its own unit (13.00 TB/s)."""
        return self.ranks * self.timing.banks * self.chips * self.bank_unit_GBps

    @property
    def capacity_bytes(self) -> int:
        """Bytes of the machine."""
        return self.ranks * self.timing.capacity_bytes


def l3_dimm_pim(macs_per_element: int = 1) -> DimmPim:
    """The DIMM-PIMs of L3 (CHIME), Table I."""
    preset = dram_preset("l3-ddr4-3200")
    return DimmPim(
        timing=preset.timing,
        channels=int(preset.info["channels"]),
        dimms_per_channel=int(preset.info["dimms_per_channel"]),
        ranks_per_dimm=int(preset.info["ranks_per_dimm"]),
        macs_per_element=macs_per_element,
    )


def sustained(pim: DimmPim, scope: Scope, granule_bytes: int = 0) -> Estimate:
    """Sustained bandwidth of one channel in a scope, refresh and row changes counted.

    Args:
        pim: the memory.
        scope: who reads.
        granule_bytes: bytes of a rank read from a row before the next; 0 reads whole rows.
    """
    pattern = Pattern.GATHER if granule_bytes else Pattern.STREAM
    access = Access(pattern, granule_bytes=max(1, granule_bytes), ranks=pim.ranksets, scope=scope)
    return estimate(pim.timing, access)


def accesses(
    pim: DimmPim, tokens: ArrayLike, head_size: int, chips_per_head: int, mode: MacMode
) -> NDArray[np.int64]:
    """Column accesses of each bank's unit for the K or V of one head of one query group.

    Args:
        pim: the memory.
        tokens: tokens of the head in one rank; any shape.
        head_size: elements of a head (E_h).
        chips_per_head: chips a head is spread over (N_hc).
        mode: what the unit does with an access; both read every element once, but an adder tree
            needs whole tokens and an accumulator whole groups of tokens in a bank.
    """
    per_access = pim.timing.burst_bytes // pim.chips // FP16_BYTES
    count = np.asarray(tokens, dtype=np.int64)
    share = -(-head_size // chips_per_head)
    if mode is MacMode.ADDER_TREE:
        each = -(-share // per_access)
        return np.asarray(-(-count // pim.timing.banks) * each)
    groups = -(-count // (pim.timing.banks * per_access))
    return np.asarray(groups * share)


def communication_s(pim: DimmPim, tokens: ArrayLike, group: int) -> FloatArray:
    """T_comm: scores of a head over the rank's bus, L_t N_gqa N_chips / B_rk (section V-A).

    B_rk in elements: a partial sum of FP16 from every chip, whatever the mapping.
    """
    rate = pim.rank_GBps * 1e9 / FP16_BYTES
    return np.asarray(tokens, dtype=np.float64) * group * pim.chips / rate


def computation_s(
    pim: DimmPim, tokens: ArrayLike, head_size: int, group: int, chips_per_head: int
) -> FloatArray:
    """T_comp: L_t E_h ceil(N_gqa / N_cmr) / (B_bk N_bk N_hc), B_bk in elements (section V-A)."""
    rounds = math.ceil(group / pim.macs_per_element)
    rate = pim.bank_unit_GBps * 1e9 / FP16_BYTES * pim.timing.banks * chips_per_head
    return np.asarray(tokens, dtype=np.float64) * head_size * rounds / rate


def widest_head(pim: DimmPim, head_size: int, group: int) -> float:
    """Equation (1): largest N_hc for which communication hides behind computation."""
    rounds = math.ceil(group / pim.macs_per_element)
    hidden = head_size * pim.rank_GBps * rounds
    return hidden / (pim.bank_unit_GBps * pim.timing.banks * group * pim.chips)


def computing_share(pim: DimmPim, transferring: ArrayLike = 1) -> FloatArray:
    """Share of compute that goes on while some ranksets are on the bus (section VI-A).

    Only the rank of a channel that is on the bus stops: with one of n, (n - 1) / n go on.

    Args:
        pim: the memory.
        transferring: ranksets on the bus; any shape.
    """
    stopped = np.clip(np.asarray(transferring, dtype=np.float64), 0, pim.ranksets)
    return np.asarray(1 - stopped / pim.ranksets)


def exposed_s(pim: DimmPim, transfer_s: ArrayLike, *, overlap: bool = True) -> FloatArray:
    """Compute time lost to a transfer: all of it, or with rankset overlap one n-th."""
    time = np.asarray(transfer_s, dtype=np.float64)
    return np.asarray(time / pim.ranksets if overlap else time)
