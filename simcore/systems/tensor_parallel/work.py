"""From a step's record to the work of every op on every GPU and link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.engine.phases import Template, Work
from simcore.hardware.roofline import roofline_ps
from simcore.model import shapes
from simcore.results.run import KIND_PREFILL
from simcore.systems.tensor_parallel.machine import (
    Int,
    TensorParallelPlan,
    attention_bytes,
    kv_token_bytes,
    mlp_work,
)
from simcore.units import transfer_ps, us_to_ps

KERNELS = {"qkv": 2, "attention": 1, "projection": 1, "mlp": 3, "lm_head": 2}
"""Fused kernels of TensorRT-LLM (derived by counting): normalisation and QKV; one fused attention;
projection; normalisation, gate with up, down; normalisation and output table."""

SCORE_BYTES = 8
"""A score and a word number, FP32 and int32 (derived)."""


def kernels_ps(plan: TensorParallelPlan, count: int, amount: Any, flops: Any) -> Int:
    """Time of `count` kernels that together read `amount` bytes and do `flops`; none for none."""
    launch = count * us_to_ps(plan.gpu.kernel_launch_us)
    body = roofline_ps(amount, flops, plan.read_GBps, plan.gpu.fp16_TFLOPS * 1e3)
    return (launch + body) * (np.asarray(amount) > 0)


def ring_bytes(amount: int, count: int) -> int:
    """Bytes every link carries in one all-reduce of `amount` bytes (twice (n - 1) / n of them)."""
    return 2 * (count - 1) * -(-amount // count)


def _put(
    template: Template, work: Work, group: str, time: Any, amount: Any, flops: Any = 0
) -> None:
    columns = template.slice(group)
    work.time_ps[:, columns] = time
    work.amount_bytes[:, columns] = amount
    work.flops[:, columns] = flops


def _exchange(
    plan: TensorParallelPlan, template: Template, work: Work, group: str, hops: int, amount: int
) -> None:
    """Round the ring: `hops` steps that carry `amount` bytes over every link in all."""
    if plan.count > 1:
        time = hops * us_to_ps(plan.policy.hop_us) + transfer_ps(amount, plan.policy.link_GBps)
        _put(template, work, group, time, amount)


def segments(
    plan: TensorParallelPlan, record: Mapping[str, Any]
) -> list[tuple[Template, Work, bool]]:
    """Templates, work and whether rows are layers, in order of time."""
    workload = plan.scenario.workload
    if int(record["kind"]) == KIND_PREFILL:
        # A token attends to half of the prompt on average.
        tokens = workload.batch * workload.prompt_tokens
        return [(plan.layer, _layers(plan, tokens, workload.prompt_tokens / 2, tokens), True)]
    context = int(record["context_tokens"])
    layers = _layers(plan, workload.batch, float(context), workload.batch * context)
    return [(plan.layer, layers, True), (plan.tail, _tail(plan), False)]


def _layers(plan: TensorParallelPlan, tokens: int, attended: float, stored: int) -> Work:
    """Every layer for `tokens` tokens.

    Args:
        plan: the run.
        tokens: tokens computed together.
        attended: tokens each of them attends to.
        stored: tokens whose keys and values are read.
    """
    model, shares = plan.model, plan.shares
    work = plan.layer.blank(model.layers)
    qkv, projection = attention_bytes(model, shares)
    for name, size in (("qkv", qkv), ("projection", projection)):
        flops = 2 * tokens * (size // model.bytes_per_weight)
        time = kernels_ps(plan, KERNELS[name], size, flops)
        _put(plan.layer, work, f"{name}.run", time, size, flops)
    size, flops = mlp_work(model, shares, tokens)
    time = kernels_ps(plan, shapes.mlp_kernels(model, KERNELS["mlp"]), size, flops)
    _put(plan.layer, work, "mlp.run", time, size, flops)
    read = stored * kv_token_bytes(model, shares)
    flops = (4 * tokens * attended * model.head_dim * shares.queries).astype(np.int64)
    time = kernels_ps(plan, KERNELS["attention"], read, flops)
    _put(plan.layer, work, "attention.run", time, read, flops)
    partial = tokens * model.hidden * model.bytes_per_kv
    carried, hops = ring_bytes(partial, plan.count), 2 * (plan.count - 1)
    for group in ("heads.reduce", "neurons.reduce"):
        _exchange(plan, plan.layer, work, group, hops, carried)
    return work


def _tail(plan: TensorParallelPlan) -> Work:
    """The output table by words, then the best score of every GPU to all."""
    model, batch = plan.model, plan.scenario.workload.batch
    work = plan.tail.blank(1)
    table = plan.shares.words * (shapes.lm_head_bytes(model) // model.vocab)
    flops = 2 * batch * plan.shares.words * model.hidden
    time = kernels_ps(plan, KERNELS["lm_head"], table, flops)
    _put(plan.tail, work, "lm_head.run", time, table, flops)
    hops = plan.count - 1
    _exchange(plan, plan.tail, work, "head.gather", hops, hops * batch * SCORE_BYTES)
    return work
