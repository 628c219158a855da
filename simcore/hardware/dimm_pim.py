"""Rates and attention times of DIMM-PIM (L3, arXiv 2504.17584 v2, section V).

Every rate comes out of the DRAM timing (`timing`): the channel and the ranks behind it take a burst
every nBL, a bank's unit one every nCCD_L. A head's keys and values are read inside the chips of one
rank. Scores leave the chips over the rank's own bus, come back after the softmax, and weigh the
values. `n_hc` is the number of chips a head is spread over, so a rank works on ``chips / n_hc``
heads at once: a *slot* is such a group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simcore.hardware.derivation import Derivation
from simcore.hardware.dram.adopt import adopted
from simcore.hardware.dram.analytic import Access, Estimate, Pattern, Scope, estimate
from simcore.hardware.dram.timing import DramTiming
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import DimmPim

Int = NDArray[np.int64]

BYTES = 2
"""Bytes of a score, query or value element: FP16 (paper)."""

DRAM = "l3-ddr4-3200"
"""DRAM preset with the timings that are no scenario fields."""


class MacMode(StrEnum):
    """How the register of a bank's unit is used (section V-A).

    `ADDER_TREE` sums the products of one access (scores: a row of K with Q), `ACCUMULATOR` adds
    each to its own sum (context: rows of V weighted by S).
    """

    ADDER_TREE = "adder-tree"
    ACCUMULATOR = "accumulator"


def timing(pim: DimmPim) -> DramTiming:
    """DRAM of one channel: the preset `DRAM`, with what the scenario says in its place.

    Raises:
        ScenarioErrors: if the timings contradict each other, by scenario path.
    """
    values = {
        name: getattr(pim, name)
        for name in ("burst_bytes", "nBL", "nCCD_S", "nCCD_L", "bank_groups", "banks_per_group")
    }
    return adopted(DRAM, "hardware.dimm_pim", tCK_ns=pim.tCK_ns, **values)


def channel_GBps(pim: DimmPim) -> float:
    """Peak of one channel, and of one rank behind its buffer (64 B / (4 x 0.63 ns) = 25.40)."""
    return timing(pim).peak_GBps


def host_GBps(pim: DimmPim) -> float:
    """Peak of all channels together (406.3 GB/s)."""
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
    """Rate of the unit in one bank of one chip (8 B / (8 x 0.63 ns) = 1.587 GB/s).

    Args:
        pim: the DIMMs.
        ccd: what spaces its accesses. ``L`` is what one bank allows and what the 13.0 TB/s of
            Table I say; with ``S`` Eq. (1) gives the head mappings the paper prints.
    """
    dram = timing(pim)
    cycles = dram.nCCD_L if ccd == "L" else dram.nCCD_S
    return 1e3 * dram.burst_bytes / pim.chips / (cycles * dram.tCK_ps)


def rank_units_GBps(pim: DimmPim) -> float:
    """Peak of the bank units of one rank together."""
    return banks(pim) * pim.chips * bank_unit_GBps(pim)


def all_rank_units_GBps(pim: DimmPim) -> float:
    """Peak of rank-level units: each reads its rank at the channel's rate (1.625 TB/s)."""
    return ranks(pim) * channel_GBps(pim)


def all_bank_units_GBps(pim: DimmPim) -> float:
    """Peak of all bank units (13.00 TB/s)."""
    return ranks(pim) * rank_units_GBps(pim)


def sustained(
    pim: DimmPim, scope: Scope, granule_bytes: int = 0, *, in_step: bool = False
) -> Estimate:
    """Sustained bandwidth of one channel in a scope, refresh and row changes counted.

    Args:
        pim: the DIMMs.
        scope: who reads.
        granule_bytes: bytes of a rank read from a row before the next; 0 reads whole rows.
        in_step: whether one command reads every bank of a rank (PIM_MAC), so that all rows must
            be open before the first.
    """
    pattern = Pattern.GATHER if granule_bytes else Pattern.STREAM
    access = Access(
        pattern,
        granule_bytes=max(1, granule_bytes),
        ranks=ranksets(pim),
        scope=scope,
        in_step=in_step,
    )
    return estimate(timing(pim), access)


def timing_efficiency(pim: DimmPim) -> float:
    """Share of the bank units' peak that row changes and refresh leave, all banks in step.

    A check of `DimmPim.efficiency`, which is calibrated; not used for times.
    """
    return sustained(pim, Scope.BANK, in_step=True).fraction_of_peak


def accesses(
    pim: DimmPim, tokens: ArrayLike, head_dim: int, spread: int, mode: MacMode
) -> NDArray[np.int64]:
    """Column accesses of each bank's unit for the K or V of one KV head.

    Args:
        pim: the DIMMs.
        tokens: tokens of the head in one rank; any shape.
        head_dim: elements of a head (E_h).
        spread: chips a head is spread over (N_hc).
        mode: what the unit does with an access; both read every element once, but an adder tree
            needs whole tokens and an accumulator whole groups of tokens in a bank.
    """
    dram = timing(pim)
    per_access = dram.burst_bytes // pim.chips // BYTES
    count = np.asarray(tokens, dtype=np.int64)
    share = -(-head_dim // spread)
    if mode is MacMode.ADDER_TREE:
        each = -(-share // per_access)
        return np.asarray(-(-count // dram.banks) * each)
    groups = -(-count // (dram.banks * per_access))
    return np.asarray(groups * share)


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


def computing_share(ranksets: int, transferring: ArrayLike = 1) -> NDArray[np.float64]:
    """Share of compute that goes on while some ranksets are on the bus (section VI-A).

    Only the rank of a channel that is on the bus stops: with one of n, (n - 1) / n go on.

    Args:
        ranksets: ranks of a channel.
        transferring: ranksets on the bus; any shape.
    """
    stopped = np.clip(np.asarray(transferring, dtype=np.float64), 0, ranksets)
    return np.asarray(1 - stopped / ranksets)


def exposed_ps(transfer_ps: float, ranksets: int, *, overlap: bool) -> float:
    """What a transfer takes from the computing: all of it, or with rankset overlap one n-th."""
    stopped = 1 - float(computing_share(ranksets)) if overlap else 1.0
    return transfer_ps * stopped


def derivations(pim: DimmPim) -> tuple[Derivation, ...]:
    """The bandwidths of Table I out of the timing, and what is left of them.

    Raises:
        ScenarioErrors: if the timings contradict each other.
    """
    dram, derived, table = timing(pim), SourceClass.DERIVED, "L3 (CHIME), arXiv 2504.17584v2"
    tCK, channel, unit = dram.tCK_ps / 1e3, channel_GBps(pim), bank_unit_GBps(pim)
    burst = f"{dram.burst_bytes} B / ({dram.nBL} x {tCK:g} ns)"
    each = f"{dram.burst_bytes // pim.chips} B / ({dram.nCCD_L} x {tCK:g} ns)"
    sets = ranksets(pim)
    stream, in_step = sustained(pim, Scope.BANK), sustained(pim, Scope.BANK, in_step=True)
    rank = sustained(pim, Scope.RANK)
    where, model = f"{table}, Table I", "analytic DRAM model on the timing of Table I"
    rows = (
        ("one channel, one rank", burst, channel, "GB/s", derived, where, True),
        (
            "host, all channels",
            f"{pim.channels} x {channel:.2f} GB/s",
            host_GBps(pim),
            "GB/s",
            derived,
            f"{where}: 406 GB/s",
            True,
        ),
        (
            "rank units together",
            f"{ranks(pim)} ranks x {channel:.2f} GB/s",
            all_rank_units_GBps(pim),
            "GB/s",
            derived,
            f"{where}: 1.6 TB/s",
            True,
        ),
        ("one bank unit of a chip", each, unit, "GB/s", derived, where, True),
        (
            "bank units together",
            f"{ranks(pim)} ranks x {banks(pim)} banks x {pim.chips} chips x {unit:.3f} GB/s",
            all_bank_units_GBps(pim),
            "GB/s",
            derived,
            f"{where}: 13.0 TB/s",
            True,
        ),
        (
            "bank units of one rankset",
            f"{pim.channels} ranks x {banks(pim)} x {pim.chips} x {unit:.3f} GB/s",
            pim.channels * rank_units_GBps(pim),
            "GB/s",
            derived,
            where,
            True,
        ),
        (
            "share left by rows and refresh, banks on their own",
            f"limited by {stream.limited_by}",
            100 * stream.fraction_of_peak,
            "%",
            derived,
            model,
            False,
        ),
        (
            "share left with all banks of a rank in step",
            f"activates of {banks(pim)} banks at nFAW {dram.nFAW} first",
            100 * in_step.fraction_of_peak,
            "%",
            derived,
            model,
            False,
        ),
        (
            "share left of a rank unit's stream",
            f"limited by {rank.limited_by}",
            100 * rank.fraction_of_peak,
            "%",
            derived,
            model,
            False,
        ),
        (
            "share in use",
            "",
            100 * pim.efficiency,
            "%",
            SourceClass.CALIBRATED,
            f"serial over pipelined attention, {table}, Fig. 14",
            True,
        ),
        (
            "computing that goes on while one rankset is on the bus",
            f"1 - 1 / {sets} ranksets",
            100 * float(computing_share(sets)),
            "%",
            derived,
            f"{table}, VI-A",
            True,
        ),
    )
    return tuple(Derivation(*row) for row in rows)
