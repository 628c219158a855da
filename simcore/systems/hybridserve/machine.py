"""The machine: one GPU, PCIe, a host with its memory; lanes, operations, sizes and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations.streams import stream
from simcore.engine.phases import Template, Work
from simcore.errors import CapacityError, InvariantError, UserError
from simcore.hardware import gpu as gpu_model
from simcore.hardware.roofline import roofline_ps
from simcore.model import shapes
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op
from simcore.scenario.schema import Gpu, Host, Model, Pcie, Scenario, UnevenWorkload
from simcore.systems.hybridserve.policy import StreamPolicy
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]

PAPER = "Lee et al., ICCD 2025, arXiv 2501.01792"
BASELINE = "baseline of Lee et al., ICCD 2025, arXiv 2501.01792"
COMPONENTS = ("gpu", "pcie", "host")
PRESETS = {"gpu": "rtx-4090", "pcie": "pcie4-x16", "host": "xeon-6326-x2"}

GPU, UP, DOWN, HOST = 0, 1, 2, 3
BLOCKS = ("qkv", "projection", "mlp")

OPS: tuple[Op, ...] = (
    Op("stream", "stream weights", "weights", help="Weights of the next layer to the GPU."),
    Op("load_kv", "load KV", "transfer", help="Keys and values from host memory to the GPU."),
    Op(
        "load_act",
        "load activations",
        "transfer",
        help="Activations of the cache, from host memory to the GPU.",
    ),
    Op("store_kv", "store KV", "transfer", help="New keys and values to host memory."),
    Op("store_act", "store activations", "transfer", help="New activations to host memory."),
    Op("stage", "stage KV", "transfer", help="The host copies the KV cache into pinned buffers."),
    Op("swap_out", "swap out", "migration", help="KV blocks of a preempted request to the host."),
    Op("swap_in", "swap in", "migration", help="KV blocks of a resumed request to the GPU."),
    Op(
        "regenerate",
        "regenerate KV",
        "qkv",
        help="Cached activations times the key and value weights, on the GPU.",
    ),
    Op(
        "recompute",
        "recompute tokens",
        "other",
        help="A layer for tokens whose keys and values were not kept, on the GPU.",
    ),
    Op("qkv", "QKV", "qkv", help="The GPU computes queries, keys and values."),
    Op("attention", "attention", "attention", help="Attention over the KV cache, on the GPU."),
    Op("projection", "projection", "projection", help="The attention output projection."),
    Op("mlp", "MLP", "mlp", help="The GPU computes the MLP."),
    Op("prefill", "prefill layer", "other", help="One layer for whole prompts."),
    Op("lm_head", "output table", "other", help="The GPU computes the next-token scores."),
    Op("tokens", "new tokens", "transfer", help="The chosen token of every request to the host."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("weights", "tables", "buffers", "activations", "kv", "workspace", "reserve")

KERNELS = {
    **{"qkv": 3, "attention": 2, "projection": 2, "mlp": 5, "regenerate": 1, "lm_head": 2},
    "recompute": 12,
    "prefill": 12,
}
"""Kernels of an operation (derived by counting): normalisation, QKV, rotation or bias; cache write,
paged attention; projection and residual; normalisation, up to three matrices, residual; the product
of regeneration; output table and choice of the token; recomputation and prefill do a layer."""

_WITH_MLP = ("mlp", "recompute", "prefill")

TOKEN_BYTES = 8
"""A token number as frameworks keep it, int64 (public)."""


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


@dataclass(frozen=True, slots=True)
class Costs:
    """Sizes and times of the pieces of a layer.

    Attributes:
        parts, model, policy: parts of the scenario.
    """

    parts: Parts
    model: Model
    policy: StreamPolicy

    @property
    def kv_bytes(self) -> int:
        """Keys and values of one token in one layer."""
        return shapes.kv_token_bytes(self.model)

    @property
    def act_bytes(self) -> int:
        """Input activation of one token in one layer: half of that with as many KV heads."""
        return self.model.hidden * self.model.bytes_per_kv

    @property
    def layer_bytes(self) -> int:
        """Weights of one layer, all experts: they are streamed before any token asks for one."""
        return shapes.layer_bytes(self.model)

    @property
    def kv_weight_bytes(self) -> int:
        """Weights that make keys and values of activations."""
        model = self.model
        return model.hidden * 2 * model.kv_heads * model.head_dim * model.bytes_per_weight

    @property
    def gemm_TFLOPS(self) -> float:
        """Rate of matrix products."""
        return self.parts.gpu.fp16_TFLOPS * self.policy.gemm_share

    def block_bytes(self, block: str) -> int:
        """Weights of QKV, projection or MLP of one layer."""
        model = self.model
        if block == "qkv":
            return model.hidden * shapes.attention_neuron_bytes(model)
        if block == "projection":
            return shapes.projection_bytes(model)
        return shapes.mlp_bytes(model)

    def copy_ps(self, amount: Any) -> Int:
        """One direction of PCIe."""
        return transfer_ps(amount, self.parts.pcie.bandwidth_GBps)

    def gpu_ps(self, count: int, amount: Any, flops: Any) -> Int:
        """`count` kernels that together read `amount` bytes and do `flops`."""
        gpu = self.parts.gpu
        body = roofline_ps(amount, flops, gpu.bandwidth_GBps, self.gemm_TFLOPS * 1e3)
        launches = count * us_to_ps(gpu.kernel_launch_us)
        return np.where(np.asarray(flops) > 0, body + launches, 0).astype(np.int64)

    def fill(
        self, template: Template, work: Work, group: str, kind: str, amount: Any, flops: Any
    ) -> None:
        """An operation on the GPU; nothing where there are no operations."""
        count = KERNELS[kind]
        if kind in _WITH_MLP:
            count = shapes.mlp_kernels(self.model, count)
        time = self.gpu_ps(count, amount, flops)
        put(template, work, group, time, np.where(time > 0, amount, 0), flops)

    def fill_copy(self, template: Template, work: Work, group: str, amount: Any) -> None:
        """A copy over PCIe."""
        put(template, work, group, self.copy_ps(amount), amount)

    def fill_dense(
        self, template: Template, work: Work, block: str, group: str, requests: Any
    ) -> None:
        """A block of weights times one vector for every request."""
        size = met = self.block_bytes(block)
        if block == "mlp":
            size = shapes.mlp_read_bytes(self.model, requests)
            met = shapes.mlp_token_bytes(self.model)
        flops = 2 * np.asarray(requests) * (met // self.model.bytes_per_weight)
        self.fill(template, work, group, block, size, flops)

    def fill_attention(self, template: Template, work: Work, group: str, tokens: Any) -> None:
        """Attention of one new token a request over `tokens` tokens in all."""
        count = np.asarray(tokens)
        flops = 4 * count * shapes.attention_width(self.model)
        self.fill(template, work, group, "attention", count * self.kv_bytes, flops)

    def fill_layer(
        self, template: Template, work: Work, group: str, kind: str, tokens: Any, squares: Any
    ) -> None:
        """A whole layer for many tokens of each request, of which each looks back.

        Args:
            template, work, group, kind: where, and as what.
            tokens: tokens in all.
            squares: sum of the squared lengths of the requests; a token sees half of the length.
        """
        size, width = (
            shapes.layer_read_bytes(self.model, tokens),
            shapes.attention_width(self.model),
        )
        met = shapes.layer_token_bytes(self.model)
        flops = 2 * np.asarray(tokens) * (met // self.model.bytes_per_weight)
        self.fill(template, work, group, kind, size, flops + 2 * np.asarray(squares) * width)

    def fill_head(self, template: Template, work: Work, requests: Any) -> None:
        """The output table, and the chosen tokens to the host."""
        size = shapes.lm_head_bytes(self.model)
        flops = 2 * np.asarray(requests) * (size // self.model.bytes_per_weight)
        self.fill(template, work, "head.run", "lm_head", size, flops)
        moved = np.asarray(requests) * TOKEN_BYTES
        time = np.where(moved > 0, us_to_ps(self.parts.pcie.sync_us) + self.copy_ps(moved), 0)
        put(template, work, "head.tokens", time, moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan(Plan):
    """A prepared run.

    Attributes:
        costs: sizes and times.
        prompts: (requests,) prompt lengths.
        resident_bytes: weights of all layers that stay on the GPU.
        layer, prefill, first, tail: phases of a decode layer, of a layer of prefill, of what comes
            before the first layer, of the output table.
    """

    costs: Costs
    prompts: Int
    resident_bytes: int
    layer: Template
    prefill: Template
    first: Template
    tail: Template

    @property
    def model(self) -> Model:
        """The model."""
        return self.costs.model

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.prompts)

    @property
    def streamed_bytes(self) -> int:
        """Weights of one layer that come over PCIe."""
        return self.costs.layer_bytes - self.resident_bytes // self.model.layers


def put(
    template: Template, work: Work, group: str, time_ps: Any, amount: Any = 0, flops: Any = 0
) -> None:
    """Fill in one group of a segment; values are scalars or one a row.

    A name ending in ``.*`` stands for all groups of that name and a number, in one call; values
    then have a column for each, or one column for all.
    """
    name, _, which = group.rpartition(".")
    column = template.numbered(name) if which == "*" else template.slice(group).start
    work.time_ps[:, column] = time_ps
    work.amount_bytes[:, column] = amount
    work.flops[:, column] = flops


def prompt_lengths(scenario: Scenario) -> Int:
    """Prompt length of every request, in order of arrival.

    Raises:
        UserError: if the shortest prompt is longer than the longest.
    """
    workload = scenario.workload
    if isinstance(workload, UnevenWorkload):
        low, high = workload.prompt_tokens, workload.longest_prompt_tokens
        if low > high:
            raise UserError(
                f"workload.longest_prompt_tokens: {high:,} is less than workload.prompt_tokens, "
                f"{low:,}; allowed: that or more"
            )
        return stream(scenario.seed, "prompts").integers(low, high + 1, workload.batch)
    return np.full(workload.batch, workload.prompt_tokens, np.int64)


def free_bytes(gpu: Gpu) -> int:
    """GPU memory without the reserve."""
    return gpu_model.memory_bytes(gpu) - int(gpu.reserve_GB * 1e9)


def host_room(costs: Costs) -> int:
    """Host memory for caches.

    Raises:
        CapacityError: if the weights do not fit, or the budget does not fit beside them.
    """
    host, policy = costs.parts.host, costs.policy
    capacity = int(host.memory_GiB * 2**30)
    weights = shapes.weight_bytes(costs.model)
    needed = weights + int(policy.host_reserve_GB * 1e9)
    room = capacity - needed
    budget = room if policy.host_cache_GB is None else int(policy.host_cache_GB * 1e9)
    if room < 0 or budget > room:
        raise CapacityError(
            host.title,
            needed + max(0, budget if policy.host_cache_GB is not None else 0),
            capacity,
            "weights, reserve and cache budget must fit: raise hardware.host.memory_GiB, lower "
            "policy.host_cache_GB or take a smaller model",
        )
    return budget


def make_lanes(parts: Parts, *, host: bool = False) -> tuple[Lane, ...]:
    """GPU, both directions of PCIe, the host where it works."""
    rate = parts.pcie.bandwidth_GBps
    lanes = (
        Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, parts.gpu.bandwidth_GBps),
        Lane("pcie_up", "PCIe to GPU", "PCIe", LaneKind.LINK, rate),
        Lane("pcie_down", "PCIe to host", "PCIe", LaneKind.LINK, rate),
        Lane("host", "Host CPU", "Host", LaneKind.HOST, parts.host.bandwidth_GBps),
    )
    return lanes if host else lanes[:HOST]


def make_memory(parts: Parts) -> tuple[MemoryDevice, ...]:
    """The GPU's memory and the host's."""
    return (
        MemoryDevice("gpu", parts.gpu.title, gpu_model.memory_bytes(parts.gpu)),
        MemoryDevice("host", "Host memory", int(parts.host.memory_GiB * 2**30)),
    )
