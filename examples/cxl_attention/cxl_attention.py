"""One GPU and a CXL memory expander with units beside its memory that compute attention.

Weights are on the GPU. The KV cache is split by heads: some stay in GPU memory, the others are in
the expander. For those, either a few vectors cross CXL and the expander attends, or (`near_memory`
off) all their keys and values cross CXL and the GPU attends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine import row_arrays, step_spans
from simcore.engine.phases import Group, Phase, Template, Work
from simcore.engine.rows import row_totals, summed
from simcore.errors import CapacityError, UserError
from simcore.hardware import gpu as gpu_model
from simcore.hardware.roofline import roofline_ps
from simcore.model import shapes
from simcore.results import explain
from simcore.results.explain import Explanation
from simcore.results.placement import FLAGS, ItemInfo, PlaceCategory, PlacementGrid, Section
from simcore.results.run import KIND_DECODE, KIND_PREFILL, MemoryDevice, Plan, Run
from simcore.results.spans import WAIT_OPS, Lane, LaneKind, Op, Spans
from simcore.results.terms import Term
from simcore.scenario.fields import knob
from simcore.scenario.schema import Gpu, Model, Scenario
from simcore.systems.base import System, Variant, register_system
from simcore.systems.explaining import (
    bandwidth_part,
    compute_part,
    explain_wait,
    fixed_part,
    heading_of,
    term,
    us,
)
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CxlPolicy:
    """The expander, and what is computed there."""

    near_memory: bool = knob(
        True, help="Whether the expander attends to its part of the cache, or only stores it."
    )
    gpu_heads: int | None = knob(
        None,
        ge=0,
        le=4096,
        step=1,
        optional=True,
        help="Key/value heads whose cache is in GPU memory; empty: the fastest number that fits.",
    )
    link_GBps: float = knob(
        63.0,
        unit="GB/s",
        gt=0,
        le=10_000,
        step=4,
        help="Bandwidth of the CXL link in one direction.",
        cls="derived",
        source="PCIe 5.0: 32 GT/s, 16 lanes, 128b/130b",
    )
    crossing_us: float = knob(
        2.0,
        unit="us",
        ge=0,
        le=10_000,
        step=0.5,
        help="Time of a hand-over through CXL beside its bytes.",
        cls="user",
        source="assumed: a few loads and stores of some 0.3 us each",
    )
    memory_GBps: float = knob(
        358.4,
        unit="GB/s",
        gt=0,
        le=100_000,
        step=44.8,
        help="Bandwidth of the memory in the expander.",
        cls="derived",
        source="JEDEC DDR5-5600: 44.8 GB/s a channel, 8 channels",
    )
    capacity_GiB: float = knob(
        256.0,
        unit="GiB",
        gt=0,
        le=65_536,
        step=32,
        help="Memory in the expander.",
        cls="user",
        source="assumed: 8 channels of 32 GiB",
    )
    rate_TFLOPS: float = knob(
        3.0,
        unit="TFLOPS",
        gt=0,
        le=10_000,
        step=0.5,
        help="FP16 rate of the units beside the memory.",
        cls="derived",
        source="as fast as the memory where 8 queries share a key: 358.4 GB/s / 2 B x 8 x 2 FLOP",
    )


LANES = ("gpu", "cxl", "expander")
GPU, LINK, EXPANDER = range(3)

OPS = (
    Op("qkv", "QKV", "qkv", help="Queries, keys and values of all heads."),
    Op("send", "send", "transfer", help="Queries, new keys and values of the far heads go out."),
    Op("attention", "attention", "attention", help="Attention over the cache of the near heads."),
    Op("near", "attention in memory", "attention", help="Attention where the far cache is."),
    Op("receive", "receive", "transfer", help="One vector for each far query head comes back."),
    Op("fetch", "fetch", "transfer", help="All keys and values of the far heads come to the GPU."),
    Op("far", "attention, fetched", "attention", help="Attention over what was fetched."),
    Op("projection", "projection", "projection", help="The output projection of all heads."),
    Op("mlp", "MLP", "mlp", help="The feed-forward block."),
    Op("lm_head", "output table", "other", help="Scores of the next token."),
    *WAIT_OPS,
)
OP = {op.id: index for index, op in enumerate(OPS)}

MEMORY_KINDS = ("weights", "kv", "buffers", "reserve")


@dataclass(frozen=True, slots=True, kw_only=True)
class CxlPlan(Plan):
    """What stays the same from token to token.

    Attributes:
        gpu, model: parts of the scenario.
        far_heads: key/value heads whose cache is in the expander.
        prompt, layer, tail: phases of a layer of the prefill, of a layer, of the output table.
    """

    gpu: Gpu
    model: Model
    far_heads: int
    prompt: Template
    layer: Template
    tail: Template

    @property
    def policy(self) -> CxlPolicy:
        """The knobs."""
        policy: CxlPolicy = self.scenario.policy
        return policy

    @property
    def batch(self) -> int:
        """Sequences decoded together."""
        return int(self.scenario.workload.batch)

    @property
    def head_token_bytes(self) -> int:
        """Keys and values of one token, one layer, one key/value head."""
        return 2 * self.model.head_dim * self.model.bytes_per_kv


def one(op: str, lane: int, *after: str) -> Group:
    """An op on a lane; it may need others besides the lane."""
    return Group(op, OP[op], (lane,), after)


def make_templates(lanes: tuple[Lane, ...], near: bool) -> tuple[Template, Template, Template]:
    """What runs where, and what needs what: one phase a layer, lanes run their groups in order."""
    if near:
        layer = (
            one("qkv", GPU),
            one("send", LINK, "qkv"),
            one("attention", GPU),
            one("near", EXPANDER, "send"),
            one("receive", LINK, "near"),
            one("projection", GPU, "receive"),
            one("mlp", GPU),
        )
    else:
        layer = (
            one("fetch", LINK),
            one("qkv", GPU),
            one("send", LINK, "qkv"),
            one("attention", GPU),
            one("far", GPU, "fetch"),
            one("projection", GPU),
            one("mlp", GPU),
        )
    prompt = (
        one("qkv", GPU),
        one("send", LINK, "qkv"),
        one("attention", GPU),
        one("projection", GPU),
        one("mlp", GPU),
    )
    tail = (one("lm_head", GPU),)
    prompt_, layer_, tail_ = (
        Template((Phase(name, groups),), lanes, OPS)
        for name, groups in (("prompt", prompt), ("layer", layer), ("tail", tail))
    )
    return prompt_, layer_, tail_


def put(template: Template, work: Work, group: str, time_ps: Any, amount: Any, flops: Any) -> None:
    """Fill in one group of all rows."""
    column = template.slice(group).start
    work.time_ps[:, column] = time_ps
    work.amount_bytes[:, column] = amount
    work.flops[:, column] = flops


def kernel(
    plan: CxlPlan, template: Template, work: Work, group: str, amount: Any, flops: Any
) -> None:
    """A kernel of the GPU; none where there is nothing to read."""
    some = np.asarray(amount) > 0
    put(template, work, group, gpu_model.kernel_ps(plan.gpu, amount, flops) * some, amount, flops)


def crossing(plan: CxlPlan, template: Template, work: Work, group: str, amount: Any) -> None:
    """A transfer over CXL; none of no bytes. Nothing is read faster than the expander's memory."""
    policy, some = plan.policy, np.asarray(amount) > 0
    rate = min(policy.link_GBps, policy.memory_GBps)
    time = transfer_ps(amount, rate) + us_to_ps(policy.crossing_us)
    put(template, work, group, time * some, amount, 0)


def weights(plan: CxlPlan, template: Template, work: Work, tokens: int) -> None:
    """The dense blocks of a layer for so many tokens at once."""
    model = plan.model
    for block, size in (
        ("qkv", model.hidden * shapes.attention_neuron_bytes(model)),
        ("projection", shapes.projection_bytes(model)),
        ("mlp", model.ffn * shapes.mlp_neuron_bytes(model)),
    ):
        kernel(plan, template, work, block, size, 2 * tokens * (size // model.bytes_per_weight))


def decode_layers(plan: CxlPlan, context: Int, far: Int) -> Work:
    """A layer of a decode step in every row.

    Args:
        plan: the run.
        context: tokens each sequence attends to, (rows,).
        far: key/value heads whose cache is in the expander, (rows,).
    """
    model, policy = plan.model, plan.policy
    work = plan.layer.blank(len(context))
    weights(plan, plan.layer, work, plan.batch)
    share = shapes.queries_per_kv_head(model)
    vector = plan.batch * model.head_dim * model.bytes_per_kv
    read = plan.batch * context * plan.head_token_bytes  # for one key/value head
    flops = 4 * plan.batch * context * share * model.head_dim
    near = model.kv_heads - far
    kernel(plan, plan.layer, work, "attention", near * read, near * flops)
    if policy.near_memory:
        crossing(plan, plan.layer, work, "send", far * (share + 2) * vector)
        amount, operations = far * read, far * flops
        time = roofline_ps(amount, operations, policy.memory_GBps, policy.rate_TFLOPS * 1e3)
        put(plan.layer, work, "near", time, amount, operations)
        crossing(plan, plan.layer, work, "receive", far * share * vector)
    else:
        crossing(plan, plan.layer, work, "fetch", far * read)
        crossing(plan, plan.layer, work, "send", far * 2 * vector)
        kernel(plan, plan.layer, work, "far", far * read, far * flops)
    return work


def prompt_layers(plan: CxlPlan) -> Work:
    """Every layer of the prefill: the GPU attends to the whole prompt, far keys go out."""
    model, length = plan.model, int(plan.scenario.workload.prompt_tokens)
    tokens = plan.batch * length
    work = plan.prompt.blank(model.layers)
    weights(plan, plan.prompt, work, tokens)
    stored = tokens * plan.head_token_bytes
    # A token attends to half of the prompt on average.
    flops = 2 * tokens * length * shapes.attention_width(model)
    kernel(plan, plan.prompt, work, "attention", model.kv_heads * stored, flops)
    crossing(plan, plan.prompt, work, "send", plan.far_heads * stored)
    return work


def segments(plan: CxlPlan, record: Mapping[str, Any]) -> list[tuple[Template, Work, bool]]:
    """Templates, their work, and whether rows are layers: a pure function of the record."""
    model = plan.model
    if int(record["kind"]) == KIND_PREFILL:
        return [(plan.prompt, prompt_layers(plan), True)]
    context = np.full(model.layers, int(record["context_tokens"]), np.int64)
    layers = decode_layers(plan, context, np.full(model.layers, plan.far_heads, np.int64))
    tail = plan.tail.blank(1)
    flops = 2 * plan.batch * model.vocab * model.hidden
    kernel(plan, plan.tail, tail, "lm_head", shapes.lm_head_bytes(model), flops)
    return [(plan.layer, layers, True), (plan.tail, tail, False)]


def memory_use(plan: CxlPlan, context: int, far: Any) -> Int:
    """Bytes in use, (..., devices, kinds), with so many heads (any shape) in the expander."""
    heads = np.asarray(far, np.int64)
    used = np.zeros((*heads.shape, 2, len(MEMORY_KINDS)), np.int64)
    layer = plan.batch * context * plan.head_token_bytes
    used[..., 0, 0] = shapes.weight_bytes(plan.model)
    used[..., 0, 1] = plan.model.layers * layer * (plan.model.kv_heads - heads)
    used[..., 0, 2] = 0 if plan.policy.near_memory else layer * heads
    used[..., 0, 3] = int(plan.gpu.reserve_GB * 1e9)
    used[..., 1, 1] = plan.model.layers * layer * heads
    return used


def allowed_heads(plan: CxlPlan) -> Int:
    """Numbers of far heads that fit both memories until the last token.

    Raises:
        CapacityError: if there is none.
    """
    workload, asked = plan.scenario.workload, plan.policy.gpu_heads
    every = np.arange(plan.model.kv_heads + 1)
    if asked is not None:
        every = np.array([max(0, plan.model.kv_heads - asked)])
    most = memory_use(plan, workload.prompt_tokens + workload.output_tokens, every).sum(axis=2)
    capacity = np.array([device.capacity_bytes for device in plan.memory])
    fits = (most <= capacity).all(axis=1)
    if fits.any():
        found: Int = every[fits]
        return found
    # The candidate that comes closest says what is missing.
    over = (most - capacity).max(axis=1)
    closest = int(over.argmin())
    device = int((most - capacity)[closest].argmax())
    raise CapacityError(
        plan.memory[device].title,
        int(most[closest, device]),
        int(capacity[device]),
        "raise hardware.gpu.memory_GiB or policy.capacity_GiB, lower workload.batch, or leave "
        "policy.gpu_heads empty",
    )


MOST_LENGTHS = 256


def best_heads(plan: CxlPlan) -> int:
    """The fastest number of far heads, by trying all at up to 256 lengths of the run."""
    heads, workload = allowed_heads(plan), plan.scenario.workload
    steps = np.arange(1, workload.output_tokens + 1)
    if len(steps) > MOST_LENGTHS:
        steps = np.linspace(1, workload.output_tokens, MOST_LENGTHS).astype(np.int64)
    far, context = np.meshgrid(heads, workload.prompt_tokens + steps, indexing="ij")
    work = decode_layers(plan, context.reshape(-1), far.reshape(-1))
    time = row_arrays.row_times(plan.layer, work)[:, GPU].sum(axis=1).reshape(far.shape)
    return int(heads[time.sum(axis=1).argmin()])


@register_system("cxl-attention")
class CxlAttention(System):
    """Attention beside the memory of a CXL expander."""

    title = "CXL expander with attention"
    paper = "worked example of the documentation"
    policy_type = CxlPolicy
    components = ("gpu",)
    presets = {"gpu": "a100-sxm-40gb"}
    stochastic = False
    variants = {
        "cxl-attention-all": Variant("CXL expander, whole cache", {"gpu_heads": 0}),
        "cxl-expander": Variant("CXL expander, memory only", {"near_memory": False}),
    }
    terms = {
        "far_heads": Term("heads in the expander"),
        "far_share": Term("cache in the expander", "share"),
        "crossing_bytes": Term("moved over CXL", "B"),
    }

    def prepare(self, scenario: Scenario, *, items: bool = True) -> CxlPlan:
        """Lanes, memories and templates; then where the heads go."""
        gpu, policy = scenario.hardware.gpu, scenario.policy
        if gpu is None or gpu.count != 1:
            raise UserError("this system has one GPU: set hardware.gpu.count to 1")
        lanes = (
            Lane("gpu", "GPU", "GPU", LaneKind.COMPUTE, gpu.bandwidth_GBps),
            Lane("cxl", "CXL", "CXL", LaneKind.LINK, policy.link_GBps),
            Lane("expander", "CXL expander", "expander", LaneKind.COMPUTE, policy.memory_GBps),
        )
        prompt, layer, tail = make_templates(lanes, policy.near_memory)
        plan = CxlPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=(
                MemoryDevice("gpu", "GPU", gpu_model.memory_bytes(gpu)),
                MemoryDevice("expander", "CXL expander", int(policy.capacity_GiB * 2**30)),
            ),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + scenario.workload.output_tokens,
            items=items,
            gpu=gpu,
            model=scenario.model,
            far_heads=0,
            prompt=prompt,
            layer=layer,
            tail=tail,
        )
        return replace(plan, far_heads=best_heads(plan))

    def start(self, plan: CxlPlan, run: Run) -> None:
        """Nothing changes from token to token but the context."""

    def advance(self, plan: CxlPlan, state: None, run: Run) -> Mapping[str, Any]:
        """The record of a step: its causes, and the sums that follow from them."""
        index, workload = len(run), plan.scenario.workload
        record: dict[str, Any] = {
            "kind": np.int8(KIND_DECODE if index else KIND_PREFILL),
            "tokens": np.int32(workload.batch if index else 0),
            "context_tokens": np.int32(workload.prompt_tokens + index),
        }
        sums = summed([row_totals(t, w, len(w.time_ps)) for t, w, _ in segments(plan, record)])
        record["duration_ps"] = sums.duration_ps[0]
        record["lane_op_ps"] = sums.time_ps[0]
        record["lane_op_bytes"] = sums.amount_bytes[0]
        record["lane_op_flops"] = sums.flops[0]
        record["memory_bytes"] = memory_use(
            plan, int(workload.prompt_tokens) + index, plan.far_heads
        )
        return record

    def spans(self, plan: CxlPlan, record: Mapping[str, Any]) -> Spans:
        """Ops and waits of a step, from its record alone."""
        return step_spans.spans(segments(plan, record))

    def placement(self, plan: CxlPlan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        """Layers by key/value heads: which memory has the cache of each."""
        heads, wide = plan.model.kv_heads, max(1, items_per_cell)
        start = np.arange(0, heads, wide)
        stop = np.minimum(start + wide, heads)
        split = heads - plan.far_heads
        near = np.clip(split - start, 0, stop - start)
        counts = np.stack([near, stop - start - near])
        shape = (plan.model.layers, len(start))
        every = np.broadcast_to(counts[:, None], (2, *shape)).astype(np.uint16)
        return PlacementGrid(
            row_title="layer",
            column_title="key/value head",
            rows=plan.model.layers,
            columns=heads,
            items_per_cell=wide,
            sections=(Section("heads", "key/value heads", 0, heads),),
            categories=(PlaceCategory("gpu", "GPU"), PlaceCategory("expander", "CXL expander")),
            category=np.broadcast_to(counts.argmax(axis=0).astype(np.uint8), shape).copy(),
            active=np.full(shape, 255, np.uint8),
            flags=np.zeros(shape, np.uint8),
            counts=None if wide == 1 else every,
            flag_counts=None if wide == 1 else np.zeros((len(FLAGS), *shape), np.uint16),
        )

    def item(self, plan: CxlPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        """One head of a layer."""
        if not (0 <= row < plan.model.layers and 0 <= column < plan.model.kv_heads):
            return ItemInfo("outside the map", ())
        near = column < plan.model.kv_heads - plan.far_heads
        context = int(run.value("context_tokens", index))
        size = plan.batch * context * plan.head_token_bytes
        return ItemInfo(
            f"layer {row} · key/value head {column}",
            (
                ("cache", "GPU memory" if near else "CXL expander"),
                ("keys and values", f"{size / 1e6:,.1f} MB"),
                ("query heads", str(shapes.queries_per_kv_head(plan.model))),
            ),
        )

    def explain(
        self, plan: CxlPlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        """The formula of an operation with its numbers, or what a wait waits for."""
        op, lane = plan.ops[spans.op[span]], int(spans.lane[span])
        if op.reason is not None:
            return explain_wait(plan, spans, span, op.reason)
        if lane == LINK:
            return explain_crossing(plan, spans, span)
        return explain_unit(plan, spans, span, near=lane == EXPANDER)

    def summary(self, plan: CxlPlan, run: Run) -> Mapping[str, Any]:
        """Figures of the whole run."""
        moved = run.column("lane_op_bytes").sum(axis=0)[LINK].sum() if len(run) else 0
        return {
            "far_heads": plan.far_heads,
            "far_share": plan.far_heads / plan.model.kv_heads,
            "crossing_bytes": int(moved),
        }


def explain_unit(plan: CxlPlan, spans: Spans, span: int, *, near: bool) -> Explanation:
    """A kernel of the GPU, or attention in the expander."""
    gpu, policy = plan.gpu, plan.policy
    where, prefix = ("expander", "policy") if near else ("GPU", "hardware.gpu")
    bandwidth = policy.memory_GBps if near else gpu.bandwidth_GBps
    rate = policy.rate_TFLOPS if near else gpu.fp16_TFLOPS
    launch_us = 0.0 if near else gpu.kernel_launch_us
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    read, compute, fixed = amount * 1e3 / bandwidth, flops / rate, launch_us * 1e6
    names = ("memory_GBps", "rate_TFLOPS") if near else ("bandwidth_GBps", "fp16_TFLOPS")
    total = float(spans.duration_ps[span])
    return Explanation(
        heading_of(plan, spans, span),
        f"t = {'' if near else 'launch + '}max(bytes / bandwidth, FLOP / rate)",
        f"{'' if near else us(fixed) + ' + '}max({us(read)}, {us(compute)}) = {us(total)}",
        max((fixed, "kernel launch"), (read, "memory bandwidth"), (compute, "compute"))[1],
        (
            explain.Term("bytes", f"{amount:,.0f} B", "weights, or keys and values"),
            explain.Term("FLOP", f"{flops:,.0f}", "two per multiply-accumulate"),
            term(
                plan, "bandwidth", f"{bandwidth:g} GB/s", f"{where} memory", f"{prefix}.{names[0]}"
            ),
            term(plan, "rate", f"{rate:g} TFLOPS", f"{where}, FP16", f"{prefix}.{names[1]}"),
        ),
        (plan.ops[spans.op[span]].help,),
        parts=(
            fixed_part(fixed, "kernel launch", "launch", launch_us),
            bandwidth_part(read, bandwidth),
            compute_part(compute, rate),
        ),
    )


def explain_crossing(plan: CxlPlan, spans: Spans, span: int) -> Explanation:
    """A transfer over CXL."""
    policy = plan.policy
    rate = min(policy.link_GBps, policy.memory_GBps)
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    fixed, move = policy.crossing_us * 1e6, amount * 1e3 / rate
    return Explanation(
        heading_of(plan, spans, span),
        "t = crossing + bytes / bandwidth",
        f"{us(fixed)} + {us(move)} = {us(total)}",
        "latency" if fixed > move else "link",
        (
            explain.Term("bytes", f"{amount:,.0f} B", plan.ops[spans.op[span]].help),
            term(plan, "crossing", f"{policy.crossing_us:g} µs", "hand-over", "policy.crossing_us"),
            term(plan, "bandwidth", f"{rate:g} GB/s", "CXL, one direction", "policy.link_GBps"),
        ),
        parts=(
            fixed_part(fixed, "latency", "crossing", policy.crossing_us),
            bandwidth_part(move, rate, bound="link", competes=False),
        ),
    )
