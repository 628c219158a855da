"""HybridServe and its caches of one kind: decoding beside streams of weights, KV and activations.

Layer by layer, the weights of the next one come in while mini-batches of requests are computed in
turn; blocks of keys and values are loaded, blocks of activations are loaded or lie on the GPU and
are turned into keys and values there. How much is cached as activations, and in how many
mini-batches the batch is computed, is searched before the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.scenario.schema import Scenario
from simcore.systems.base import Variant, register_system
from simcore.systems.hybridserve import figures, grid
from simcore.systems.hybridserve.block_map import BlockMap, block_map
from simcore.systems.hybridserve.caching import Cache, Parts
from simcore.systems.hybridserve.curves import RatioCurve, ratio_curve
from simcore.systems.hybridserve.explain import CACHE_OPS, explain, ratio_note
from simcore.systems.hybridserve.layered import Causes, LayeredSystem
from simcore.systems.hybridserve.machine import (
    MEMORY_KINDS,
    OPS,
    PAPER,
    Costs,
    Int,
    make_lanes,
    make_memory,
    parts_of,
    prompt_lengths,
)
from simcore.systems.hybridserve.memory import cache_memory, resident_weights
from simcore.systems.hybridserve.plan import HybridPlan
from simcore.systems.hybridserve.policy import HybridServePolicy
from simcore.systems.hybridserve.search import choose, decode_stretch, prefill_stretch
from simcore.systems.hybridserve.stretch import Stretch

_PARTS = tuple(Parts.__dataclass_fields__)


@register_system("hybridserve")
class HybridServe(LayeredSystem):
    """Blocks of keys and values and blocks of activations, in the ratio that ends first."""

    title = "HybridServe"
    paper = PAPER
    policy_type = HybridServePolicy
    variants = {
        "hybridserve-act-only": Variant("HybridServe, activations only", {"cache": "act"}),
        "hybridserve-kv-only": Variant("HybridServe, KV only", {"cache": "kv"}),
        "hybridserve-recompute": Variant(
            "HybridServe, tokens computed again", {"cache": "recompute"}
        ),
        "hybridserve-unpacked": Variant(
            "HybridServe, requests as they came", {"packing": "arrival"}
        ),
    }

    def prepare(self, scenario: Scenario, *, items: bool = True) -> HybridPlan:
        parts, policy = parts_of(scenario), scenario.policy
        costs = Costs(parts, scenario.model, policy)
        prompts = prompt_lengths(scenario)
        output = int(scenario.workload.output_tokens)
        lanes = make_lanes(parts)
        cache = Cache(costs, prompts, output, resident_weights(costs, prompts, output))
        chosen, templates = choose(cache, lanes)
        return HybridPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(parts),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + output,
            items=items,
            costs=costs,
            prompts=prompts,
            resident_bytes=cache.resident_bytes,
            layer=templates.layer,
            prefill=templates.prefill,
            first=templates.first,
            tail=templates.tail,
            cache=cache,
            chosen=chosen,
        )

    def causes(self, plan: HybridPlan, start: int, stop: int) -> Causes:
        steps = np.arange(start, stop)
        cache, rows = plan.cache, len(steps)
        settings = plan.chosen.spread(rows)
        decode = steps > 0
        # The prefill step has no mini-batches of its own; its columns stay zero.
        # What one step loads for the next one is what the next one works on.
        first = max(start - 1, 0)
        cached = plan.prompts[None, :] + np.arange(first, stop)[:, None]
        parts = cache.parts(cached, plan.chosen.spread(len(cached)))
        now, then = np.maximum(steps - 1, 0) - first, steps - first
        more = steps < plan.total_steps - 1
        held = cache.tokens(plan.prompts[None, :] + steps[:, None], settings)
        kept = (held.kv_host, held.kv_gpu, held.light_host, held.light_gpu)
        return {
            "kind": np.where(decode, KIND_DECODE, KIND_PREFILL).astype(np.int8),
            "tokens": np.where(decode, plan.requests, 0).astype(np.int32),
            "context_tokens": (int(plan.prompts.max()) + steps).astype(np.int32),
            **{f"mb_{n}": np.where(decode[:, None], getattr(parts, n)[now], 0) for n in _PARTS},
            "next_kv_host": np.where(more, parts.kv_host[then, 0], 0),
            "next_light_host": np.where(more, parts.light_host[then, 0], 0),
            "held_tokens": np.stack([side.sum(axis=1) for side in kept], axis=1),
        }

    def work(self, plan: HybridPlan, causes: Causes, kind: int) -> Stretch:
        following = (causes["next_kv_host"], causes["next_light_host"])
        rows = len(causes["kind"])
        if kind == KIND_PREFILL:
            settings = plan.chosen.spread(rows)
            return prefill_stretch(plan.cache, plan.templates, settings, following)
        parts = Parts(*(np.asarray(causes[f"mb_{name}"], np.int64) for name in _PARTS))
        last = int(plan.prompts.max()) + plan.total_steps - 1
        more = np.asarray(causes["context_tokens"]) < last
        return decode_stretch(plan.cache, plan.templates, parts, following, more)

    def explain(
        self, plan: HybridPlan, record: Mapping[str, Any], spans: Spans, span: int
    ) -> Explanation:
        found = explain(plan, spans, span)
        if plan.ops[spans.op[span]].id not in CACHE_OPS:
            return found
        return replace(found, notes=(*found.notes, ratio_note(plan, spans)))

    def memory(self, plan: HybridPlan, causes: Causes) -> Int:
        return cache_memory(plan, plan.cache.light_bytes, causes["held_tokens"])

    def placement(
        self, plan: HybridPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.placement(plan, self.block_map(plan, run.record(index)), items_per_cell)

    def item(self, plan: HybridPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.item(plan, self.block_map(plan, run.record(index)), row, column)

    def block_map(self, plan: HybridPlan, record: Mapping[str, Any]) -> BlockMap:
        """Every block of every request at a step; see `block_map.block_map`."""
        return block_map(plan.cache, plan.chosen, int(record["context_tokens"]))

    def ratio_curve(self, plan: HybridPlan, record: Mapping[str, Any]) -> RatioCurve:
        """Times of a step over the share of activations; see `curves.ratio_curve`."""
        step = int(record["context_tokens"]) - int(plan.prompts.max())
        return ratio_curve(plan.cache, plan.templates, plan.chosen, max(1, step))

    def summary(self, plan: HybridPlan, run: Run) -> Mapping[str, Any]:
        return figures.summary(plan, run)

    def series(self, plan: HybridPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
        return figures.series(plan, run)
