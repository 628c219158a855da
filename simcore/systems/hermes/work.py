"""From a step's record to the work of every op: the cost model of Hermes.

Each function fills one segment; `segments` puts a step together. The same functions serve the
simulation (totals) and the views (spans), so both always agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template, Work
from simcore.hardware import gpu as gpu_model
from simcore.hardware import ndp_dimm
from simcore.model import shapes
from simcore.results.run import KIND_PREFILL
from simcore.systems.hermes.plan import HermesPlan
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]

TABLE_BYTES_PER_NEURON = 0.75
"""Predictor bytes looked at per neuron: 4 bits of state and the bits of two parents (derived from
IV-C1; the parents' indices are static and their cost is not stated)."""

NORM_PASSES = 4
"""Element-wise passes for residual and normalisation: add, square-sum, scale, shift (derived)."""


def segments(plan: HermesPlan, record: Mapping[str, Any]) -> list[tuple[Template, Work, bool]]:
    """Templates, work and whether rows are layers, in order of time."""
    if int(record["kind"]) == KIND_PREFILL:
        return _prefill(plan)
    return [
        (plan.layer, _layers(plan, record), True),
        (plan.tail, _tail(plan), False),
    ]


def projection_ps(plan: HermesPlan) -> int:
    """The GPU's projection of one layer: the window in which neurons move for free."""
    model, batch = plan.model, plan.batch
    weights = shapes.projection_bytes(model)
    return int(
        gpu_model.kernel_ps(plan.gpu, weights, 2 * batch * (weights // model.bytes_per_weight))
    )


def _layers(plan: HermesPlan, record: Mapping[str, Any]) -> Work:
    work = plan.layer.blank(plan.model.layers)
    for index, block in enumerate(plan.space.blocks):
        _sparse(plan, work, record, index, block.id)
    _attention(plan, work, int(record["context_tokens"]))
    _projection(plan, work, record)
    _output(plan, work)
    return work


def _put(
    plan: HermesPlan, work: Work, group: str, time_ps: Any, amount: Any = 0, flops: Any = 0
) -> None:
    columns = plan.layer.slice(group)
    work.time_ps[:, columns] = time_ps
    work.amount_bytes[:, columns] = amount
    work.flops[:, columns] = flops


def _sparse(plan: HermesPlan, work: Work, record: Mapping[str, Any], index: int, name: str) -> None:
    """One sparse block: predict, input to the GPU, hot part, result back, cold part."""
    block, batch, model = plan.space.blocks[index], plan.batch, plan.model
    looked_at = int(block.neurons * TABLE_BYTES_PER_NEURON)
    _put(plan, work, f"{name}.predict", transfer_ps(looked_at, plan.host.cache_GBps), looked_at)
    sync = us_to_ps(plan.pcie.sync_us)
    hot = record["n_gpu"][:, index].astype(np.int64)
    any_hot = hot > 0
    inputs = batch * model.hidden * model.bytes_per_kv
    width = shapes.qkv_width(model) if name == "qkv" else model.hidden
    outputs = batch * width * model.bytes_per_kv
    # A block without hot neurons in a layer needs no visit to the GPU at all.
    up = (sync + transfer_ps(inputs, plan.pcie.bandwidth_GBps)) * any_hot
    down = (sync + transfer_ps(outputs, plan.pcie.bandwidth_GBps)) * any_hot
    _put(plan, work, f"{name}.up", up[:, None], inputs * any_hot[:, None])
    _put(plan, work, f"{name}.down", down[:, None], outputs * any_hot[:, None])
    hot_bytes = hot * block.neuron_bytes
    hot_flops = 2 * block.neuron_macs * record["macs_gpu"][:, index].astype(np.int64)
    kernel = gpu_model.kernel_ps(plan.gpu, hot_bytes, hot_flops) * any_hot
    _put(plan, work, f"{name}.hot", kernel[:, None], hot_bytes[:, None], hot_flops[:, None])
    cold_bytes = record["n_dimm"][:, index].astype(np.int64) * block.neuron_bytes
    cold_macs = record["macs_dimm"][:, index].astype(np.int64) * block.neuron_macs
    time = ndp_dimm.gemv_ps(plan.dimm, cold_bytes, cold_macs)
    _put(plan, work, f"{name}.cold", time, cold_bytes, 2 * cold_macs)


def _exchange_bytes(plan: HermesPlan, width: int) -> int:
    """Bytes a DIMM sends when partial vectors of `width` are summed where they are needed."""
    total = plan.batch * width * plan.model.bytes_per_kv
    return total * (plan.dimms - 1) // plan.dimms


def _gather(plan: HermesPlan, work: Work, name: str, width: int) -> None:
    if not plan.pairs:
        return
    amount = _exchange_bytes(plan, width)
    time = us_to_ps(plan.link.latency_us) + transfer_ps(amount, plan.link.bandwidth_GBps)
    _put(plan, work, f"{name}.gather", time, amount)


def _attention(plan: HermesPlan, work: Work, context: int) -> None:
    """Gather and merge Q, K, V, then attention over the KV heads of each DIMM."""
    model = plan.model
    width = shapes.qkv_width(model)
    _gather(plan, work, "attention", width)
    sources = plan.dimms + 1
    adds = plan.batch * width * sources // plan.dimms
    _put(plan, work, "attention.merge", ndp_dimm.vector_ps(plan.dimm, adds), 0, adds)
    items = plan.kv_items
    kv = items * context * (2 * model.head_dim * model.bytes_per_kv)
    queries = items * shapes.queries_per_kv_head(model)
    macs = queries * context * (2 * model.head_dim)
    time = ndp_dimm.gemv_ps(plan.dimm, kv, macs) + ndp_dimm.softmax_ps(plan.dimm, queries * context)
    _put(plan, work, "attention.run", time * (items > 0), kv, 2 * macs)


def _projection(plan: HermesPlan, work: Work, record: Mapping[str, Any]) -> None:
    """Dense projection on the GPU; copies and moves in its shadow."""
    model, batch = plan.model, plan.batch
    sync = us_to_ps(plan.pcie.sync_us)
    inputs = batch * shapes.attention_width(model) * model.bytes_per_kv
    outputs = batch * model.hidden * model.bytes_per_kv
    rate = plan.pcie.bandwidth_GBps
    _put(plan, work, "projection.up", sync + transfer_ps(inputs, rate), inputs)
    _put(plan, work, "projection.down", sync + transfer_ps(outputs, rate), outputs)
    weights = shapes.projection_bytes(model)
    flops = 2 * batch * (weights // model.bytes_per_weight)
    _put(plan, work, "projection.run", projection_ps(plan), weights, flops)
    sizes = np.array([block.neuron_bytes for block in plan.space.blocks], np.int64)
    copied = record["swap_in"].astype(np.int64) @ sizes
    _put(plan, work, "projection.swap", transfer_ps(copied, rate)[:, None], copied[:, None])
    if plan.pairs:
        moved = np.einsum("lbp,b->lp", record["remap"].astype(np.int64), sizes)
        latency = us_to_ps(plan.link.latency_us) * (moved > 0)
        time = latency + transfer_ps(moved, plan.link.bandwidth_GBps)
        _put(plan, work, "projection.remap", time, moved)


def _output(plan: HermesPlan, work: Work) -> None:
    """Sum of the MLP's partial results, residual and normalisation, on the DIMMs."""
    hidden = plan.model.hidden
    _gather(plan, work, "output", hidden)
    adds = plan.batch * hidden * (plan.dimms + 1 + NORM_PASSES) // plan.dimms
    _put(plan, work, "output.merge", ndp_dimm.vector_ps(plan.dimm, adds), 0, adds)


def _tail(plan: HermesPlan) -> Work:
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


def _prefill(plan: HermesPlan) -> list[tuple[Template, Work, bool]]:
    """All weights stream to the GPU once, one layer ahead of the computation (IV-A2, step 1)."""
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
    tail.amount_bytes[:] = plan.space.weigh(plan.placement.gpu)
    tail.time_ps[:] = transfer_ps(tail.amount_bytes, rate)
    return [
        (plan.prefill_head, head, False),
        (plan.prefill_layer, body, True),
        (plan.prefill_tail, tail, False),
    ]
