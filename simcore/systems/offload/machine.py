"""The machine of the offloading systems: one GPU, PCIe, a host with its memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template
from simcore.errors import CapacityError, InvariantError
from simcore.hardware import gpu as gpu_model
from simcore.model import shapes
from simcore.results.placement import PlaceCategory
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import Gpu, Host, Model, Pcie, Scenario
from simcore.systems.offload.policy import OffloadPolicy

Int = NDArray[np.int64]

PAPER = "baseline of Liu et al., HPCA 2025, arXiv 2502.16963"
COMPONENTS = ("gpu", "pcie", "host")
PRESETS = {"gpu": "hermes-rtx-4090", "pcie": "hermes-pcie4", "host": "i9-13900k-ddr5-5600"}

GPU, UP, DOWN, HOST = 0, 1, 2, 3
BLOCKS = ("qkv", "projection", "mlp")

OPS: tuple[Op, ...] = (
    Op("hooks", "hooks", "other", help="Allocate before a module is used, release after it."),
    Op("stage", "stage weights", "weights", help="The host brings weights into copy buffers."),
    Op("stream", "stream weights", "weights", help="Weights of a whole block or layer to the GPU."),
    Op("load_kv", "load KV", "transfer", help="Keys and values kept in host memory to the GPU."),
    Op("store_kv", "store KV", "transfer", help="New keys and values to host memory."),
    Op("predict", "predict", "predict", help="The MLP predictor says which neurons will fire."),
    Op("ask", "neuron list", "transfer", help="Indices of the missing neurons go to the host."),
    Op("issue", "issue copies", "weights", help="The host starts one copy for each piece."),
    Op(
        "fetch",
        "fetch neurons",
        "weights",
        help="Active neurons that are not on the GPU come one small piece at a time.",
    ),
    Op("qkv", "QKV", "qkv", help="The GPU computes queries, keys and values."),
    Op("attention", "attention", "attention", help="Attention over the KV cache, on the GPU."),
    Op("projection", "projection", "projection", help="The attention output projection."),
    Op("mlp", "MLP", "mlp", help="The GPU computes the MLP."),
    Op("prefill", "prefill layer", "other", help="One layer for the whole prompt."),
    Op("lm_head", "output table", "other", help="The GPU computes the next-token scores."),
    Op("tokens", "new tokens", "transfer", help="The chosen token of every sequence to the host."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("weights", "tables", "predictors", "buffers", "kv", "reserve")
PLACES = (PlaceCategory("gpu", "GPU"), PlaceCategory("host", "Host memory"))


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a scenario, none missing."""

    gpu: Gpu
    pcie: Pcie
    host: Host


def parts_of(scenario: Scenario) -> Parts:
    """The components of this machine."""
    h = scenario.hardware
    if not (h.gpu and h.pcie and h.host):
        raise InvariantError("the loader fills in every component a system needs")
    return Parts(h.gpu, h.pcie, h.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffloadPlan(Plan):
    """A prepared run of an offloading system.

    Attributes:
        gpu, pcie, host, model: parts of the scenario.
        resident: bytes of every block that stay on the GPU, (layers, blocks).
        tables_on_gpu: bytes of embedding and output tables on the GPU.
        predictor_bytes: weights of all predictors, on the GPU.
        buffer_bytes: GPU memory weights pass through.
        kv_gpu_share: share of the KV cache on the GPU.
        layer, tail, first, body: phases of the segments of a step.
    """

    gpu: Gpu
    pcie: Pcie
    host: Host
    model: Model
    resident: Int
    tables_on_gpu: int
    predictor_bytes: int = 0
    buffer_bytes: int = 0
    kv_gpu_share: float = 1.0
    layer: Template
    tail: Template
    first: Template
    body: Template

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return self.scenario.workload.batch

    @property
    def policy(self) -> OffloadPolicy:
        """The knobs; a system knows its own type of them."""
        policy: OffloadPolicy = self.scenario.policy
        return policy

    @property
    def sizes(self) -> Int:
        """Bytes of the blocks of one layer, (blocks,)."""
        return block_bytes(self.model)

    @property
    def link_GBps(self) -> float:
        """Rate of one direction of PCIe."""
        return self.pcie.bandwidth_GBps * self.policy.link_share

    @property
    def staging_GBps(self) -> float:
        """Rate of the host filling copy buffers; it reads and writes every byte."""
        return min(self.policy.staging_GBps, self.host.bandwidth_GBps / 2)

    @property
    def stream_GBps(self) -> float:
        """Rate of a copy made ahead: the host stages a piece while the link moves the last."""
        return min(self.link_GBps, self.staging_GBps)

    @property
    def on_demand_GBps(self) -> float:
        """Rate of a copy the GPU waits for: staging and moving take turns, both lanes are taken."""
        return 1.0 / (1.0 / self.link_GBps + 1.0 / self.staging_GBps)


def block_bytes(model: Model) -> Int:
    """Bytes of QKV, projection and MLP of one layer."""
    return np.array(
        [
            model.hidden * shapes.attention_neuron_bytes(model),
            shapes.projection_bytes(model),
            shapes.mlp_bytes(model),
        ],
        np.int64,
    )


def kv_bytes(scenario: Scenario) -> int:
    """Keys and values of all sequences at the end of the run."""
    model, workload = scenario.model, scenario.workload
    context = workload.prompt_tokens + workload.output_tokens
    return workload.batch * context * model.layers * shapes.kv_token_bytes(model)


def free_bytes(gpu: Gpu) -> int:
    """GPU memory without the reserve."""
    return gpu_model.memory_bytes(gpu) - int(gpu.reserve_GB * 1e9)


def check_gpu(gpu: Gpu, needed: int, what: str) -> None:
    """Check that `needed` bytes and the reserve fit the GPU.

    Raises:
        CapacityError: if they do not.
    """
    if needed > free_bytes(gpu):
        capacity = gpu_model.memory_bytes(gpu)
        raise CapacityError(
            gpu.title,
            needed + int(gpu.reserve_GB * 1e9),
            capacity,
            f"{what} and the reserve must fit the GPU: raise hardware.gpu.memory_GiB, or lower "
            "workload.batch or what the policy keeps on the GPU",
        )


def check_host(host: Host, needed: int) -> None:
    """Check that weights and KV cache fit host memory.

    Raises:
        CapacityError: if they do not.
    """
    capacity = int(host.memory_GiB * 2**30)
    if needed > capacity:
        raise CapacityError(
            host.title,
            needed,
            capacity,
            "all weights lie in host memory: raise hardware.host.memory_GiB",
        )


def make_lanes(parts: Parts) -> tuple[Lane, ...]:
    """GPU, both directions of PCIe, the host."""
    return (
        Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, parts.gpu.bandwidth_GBps),
        Lane("pcie_up", "PCIe to GPU", "PCIe", LaneKind.LINK, parts.pcie.bandwidth_GBps),
        Lane("pcie_down", "PCIe to host", "PCIe", LaneKind.LINK, parts.pcie.bandwidth_GBps),
        Lane("host", "Host CPU", "Host", LaneKind.HOST, parts.host.bandwidth_GBps),
    )


def make_memory(parts: Parts) -> tuple[MemoryDevice, ...]:
    """The GPU's memory and the host's."""
    return (
        MemoryDevice("gpu", parts.gpu.title, gpu_model.memory_bytes(parts.gpu)),
        MemoryDevice("host", "Host memory", int(parts.host.memory_GiB * 2**30)),
    )


def fill_in_order(layers: int, sizes: Int, room: int) -> Int:
    """Bytes kept on the GPU when whole blocks are taken in order while they fit."""
    order = np.cumsum(np.tile(sizes, layers)).reshape(layers, len(sizes))
    return np.where(order <= room, sizes[None, :], 0).astype(np.int64)


def fill_layers(layers: int, sizes: Int, room: int) -> Int:
    """Bytes kept on the GPU when whole layers are taken in order while they fit."""
    fits = (np.arange(layers) + 1) * int(sizes.sum()) <= room
    return np.where(fits[:, None], sizes[None, :], 0).astype(np.int64)
