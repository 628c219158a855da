"""The units beside the GPU that hold all weights and compute cold neurons and attention.

NDP-DIMMs and a host processor differ in numbers, not in kind: each reads its own memory, multiplies
and applies element-wise operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from simcore.hardware import ndp_dimm
from simcore.hardware.roofline import additive_ps, roofline_ps
from simcore.scenario.schema import Host, NdpDimms
from simcore.units import Int64Array, compute_ps, us_to_ps


@dataclass(frozen=True, slots=True)
class RateSource:
    """Where a rate of the units comes from.

    Attributes:
        path: scenario field that sets it most directly.
        meaning: what it is, with the peak it is taken from.
    """

    path: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ColdUnits:
    """A number of equal units.

    Attributes:
        id: lane id of a unit; numbered when there can be several.
        title: name of one unit, numbered likewise.
        numbered: whether ids and titles carry the unit's number.
        group: lane group.
        count: number of units.
        capacity_bytes: memory of one unit.
        bandwidth_GBps, rate_GMACps, vector_Gops: sustained rates of one unit.
        overlaps: whether reading and multiplying overlap.
        dispatch_ps: time to start one section of work.
        sources: by ``bandwidth``, ``rate`` and ``vector``, where the rates come from.
    """

    id: str
    title: str
    numbered: bool
    group: str
    count: int
    capacity_bytes: int
    bandwidth_GBps: float
    rate_GMACps: float
    vector_Gops: float
    overlaps: bool
    dispatch_ps: int
    sources: tuple[tuple[str, RateSource], ...]

    def lane_id(self, index: int) -> str:
        """Id of a unit's lane and memory."""
        return f"{self.id}{index}" if self.numbered else self.id

    def lane_title(self, index: int) -> str:
        """Name of a unit as shown."""
        return f"{self.title} {index}" if self.numbered else self.title

    def source(self, rate: str) -> RateSource:
        """Where ``bandwidth``, ``rate`` or ``vector`` comes from."""
        return dict(self.sources)[rate]

    def gemv_ps(self, amount_bytes: ArrayLike, macs: ArrayLike) -> Int64Array:
        """Time of a matrix-vector product on one unit."""
        combine = roofline_ps if self.overlaps else additive_ps
        return combine(amount_bytes, macs, self.bandwidth_GBps, self.rate_GMACps)

    def vector_ps(self, elements: ArrayLike) -> Int64Array:
        """Time of one element-wise pass on one unit."""
        return compute_ps(elements, self.vector_Gops)

    def softmax_ps(self, scores: ArrayLike) -> Int64Array:
        """Time of a softmax over `scores` values in all."""
        return self.vector_ps(np.asarray(scores, dtype=np.float64) * ndp_dimm.SOFTMAX_PASSES)


def of_dimms(dimm: NdpDimms) -> ColdUnits:
    """The cores of NDP-DIMMs."""
    knob = {"calibrated": "read_efficiency", "ccd_l": "nCCD_L"}
    return ColdUnits(
        id="dimm",
        title="DIMM",
        numbered=True,
        group="DIMM",
        count=dimm.count,
        capacity_bytes=ndp_dimm.capacity_bytes(dimm),
        bandwidth_GBps=ndp_dimm.internal_GBps(dimm),
        rate_GMACps=ndp_dimm.gemv_GMACps(dimm),
        vector_Gops=dimm.activation_lanes * dimm.clock_GHz,
        overlaps=dimm.overlap == "max",
        dispatch_ps=0,
        sources=(
            (
                "bandwidth",
                RateSource(
                    f"hardware.ndp_dimms.{knob.get(dimm.internal_bandwidth, 'internal_bandwidth')}",
                    "sustained inside one DIMM "
                    f"({ndp_dimm.peak_GBps(dimm):g} GB/s peak of its ranks)",
                ),
            ),
            (
                "rate",
                RateSource(
                    "hardware.ndp_dimms.gemv_utilisation",
                    f"sustained by the GEMV unit (peak {ndp_dimm.gemv_peak_GMACps(dimm):g})",
                ),
            ),
            (
                "vector",
                RateSource("hardware.ndp_dimms.activation_lanes", "activation unit, all lanes"),
            ),
        ),
    )


def of_host(host: Host) -> ColdUnits:
    """A host processor and its memory, as one unit."""
    return ColdUnits(
        id="cpu",
        title="CPU",
        numbered=False,
        group="CPU",
        count=1,
        capacity_bytes=int(host.memory_GiB * 2**30),
        bandwidth_GBps=host.bandwidth_GBps * host.gather_efficiency,
        rate_GMACps=host.compute_GMACps,
        vector_Gops=host.compute_GMACps,
        overlaps=False,
        dispatch_ps=us_to_ps(host.dispatch_us),
        sources=(
            (
                "bandwidth",
                RateSource(
                    "hardware.host.gather_efficiency",
                    f"reached when gathering rows ({host.bandwidth_GBps:g} GB/s peak)",
                ),
            ),
            ("rate", RateSource("hardware.host.compute_GMACps", "vector units of the processor")),
            ("vector", RateSource("hardware.host.compute_GMACps", "vector units of the processor")),
        ),
    )
