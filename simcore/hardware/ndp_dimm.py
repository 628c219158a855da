"""NDP-DIMM: read rate of the buffer chip, GEMV unit, activation unit.

The paper leaves the DIMM-internal bandwidth open (a label of 1.6 TB/s, a table whose ranks add up
to 819 GB/s, results that fit about 430 GB/s), so four readings can be chosen. `derivations` sets
them beside what the DRAM timing sustains.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from simcore.hardware.derivation import Derivation
from simcore.hardware.dram.adopt import adopted
from simcore.hardware.dram.analytic import Access, Estimate, Pattern, Scope, estimate
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming
from simcore.hardware.roofline import additive_ps, roofline_ps
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import NdpDimms
from simcore.units import Int64Array, compute_ps

SOFTMAX_PASSES = 3
"""Exponential, sum and division over the scores, each one pass of the activation lanes (derived
from the unit's parts: exp, add and divide, Hermes IV-A)."""

DRAM = "hermes-ddr4-3200"
"""DRAM preset with the timings that are no scenario fields."""

BUFFER_BYTES = 256 * 1024
"""Buffer of a GEMV unit for intermediate results (paper: Hermes, Table II)."""

PARTIAL_BYTES = 4
"""Bytes of a partial sum (derived: products of FP16 are accumulated in FP32)."""

CASES: tuple[tuple[int, Layout], ...] = (
    (0, Layout.BANK_GROUP),
    (0, Layout.LINEAR),
    (16384, Layout.LINEAR),
    (8192, Layout.LINEAR),
)
"""What `derivations` estimates: granule (0 streams) and layout."""

_TABLE = "Hermes, arXiv 2502.16963, Table II"


def timing(dimm: NdpDimms) -> DramTiming:
    """DRAM of one rank: the preset `DRAM`, with what the scenario says in its place.

    Raises:
        ScenarioErrors: if the timings contradict each other, by scenario path.
    """
    return adopted(
        DRAM,
        "hardware.ndp_dimms",
        tCK_ns=2e3 / dimm.data_rate_MTps,
        burst_bytes=2 * dimm.nBL * dimm.bus_bytes,
        nBL=dimm.nBL,
        nCCD_S=max(dimm.nBL, dram_preset(DRAM).timing.nCCD_S),
        nCCD_L=dimm.nCCD_L,
        bank_groups=dimm.bank_groups,
    )


def sustained(
    dimm: NdpDimms, granule_bytes: int = 0, layout: Layout = Layout.BANK_GROUP
) -> Estimate:
    """What the core of one DIMM can read by the timing: all ranks side by side.

    Args:
        dimm: the DIMMs.
        granule_bytes: bytes of a neuron read from random places; 0 streams.
        layout: how addresses go to the banks of a rank.
    """
    pattern = Pattern.GATHER if granule_bytes else Pattern.STREAM
    access = Access(
        pattern,
        layout,
        granule_bytes=max(1, granule_bytes),
        ranks=dimm.ranks,
        scope=Scope.RANK,
    )
    return _estimate(timing(dimm), access)


@lru_cache(maxsize=64)
def _estimate(dram: DramTiming, access: Access) -> Estimate:
    return estimate(dram, access)


def reading_share(dimm: NdpDimms, host_GBps: float) -> float:
    """Share of the core's reading that goes on while the host reads the DIMM at a rate.

    The host's bursts come from one rank at a time, and the core cannot use that rank meanwhile:
    of r ranks, one is away for ``host / rank peak`` of the time. A host cannot take more than the
    channel carries, which is one rank's peak.
    """
    taken = min(1.0, max(0.0, host_GBps) / rank_peak_GBps(dimm))
    return 1 - taken / dimm.ranks


def buffer_passes(outputs: int, batch: int) -> int:
    """Parts a GEMV is cut into because its partial sums must fit the buffer; 1 if they fit.

    Parts cover different outputs, so weights are still read once; only inputs come again.
    """
    return max(1, -(-outputs * batch * PARTIAL_BYTES // BUFFER_BYTES))


def channels(dimm: NdpDimms) -> int:
    """Channels of the host the DIMMs are on (8 DIMMs, two a channel: 4)."""
    per_channel = int(dram_preset(DRAM).info["dimms_per_channel"])
    return max(1, dimm.count // per_channel)


def derivations(dimm: NdpDimms) -> tuple[Derivation, ...]:
    """Readings of one DIMM's internal bandwidth side by side, and its units' rates.

    Raises:
        ScenarioErrors: if the timings contradict each other.
    """
    rank, peak, dram = rank_peak_GBps(dimm), peak_GBps(dimm), timing(dimm)
    paper, derived, fitted = SourceClass.PAPER, SourceClass.DERIVED, SourceClass.CALIBRATED
    model = "analytic DRAM model on the timing of Table II"
    each = f"{dimm.ranks} ranks x {rank:.4g} GB/s"
    chosen = dimm.internal_bandwidth

    def by_timing(granule: int, layout: Layout) -> Derivation:
        size = f"{granule // 1024} KiB anywhere" if granule else "streams"
        order = "bank groups in turn" if layout is Layout.BANK_GROUP else "rows in order"
        what = f"{size}, {order}"
        found = sustained(dimm, granule, layout)
        formula = f"{each} x {found.fraction_of_peak:.3f} (limited by {found.limited_by})"
        return Derivation(what, formula, found.bandwidth_GBps, "GB/s", derived, model)

    label = "Hermes, arXiv 2502.16963, Fig. 1b: 1.6 TB/s over all DIMMs"
    return (
        Derivation(
            "one rank, peak",
            f"{dram.burst_bytes} B / ({dram.nBL} x {dram.tCK_ps / 1e3:g} ns)",
            dram.peak_GBps,
            "GB/s",
            derived,
            _TABLE,
        ),
        Derivation("all ranks, peak", each, peak, "GB/s", derived, _TABLE, chosen == "ranks"),
        Derivation(
            "every bank group at the rank's peak",
            f"{each} x {dimm.bank_groups} bank groups",
            peak * dimm.bank_groups,
            "GB/s",
            paper,
            label,
            chosen == "bank_groups",
        ),
        Derivation(
            "one bank group at a time",
            f"{each} x nBL {dimm.nBL} / nCCD_L {dimm.nCCD_L}",
            peak * min(1.0, dimm.nBL / dimm.nCCD_L),
            "GB/s",
            derived,
            _TABLE,
            chosen == "ccd_l",
        ),
        *(by_timing(granule, layout) for granule, layout in CASES),
        Derivation(
            "sustained, calibrated",
            f"{each} x {dimm.read_efficiency:g}",
            peak * dimm.read_efficiency,
            "GB/s",
            fitted,
            "Hermes-base of LLaMA2-70B over batch 1-16",
            chosen == "calibrated",
        ),
        Derivation(
            "GEMV unit, peak",
            f"{dimm.multipliers} multipliers x {dimm.values_per_multiplier} values / "
            f"{dimm.cycles_per_value} cycles x {dimm.clock_GHz:g} GHz",
            gemv_peak_GMACps(dimm),
            "GMAC/s",
            derived,
            _TABLE,
        ),
        Derivation(
            "GEMV unit, sustained",
            f"{gemv_peak_GMACps(dimm):g} GMAC/s x {dimm.gemv_utilisation:g}",
            gemv_GMACps(dimm),
            "GMAC/s",
            fitted,
            "Hermes-base of LLaMA2-70B over batch 1-16",
            True,
        ),
        Derivation(
            "activation unit",
            f"{dimm.activation_lanes} lanes x {dimm.clock_GHz:g} GHz",
            dimm.activation_lanes * dimm.clock_GHz,
            "Gop/s",
            derived,
            _TABLE,
            True,
        ),
        Derivation(
            "reading left while the host reads at a rank's peak",
            f"1 - 1 / {dimm.ranks} ranks",
            100 * reading_share(dimm, rank),
            "%",
            derived,
            "one rank of the DIMM answers the host; the simulated host copies while cores are idle",
        ),
    )


def rank_peak_GBps(dimm: NdpDimms) -> float:
    """Peak of one rank: bus width times data rate (DDR4-3200: 25.6 GB/s)."""
    return dimm.bus_bytes * dimm.data_rate_MTps / 1e3


def peak_GBps(dimm: NdpDimms) -> float:
    """Peak of all ranks of one DIMM read side by side (4 x 25.6 = 102.4 GB/s)."""
    return dimm.ranks * rank_peak_GBps(dimm)


def internal_GBps(dimm: NdpDimms) -> float:
    """Sustained rate at which the core of one DIMM reads its own DRAM.

    - ``calibrated``: the measured share of the ranks' peak (`NdpDimms.read_efficiency`).
    - ``ccd_l``: a row-linear stream inside one bank group: nBL / nCCD_L of the ranks' peak.
    - ``ranks``: every rank at its peak.
    - ``bank_groups``: every bank group of every rank at the rank's peak (the 1.6 TB/s label).
    """
    peak = peak_GBps(dimm)
    match dimm.internal_bandwidth:
        case "ccd_l":
            return peak * min(1.0, dimm.nBL / dimm.nCCD_L)
        case "ranks":
            return peak
        case "bank_groups":
            return peak * dimm.bank_groups
        case _:
            return peak * dimm.read_efficiency


def gemv_peak_GMACps(dimm: NdpDimms) -> float:
    """Peak of one GEMV unit: 256 x 8 values / 16 bit-serial cycles at 1 GHz = 128 GMAC/s."""
    return dimm.multipliers * dimm.values_per_multiplier * dimm.clock_GHz / dimm.cycles_per_value


def gemv_GMACps(dimm: NdpDimms) -> float:
    """Sustained rate of one GEMV unit."""
    return gemv_peak_GMACps(dimm) * dimm.gemv_utilisation


def gemv_ps(dimm: NdpDimms, amount_bytes: ArrayLike, macs: ArrayLike) -> Int64Array:
    """Time of a matrix-vector product on one core; reading and multiplying as `overlap` says."""
    combine = additive_ps if dimm.overlap == "additive" else roofline_ps
    return combine(amount_bytes, macs, internal_GBps(dimm), gemv_GMACps(dimm))


def vector_ps(dimm: NdpDimms, elements: ArrayLike) -> Int64Array:
    """Time of one element-wise pass of the activation unit."""
    return compute_ps(elements, dimm.activation_lanes * dimm.clock_GHz)


def softmax_ps(dimm: NdpDimms, scores: ArrayLike) -> Int64Array:
    """Time of a softmax over `scores` values in all."""
    return vector_ps(dimm, np.asarray(scores, dtype=np.float64) * SOFTMAX_PASSES)


def capacity_bytes(dimm: NdpDimms) -> int:
    """Capacity of one DIMM in bytes."""
    return int(dimm.capacity_GiB * 2**30)
