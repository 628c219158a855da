"""Rates and attention times of DIMM-PIM (L3, arXiv 2504.17584 v2, section V; DDR4 timing).

A head's keys and values are read inside the chips of one rank. Scores leave the chips over the
rank's own bus, come back after the softmax, and weigh the values. `n_hc` is the number of chips a
head is spread over, so a rank works on ``chips / n_hc`` heads at once: a *slot* is such a group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.schema import DimmPim

Int = NDArray[np.int64]

BYTES = 2
"""Bytes of a score, query or value element: FP16 (paper)."""

_ROW_BYTES = 1024
_BANK_READ_BYTES = 8
_TIMING = {"RP": 22, "RCD": 22, "FAW": 34, "RTP": 12, "RFC": 560, "REFI": 12480}
"""Cycles, public: DRAMSim3, DDR4_8Gb_x8_3200."""


def channel_GBps(pim: DimmPim) -> float:
    """Peak of one channel, and of one rank behind its buffer: a burst every nBL cycles."""
    return pim.burst_bytes / (pim.nBL * pim.tCK_ns)


def host_GBps(pim: DimmPim) -> float:
    """Peak of all channels together."""
    return pim.channels * channel_GBps(pim)


def ranksets(pim: DimmPim) -> int:
    """Ranks of one channel; a rankset is one rank of every channel."""
    return pim.dimms_per_channel * pim.ranks_per_dimm


def ranks(pim: DimmPim) -> int:
    """All ranks."""
    return pim.channels * ranksets(pim)


def banks(pim: DimmPim) -> int:
    """Banks of one chip."""
    return pim.bank_groups * pim.banks_per_group


def bank_unit_GBps(pim: DimmPim, ccd: str = "L") -> float:
    """Rate of the bank unit of one chip's bank: 8 B each column delay."""
    cycles = pim.nCCD_L if ccd == "L" else pim.nCCD_S
    return _BANK_READ_BYTES / (cycles * pim.tCK_ns)


def rank_units_GBps(pim: DimmPim) -> float:
    """Peak of the bank units of one rank together."""
    return banks(pim) * pim.chips * bank_unit_GBps(pim)


def all_rank_units_GBps(pim: DimmPim) -> float:
    """Peak of rank-level units: each reads its rank at the channel's rate."""
    return ranks(pim) * channel_GBps(pim)


def all_bank_units_GBps(pim: DimmPim) -> float:
    """Peak of all bank units."""
    return ranks(pim) * rank_units_GBps(pim)


def timing_efficiency(pim: DimmPim) -> float:
    """Share of the peak that row changes and refresh leave when all banks stream whole rows.

    Banks open four at a time (tFAW); then each reads its row at tCCD_L. A check of `efficiency`,
    not used for times.
    """
    reads = _ROW_BYTES // _BANK_READ_BYTES * pim.nCCD_L
    opening = (banks(pim) - 4) / 4 * _TIMING["FAW"]
    cycle = reads + _TIMING["RP"] + _TIMING["RCD"] + _TIMING["RTP"] + opening
    return reads / cycle * (1 - _TIMING["RFC"] / _TIMING["REFI"])


def mac_per_read(pim: DimmPim, queries: int) -> int:
    """Query heads served by one read (N_cmr)."""
    return pim.mac_per_read or queries


def n_hc_limit(pim: DimmPim, head_dim: int, queries: int, ccd: str = "L") -> float:
    """Largest N_hc at which scores leave a rank no slower than it computes them (Eq. 1).

    Args:
        pim: the DIMMs.
        head_dim: elements of a head.
        queries: query heads that share a KV head (N_gqa).
        ccd: column delay of the bank rate, ``L`` or ``S``.
    """
    passes = math.ceil(queries / mac_per_read(pim, queries))
    above = head_dim * channel_GBps(pim) * passes
    return above / (bank_unit_GBps(pim, ccd) * banks(pim) * queries * pim.chips)


def n_hc(pim: DimmPim, head_dim: int, queries: int) -> int:
    """Chips of a head: as set, or the largest power of two the rule allows, at most all."""
    if pim.n_hc:
        return min(pim.n_hc, pim.chips)
    limit = n_hc_limit(pim, head_dim, queries, pim.n_hc_ccd)
    return int(min(pim.chips, 1 << max(0, math.floor(math.log2(max(1.0, limit))))))


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """What one slot (the heads a rank works on at once) costs.

    Attributes:
        compute_ps: reading keys and values of one token in the banks.
        transfer_ps: scores of one token out of the chips and back.
        token_ps: one token as the two are combined: pipelined, serial, or without banks.
        request_ps: fixed cost for each request: re-layout by the CPU, if any.
        heads: KV heads of a slot.
    """

    compute_ps: float
    transfer_ps: float
    token_ps: float
    request_ps: float
    heads: int


def bank_slot(
    pim: DimmPim, head_dim: int, queries: int, spread: int, *, pipelined: bool, relayout: bool
) -> SlotTimes:
    """Bank units work on a slot.

    T_comp covers keys and values: ``2 L E_h ceil(N_gqa / N_cmr)`` elements at the rank's bank
    rate; T_comm the scores of both halves, ``2 L N_gqa N_chips`` elements at the rank's bus.

    Args:
        pim: the DIMMs.
        head_dim: elements of a head.
        queries: query heads that share a KV head.
        spread: chips of a head (N_hc).
        pipelined: whether transfers hide behind reading (bubble-free pipelining).
        relayout: whether the rank units change the layout; else the CPU does, for a time.
    """
    heads = pim.chips // spread
    passes = math.ceil(queries / mac_per_read(pim, queries))
    read = 2 * head_dim * BYTES * passes * heads
    compute = read * 1e3 / (rank_units_GBps(pim) * pim.efficiency)
    transfer = 2 * queries * pim.chips * BYTES * 1e3 / channel_GBps(pim)
    vectors = queries + 2
    cpu = 0.0 if relayout else heads * (pim.relayout_ns + vectors * pim.relayout_vector_ns) * 1e3
    token = max(compute, transfer) if pipelined else compute + transfer
    return SlotTimes(compute, transfer, token, cpu, heads)


def rank_slot(pim: DimmPim, head_dim: int) -> SlotTimes:
    """A rank unit reads one head at a time over the rank's bus (R-PIM)."""
    read = 2 * head_dim * BYTES * 1e3 / (channel_GBps(pim) * pim.efficiency)
    return SlotTimes(read, 0.0, read, 0.0, 1)


def inputs_ps(pim: DimmPim, head_dim: int, queries: int) -> float:
    """Writing query, key and value of one KV head to a rank while its channel serves every rank."""
    return (queries + 2) * head_dim * BYTES * ranksets(pim) * 1e3 / channel_GBps(pim)


def kernel_ps(pim: DimmPim, variant: str, head_dim: int, queries: int, tokens: int) -> float:
    """Attention of one KV head of one request on one rank, its share of a slot (Fig. 14).

    Args:
        pim: the DIMMs.
        variant: ``r-dp`` (rank units), ``base`` (bank units, serial, CPU re-layout, a head over
            all chips), ``relayout`` (re-layout in hardware) or ``pipeline`` (all of L3).
        head_dim: elements of a head.
        queries: query heads that share the KV head.
        tokens: context.
    """
    if variant == "r-dp":
        return rank_slot(pim, head_dim).token_ps * tokens
    last = variant == "pipeline"
    spread = n_hc(pim, head_dim, queries) if last else pim.chips
    slot = bank_slot(
        pim, head_dim, queries, spread, pipelined=last, relayout=variant in ("relayout", "pipeline")
    )
    one = (slot.token_ps * tokens + slot.request_ps) / slot.heads
    return one + inputs_ps(pim, head_dim, queries)


@dataclass(frozen=True, slots=True)
class HeadMap:
    """How the slots of a request's layer lie on the ranks of one rankset.

    Attributes:
        slots: (offsets, ranks) slots on each rank, for each place a request may start at; ranks
            that are always alike are given once.
        rank_of: (ranks,) column of `slots` for each rank of the rankset.
    """

    slots: Int
    rank_of: Int


def head_map(slots: int, ranks: int) -> HeadMap:
    """Slots dealt over ranks: whole rounds everywhere, the rest on a window that can be moved.

    96 slots on 16 ranks are 6 on each; 72 are 4 on each and one more on either half; a single
    slot is on one rank, so a request may start at any of the 16.
    """
    rounds, rest = divmod(slots, ranks)
    offsets = max(1, ranks // rest) if rest else 1
    full = np.full((offsets, ranks), rounds, np.int64)
    for offset in range(offsets):
        if rest:
            full[offset, offset * rest : (offset + 1) * rest] += 1
    columns, rank_of = np.unique(full, axis=1, return_inverse=True)
    return HeadMap(np.ascontiguousarray(columns), rank_of.reshape(-1).astype(np.int64))


def exposed_ps(transfer_ps: float, ranksets: int, *, overlap: bool) -> float:
    """What a transfer takes from one rankset's computing.

    With overlap only the rankset on the bus stops, each for its share: ``(n - 1) / n`` of the
    computing goes on (section VI-A).
    """
    return transfer_ps / ranksets if overlap else transfer_ps
