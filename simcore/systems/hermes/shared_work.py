"""Work that Hermes and Hermes-base do alike: attention, merging, the output table, prefill."""

from __future__ import annotations

from typing import Any

from simcore.engine.phases import Template, Work
from simcore.hardware import gpu as gpu_model
from simcore.model import shapes
from simcore.systems.hermes.machine import MachinePlan
from simcore.units import transfer_ps, us_to_ps

NORM_PASSES = 4
"""Element-wise passes for residual and normalisation: add, square-sum, scale, shift (derived)."""


def put(
    plan: MachinePlan, work: Work, group: str, time_ps: Any, amount: Any = None, flops: Any = None
) -> None:
    """Fill in one group of the layer template; what is not given stays as it is, zero at first."""
    columns = plan.layer.slice(group)
    work.time_ps[:, columns] = time_ps
    if amount is not None:
        work.amount_bytes[:, columns] = amount
    if flops is not None:
        work.flops[:, columns] = flops


def _exchange_bytes(plan: MachinePlan, width: int) -> int:
    """Bytes a DIMM sends when partial vectors of `width` are summed where they are needed."""
    total = plan.batch * width * plan.model.bytes_per_kv
    return total * (plan.units.count - 1) // plan.units.count


def gather(plan: MachinePlan, work: Work, name: str, width: int) -> None:
    """Partial vectors of `width` travel between the DIMMs."""
    if plan.link is None or not plan.pairs:
        return
    amount = _exchange_bytes(plan, width)
    time = us_to_ps(plan.link.latency_us) + transfer_ps(amount, plan.link.bandwidth_GBps)
    put(plan, work, f"{name}.gather", time, amount)


def attention(plan: MachinePlan, work: Work, context: Any) -> None:
    """Gather and merge Q, K, V, then attention over the KV heads of each DIMM.

    Args:
        plan, work: the run, and what to fill in.
        context: tokens seen so far, a number or (rows, 1).
    """
    model = plan.model
    width = shapes.qkv_width(model)
    gather(plan, work, "attention", width)
    sources = plan.units.count + 1
    adds = plan.batch * width * sources // plan.units.count
    put(plan, work, "attention.merge", plan.units.vector_ps(adds), flops=adds)
    items = plan.kv_items
    kv = items * context * (2 * model.head_dim * model.bytes_per_kv)
    queries = items * shapes.queries_per_kv_head(model)
    macs = queries * context * (2 * model.head_dim)
    time = plan.units.gemv_ps(kv, macs) + plan.units.softmax_ps(queries * context)
    put(plan, work, "attention.run", (plan.units.dispatch_ps + time) * (items > 0), kv, 2 * macs)


def output(plan: MachinePlan, work: Work) -> None:
    """Sum of the MLP's partial results, residual and normalisation, on the DIMMs."""
    hidden = plan.model.hidden
    gather(plan, work, "output", hidden)
    adds = plan.batch * hidden * (plan.units.count + 1 + NORM_PASSES) // plan.units.count
    put(plan, work, "output.merge", plan.units.dispatch_ps + plan.units.vector_ps(adds), flops=adds)


def tail(plan: MachinePlan) -> Work:
    """The output table on the GPU."""
    model = plan.model
    work = plan.tail.blank(1)
    inputs = plan.batch * model.hidden * model.bytes_per_kv
    up = plan.tail.slice("head.up")
    work.time_ps[:, up] = us_to_ps(plan.pcie.sync_us) + transfer_ps(
        inputs, plan.pcie.bandwidth_GBps
    )
    work.amount_bytes[:, up] = inputs
    run = plan.tail.slice("head.run")
    table = shapes.lm_head_bytes(model)
    flops = 2 * plan.batch * model.vocab * model.hidden
    work.time_ps[:, run] = gpu_model.kernel_ps(plan.gpu, table, flops)
    work.amount_bytes[:, run] = table
    work.flops[:, run] = flops
    return work


def prefill(plan: MachinePlan, resident_bytes: int) -> list[tuple[Template, Work, bool]]:
    """All weights stream to the GPU once, one layer ahead of the computation (IV-A2, step 1).

    Args:
        plan: the run.
        resident_bytes: weights loaded to the GPU once more at the end, to stay there.
    """
    model, workload = plan.model, plan.scenario.workload
    rate = plan.pcie.bandwidth_GBps
    one = shapes.layer_bytes(model)
    head = plan.prefill_head.blank(1)
    head.amount_bytes[:] = one + shapes.table_bytes(model)
    head.time_ps[:] = us_to_ps(plan.pcie.sync_us) + transfer_ps(head.amount_bytes, rate)
    body = plan.prefill_layer.blank(model.layers)
    stream, run, kv = (plan.prefill_layer.slice(f"body.{g}") for g in ("stream", "run", "kv"))
    body.amount_bytes[:-1, stream] = one
    body.time_ps[:, stream] = transfer_ps(body.amount_bytes[:, stream], rate)
    tokens = workload.batch * workload.prompt_tokens
    scores = workload.prompt_tokens * shapes.attention_width(model)
    flops = tokens * 2 * (one // model.bytes_per_weight + scores)
    body.amount_bytes[:, run] = one
    body.flops[:, run] = flops
    body.time_ps[:, run] = gpu_model.kernel_ps(plan.gpu, one, flops)
    stored = tokens * shapes.kv_token_bytes(model)
    body.amount_bytes[:, kv] = stored
    body.time_ps[:, kv] = transfer_ps(stored, rate)
    tail = plan.prefill_tail.blank(1)
    tail.amount_bytes[:] = resident_bytes
    tail.time_ps[:] = transfer_ps(tail.amount_bytes, rate)
    return [
        (plan.prefill_head, head, False),
        (plan.prefill_layer, body, True),
        (plan.prefill_tail, tail, False),
    ]
