"""H2M2 and the machines it is compared with: decode iterations of the decoder layers.

The paper's scope is one decode iteration at a batch and a length, without prefill: a run has no
prefill step, its first step is the iteration in which every sequence attends to
`workload.prompt_tokens` tokens, and each step adds one token to every sequence. Embedding and
output tables are no decoder layers and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.activations.streams import stream
from simcore.engine import step_spans
from simcore.engine.pauses import pause
from simcore.engine.phases import Template, Work
from simcore.engine.rows import row_totals
from simcore.errors import UserError
from simcore.hardware.npu import tile_cost
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_DECODE, Run
from simcore.results.spans import Spans
from simcore.scenario.schema import Scenario, TurnoverWorkload
from simcore.systems.base import System, Variant, register_system
from simcore.systems.h2m2 import curves, eight_hbm, explain, figures, grid, machine, memory
from simcore.systems.h2m2.cache import hit_share
from simcore.systems.h2m2.causes import MOST, Causes, Decider, stretch_end
from simcore.systems.h2m2.eight_hbm import EightFiller
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import (
    COMPONENTS,
    HBM,
    LPDDR,
    MEMORY_KINDS,
    OPS,
    PAPER,
    PRESETS,
    SUBLAYERS,
    H2M2Plan,
)
from simcore.systems.h2m2.page_map import PageMap, page_map
from simcore.systems.h2m2.policy import H2M2Policy
from simcore.systems.h2m2.steps import Filler, make_templates, rows_of_layers
from simcore.units import MiB
from simcore.workload.turnover import LengthSums, equal_lengths, turnover_sums

Int = NDArray[np.int64]
Segments = list[tuple[Template, Work, bool]]


@dataclass(slots=True)
class State:
    """What a run keeps between steps: the stretch decided last.

    Attributes:
        decider: shares out heads.
        start, stop: steps of the stretch.
        columns: their records.
        mapping: of the last step of the stretch before.
    """

    decider: Decider
    start: int = 0
    stop: int = 0
    columns: Mapping[str, Any] = field(default_factory=dict)
    mapping: Int | None = None


@register_system("h2m2")
class H2M2(System):
    """HBM and LPDDR side by side, a chip at each; sublayers split by head, pages that move."""

    title = "H2M2"
    paper = PAPER
    policy_type = H2M2Policy
    experts = True
    terms = figures.TERMS
    components = COMPONENTS
    presets = PRESETS
    workloads = ("fixed", "turnover")
    prefills = False
    stochastic = False
    block_steps = MOST
    variants = {
        "h2m2-oracle": Variant("H2M2 oracle", {"mapping": "exhaustive", "paging": False}),
        "h2m2-flexgen": Variant("H2M2, FlexGen's split", {"mapping": "flexgen"}),
        "h2m2-naive": Variant("H2M2, whole sublayers", {"mapping": "naive", "paging": False}),
        "h2m2-q-major": Variant("H2M2 Q-major", {"mapping": "q_major"}),
        "h2m2-f-major": Variant("H2M2 F-major", {"mapping": "f_major"}),
        "h2m2-a-major": Variant("H2M2 A-major", {"mapping": "a_major"}),
        "lpddr-only": Variant("LPDDR-only", {"machine": "lpddr_only", "paging": False}),
        "hierarchical": Variant("HBM over LPDDR", {"machine": "hierarchical", "paging": False}),
        "8-hbm": Variant("8 HBM devices", {"machine": "eight_hbm", "paging": False}),
    }

    def prepare(self, scenario: Scenario, *, items: bool = True) -> H2M2Plan:
        parts, policy, model = machine.parts_of(scenario), scenario.policy, scenario.model
        kernels = machine.make_kernels(model, policy)
        batch = int(scenario.workload.batch)
        drain = policy.tree_drain == "per_tile"
        (first, second), (third, fourth) = (
            [tile_cost(chip, vectors, policy.tile_model, drain=drain) for chip in parts.chips]
            for vectors in (batch, machine.vectors_of_an_expert(model, batch))
        )
        costs, expert_costs = (first, second), (third, fourth)
        if policy.machine == "eight_hbm":
            lanes = eight_hbm.make_lanes(parts, policy)
            devices = eight_hbm.make_memory(parts, policy)
            layer: Template = eight_hbm.make_template(kernels, lanes)
            moving = None
        else:
            lanes = machine.make_lanes(parts, policy)
            devices = machine.make_memory(parts, policy)
            layer, moving = make_templates(kernels, costs, expert_costs, lanes, policy)
        plan = H2M2Plan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=devices,
            memory_kinds=MEMORY_KINDS,
            total_steps=int(scenario.workload.output_tokens),
            items=items,
            parts=parts,
            model=model,
            kernels=kernels,
            costs=costs,
            expert_costs=expert_costs,
            lengths=_lengths(scenario, parts.lpddr_npu.mv_width),
            layer=layer,
            first=moving,
        )
        _check(plan)
        return plan

    def start(self, plan: H2M2Plan, run: Run) -> State:
        return State(Decider(Kernels(plan)))

    def advance(self, plan: H2M2Plan, state: State, run: Run) -> Mapping[str, Any]:
        columns = self.advance_many(plan, state, run, 1)
        assert columns is not None, "the run is over"
        return {name: values[0] for name, values in columns.items()}

    def advance_many(
        self, plan: H2M2Plan, state: State, run: Run, limit: int
    ) -> Mapping[str, Any] | None:
        index = len(run)
        if index >= plan.total_steps:
            return None
        if not state.start <= index < state.stop:
            pause()
            if state.columns:
                state.mapping = np.asarray(state.columns["mapping"][-1], np.int64)
            stop = stretch_end(index, plan.total_steps)
            causes = state.decider.stretch(index, stop, state.mapping)
            state.start, state.stop = index, stop
            state.columns = _records(plan, state.decider.kernels, causes, index)
        mine = slice(index - state.start, min(index + limit, state.stop) - state.start)
        return {name: values[mine] for name, values in state.columns.items()}

    def spans(self, plan: H2M2Plan, record: Mapping[str, Any]) -> Spans:
        return step_spans.spans(_segments(plan, record))

    def placement(self, plan: H2M2Plan, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        return grid.placement(plan, run, index, items_per_cell)

    def item(self, plan: H2M2Plan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.item(plan, Kernels(plan), run, index, row, column)

    def explain(
        self, plan: H2M2Plan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        return explain.explain(plan, record, spans, span)

    def summary(self, plan: H2M2Plan, run: Run) -> Mapping[str, Any]:
        return figures.summary(plan, Kernels(plan), run)

    def series(self, plan: H2M2Plan, run: Run) -> Mapping[str, tuple[str, Any]]:
        return figures.series(plan, run)

    def mapping_curve(
        self, plan: H2M2Plan, record: Mapping[str, Any], sublayer: str | int
    ) -> curves.MappingCurve:
        """Time of both sides over the heads on the HBM side; see `curves.mapping_curve`."""
        return curves.mapping_curve(plan, record, sublayer)

    def page_map(self, plan: H2M2Plan, run: Run, step: int) -> PageMap | None:
        """What the pages of both memories hold at a step; None for machines without pages."""
        if not plan.split or plan.policy.machine != "asymmetric":
            return None
        before = run.record(step - 1) if step else None
        return page_map(plan, run.record(step), before)


def _lengths(scenario: Scenario, width: int) -> LengthSums:
    """Sums over the sequences for every step."""
    workload = scenario.workload
    if isinstance(workload, TurnoverWorkload):
        return turnover_sums(workload, stream(scenario.seed, "turnover"), width)
    steps = workload.output_tokens
    return equal_lengths(workload.batch, workload.prompt_tokens, steps, width)


def _check(plan: H2M2Plan) -> None:
    """Check capacities, also of what the mapping can do with the longest sequences.

    Raises:
        CapacityError: if weights, keys and values do not fit.
        UserError: if a layer's activations do not fit the scratchpads.
    """
    kernels = Kernels(plan)
    for chip in plan.parts.chips:
        room = int(chip.scratchpad_MiB * MiB) * chip.cores
        if memory.activation_bytes(plan) > room:
            raise UserError(
                f"{chip.title}: activations of a layer take {memory.activation_bytes(plan):,} B, "
                f"its scratchpads hold {room:,} B; lower workload.batch or raise scratchpad_MiB"
            )
    memory.check_capacity(kernels)
    if plan.policy.machine == "eight_hbm":
        EightFiller(plan, kernels).check()
    elif plan.split:
        longest = int(plan.lengths.tokens.argmax())
        at = slice(longest, longest + 1)
        Decider(kernels).decide(plan.lengths.tokens[at], plan.lengths.padded[at])


def _causes(record: Mapping[str, Any]) -> Causes:
    """The causes of one recorded step, one row."""

    def row(name: str) -> Int:
        return np.asarray(record[name], np.int64)[None]

    return Causes(
        row("mapping"),
        row("kv_tokens"),
        row("padded_tokens"),
        row("out_bytes"),
        row("in_bytes"),
        row("moved_pages"),
        row("solved") > 0,
    )


def _segments(plan: H2M2Plan, record: Mapping[str, Any]) -> Segments:
    """Templates, work and whether rows are layers, in order of time."""
    causes, kernels, layers = _causes(record), Kernels(plan), plan.model.layers
    if plan.policy.machine == "eight_hbm":
        work = EightFiller(plan, kernels).layer(causes)
        return [(plan.layer, rows_of_layers(work, work, layers), True)]
    filler = Filler(plan, kernels)
    layer = filler.layer(causes)
    rows = rows_of_layers(layer, filler.last(layer, causes), layers)
    out: Segments = [(plan.layer, rows, True)]
    first = filler.first(causes)
    if first is not None and plan.first is not None and first.time_ps.any():
        out.insert(0, (plan.first, first, False))
    return out


def _records(plan: H2M2Plan, kernels: Kernels, causes: Causes, start: int) -> dict[str, Any]:
    """Records of a stretch of steps, from one layer of each."""
    layers, rows = plan.model.layers, len(causes.tokens)
    if plan.policy.machine == "eight_hbm":
        eight = EightFiller(plan, kernels)
        sums = row_totals(plan.layer, eight.layer(causes))
        parts = [(sums, layers)]
        used = eight.used_bytes(causes.tokens)
    else:
        filler = Filler(plan, kernels)
        layer = filler.layer(causes)
        parts = [(row_totals(plan.layer, filler.last(layer, causes)), 1)]
        if layers > 1:
            parts.append((row_totals(plan.layer, layer), layers - 1))
        first = filler.first(causes)
        if first is not None and plan.first is not None and first.time_ps.any():
            parts.append((row_totals(plan.first, first), 1))
        used = memory.used_bytes(kernels, causes.mapping, causes.tokens)
        if len(plan.memory) == 1:
            used = used[:, LPDDR:]
        elif plan.policy.machine == "hierarchical":
            used = _cached_bytes(plan, used)
    at = slice(start, start + rows)
    columns: dict[str, Any] = {
        "kind": np.full(rows, KIND_DECODE, np.int8),
        "tokens": np.full(rows, plan.batch, np.int32),
        "context_tokens": (causes.tokens // plan.batch).astype(np.int32),
        "duration_ps": sum(part.duration_ps * times for part, times in parts),
        "lane_op_ps": sum(part.time_ps * times for part, times in parts),
        "lane_op_bytes": sum(part.amount_bytes * times for part, times in parts),
        "lane_op_flops": sum(part.flops * times for part, times in parts),
        "memory_bytes": used,
        "mapping": causes.mapping.astype(np.int16),
        "kv_tokens": causes.tokens,
        "padded_tokens": causes.padded,
        "longest_tokens": plan.lengths.longest[at],
        "replaced": plan.lengths.replaced[at].astype(np.int32),
        "out_bytes": causes.out_bytes,
        "in_bytes": causes.in_bytes,
        "moved_pages": causes.moved_pages.astype(np.int32),
        "solved": causes.solved.astype(np.int8),
    }
    if plan.split:
        columns["pages"] = _pages(kernels, causes)
        misses = memory.tlb_misses(kernels, causes.mapping, causes.tokens)
        columns["tlb_misses"] = misses.sum(axis=1) * layers
        fragments = memory.fragmentation_bytes(kernels, causes.mapping, causes.tokens)
        columns["fragment_bytes"] = fragments
    elif plan.policy.machine == "hierarchical":
        ratio = used[:, LPDDR, :3].sum(axis=1) / plan.capacity[HBM]
        columns["hit_share"] = hit_share(ratio, plan.policy.hier_policy)
    return {name: np.asarray(values) for name, values in columns.items()}


def _pages(kernels: Kernels, causes: Causes) -> Int:
    """Pages by side and sublayer, (steps, 2, sublayers)."""
    out = np.zeros((len(causes.tokens), 2, len(SUBLAYERS)), np.int64)
    for side in (HBM, LPDDR):
        for sublayer in range(len(SUBLAYERS)):
            n = causes.mapping[:, sublayer]
            out[:, side, sublayer] = memory.footprint_pages(
                kernels, sublayer, n, side, causes.tokens
            )
    return out


def _cached_bytes(plan: H2M2Plan, used: Int) -> Int:
    """LPDDR holds everything; HBM holds copies, in proportion, up to its capacity."""
    out = used.copy()
    whole = used[:, LPDDR].sum(axis=1)
    share = np.minimum(1.0, plan.capacity[HBM] / np.maximum(1, whole))
    out[:, HBM] = (used[:, LPDDR] * share[:, None]).astype(np.int64)
    return out
