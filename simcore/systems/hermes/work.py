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
    context = np.atleast_1d(np.asarray(record["context_tokens"], np.int64))
    # First what all layers of a step have in common, in one row for each step.
    work = plan.layer.blank(len(context))
    for block in plan.space.blocks:
        looked_at = int(block.neurons * TABLE_BYTES_PER_NEURON)
        time = transfer_ps(looked_at, plan.host.cache_GBps)
        put(plan, work, f"{block.id}.predict", time, looked_at)
    attention(plan, work, context[:, None])
    _projection(plan, work)
    output(plan, work)
    work = work.repeated(plan.model.layers)
    _sparse(plan, work, counts)
    _moves(plan, work, counts)
    return work


def _sparse(plan: HermesPlan, work: Work, counts: Counts) -> None:
    """The sparse blocks: input to the GPU, hot part, result back, cold part."""
    blocks, batch, model = plan.space.blocks, plan.batch, plan.model
    size = np.array([block.neuron_bytes for block in blocks], np.int64)
    macs = np.array([block.neuron_macs for block in blocks], np.int64)
    widths = [shapes.qkv_width(model) if block.id == "qkv" else model.hidden for block in blocks]
    sync, rate = us_to_ps(plan.pcie.sync_us), plan.pcie.bandwidth_GBps
    inputs = batch * model.hidden * model.bytes_per_kv
    outputs = batch * np.array(widths, np.int64) * model.bytes_per_kv
    hot = counts["n_gpu"]
    any_hot = hot > 0
    # A block without hot neurons in a layer needs no visit to the GPU at all.
    up = (sync + transfer_ps(inputs, rate)) * any_hot
    down = (sync + transfer_ps(outputs, rate)) * any_hot
    sent, returned = inputs * any_hot, outputs * any_hot
    hot_bytes, hot_flops = hot * size, counts["macs_gpu"] * (2 * macs)
    kernel = gpu_model.kernel_ps(plan.gpu, hot_bytes, hot_flops) * any_hot
    cold_bytes = counts["n_dimm"] * size[:, None]
    cold_macs = counts["macs_dimm"] * macs[:, None]
    time = (plan.units.dispatch_ps + plan.units.gemv_ps(cold_bytes, cold_macs)) * (cold_bytes > 0)
    cold_flops = 2 * cold_macs
    for index, block in enumerate(blocks):
        one = slice(index, index + 1)
        put(plan, work, f"{block.id}.up", up[:, one], sent[:, one])
        put(plan, work, f"{block.id}.down", down[:, one], returned[:, one])
        put(plan, work, f"{block.id}.hot", kernel[:, one], hot_bytes[:, one], hot_flops[:, one])
        columns = time[:, index], cold_bytes[:, index], cold_flops[:, index]
        put(plan, work, f"{block.id}.cold", *columns)


def _projection(plan: HermesPlan, work: Work) -> None:
    """Dense projection on the GPU."""
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


def _moves(plan: HermesPlan, work: Work, counts: Counts) -> None:
    """Copies to the GPU and moves between DIMMs, in the shadow of the projection."""
    sizes = np.array([block.neuron_bytes for block in plan.space.blocks], np.int64)
    copied = counts["swap_in"] @ sizes
    put(
        plan,
        work,
        "projection.swap",
        transfer_ps(copied, plan.pcie.bandwidth_GBps)[:, None],
        copied[:, None],
    )
    if plan.link and plan.pairs:
        moved = np.einsum("lbp,b->lp", counts["remap"], sizes)
        latency = us_to_ps(plan.link.latency_us) * (moved > 0)
        time = latency + transfer_ps(moved, plan.link.bandwidth_GBps)
        put(plan, work, "projection.remap", time, moved)
