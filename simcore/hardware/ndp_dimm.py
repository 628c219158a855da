"""NDP-DIMM: read rate of the buffer chip, GEMV unit, activation unit.

The paper leaves the DIMM-internal bandwidth open (a label of 1.6 TB/s, a table whose ranks add up
to 819 GB/s, results that fit about 430 GB/s), so four readings can be chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from simcore.hardware.roofline import additive_ps, roofline_ps
from simcore.scenario.schema import NdpDimms
from simcore.units import Int64Array, compute_ps

SOFTMAX_PASSES = 3
"""Exponential, sum and division over the scores, each one pass of the activation lanes (derived
from the unit's parts: exp, add and divide, Hermes IV-A)."""


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
