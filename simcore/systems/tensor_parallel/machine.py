"""The machine: GPUs joined by NVLink in a ring, a part of every layer on each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Group, Phase, Template
from simcore.errors import CapacityError, InvariantError
from simcore.hardware import gpu as gpu_model
from simcore.model import shapes
from simcore.results.run import MemoryDevice, Plan
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, WaitReason
from simcore.scenario.schema import Gpu, Model, Scenario
from simcore.systems.tensor_parallel.policy import TensorParallelPolicy

Int = NDArray[np.int64]

PAPER = "baseline of Liu et al., HPCA 2025, arXiv 2502.16963"
PRESET = "hermes-a100-sxm-40gb-x5"

OPS: tuple[Op, ...] = (
    Op("qkv", "QKV", "qkv", help="Every GPU computes queries, keys and values of its heads."),
    Op("attention", "attention", "attention", help="Attention over the KV cache of its heads."),
    Op("projection", "projection", "projection", help="Its heads' part of the output projection."),
    Op("mlp", "MLP", "mlp", help="Its neurons of the MLP: columns up, rows down."),
    Op("all_reduce", "all-reduce", "transfer", help="Partial sums go round the ring twice."),
    Op("lm_head", "output table", "other", help="Next-token scores of its part of the words."),
    Op("gather", "gather", "transfer", help="The best scores go round the ring once."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("weights", "tables", "kv", "reserve")


@dataclass(frozen=True, slots=True)
class Shares:
    """What every GPU has of a layer, each (GPUs,).

    Attributes:
        queries, kv: query heads and key/value heads.
        neurons: MLP neurons.
        words: rows of the tables.
    """

    queries: Int
    kv: Int
    neurons: Int
    words: Int


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorParallelPlan(Plan):
    """A prepared run.

    Attributes:
        gpu, model: parts of the scenario.
        shares: what every GPU has.
        layer, tail: phases of one layer and of the end of a token.
    """

    gpu: Gpu
    model: Model
    shares: Shares
    layer: Template
    tail: Template

    @property
    def count(self) -> int:
        """Number of GPUs."""
        return self.gpu.count

    @property
    def policy(self) -> TensorParallelPolicy:
        """The knobs."""
        policy: TensorParallelPolicy = self.scenario.policy
        return policy

    @property
    def read_GBps(self) -> float:
        """Sustained rate of reading one GPU's memory."""
        return self.gpu.bandwidth_GBps * self.policy.memory_efficiency


def deal(items: int, count: int) -> Int:
    """Items dealt as evenly as possible, the first ones get the rest."""
    return np.array([items // count + (j < items % count) for j in range(count)], np.int64)


def make_shares(model: Model, count: int) -> Shares:
    """Heads in whole groups that share keys and values while there are enough, neurons, words."""
    group = shapes.queries_per_kv_head(model)
    if count <= model.kv_heads:
        kv = deal(model.kv_heads, count)
        queries = kv * group
    else:
        queries = deal(model.heads, count)
        kv = -(-queries // group)
    return Shares(queries, kv, deal(model.ffn, count), deal(model.vocab, count))


def attention_bytes(model: Model, shares: Shares) -> tuple[Int, Int]:
    """Bytes of the QKV weights and of the projection weights of one layer on every GPU."""
    row = model.hidden * model.head_dim * model.bytes_per_weight
    return (shares.queries + 2 * shares.kv) * row, shares.queries * row


def mlp_bytes(model: Model, shares: Shares) -> Int:
    """Bytes of the MLP weights of one layer on every GPU: its neurons of each expert."""
    own = shares.neurons * shapes.mlp_neuron_bytes(model)
    return own * model.experts + shapes.router_bytes(model)


def mlp_work(model: Model, shares: Shares, tokens: int) -> tuple[Int, Int]:
    """Bytes of MLP weights of one layer that every GPU reads for so many tokens, and FLOP."""
    own = shares.neurons * shapes.mlp_neuron_bytes(model)
    router = shapes.router_bytes(model)
    met = (own * model.experts_per_token + router) // model.bytes_per_weight
    if model.experts == 1:
        return own, 2 * tokens * met
    read = np.rint(own * shapes.distinct_experts(model, tokens)).astype(np.int64)
    return read + router, 2 * tokens * met


def kv_token_bytes(model: Model, shares: Shares) -> Int:
    """Keys and values of one token in one layer on every GPU."""
    return shares.kv * (2 * model.head_dim * model.bytes_per_kv)


def memory_use(plan: TensorParallelPlan, context: int) -> Int:
    """Bytes in use by GPU and kind."""
    model, shares = plan.model, plan.shares
    used = np.zeros((plan.count, len(MEMORY_KINDS)), np.int64)
    qkv, projection = attention_bytes(model, shares)
    used[:, 0] = model.layers * (qkv + projection + mlp_bytes(model, shares))
    used[:, 1] = shares.words * (shapes.table_bytes(model) // model.vocab)
    tokens = plan.scenario.workload.batch * context
    used[:, 2] = model.layers * tokens * kv_token_bytes(model, shares)
    used[:, 3] = int(plan.gpu.reserve_GB * 1e9)
    return used


def check_capacity(plan: TensorParallelPlan) -> None:
    """Check that every GPU holds its part.

    Raises:
        CapacityError: for the fullest GPU.
    """
    workload = plan.scenario.workload
    used = memory_use(plan, workload.prompt_tokens + workload.output_tokens).sum(axis=1)
    capacity = gpu_model.memory_bytes(plan.gpu)
    fullest = int(used.argmax())
    if used[fullest] > capacity:
        raise CapacityError(
            f"GPU {fullest} of {plan.count} ({plan.gpu.title})",
            int(used[fullest]),
            capacity,
            "every GPU holds its part of weights and KV cache: raise hardware.gpu.count or "
            "hardware.gpu.memory_GiB, or lower workload.batch",
        )


def gpu_of(scenario: Scenario) -> Gpu:
    """The GPUs of the scenario."""
    if scenario.hardware.gpu is None:
        raise InvariantError("the loader fills in every component a system needs")
    return scenario.hardware.gpu


def make_lanes(gpu: Gpu, policy: TensorParallelPolicy) -> tuple[Lane, ...]:
    """Every GPU, and where there are several the link from each to the next in the ring."""
    gpus = tuple(
        Lane(f"gpu{j}", f"GPU {j}", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps)
        for j in range(gpu.count)
    )
    if gpu.count == 1:
        return gpus
    return gpus + tuple(
        Lane(
            f"nvlink{j}",
            f"NVLink {j} to {(j + 1) % gpu.count}",
            "NVLink",
            LaneKind.LINK,
            policy.link_GBps,
        )
        for j in range(gpu.count)
    )


def make_memory(gpu: Gpu) -> tuple[MemoryDevice, ...]:
    """The memory of every GPU."""
    return tuple(
        MemoryDevice(f"gpu{j}", f"GPU {j}", gpu_model.memory_bytes(gpu)) for j in range(gpu.count)
    )


def make_templates(lanes: tuple[Lane, ...], count: int) -> tuple[Template, Template]:
    """A layer computes twice and adds up twice; the output table ends a token."""
    gpus, links = tuple(range(count)), tuple(range(count, len(lanes)))

    def compute(name: str, *ops: str) -> Phase:
        idle = dict.fromkeys(links, WaitReason.DEPENDENCY)
        return Phase(name, tuple(Group(f"{op}.run", OP[op], gpus) for op in ops), idle)

    def exchange(name: str, op: str) -> tuple[Phase, ...]:
        if not links:
            return ()
        idle = dict.fromkeys(gpus, WaitReason.DEPENDENCY)
        return (Phase(name, (Group(name, OP[op], links),), idle),)

    layer = (
        compute("heads", "qkv", "attention", "projection"),
        *exchange("heads.reduce", "all_reduce"),
        compute("neurons", "mlp"),
        *exchange("neurons.reduce", "all_reduce"),
    )
    tail = (compute("head", "lm_head"), *exchange("head.gather", "gather"))
    return Template(layer, lanes, OPS), Template(tail, lanes, OPS)
