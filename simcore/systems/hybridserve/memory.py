"""What lies where: weights that stay on the GPU, bytes in use by device and kind."""

from __future__ import annotations

import numpy as np

from simcore.model import shapes
from simcore.systems.hybridserve.machine import (
    MEMORY_KINDS,
    Costs,
    Int,
    StreamPlan,
    free_bytes,
)
from simcore.systems.hybridserve.plan import HybridPlan

PERCENT = 100
_WEIGHTS, _TABLES, _BUFFERS, _ACT, _KV, _WORK, _RESERVE = range(len(MEMORY_KINDS))


def resident_weights(costs: Costs, prompts: Int, output_tokens: int) -> int:
    """Weights that stay on the GPU: what the policy says, else the model if it leaves room.

    Room is left when the output table, the activations of all prompts and two buffers for one
    request's keys and values of a layer fit beside it.
    """
    layers, percent = costs.model.layers, costs.policy.gpu_weights_percent
    if percent is not None:
        return layers * (costs.layer_bytes * percent // PERCENT)
    longest = int(prompts.max()) + output_tokens
    hidden = int(prompts.sum()) * costs.model.hidden * 2
    needed = shapes.lm_head_bytes(costs.model) + 2 * hidden + 3 * longest * costs.kv_bytes
    whole = layers * costs.layer_bytes
    return whole if whole + needed <= free_bytes(costs.parts.gpu) else 0


def base_memory(plan: StreamPlan, steps: int, workspace: int) -> Int:
    """Bytes in use beside the caches, (steps, devices, kinds)."""
    model, costs = plan.model, plan.costs
    used = np.zeros((steps, len(plan.memory), len(MEMORY_KINDS)), np.int64)
    used[:, 0, _WEIGHTS] = plan.resident_bytes
    used[:, 0, _TABLES] = shapes.lm_head_bytes(model)
    used[:, 0, _BUFFERS] = 2 * plan.streamed_bytes
    used[:, 0, _WORK] = workspace
    used[:, 0, _RESERVE] = int(costs.parts.gpu.reserve_GB * 1e9)
    used[:, 1, _WEIGHTS] = model.layers * costs.layer_bytes
    used[:, 1, _TABLES] = shapes.table_bytes(model)
    used[:, 1, _RESERVE] = int(costs.policy.host_reserve_GB * 1e9)
    return used


def cache_memory(plan: HybridPlan, light_bytes: int, held: Int) -> Int:
    """Bytes in use with caches of both types.

    Args:
        plan: the run.
        light_bytes: of a light token in one layer.
        held: (steps, 4) tokens: KV on the host, on the GPU, light ones likewise.
    """
    used = base_memory(plan, len(held), int(plan.chosen.workspace_bytes[0]))
    kv, light = plan.costs.kv_bytes * plan.model.layers, light_bytes * plan.model.layers
    used[:, 1, _KV], used[:, 0, _KV] = held[:, 0] * kv, held[:, 1] * kv
    used[:, 1, _ACT], used[:, 0, _ACT] = held[:, 2] * light, held[:, 3] * light
    return used
