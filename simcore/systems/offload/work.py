"""Work that all offloading systems do alike: kernels, copies, the end of a token, prefill."""

from __future__ import annotations

from typing import Any

from simcore.engine.phases import Template, Work
from simcore.hardware.roofline import roofline_ps
from simcore.model import shapes
from simcore.systems.offload.machine import BLOCKS, Int, OffloadPlan
from simcore.units import transfer_ps, us_to_ps

KERNELS = {"qkv": 5, "attention": 6, "projection": 2, "mlp": 6, "predict": 2, "lm_head": 2}
"""Kernels a framework issues one by one (derived by counting the operators of a decoder layer):
normalisation, Q, K, V and reshape; two cache writes, scores, mask, softmax, weighted sum;
projection and residual; normalisation, up to three matrices, activation, residual; both layers of a
predictor; output table and choice of the token."""

EXPERT_KERNELS = 6
"""Kernels of one expert (derived by counting): gather, up to three matrices, activation, add."""

TOKEN_BYTES = 8
"""A token number as frameworks keep it, int64 (public)."""


def put(
    template: Template, work: Work, group: str, time_ps: Any, amount: Any = 0, flops: Any = 0
) -> None:
    """Fill in one group of a segment; values are scalars or one a row."""
    column = template.slice(group).start
    work.time_ps[:, column] = time_ps
    work.amount_bytes[:, column] = amount
    work.flops[:, column] = flops


def kernels_ps(plan: OffloadPlan, count: int, amount: Any, flops: Any) -> Int:
    """Time of `count` kernels that together read `amount` bytes and do `flops`."""
    one = us_to_ps(plan.gpu.kernel_launch_us) + us_to_ps(plan.policy.dispatch_us)
    return count * one + roofline_ps(
        amount, flops, plan.gpu.bandwidth_GBps, plan.gpu.fp16_TFLOPS * 1e3
    )


def sync_ps(plan: OffloadPlan) -> int:
    """One synchronisation between host and GPU."""
    return us_to_ps(plan.pcie.sync_us)


def kv_layer_bytes(plan: OffloadPlan, context: int) -> int:
    """Keys and values of one layer, all sequences."""
    return plan.batch * context * shapes.kv_token_bytes(plan.model)


def mlp_kernels(plan: OffloadPlan, tokens: float) -> int:
    """Kernels of the MLP: a framework runs experts one after the other.

    Each gathers its rows, multiplies up to three matrices with an activation, and adds its rows
    back; normalisation, the router's two, and the residual come once.
    """
    if plan.model.experts == 1:
        return KERNELS["mlp"]
    experts = float(shapes.distinct_experts(plan.model, tokens))
    return 2 + shapes.ROUTER_KERNELS + round(experts * EXPERT_KERNELS)


def dense_block(plan: OffloadPlan, work: Work, block: str, parts: int = 1) -> None:
    """A whole FC block on the GPU, in `parts` turns that each read the weights."""
    size, count = int(plan.sizes[BLOCKS.index(block)]), KERNELS[block]
    met = size
    if block == "mlp":
        tokens = plan.batch / parts
        met, count = shapes.mlp_token_bytes(plan.model), mlp_kernels(plan, tokens)
        size = int(shapes.mlp_read_bytes(plan.model, tokens))
    flops = 2 * plan.batch * (met // plan.model.bytes_per_weight)
    read = parts * size
    time = kernels_ps(plan, parts * count, read, flops)
    put(plan.layer, work, f"{block}.run", time, read, flops)


def attention(plan: OffloadPlan, work: Work, context: int, parts: int = 1) -> None:
    """Attention over the KV cache, on the GPU."""
    read = kv_layer_bytes(plan, context)
    flops = 4 * plan.batch * context * shapes.attention_width(plan.model)
    time = kernels_ps(plan, parts * KERNELS["attention"], read, flops)
    put(plan.layer, work, "attention.run", time, read, flops)


def head(plan: OffloadPlan, work: Work) -> None:
    """The output table, and the chosen tokens to the host."""
    model = plan.model
    table = shapes.lm_head_bytes(model)
    flops = 2 * plan.batch * model.vocab * model.hidden
    time = kernels_ps(plan, KERNELS["lm_head"], table, flops)
    put(plan.tail, work, "head.run", time, table, flops)
    moved = plan.batch * TOKEN_BYTES
    time = sync_ps(plan) + transfer_ps(moved, plan.link_GBps)
    put(plan.tail, work, "head.tokens", time, moved)


def prefill_layer(plan: OffloadPlan, work: Work) -> None:
    """One layer for the whole prompt on the GPU."""
    model, workload = plan.model, plan.scenario.workload
    tokens = workload.batch * workload.prompt_tokens
    size = int(shapes.layer_read_bytes(model, tokens))
    scores = workload.prompt_tokens * shapes.attention_width(model)
    flops = tokens * 2 * (shapes.layer_token_bytes(model) // model.bytes_per_weight + scores)
    count = sum(KERNELS[name] for name in ("qkv", "projection", "attention"))
    count += mlp_kernels(plan, tokens)
    put(plan.body, work, "body.run", kernels_ps(plan, count, size, flops), size, flops)


def stream(plan: OffloadPlan, template: Template, work: Work, name: str, amount: Any) -> None:
    """A long copy: the host stages one piece while PCIe moves the one before."""
    staged = transfer_ps(amount, plan.staging_GBps)
    put(template, work, f"{name}.stage", staged, amount)
    put(template, work, f"{name}.stream", transfer_ps(amount, plan.stream_GBps), amount)


def bring(
    plan: OffloadPlan, template: Template, work: Work, name: str, amount: Any, fixed_ps: Any = 0
) -> None:
    """A copy the GPU waits for: the call holds host and link, which take turns."""
    time = fixed_ps + transfer_ps(amount, plan.on_demand_GBps)
    put(template, work, f"{name}.stage", time, amount)
    put(template, work, f"{name}.stream", time, amount)


def streamed_prefill(
    plan: OffloadPlan, missing: Int, ahead: Int
) -> list[tuple[Template, Work, bool]]:
    """Prefill with the next layer's weights under way while a layer is computed.

    Args:
        plan: the run.
        missing: bytes of each layer that are not on the GPU, (layers,).
        ahead: bytes streamed beside each layer, (layers,).
    """
    first = plan.first.blank(1)
    stream(plan, plan.first, first, "first", int(missing[0]))
    body = plan.body.blank(plan.model.layers)
    prefill_layer(plan, body)
    stream(plan, plan.body, body, "body", ahead)
    tokens = plan.batch * plan.scenario.workload.prompt_tokens
    away = tokens * shapes.kv_token_bytes(plan.model)
    stored = away - int(away * plan.kv_gpu_share)
    put(plan.body, body, "body.store", transfer_ps(stored, plan.stream_GBps), stored)
    return [(plan.first, first, False), (plan.body, body, True)]
