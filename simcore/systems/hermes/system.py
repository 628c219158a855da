"""Hermes as a system: glue between plan, state, work and what the views ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simcore.engine.rows import RowTotals, joined, load_loops, row_totals, summed
from simcore.model import shapes
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.scenario.schema import Scenario
from simcore.systems.base import Variant, register_system
from simcore.systems.hermes import explain, figures, grid
from simcore.systems.hermes.machine import COMPONENTS, PAPER, PRESETS
from simcore.systems.hermes.plan import MEMORY_KINDS, HermesPlan, prepare
from simcore.systems.hermes.policy import HermesPolicy
from simcore.systems.hermes.shared_work import tail
from simcore.systems.hermes.study import Study, predictor_study
from simcore.systems.hermes.work import layers, segments
from simcore.systems.phased import PhasedSystem, Segments

if TYPE_CHECKING:
    from simcore.systems.hermes.state import HermesState

_OFF = {"online_adjustment": False, "window_remap": False}


@register_system("hermes")
class Hermes(PhasedSystem):
    """One consumer GPU with NDP-DIMMs; neurons of a ReLU-sparse model split into hot and cold."""

    title = "Hermes"
    paper = PAPER
    policy_type = HermesPolicy
    no_experts = (
        "it places single neurons by how often each fires, and for the neurons of experts no such "
        "profile is published"
    )
    terms = figures.TERMS
    components: ClassVar[tuple[str, ...]] = COMPONENTS
    presets = PRESETS
    block_steps = 8
    variants = {
        "hermes-random": Variant("Hermes-random", {"partition": "random", **_OFF}),
        "hermes-oracle": Variant(
            "Hermes with an oracle's partition", {"partition": "oracle", **_OFF}
        ),
        "hermes-partition": Variant("Hermes-partition", _OFF),
        "hermes-adjustment": Variant("Hermes-adjustment", {"window_remap": False}),
        "hermes-token-adjustment": Variant(
            "Hermes-token-adjustment", {"predictor": "token", "window_remap": False}
        ),
        "hermes-layer-adjustment": Variant(
            "Hermes-layer-adjustment", {"predictor": "layer", "window_remap": False}
        ),
    }

    def prepare(self, scenario: Scenario, *, items: bool = True) -> HermesPlan:
        return prepare(scenario, items=items)

    def start(self, plan: HermesPlan, run: Run) -> HermesState:
        # Here, as who only looks at a run needs no compiled loops.
        from simcore.systems.hermes.state import HermesState

        load_loops()
        return HermesState(plan, run)

    def causes(self, plan: HermesPlan, state: HermesState, run: Run, index: int) -> dict[str, Any]:
        workload = plan.scenario.workload
        if index == 0:
            record = state.prefill(plan)
            record["kind"] = np.int8(KIND_PREFILL)
            record["tokens"] = np.int32(0)
            context = workload.prompt_tokens
        else:
            record = state.decode(plan, run, index - 1)
            record["tokens"] = np.int32(workload.batch)
            context = workload.prompt_tokens + index
        record["context_tokens"] = np.int32(context)
        record["memory_bytes"] = self._memory(plan, state, context)
        return record

    def segments(self, plan: HermesPlan, record: Mapping[str, Any]) -> Segments:
        return segments(plan, record)

    def totals(self, plan: HermesPlan, columns: Mapping[str, Any]) -> RowTotals:
        # All layers of all steps together: half of the time of a step would go into calls.
        first = int(columns["kind"][0] == KIND_PREFILL)  # of a run
        parts = []
        if first:
            parts.append(super().totals(plan, {n: values[:1] for n, values in columns.items()}))
        if first < len(columns["kind"]):
            rows = layers(plan, {name: values[first:] for name, values in columns.items()})
            tails = row_totals(plan.tail, tail(plan))
            parts.append(summed([row_totals(plan.layer, rows, plan.model.layers), tails]))
        return joined(parts)

    def _memory(self, plan: HermesPlan, state: HermesState, context: int) -> Any:
        """Bytes in use by device and kind."""
        model = plan.model
        used = np.zeros((len(plan.memory), len(MEMORY_KINDS)), np.int64)
        used[0, 0] = state.hot_bytes
        used[0, 1] = model.layers * shapes.projection_bytes(model)
        used[0, 2] = shapes.table_bytes(model)
        used[0, 3] = int(plan.gpu.reserve_GB * 1e9)
        dense = (used[0, 1] + used[0, 2]) // plan.units.count
        kv = model.layers * context * 2 * model.head_dim * model.bytes_per_kv
        used[1:, 4] = state.home_bytes + dense
        used[1:, 5] = plan.kv_items * kv
        return used

    def placement(
        self, plan: HermesPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.placement(plan, run, index, items_per_cell)

    def item(self, plan: HermesPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.item(plan, run, index, row, column)

    def explain(
        self, plan: HermesPlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        return explain.explain(plan, record, spans, span)

    def summary(self, plan: HermesPlan, run: Run) -> Mapping[str, Any]:
        return figures.summary(plan, run)

    def series(self, plan: HermesPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
        return figures.series(plan, run)

    def predictor_study(
        self, plan: HermesPlan, run: Run, start: int = 0, stop: int | None = None
    ) -> Study:
        """Quality of the predictor over time and by layer, beside trivial ones."""
        return predictor_study(plan, run, start, stop)
