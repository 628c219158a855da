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
from simcore.model import shapes
from simcore.results.run import KIND_PREFILL
from simcore.systems.hermes.plan import HermesPlan
from simcore.systems.hermes.shared_work import attention, output, prefill, put, tail
from simcore.units import transfer_ps, us_to_ps

Int = NDArray[np.int64]
Counts = Mapping[str, Int]

_COUNTS = (
    ("n_gpu", 1),
    ("macs_gpu", 1),
    ("n_dimm", 2),
    ("macs_dimm", 2),
    ("swap_in", 1),
    ("remap", 2),
)
"""Causes of the work of a layer, and how many axes each has behind the layers."""

TABLE_BYTES_PER_NEURON = 0.75
"""Predictor bytes looked at per neuron: 4 bits of state and the bits of two parents (derived from
IV-C1; the parents' indices are static and their cost is not stated)."""


def segments(plan: HermesPlan, record: Mapping[str, Any]) -> list[tuple[Template, Work, bool]]:
    """Templates, work and whether rows are layers, in order of time."""
    if int(record["kind"]) == KIND_PREFILL:
        again = plan.policy.hot_load == "after"
        return prefill(plan, plan.space.weigh(plan.placement.gpu) if again else 0)
    return [
        (plan.layer, layers(plan, record), True),
        (plan.tail, tail(plan), False),
    ]


def projection_ps(plan: HermesPlan) -> int:
    """The GPU's projection of one layer: the window in which neurons move for free."""
    model, batch = plan.model, plan.batch
    weights = shapes.projection_bytes(model)
    return int(
        gpu_model.kernel_ps(plan.gpu, weights, 2 * batch * (weights // model.bytes_per_weight))
    )


def layers(plan: HermesPlan, record: Mapping[str, Any]) -> Work:
    """Work of the layers of one decode step, or of some steps recorded together, steps first."""
    counts = {
        # One row a layer, the layers of a step after those of the step before.
        name: np.asarray(record[name], np.int64).reshape(-1, *record[name].shape[-last:])
        for name, last in _COUNTS
    }
    context = np.repeat(np.asarray(record["context_tokens"], np.int64), plan.model.layers)
    work = plan.layer.blank(len(context))
    for index, block in enumerate(plan.space.blocks):
        _sparse(plan, work, counts, index, block.id)
    attention(plan, work, context[:, None])
    _projection(plan, work, counts)
    output(plan, work)
    return work


def _sparse(plan: HermesPlan, work: Work, counts: Counts, index: int, name: str) -> None:
    """One sparse block: predict, input to the GPU, hot part, result back, cold part."""
    block, batch, model = plan.space.blocks[index], plan.batch, plan.model
    looked_at = int(block.neurons * TABLE_BYTES_PER_NEURON)
    put(plan, work, f"{name}.predict", transfer_ps(looked_at, plan.host.cache_GBps), looked_at)
    sync = us_to_ps(plan.pcie.sync_us)
    hot = counts["n_gpu"][:, index]
    any_hot = hot > 0
    inputs = batch * model.hidden * model.bytes_per_kv
    width = shapes.qkv_width(model) if name == "qkv" else model.hidden
    outputs = batch * width * model.bytes_per_kv
    # A block without hot neurons in a layer needs no visit to the GPU at all.
    up = (sync + transfer_ps(inputs, plan.pcie.bandwidth_GBps)) * any_hot
    down = (sync + transfer_ps(outputs, plan.pcie.bandwidth_GBps)) * any_hot
    put(plan, work, f"{name}.up", up[:, None], inputs * any_hot[:, None])
    put(plan, work, f"{name}.down", down[:, None], outputs * any_hot[:, None])
    hot_bytes = hot * block.neuron_bytes
    hot_flops = 2 * block.neuron_macs * counts["macs_gpu"][:, index]
    kernel = gpu_model.kernel_ps(plan.gpu, hot_bytes, hot_flops) * any_hot
    put(plan, work, f"{name}.hot", kernel[:, None], hot_bytes[:, None], hot_flops[:, None])
    cold_bytes = counts["n_dimm"][:, index] * block.neuron_bytes
    cold_macs = counts["macs_dimm"][:, index] * block.neuron_macs
    time = (plan.units.dispatch_ps + plan.units.gemv_ps(cold_bytes, cold_macs)) * (cold_bytes > 0)
    put(plan, work, f"{name}.cold", time, cold_bytes, 2 * cold_macs)


def _projection(plan: HermesPlan, work: Work, counts: Counts) -> None:
    """Dense projection on the GPU; copies and moves in its shadow."""
    model, batch = plan.model, plan.batch
    sync = us_to_ps(plan.pcie.sync_us)
    inputs = batch * shapes.attention_width(model) * model.bytes_per_kv
    outputs = batch * model.hidden * model.bytes_per_kv
    rate = plan.pcie.bandwidth_GBps
    put(plan, work, "projection.up", sync + transfer_ps(inputs, rate), inputs)
    put(plan, work, "projection.down", sync + transfer_ps(outputs, rate), outputs)
    weights = shapes.projection_bytes(model)
    flops = 2 * batch * (weights // model.bytes_per_weight)
    put(plan, work, "projection.run", projection_ps(plan), weights, flops)
    sizes = np.array([block.neuron_bytes for block in plan.space.blocks], np.int64)
    copied = counts["swap_in"] @ sizes
    put(plan, work, "projection.swap", transfer_ps(copied, rate)[:, None], copied[:, None])
    if plan.link and plan.pairs:
        moved = np.einsum("lbp,b->lp", counts["remap"], sizes)
        latency = us_to_ps(plan.link.latency_us) * (moved > 0)
        time = latency + transfer_ps(moved, plan.link.bandwidth_GBps)
        put(plan, work, "projection.remap", time, moved)
