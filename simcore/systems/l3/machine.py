"""The machine of one model replica: its GPUs, and the memory its attention reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template
from simcore.errors import CapacityError, InvariantError
from simcore.hardware import dimm_pim as pim_model
from simcore.hardware import gpu as gpu_model
from simcore.hardware import hbm_pim as hbm_model
from simcore.hardware.gpu_kernels import Caps
from simcore.model import shapes
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import (
    DimmPim,
    Gpu,
    HbmPim,
    Host,
    Model,
    Nvlink,
    Pcie,
    Scenario,
)
from simcore.systems.l3.policy import CpuPolicy, HbmPimPolicy, L3Policy, ServingPolicy
from simcore.workload.requests import Requests, make_requests

Int = NDArray[np.int64]
T = TypeVar("T")

PAPER = "Liu et al., arXiv 2504.17584 (L3; CHIME at ISCA 2026)"

OPS: tuple[Op, ...] = (
    Op("norm", "normalisation", "merge", help="Normalisations, activation and residuals."),
    Op("qkv", "QKV", "qkv", help="Queries, keys and values of decodes and prompt chunks."),
    Op("attention", "decode attention", "attention", help="Attention over the KV of the batch."),
    Op("prefill", "prefill attention", "attention", help="Attention inside prompts, on the GPU."),
    Op("projection", "projection", "projection", help="Output projection of the attention."),
    Op("mlp", "MLP", "mlp", help="All matrices of the MLP block."),
    Op("all_reduce", "all-reduce", "transfer", help="Partial sums of the GPUs are added up."),
    Op("receive", "take inputs", "transfer", help="On the bus for Q, K, V: its banks stop."),
    Op("send", "give outputs", "transfer", help="On the bus for the results: its banks stop."),
    Op("inputs", "Q, K, V to the memory", "transfer", help="Of decodes, and KV of prompts."),
    Op("outputs", "attention results", "transfer", help="One vector for each decode."),
    Op("swap_out", "move KV out", "migration", help="Memory is full: the youngest must leave."),
    Op("swap_in", "move KV back", "migration", help="A request that had to leave comes back."),
    Op("lm_head", "output table", "other", help="Next-token scores."),
    Op("idle", "no request", "other", help="Until the next request arrives."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("weights", "tables", "kv", "reserve")


@dataclass(frozen=True, slots=True)
class Side:
    """Where decode attention runs, as seen by one replica.

    Attributes:
        kind: ``gpu``, ``dimm``, ``hbm``, ``ext`` or ``cpu``.
        lanes: lanes of it (ranksets, else 1; 0 on the GPU itself).
        slots: (offsets, ranks) slots on each kind of rank of a lane, by place in the lane.
        rank_of: (ranks of a lane,) column of `slots` of each rank, for the map.
        token_ps: time of one token of one slot on one rank.
        request_ps: fixed time of one request's slot on one rank.
        fixed_ps: fixed time of a kernel.
        peak_GBps: peak of one lane.
        link_GBps: rate of moving inputs and outputs; 0 where nothing moves.
        link_title: what moves them.
        share: part of a transfer that stops a lane's computing.
    """

    kind: str
    lanes: int
    slots: Int
    rank_of: Int
    token_ps: float
    request_ps: float = 0.0
    fixed_ps: float = 0.0
    peak_GBps: float = 0.0
    link_GBps: float = 0.0
    link_title: str = "PCIe"
    share: float = 1.0

    @property
    def offsets(self) -> int:
        """Places a request may start at inside a lane."""
        return len(self.slots)

    @property
    def classes(self) -> int:
        """Places of a request's KV: lane of layer 0, and offset in it."""
        return max(1, self.lanes) * self.offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPlan(Plan):
    """A prepared run.

    Attributes:
        gpu, nvlink, pcie, model: parts of the scenario.
        gpus: GPUs of a replica. replicas: of the model; one is simulated and stands for all.
        caps: what kernels reach.
        side: where decode attention runs.
        requests: those of the replica.
        capacity_tokens: tokens of KV the replica's memory holds.
        cut: requests whose output was cut because no memory could hold it.
        kv_device: index of the memory that holds KV.
        layer, edge: phases of a layer, and of the end of a step.
    """

    gpu: Gpu
    nvlink: Nvlink
    pcie: Pcie
    model: Model
    gpus: int
    replicas: int
    caps: Caps
    side: Side
    requests: Requests
    capacity_tokens: int
    cut: int
    kv_device: int
    layer: Template
    edge: Template

    @property
    def derived(self) -> tuple[str, ...]:
        """Everything that follows from the causes; storing it would take gigabytes."""
        return ("causes", "lane_op_ps", "lane_op_bytes", "lane_op_flops", "memory_bytes")

    @property
    def open_ended(self) -> bool:
        """How many iterations there are depends on what fits, even with requests of one length."""
        return True

    @property
    def policy(self) -> ServingPolicy:
        """The knobs."""
        policy: ServingPolicy = self.scenario.policy
        return policy

    @property
    def halves(self) -> int:
        """Sub-batches."""
        return 1 if self.side.kind == "gpu" else self.policy.sub_batches

    @property
    def pcie_GBps(self) -> float:
        """PCIe of the replica's GPUs together."""
        return self.pcie.bandwidth_GBps * self.gpus


def need(component: T | None) -> T:
    """A component the loader has filled in."""
    if component is None:
        raise InvariantError("the loader fills in every component a system needs")
    return component


def kv_bytes(model: Model) -> int:
    """Keys and values of one token in all layers."""
    return model.layers * shapes.kv_token_bytes(model)


def layer_weights(model: Model) -> int:
    """All matrix weights of the layers."""
    return model.layers * shapes.layer_bytes(model)


def gpus_of_replica(scenario: Scenario) -> int:
    """GPUs that share a model: as set, or the fewest that leave the wanted share free.

    Raises:
        CapacityError: if the weights do not fit all GPUs together.
    """
    gpu, policy = need(scenario.hardware.gpu), scenario.policy
    if policy.tensor_parallel:
        return int(min(policy.tensor_parallel, gpu.count))
    weights = layer_weights(scenario.model) + shapes.table_bytes(scenario.model)
    each = gpu_model.memory_bytes(gpu)
    count = 1
    while count * 2 <= gpu.count and weights > (1 - policy.free_share) * count * each:
        count *= 2
    return count


def make_side(scenario: Scenario, gpus: int, replicas: int) -> Side:
    """The attention side of one replica."""
    model, policy, hardware = scenario.model, scenario.policy, scenario.hardware
    one = np.ones((1, 1), np.int64)
    rank = np.zeros(1, np.int64)
    layer_bytes = shapes.kv_token_bytes(model)
    pcie_GBps = need(hardware.pcie).bandwidth_GBps * gpus
    if isinstance(policy, L3Policy):
        return _dimm_side(model, policy, need(hardware.dimm_pim), pcie_GBps, replicas)
    if isinstance(policy, HbmPimPolicy):
        hbm = need(hardware.hbm_pim)
        extra = policy.modules == "extra"
        stacks = hbm.extra_stacks / replicas if extra else hbm.stacks_per_gpu * gpus
        peak = hbm_model.internal_GBps(hbm, stacks)
        link = need(hardware.nvlink).bandwidth_GBps * gpus if extra else 0.0
        read = layer_bytes * hbm_model.passes(hbm, shapes.queries_per_kv_head(model))
        return Side(
            "ext" if extra else "hbm",
            1,
            one,
            np.zeros(max(1, round(stacks)), np.int64),
            read * 1e3 / (peak * hbm.efficiency),
            fixed_ps=hbm.kernel_us * 1e6,
            peak_GBps=peak,
            link_GBps=link,
            link_title="NVLink",
        )
    if isinstance(policy, CpuPolicy):
        peak = need(hardware.host).bandwidth_GBps / replicas
        return Side(
            "cpu",
            1,
            one,
            np.zeros(4, np.int64),
            layer_bytes * 1e3 / (peak * policy.host_efficiency),
            peak_GBps=peak,
            link_GBps=pcie_GBps,
        )
    return Side("gpu", 0, one, np.repeat(rank, gpus), 0.0)


def _dimm_side(
    model: Model, policy: L3Policy, pim: DimmPim, pcie_GBps: float, replicas: int
) -> Side:
    """DIMM-PIM: a replica has its share of the ranksets, or where there are fewer, of the ranks."""
    sets = max(1, pim_model.ranksets(pim) // replicas)
    queries = shapes.queries_per_kv_head(model)
    if policy.units == "rank":
        slot = pim_model.rank_slot(pim, model.head_dim)
        rate = pim_model.channel_GBps(pim)
    else:
        spread = pim_model.n_hc(pim, model.head_dim, queries) if policy.pipelined else pim.chips
        slot = pim_model.bank_slot(
            pim,
            model.head_dim,
            queries,
            spread,
            pipelined=policy.pipelined,
            relayout=policy.relayout,
        )
        rate = pim_model.rank_units_GBps(pim)
    heads = pim_model.head_map(-(-model.kv_heads // slot.heads), pim.channels)
    link = min(pcie_GBps, pim_model.host_GBps(pim) / replicas)
    return Side(
        "dimm",
        sets,
        heads.slots,
        heads.rank_of,
        slot.token_ps,
        request_ps=slot.request_ps,
        peak_GBps=pim.channels * rate,
        link_GBps=link,
        share=1.0 / sets if policy.overlap else 1.0,
    )


def kv_memory(scenario: Scenario, side: Side, gpus: int, replicas: int) -> tuple[MemoryDevice, ...]:
    """Tracked memories of a replica; KV is in the last one."""
    gpu, hardware = need(scenario.hardware.gpu), scenario.hardware
    grown = scenario.policy.capacity_fraction
    gpu_bytes = gpus * gpu_model.memory_bytes(gpu)
    own = MemoryDevice("gpu", f"GPU memory ({gpus})", gpu_bytes)
    if side.kind in ("gpu", "hbm"):
        free = max(0, gpu_bytes - fixed_bytes(scenario, gpus))
        return (MemoryDevice("gpu", own.title, int(gpu_bytes + (max(grown, 1.0) - 1) * free)),)
    if side.kind == "ext":
        hbm: HbmPim = need(hardware.hbm_pim)
        size = hbm.extra_stacks * hbm.extra_stack_GiB / replicas
        return own, MemoryDevice("kv", "HBM-PIM modules", int(size * grown * 2**30))
    if side.kind == "cpu":
        host: Host = need(hardware.host)
        size = host.memory_GiB / replicas
        return own, MemoryDevice("kv", "Host memory", int(size * grown * 2**30))
    size = need(hardware.dimm_pim).capacity_GiB / replicas
    return own, MemoryDevice("kv", "DIMM-PIM", int(size * grown * 2**30))


def fixed_bytes(scenario: Scenario, gpus: int) -> int:
    """What is on a replica's GPUs whatever is served."""
    model, gpu = scenario.model, need(scenario.hardware.gpu)
    reserve = int(gpu.reserve_GB * 1e9) * gpus
    return layer_weights(model) + shapes.table_bytes(model) + reserve


def capacity_tokens(scenario: Scenario, devices: tuple[MemoryDevice, ...], gpus: int) -> int:
    """Tokens of KV a replica holds.

    Raises:
        CapacityError: if the weights leave no room, or for not even one token.
    """
    fixed, own = fixed_bytes(scenario, gpus), devices[0]
    if fixed > own.capacity_bytes:
        raise CapacityError(
            own.title,
            fixed,
            own.capacity_bytes,
            "the weights are on the GPUs: raise hardware.gpu.count or hardware.gpu.memory_GiB, "
            "or policy.tensor_parallel",
        )
    shared = len(devices) == 1
    room = devices[-1].capacity_bytes - (fixed if shared else 0)
    if shared and scenario.policy.capacity_fraction < 1:
        room = int(room * scenario.policy.capacity_fraction)
    tokens = room // kv_bytes(scenario.model)
    if tokens < 2:
        raise CapacityError(
            devices[-1].title,
            (fixed if shared else 0) + 2 * kv_bytes(scenario.model),
            devices[-1].capacity_bytes,
            "no request fits: give the machine more memory for keys and values",
        )
    return int(tokens)


def fit(requests: Requests, capacity: int) -> tuple[Requests, int]:
    """Requests that memory can hold: longer outputs are cut, and how many were.

    Raises:
        CapacityError: if a prompt alone does not fit.
    """
    longest = int(requests.prompt.max())
    if longest + 1 > capacity:
        raise CapacityError(
            "KV memory (in tokens, not bytes)",
            longest + 1,
            capacity,
            "a prompt alone does not fit: give the machine more memory or leave it out",
        )
    most = capacity - requests.prompt
    cut = int((requests.output > most).sum())
    return Requests(requests.arrival_ps, requests.prompt, np.minimum(requests.output, most)), cut


def make_lanes(scenario: Scenario, side: Side, gpus: int) -> tuple[Lane, ...]:
    """GPUs, the links, the attention side, and the queue where requests arrive over time."""
    gpu, nvlink = need(scenario.hardware.gpu), need(scenario.hardware.nvlink)
    pcie_GBps = need(scenario.hardware.pcie).bandwidth_GBps * gpus
    lanes = [Lane("gpu", f"GPUs ({gpus})", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps * gpus)]
    if gpus > 1:
        lanes.append(Lane("nvlink", "NVLink", "NVLink", LaneKind.LINK, nvlink.bandwidth_GBps))
    if side.kind == "dimm":
        lanes += [
            Lane(f"rankset{j}", f"Rankset {j}", "DIMM-PIM", LaneKind.COMPUTE, side.peak_GBps)
            for j in range(side.lanes)
        ]
    elif side.kind == "cpu":
        lanes.append(Lane("cpu", "Host CPU", "Host CPU", LaneKind.COMPUTE, side.peak_GBps))
    elif side.kind in ("hbm", "ext"):
        title = "HBM-PIM" if side.kind == "hbm" else "HBM-PIM modules"
        lanes.append(Lane("hbm", title, "HBM-PIM", LaneKind.COMPUTE, side.peak_GBps))
    if side.kind == "ext":
        lanes += [
            Lane("in", "NVLink to modules", "Module link", LaneKind.LINK, side.link_GBps),
            Lane("out", "NVLink from modules", "Module link", LaneKind.LINK, side.link_GBps),
        ]
    lanes += [
        Lane("pcie_in", "PCIe to host", "PCIe", LaneKind.LINK, pcie_GBps),
        Lane("pcie_out", "PCIe to GPU", "PCIe", LaneKind.LINK, pcie_GBps),
    ]
    if len(make_requests(scenario).arrival_ps.nonzero()[0]):
        lanes.append(Lane("queue", "Request queue", "Queue", LaneKind.LINK))
    return tuple(lanes)
