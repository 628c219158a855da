"""FlexGen: zig-zag offloading of dense weights (baseline of Hermes, V-A).

All weights that are not on the GPU pass through it in every step. While a layer is computed the
next one streams in, also across the end of a token: the output table under the last layer, the
first layer under the output table. With several GPU batches a layer is computed once for each
before it is given up, which is the zig-zag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.engine.phases import Template, Work
from simcore.model import shapes
from simcore.results.run import KIND_PREFILL
from simcore.scenario.schema import Scenario
from simcore.systems.base import register_system
from simcore.systems.offload import steps, work
from simcore.systems.offload.machine import (
    BLOCKS,
    MEMORY_KINDS,
    OPS,
    Int,
    OffloadPlan,
    block_bytes,
    check_gpu,
    check_host,
    free_bytes,
    kv_bytes,
    make_lanes,
    make_memory,
    parts_of,
)
from simcore.systems.offload.policy import FlexGenPolicy
from simcore.systems.offload.system import OffloadSystem
from simcore.systems.phased import Segments
from simcore.units import transfer_ps

_PERCENT = 100


def _kv_percent(scenario: Scenario, free: int, used: int) -> tuple[int, int]:
    """Share of the KV cache on the GPU in percent, and the buffers the rest passes through."""
    wanted = scenario.policy.kv_gpu_percent
    whole = kv_bytes(scenario)
    buffers = 2 * (whole // scenario.model.layers)
    if wanted is None:
        room = free - used
        wanted = _PERCENT if whole <= room else max(0, (room - buffers) * _PERCENT // whole)
    return wanted, 0 if wanted == _PERCENT else buffers


@register_system("flexgen")
class FlexGen(OffloadSystem):
    """Dense weights stream from host memory, one layer ahead of the GPU."""

    title = "FlexGen"
    policy_type = FlexGenPolicy
    overlaps = True
    experts = True

    def prepare(self, scenario: Scenario, *, items: bool = True) -> OffloadPlan:
        parts, model, policy = parts_of(scenario), scenario.model, scenario.policy
        sizes = block_bytes(model)
        kept = sizes * policy.gpu_weights_percent // _PERCENT
        streamed = int((sizes - kept).sum())
        buffers = 2 * max(streamed, shapes.lm_head_bytes(model))
        resident = np.tile(kept, (model.layers, 1))
        used = int(resident.sum()) + buffers
        percent, extra = _kv_percent(scenario, free_bytes(parts.gpu), used)
        kv = kv_bytes(scenario)
        on_gpu = kv * percent // _PERCENT
        check_gpu(parts.gpu, used + extra + on_gpu, "resident weights, two layers and the KV cache")
        check_host(parts.host, shapes.weight_bytes(model) + kv - on_gpu)
        lanes = make_lanes(parts)
        return OffloadPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(parts),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + scenario.workload.output_tokens,
            items=items,
            gpu=parts.gpu,
            pcie=parts.pcie,
            host=parts.host,
            model=model,
            resident=resident,
            tables_on_gpu=0,
            buffer_bytes=buffers + extra,
            kv_gpu_share=percent / _PERCENT,
            **steps.flexgen(lanes),
        )

    def segments(self, plan: OffloadPlan, record: Mapping[str, Any]) -> Segments:
        missing = plan.sizes.sum() - plan.resident.sum(axis=1)
        if int(record["kind"]) == KIND_PREFILL:
            return work.streamed_prefill(plan, missing, np.roll(missing, -1))
        context = int(record["context_tokens"])
        return [(plan.layer, _layers(plan, missing, context), True), _tail(plan, missing, context)]


def _layers(plan: OffloadPlan, missing: Int, context: int) -> Work:
    """Every layer beside the weights and KV of the next one."""
    model, policy = plan.model, plan.scenario.policy
    filled = plan.layer.blank(model.layers)
    ahead = np.append(missing[1:], shapes.lm_head_bytes(model))
    work.stream(plan, plan.layer, filled, "next", ahead)
    away = work.kv_layer_bytes(plan, context)
    away -= int(away * plan.kv_gpu_share)
    work.put(plan.layer, filled, "next.kv", transfer_ps(away, plan.stream_GBps), away)
    for block in BLOCKS:
        work.dense_block(plan, filled, block, policy.gpu_batches)
    work.attention(plan, filled, context, policy.gpu_batches)
    new = work.kv_layer_bytes(plan, 1)
    new -= int(new * plan.kv_gpu_share)
    work.put(plan.layer, filled, "new.kv", transfer_ps(new, plan.stream_GBps), new)
    return filled


def _tail(plan: OffloadPlan, missing: Int, context: int) -> tuple[Template, Work, bool]:
    """The output table beside the first layer of the next token, if there is one."""
    workload = plan.scenario.workload
    filled = plan.tail.blank(1)
    more = context < workload.prompt_tokens + workload.output_tokens
    work.stream(plan, plan.tail, filled, "next", int(missing[0]) if more else 0)
    work.head(plan, filled)
    return plan.tail, filled, False
