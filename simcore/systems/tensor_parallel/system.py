"""TensorRT-LLM on several GPUs (Hermes, V: five A100 against one consumer GPU with NDP-DIMMs).

Every GPU has some heads and some MLP neurons of each layer. A layer computes twice, heads and
neurons, and adds up the partial results over NVLink after each. Five does not divide the heads of
most models: whole groups of heads are dealt, the fullest GPU sets the pace, the others wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.results.terms import Term
from simcore.scenario.schema import Scenario
from simcore.systems.base import register_system
from simcore.systems.phased import PhasedSystem, Segments
from simcore.systems.tensor_parallel import explain, grid
from simcore.systems.tensor_parallel.machine import (
    MEMORY_KINDS,
    OPS,
    PAPER,
    PRESET,
    TensorParallelPlan,
    check_capacity,
    gpu_of,
    make_lanes,
    make_memory,
    make_shares,
    make_templates,
    memory_use,
)
from simcore.systems.tensor_parallel.policy import TensorParallelPolicy
from simcore.systems.tensor_parallel.work import segments


@register_system("tensorrt-llm")
class TensorRtLlm(PhasedSystem):
    """Dense weights dealt over several GPUs with all-reduce over NVLink."""

    title = "TensorRT-LLM"
    paper = PAPER
    policy_type = TensorParallelPolicy
    terms = {
        "gpus": Term("GPUs"),
        "weight_bytes_per_gpu": Term("weights of each GPU", "B"),
        "weight_imbalance": Term("weights, most over mean", "x"),
        "communication_share": Term("time in which data move", "share"),
    }
    components = ("gpu",)
    presets = {"gpu": PRESET}
    stochastic = False
    experts = True

    def prepare(self, scenario: Scenario, *, items: bool = True) -> TensorParallelPlan:
        gpu = gpu_of(scenario)
        lanes = make_lanes(gpu, scenario.policy)
        layer, tail = make_templates(lanes, gpu.count)
        plan = TensorParallelPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(gpu),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + scenario.workload.output_tokens,
            items=items,
            gpu=gpu,
            model=scenario.model,
            shares=make_shares(scenario.model, gpu.count),
            layer=layer,
            tail=tail,
        )
        check_capacity(plan)
        return plan

    def start(self, plan: TensorParallelPlan, run: Run) -> None:
        """Nothing changes from token to token but the context."""

    def causes(self, plan: TensorParallelPlan, state: None, run: Run, index: int) -> dict[str, Any]:
        workload = plan.scenario.workload
        context = workload.prompt_tokens + index
        return {
            "kind": np.int8(KIND_DECODE if index else KIND_PREFILL),
            "tokens": np.int32(workload.batch if index else 0),
            "context_tokens": np.int32(context),
            "memory_bytes": memory_use(plan, context),
        }

    def segments(self, plan: TensorParallelPlan, record: Mapping[str, Any]) -> Segments:
        return segments(plan, record)

    def placement(
        self, plan: TensorParallelPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.placement(plan, items_per_cell)

    def item(
        self, plan: TensorParallelPlan, run: Run, index: int, row: int, column: int
    ) -> ItemInfo:
        return grid.item(plan, row, column)

    def explain(
        self, plan: TensorParallelPlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        return explain.explain(plan, spans, span)

    def summary(self, plan: TensorParallelPlan, run: Run) -> Mapping[str, Any]:
        weights = memory_use(plan, 0)[:, 0]
        result: dict[str, Any] = {
            "gpus": plan.count,
            "weight_bytes_per_gpu": weights.tolist(),
            "weight_imbalance": float(weights.max() / weights.mean()),
        }
        if len(run) and plan.count > 1:
            time = run.column("lane_op_ps").sum(axis=0)[plan.count]
            moving = time[plan.op_index("all_reduce")] + time[plan.op_index("gather")]
            result["communication_share"] = float(moving / max(1, run.end_ps))
        return result
