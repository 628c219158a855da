"""HF Accelerate: an automatic device map with weights brought in module by module (Hermes, V-A).

Whole layers stay on the GPU while they fit. Around every module of the others hooks allocate,
copy, compute and release; a copy from pageable memory blocks the host, which fills the driver's
pinned buffer and lets the link empty it, in turns. Nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.engine.phases import Template, Work
from simcore.model import shapes
from simcore.results.run import KIND_PREFILL
from simcore.scenario.schema import Gpu, Scenario
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
    fill_layers,
    free_bytes,
    kv_bytes,
    make_lanes,
    make_memory,
    parts_of,
)
from simcore.systems.offload.policy import AcceleratePolicy
from simcore.systems.offload.system import OffloadSystem
from simcore.systems.phased import Segments
from simcore.units import us_to_ps

MODULES = {"qkv": 4, "projection": 1, "mlp": 4, "head": 1}
"""Modules with weights of their own, each with hooks (derived from the decoder layers of OPT and
LLaMA): normalisation, Q, K, V; projection; normalisation and up to three matrices; output table."""

_MLP = BLOCKS.index("mlp")


def tables_on_gpu(scenario: Scenario) -> int:
    """The map begins with the input table; an output table of its own comes last, off the GPU."""
    return shapes.lm_head_bytes(scenario.model)


def layer_room(scenario: Scenario, gpu: Gpu) -> int:
    """GPU memory for layers that stay: the map's share, less what must pass or grow."""
    policy, sizes = scenario.policy, block_bytes(scenario.model)
    if policy.gpu_weights_GB is not None:
        return int(policy.gpu_weights_GB * 1e9)
    taken = tables_on_gpu(scenario) + int(sizes.sum())
    by_map = int(policy.gpu_share * free_bytes(gpu)) - taken
    return max(0, min(by_map, free_bytes(gpu) - taken - kv_bytes(scenario)))


@register_system("hf")
class Accelerate(OffloadSystem):
    """Layers that fit stay on the GPU; the others come module by module, without overlap."""

    title = "HF Accelerate"
    policy_type = AcceleratePolicy
    experts = True

    def prepare(self, scenario: Scenario, *, items: bool = True) -> OffloadPlan:
        parts, model = parts_of(scenario), scenario.model
        sizes, tables = block_bytes(model), tables_on_gpu(scenario)
        resident = fill_layers(model.layers, sizes, layer_room(scenario, parts.gpu))
        own_table = 0 if model.tied_embeddings else shapes.lm_head_bytes(model)
        buffers = max(int((sizes - resident).max()), own_table)
        kv = kv_bytes(scenario)
        needed = int(resident.sum()) + tables + buffers + kv
        check_gpu(parts.gpu, needed, "resident layers, tables, a module and the KV cache")
        check_host(parts.host, shapes.weight_bytes(model))
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
            tables_on_gpu=tables,
            buffer_bytes=buffers,
            **steps.accelerate(lanes),
        )

    def segments(self, plan: OffloadPlan, record: Mapping[str, Any]) -> Segments:
        decode = int(record["kind"]) != KIND_PREFILL
        workload = plan.scenario.workload
        tokens = plan.batch * (1 if decode else workload.prompt_tokens)
        missing = plan.sizes[None, :] - plan.resident
        missing[:, _MLP] = _needed(plan, missing[:, _MLP], tokens)
        if not decode:
            body = plan.body.blank(plan.model.layers)
            modules = sum(_modules(plan, block, tokens) for block in BLOCKS)
            _bring(plan, plan.body, body, "body", missing.sum(axis=1), modules)
            work.prefill_layer(plan, body)
            return [(plan.body, body, True)]
        filled = plan.layer.blank(plan.model.layers)
        for index, block in enumerate(BLOCKS):
            modules = _modules(plan, block, tokens)
            _bring(plan, plan.layer, filled, block, missing[:, index], modules)
            work.dense_block(plan, filled, block)
        work.attention(plan, filled, int(record["context_tokens"]))
        tail = plan.tail.blank(1)
        own = 0 if plan.model.tied_embeddings else shapes.lm_head_bytes(plan.model)
        _bring(plan, plan.tail, tail, "head", np.array([own]), MODULES["head"])
        work.head(plan, tail)
        return [(plan.layer, filled, True), (plan.tail, tail, False)]


def _needed(plan: OffloadPlan, missing: Int, tokens: int) -> Int:
    """Missing weights of the MLP that are brought: modules of experts no token needs stay away."""
    if plan.model.experts == 1:
        return missing
    share = shapes.mlp_read_bytes(plan.model, tokens) / shapes.mlp_bytes(plan.model)
    return np.rint(missing * share).astype(np.int64)


def _modules(plan: OffloadPlan, block: str, tokens: int) -> int:
    """Modules of a block that are used; experts are modules of their own, and so is the router."""
    model = plan.model
    if block != "mlp" or model.experts == 1:
        return MODULES[block]
    return 2 + round(model.ffn_matrices * float(shapes.distinct_experts(model, tokens)))


def _bring(
    plan: OffloadPlan, template: Template, filled: Work, name: str, amount: Any, modules: int
) -> None:
    """Copy a block's modules, each with its hooks and a synchronisation."""
    hooks = modules * us_to_ps(plan.scenario.policy.hook_us) * (amount > 0)
    work.put(template, filled, f"{name}.hooks", hooks)
    work.bring(plan, template, filled, name, amount, modules * work.sync_ps(plan) * (amount > 0))
