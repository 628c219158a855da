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
from simcore.hardware import ndp_dimm
from simcore.model import shapes
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import DimmLink, Gpu, Host, Model, NdpDimms, Pcie, Scenario

PAPER = "Liu et al., HPCA 2025, arXiv 2502.16963"
COMPONENTS = ("gpu", "pcie", "ndp_dimms", "dimm_link", "host")
PRESETS = {
    "gpu": "hermes-rtx-4090",
    "pcie": "hermes-pcie4",
    "ndp_dimms": "hermes-ddr4-3200",
    "dimm_link": "hermes-dimm-link",
    "host": "i9-13900k-ddr5-5600",
}

GPU, UP, DOWN, FIRST_DIMM = 0, 1, 2, 3

OPS: tuple[Op, ...] = (
    Op(
        "predict",
        "predict",
        "predict",
        help="The host looks up state and parents and decides which neurons each unit computes.",
    ),
    Op("input_up", "input to GPU", "transfer", help="Layer input to the GPU, one synchronisation."),
    Op("qkv_hot", "QKV hot", "qkv", help="The GPU computes the predicted hot QKV neurons."),
    Op("qkv_cold", "QKV cold", "qkv", help="A DIMM computes its predicted cold QKV neurons."),
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
    Op("mlp_cold", "MLP cold", "mlp", help="A DIMM computes its predicted cold MLP neurons."),
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
        gpu, pcie, dimm, link, host, model: parts of the scenario, never None.
        kv_items: (sequence, KV head) pairs held by each DIMM, (DIMMs,).
        layer, tail, prefill_head, prefill_layer, prefill_tail: phases of the segments of a step.
    """

    gpu: Gpu
    pcie: Pcie
    dimm: NdpDimms
    link: DimmLink
    host: Host
    model: Model
    kv_items: NDArray[np.int64]
    layer: Template
    tail: Template
    prefill_head: Template
    prefill_layer: Template
    prefill_tail: Template

    @property
    def dimms(self) -> int:
        """Number of DIMMs."""
        return self.dimm.count

    @property
    def pairs(self) -> int:
        """DIMM pairs, each with a DIMM-link lane."""
        return self.dimm.count // 2

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return self.scenario.workload.batch


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a scenario, none missing."""

    gpu: Gpu
    pcie: Pcie
    dimm: NdpDimms
    link: DimmLink
    host: Host


def parts_of(scenario: Scenario) -> Parts:
    """The components of this machine."""
    h = scenario.hardware
    if not (h.gpu and h.pcie and h.ndp_dimms and h.dimm_link and h.host):
        raise InvariantError("the loader fills in every component a system needs")
    return Parts(h.gpu, h.pcie, h.ndp_dimms, h.dimm_link, h.host)


def check_dimms(dimm: NdpDimms, model: Model, batch: int, context: int) -> None:
    """Check that weights and KV cache fit the DIMMs.

    Raises:
        CapacityError: naming the number of DIMMs that would do.
    """
    kv = model.layers * shapes.kv_token_bytes(model) * context * batch
    needed = shapes.weight_bytes(model) + kv
    one = ndp_dimm.capacity_bytes(dimm)
    if needed > one * dimm.count:
        raise CapacityError(
            f"{dimm.count} NDP-DIMMs",
            needed,
            one * dimm.count,
            f"all weights and the KV cache lie on the DIMMs: hardware.ndp_dimms.count must be at "
            f"least {-(-needed // one)}",
        )


def kv_items(items: int, dimms: int) -> NDArray[np.int64]:
    """KV heads of all sequences, dealt round-robin to the DIMMs."""
    return np.bincount(np.arange(items) % dimms, minlength=dimms).astype(np.int64)


def make_lanes(parts: Parts) -> tuple[Lane, ...]:
    """GPU, both directions of PCIe, every DIMM, a DIMM-link for each pair of DIMMs, the host."""
    gpu, pcie, dimm, link = parts.gpu, parts.pcie, parts.dimm, parts.link
    return (
        Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps),
        Lane("pcie_up", "PCIe to GPU", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        Lane("pcie_down", "PCIe to DIMMs", "PCIe", LaneKind.LINK, pcie.bandwidth_GBps),
        *(
            Lane(f"dimm{j}", f"DIMM {j}", "DIMM", LaneKind.COMPUTE, ndp_dimm.internal_GBps(dimm))
            for j in range(dimm.count)
        ),
        *(
            Lane(f"link{k}", f"DIMM-link {k}", "DIMM-link", LaneKind.LINK, link.bandwidth_GBps)
            for k in range(dimm.count // 2)
        ),
        Lane("host", "Host CPU", "Host", LaneKind.HOST),
    )


def make_memory(parts: Parts) -> tuple[MemoryDevice, ...]:
    """The GPU's memory and every DIMM."""
    return (
        MemoryDevice("gpu", parts.gpu.title, gpu_model.memory_bytes(parts.gpu)),
        *(
            MemoryDevice(f"dimm{j}", f"DIMM {j}", ndp_dimm.capacity_bytes(parts.dimm))
            for j in range(parts.dimm.count)
        ),
    )
