"""The machine of the Hermes paper: one GPU, NDP-DIMMs, PCIe, DIMM-links, a host.

Lanes, operations, memories and capacities that Hermes and Hermes-base share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template
from simcore.errors import CapacityError, InvariantError
from simcore.hardware import gpu as gpu_model
from simcore.hardware.cold_units import ColdUnits, of_dimms, of_host
from simcore.model import shapes
from simcore.results.placement import PlaceCategory
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import DimmLink, Gpu, Host, Model, Pcie, Scenario

PAPER = "Liu et al., HPCA 2025, arXiv 2502.16963"
COMPONENTS = ("gpu", "pcie", "ndp_dimms", "dimm_link", "host")
PRESETS = {
    "gpu": "hermes-rtx-4090",
    "pcie": "hermes-pcie4",
    "ndp_dimms": "hermes-ddr4-3200",
    "dimm_link": "hermes-dimm-link",
    "host": "i9-13900k-ddr5-5600",
}

GPU, UP, DOWN, FIRST_UNIT = 0, 1, 2, 3

OPS: tuple[Op, ...] = (
    Op(
        "predict",
        "predict",
        "predict",
        help="The host looks up state and parents and decides which neurons each unit computes.",
    ),
    Op("input_up", "input to GPU", "transfer", help="Layer input to the GPU, one synchronisation."),
    Op("qkv_hot", "QKV hot", "qkv", help="The GPU computes the predicted hot QKV neurons."),
    Op(
        "qkv_cold",
        "QKV cold",
        "qkv",
        help="A DIMM (or the CPU) computes its predicted cold QKV neurons.",
    ),
    Op(
        "result_down",
        "result to DIMMs",
        "transfer",
        help="The GPU's partial result goes to the DIMMs, one synchronisation.",
    ),
    Op("gather", "gather", "transfer", help="Partial results travel to the DIMM that needs them."),
    Op(
        "merge",
        "merge",
        "merge",
        help="The activation unit adds partial results; after the MLP "
        "also residual and normalisation.",
    ),
    Op(
        "attention",
        "attention",
        "attention",
        help="QK^T, softmax and the weighted sum of values over the KV cache of the DIMM's heads.",
    ),
    Op(
        "projection",
        "projection",
        "projection",
        help="The GPU computes the dense attention output projection.",
    ),
    Op(
        "swap_in",
        "copy hot neurons",
        "migration",
        help="Newly hot neurons are copied to the GPU and overwrite the coolest ones.",
    ),
    Op(
        "remap",
        "remap cold neurons",
        "migration",
        help="Cold neurons move from busy to idle DIMMs after a window.",
    ),
    Op("mlp_hot", "MLP hot", "mlp", help="The GPU computes the predicted hot MLP neurons."),
    Op(
        "mlp_cold",
        "MLP cold",
        "mlp",
        help="A DIMM (or the CPU) computes its predicted cold MLP neurons.",
    ),
    Op("lm_head", "output table", "other", help="The GPU computes the next-token scores."),
    Op("stream", "stream weights", "weights", help="Prefill: all weights of a layer to the GPU."),
    Op(
        "prefill",
        "prefill layer",
        "other",
        help="Prefill: the GPU computes one layer for the whole prompt.",
    ),
    Op("kv_down", "store KV", "transfer", help="Prefill: keys and values of a layer to the DIMMs."),
    Op(
        "load_hot",
        "load hot neurons",
        "weights",
        help="Prefill: the chosen hot neurons and the resident tables to the GPU.",
    ),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("hot neurons", "projection", "tables", "reserve", "weights", "kv")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePlan(Plan):
    """A prepared run on this machine.

    Attributes:
        gpu, pcie, host, model: parts of the scenario.
        units: NDP-DIMMs, or the host in their place.
        link: links between the units, if there are any.
        kv_items: (sequence, KV head) pairs held by each unit, (units,).
        layer, tail, prefill_head, prefill_layer, prefill_tail: phases of the segments of a step.
    """

    gpu: Gpu
    pcie: Pcie
    units: ColdUnits
    link: DimmLink | None
    host: Host
    model: Model
    kv_items: NDArray[np.int64]
    layer: Template
    tail: Template
    prefill_head: Template
    prefill_layer: Template
    prefill_tail: Template

    @property
    def pairs(self) -> int:
        """Pairs of units, each with a link lane."""
        return self.units.count // 2 if self.link else 0

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return self.scenario.workload.batch


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a scenario, none missing."""

    gpu: Gpu
    pcie: Pcie
    host: Host
    units: ColdUnits
    link: DimmLink | None = None


def parts_of(scenario: Scenario, *, on_host: bool = False) -> Parts:
    """The components of this machine.

    Args:
        scenario: a resolved scenario.
        on_host: whether the host takes the place of the NDP-DIMMs.
    """
    h = scenario.hardware
    if h.gpu and h.pcie and h.host:
        if on_host:
            return Parts(h.gpu, h.pcie, h.host, of_host(h.host))
        if h.ndp_dimms and h.dimm_link:
            return Parts(h.gpu, h.pcie, h.host, of_dimms(h.ndp_dimms), h.dimm_link)
    raise InvariantError("the loader fills in every component a system needs")


def check_units(units: ColdUnits, model: Model, batch: int, context: int) -> None:
    """Check that weights and KV cache fit the memory of the units.

    Raises:
        CapacityError: naming the number of units that would do.
    """
    kv = model.layers * shapes.kv_token_bytes(model) * context * batch
    needed = shapes.weight_bytes(model) + kv
    one = units.capacity_bytes
    if needed > one * units.count:
        if units.numbered:
            name = f"{units.count} NDP-DIMMs"
            remedy = (
                f"hardware.ndp_dimms.count must be at least {-(-needed // one)}"
                if one
                else "raise hardware.ndp_dimms.capacity_GiB"
            )
        else:
            name, remedy = units.title, "raise hardware.host.memory_GiB"
        raise CapacityError(
            name, needed, one * units.count, f"all weights and the KV cache lie there: {remedy}"
        )


def kv_items(items: int, dimms: int) -> NDArray[np.int64]:
    """KV heads of all sequences, dealt round-robin to the DIMMs."""
    return np.bincount(np.arange(items) % dimms, minlength=dimms).astype(np.int64)


def make_lanes(parts: Parts) -> tuple[Lane, ...]:
    """GPU, both directions of PCIe, every unit, a link for each pair of units, the software."""
    gpu, pcie, units, link = parts.gpu, parts.pcie, parts.units, parts.link
    away = "DIMMs" if units.numbered else "host"
    return (
        Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps),
        Lane("pcie_up", "PCIe to GPU", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        Lane("pcie_down", f"PCIe to {away}", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        *(
            Lane(
                units.lane_id(j),
                units.lane_title(j),
                units.group,
                LaneKind.COMPUTE,
                units.bandwidth_GBps,
            )
            for j in range(units.count)
        ),
        *(
            Lane(f"link{k}", f"DIMM-link {k}", "DIMM-link", LaneKind.LINK, link.bandwidth_GBps)
            for k in range(units.count // 2 if link else 0)
            if link
        ),
        Lane("host", "Host CPU" if units.numbered else "Predictor", "Host", LaneKind.HOST),
    )


def make_memory(parts: Parts) -> tuple[MemoryDevice, ...]:
    """The GPU's memory and that of every unit."""
    units = parts.units
    return (
        MemoryDevice("gpu", parts.gpu.title, gpu_model.memory_bytes(parts.gpu)),
        *(
            MemoryDevice(units.lane_id(j), units.lane_title(j), units.capacity_bytes)
            for j in range(units.count)
        ),
    )


def make_places(units: ColdUnits) -> tuple[PlaceCategory, ...]:
    """The places of a placement map: the GPU and every unit."""
    return (
        PlaceCategory("gpu", "GPU"),
        *(PlaceCategory(units.lane_id(j), units.lane_title(j)) for j in range(units.count)),
    )
