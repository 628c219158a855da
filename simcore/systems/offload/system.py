"""What the offloading systems share as systems: records, memory, map of layers, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simcore.model import shapes
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.results.terms import Term
from simcore.systems.offload import layer_map
from simcore.systems.offload.explain import explain
from simcore.systems.offload.machine import (
    COMPONENTS,
    DOWN,
    GPU,
    MEMORY_KINDS,
    PAPER,
    PRESETS,
    UP,
    Int,
    OffloadPlan,
)
from simcore.systems.phased import PhasedSystem

TERMS: Mapping[str, Term] = {
    "gpu_weight_bytes": Term("weights kept on the GPU", "B"),
    "gpu_weight_share": Term("weights kept on the GPU", "share"),
    "kv_gpu_share": Term("KV kept on the GPU", "share"),
    "bytes_to_gpu_per_step": Term("to the GPU, a decode step", "B"),
    "bytes_to_host_per_step": Term("to the host, a decode step", "B"),
    "communication_share": Term("time in which data move", "share", "Of the whole time."),
    "predictor_share_of_computation": Term("predictor, of computation", "share"),
    "predictor_bytes": Term("weights of the predictor", "B"),
    "active_share": Term("active neurons", "share"),
    "missing_share_of_active": Term("active neurons not on the GPU", "share"),
    "whole_blocks_share_of_bytes": Term("blocks sent whole, of bytes", "share"),
}


class OffloadSystem(PhasedSystem):
    """An offloading system: `segments` is its schedule, the rest is common.

    Attributes:
        overlaps: whether copies run beside computation; if not, the GPU waits for each of them.
    """

    terms = TERMS
    paper = PAPER
    components = COMPONENTS
    presets = PRESETS
    stochastic = False
    overlaps: ClassVar[bool] = False

    def start(self, plan: Any, run: Run) -> Any:
        """Nothing changes from token to token but the context."""

    def own_causes(self, plan: Any, state: Any, index: int) -> dict[str, Any]:
        """What a step records beside the common columns."""
        return {}

    def causes(self, plan: OffloadPlan, state: Any, run: Run, index: int) -> dict[str, Any]:
        workload = plan.scenario.workload
        context = workload.prompt_tokens + index
        record = self.own_causes(plan, state, index)
        record["kind"] = np.int8(KIND_DECODE if index else KIND_PREFILL)
        record["tokens"] = np.int32(workload.batch if index else 0)
        record["context_tokens"] = np.int32(context)
        record["memory_bytes"] = memory_use(plan, context)
        return record

    def placement(self, plan: Any, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        return layer_map.placement(plan, items_per_cell)

    def item(self, plan: Any, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return layer_map.item(plan, row, column)

    def explain(self, plan: Any, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
        return explain(plan, spans, span)

    def summary(self, plan: Any, run: Run) -> Mapping[str, Any]:
        resident = int(plan.resident.sum())
        result: dict[str, Any] = {
            "gpu_weight_bytes": resident,
            "gpu_weight_share": resident / (plan.model.layers * int(plan.sizes.sum())),
            "kv_gpu_share": plan.kv_gpu_share,
        }
        if len(run):
            time = run.column("lane_op_ps").sum(axis=0)
            decode = run.column("kind") == KIND_DECODE
            moved = run.column("lane_op_bytes")[decode].sum(axis=2)
            steps = max(1, int(decode.sum()))
            result["bytes_to_gpu_per_step"] = int(moved[:, UP].sum()) // steps
            result["bytes_to_host_per_step"] = int(moved[:, DOWN].sum()) // steps
            work = [i for i, op in enumerate(plan.ops) if not op.is_wait]
            predict = time[GPU, plan.op_index("predict")]
            computing = max(1, int(time[GPU, work].sum()))
            copying = int(time[UP, work].sum()) if self.overlaps else run.end_ps - computing
            result["communication_share"] = copying / max(1, run.end_ps)
            result["predictor_share_of_computation"] = float(predict / computing)
        return result


def memory_use(plan: OffloadPlan, context: int) -> Int:
    """Bytes in use by device and kind."""
    model = plan.model
    used = np.zeros((len(plan.memory), len(MEMORY_KINDS)), np.int64)
    kv = plan.batch * context * model.layers * shapes.kv_token_bytes(model)
    on_gpu = int(kv * plan.kv_gpu_share)
    used[0] = (
        int(plan.resident.sum()),
        plan.tables_on_gpu,
        plan.predictor_bytes,
        plan.buffer_bytes,
        on_gpu,
        int(plan.gpu.reserve_GB * 1e9),
    )
    used[1, 0] = model.layers * int(plan.sizes.sum())
    used[1, 1] = shapes.table_bytes(model)
    used[1, 4] = kv - on_gpu
    return used
