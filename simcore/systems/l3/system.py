"""L3 (CHIME) and the systems it is compared with: one model served to many requests.

All share batching, GPUs and links; they differ in where decode attention is computed, how much
memory its keys and values have, and how the batch is composed. Each is simulated as one replica of
the model with its share of requests and memory; replicas are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcore.engine import step_spans
from simcore.hardware.gpu_kernels import Caps
from simcore.results.cells import Cells
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import Run
from simcore.results.spans import Spans
from simcore.scenario.schema import Scenario
from simcore.systems.base import System, Variant, register_system
from simcore.systems.l3 import explain, figures, grid, notes, steps
from simcore.systems.l3.history import Intervals, request_intervals
from simcore.systems.l3.machine import (
    MEMORY_KINDS,
    OPS,
    PAPER,
    ServingPlan,
    capacity_tokens,
    fit,
    gpus_of_replica,
    kv_memory,
    make_lanes,
    make_side,
    need,
)
from simcore.systems.l3.policy import CpuPolicy, HbmPimPolicy, L3Policy, ServingPolicy
from simcore.systems.l3.steps import State
from simcore.systems.l3.work import make_templates
from simcore.workload.requests import make_requests

_PRESETS = {
    "gpu": "l3-a100-80gb-x8",
    "pcie": "l3-pcie4",
    "nvlink": "nvlink3",
    "dimm_pim": "l3-ddr4-3200",
    "hbm_pim": "l3-hbm2e-pim",
    "host": "l3-host",
}


class Serving(System):
    """What all serving systems share."""

    paper = PAPER
    policy_type = ServingPolicy
    terms = figures.TERMS
    presets = _PRESETS
    workloads = ("serving", "fixed")
    experts = True
    stochastic = False  # lengths are drawn, but a workload of equal requests has none to draw
    block_steps = 4096
    step_word = "iteration"

    def prepare(self, scenario: Scenario, *, items: bool = True) -> ServingPlan:
        gpu, policy = need(scenario.hardware.gpu), scenario.policy
        requests = make_requests(scenario)
        gpus = gpus_of_replica(scenario)
        replicas = max(1, min(gpu.count // gpus, len(requests)))
        side = make_side(scenario, gpus, replicas)
        memory = kv_memory(scenario, side, gpus, replicas)
        capacity = capacity_tokens(scenario, memory, gpus)
        mine, cut = fit(requests.of_replica(replicas), capacity)
        lanes = make_lanes(scenario, side, gpus)
        halves = 1 if side.kind == "gpu" else policy.sub_batches
        layer, edge = make_templates(lanes, side, halves)
        batch = max(1.0, min(len(mine), capacity / max(1.0, mine.steady_context())))
        return ServingPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=memory,
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + max(int(mine.output.max()), int(mine.output.sum() / batch)),
            items=items,
            gpu=gpu,
            nvlink=need(scenario.hardware.nvlink),
            pcie=need(scenario.hardware.pcie),
            model=scenario.model,
            gpus=gpus,
            replicas=replicas,
            caps=Caps(
                policy.memory_efficiency,
                policy.compute_efficiency,
                policy.processors,
                policy.gemv_tile,
                policy.gemm_tile,
            ),
            side=side,
            requests=mine,
            capacity_tokens=capacity,
            cut=cut,
            kv_device=len(memory) - 1,
            layer=layer,
            edge=edge,
        )

    def start(self, plan: ServingPlan, run: Run) -> State:
        return State(plan)

    def advance(self, plan: ServingPlan, state: State, run: Run) -> Mapping[str, Any]:
        columns = self.advance_many(plan, state, run, 1)
        assert columns is not None
        return {name: values[0] for name, values in columns.items()}

    def advance_many(
        self, plan: ServingPlan, state: State, run: Run, limit: int
    ) -> Mapping[str, Any] | None:
        return steps.advance(plan, state, run, limit)

    def derive(self, plan: ServingPlan, run: Run, column: str, start: int, stop: int) -> Any:
        return steps.derive(plan, run, column, start, stop)

    def cells(self, plan: ServingPlan, run: Run, start: int, stop: int) -> Cells:
        return steps.cells(plan, run, start, stop)

    def spans(self, plan: ServingPlan, record: Mapping[str, Any]) -> Spans:
        return step_spans.spans(steps.segments(plan, record))

    def placement(
        self, plan: ServingPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.placement(plan, run, index, items_per_cell)

    def item(self, plan: ServingPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.item(plan, run, index, row, column)

    def explain(
        self, plan: ServingPlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        return explain.explain(plan, record, spans, span)

    def note(self, plan: ServingPlan, spans: Spans, span: int) -> str:
        return notes.note(plan, spans, span)

    def request_intervals(self, plan: ServingPlan, run: Run) -> Intervals:
        """When each request waited, was prefilled, decoded or moved out."""
        return request_intervals(plan, run)

    def summary(self, plan: ServingPlan, run: Run) -> Mapping[str, Any]:
        return figures.summary(plan, run)

    def series(self, plan: ServingPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
        return figures.series(plan, run)


@register_system("l3")
class L3(Serving):
    """GPUs for weights and prefill, DIMM-PIM for keys, values and decode attention."""

    title = "L3 (CHIME)"
    policy_type = L3Policy
    components = ("gpu", "pcie", "nvlink", "dimm_pim")
    variants = {
        "l3-fill-first": Variant("L3, memory filled first", {"scheduling": "fill_first"}),
        "l3-no-overlap": Variant(
            "L3 without rankset overlap", {"scheduling": "fill_first", "overlap": False}
        ),
        "l3-relayout": Variant(
            "L3 without pipelining",
            {"scheduling": "fill_first", "pipelined": False},
        ),
        "l3-base": Variant(
            "naive bank-level DIMM-PIM",
            {
                "scheduling": "fill_first",
                "pipelined": False,
                "relayout": False,
                "overlap": False,
            },
        ),
        "r-pim": Variant(
            "R-PIM (rank-level units)",
            {"scheduling": "fill_first", "units": "rank", "overlap": False},
        ),
    }


@register_system("gpu-only")
class GpuOnly(Serving):
    """Everything on the GPUs."""

    title = "GPU-only"
    components = ("gpu", "pcie", "nvlink")


@register_system("hbm-pim")
class HbmPimSystem(Serving):
    """Decode attention in HBM stacks."""

    title = "HBM-PIM"
    policy_type = HbmPimPolicy
    components = ("gpu", "pcie", "nvlink", "hbm_pim")
    variants = {
        "hbm-pim-ext": Variant("HBM-PIM-EXT", {"modules": "extra"}),
        "hbm-pim-single-batch": Variant("HBM-PIM, single batch", {"sub_batches": 1}),
    }


@register_system("cpu-offload")
class CpuOffload(Serving):
    """Decode attention on the host CPU (FastDecode and NEO class)."""

    title = "CPU offload"
    policy_type = CpuPolicy
    components = ("gpu", "pcie", "nvlink", "host")
