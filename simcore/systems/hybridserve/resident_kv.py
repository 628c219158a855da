"""Systems that keep keys and values on the GPU and bring weights: DeepSpeed-Inference and vLLM.

Both are limited by how many requests' keys and values fit beside the weights' buffers. DeepSpeed
(ZeRO-Inference) serves groups of that size one after the other, every layer's weights coming while
the layer before is computed. vLLM lets requests in and out as blocks allow, and moves preempted
ones to host memory; weights it does not keep are copied before each layer on the stream that then
computes, so nothing overlaps. (Both recalled, not re-read.)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from simcore.engine.phases import Group, Phase, Template, Work
from simcore.errors import CapacityError
from simcore.model import shapes
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import Lane, WaitReason
from simcore.scenario.schema import Scenario
from simcore.systems.base import register_system
from simcore.systems.hybridserve import figures, grid, steps
from simcore.systems.hybridserve.layered import Causes, LayeredSystem
from simcore.systems.hybridserve.machine import (
    BLOCKS,
    DOWN,
    GPU,
    MEMORY_KINDS,
    OP,
    OPS,
    UP,
    Costs,
    Int,
    StreamPlan,
    free_bytes,
    host_room,
    make_lanes,
    make_memory,
    parts_of,
    prompt_lengths,
)
from simcore.systems.hybridserve.memory import base_memory
from simcore.systems.hybridserve.policy import SwapPolicy, ZeroPolicy
from simcore.systems.hybridserve.rounds import Schedule, in_groups, swapping
from simcore.systems.hybridserve.stretch import Stretch

PERCENT = 100
_NEEDED = WaitReason.DEPENDENCY


def layer_template(lanes: tuple[Lane, ...], *, prefill: bool, overlap: bool) -> Template:
    """A layer: weights of the next one beside it, or its own before it."""
    ops = ("prefill",) if prefill else ("qkv", "attention", "projection", "mlp")
    stream = Group("weights", OP["stream"], (UP,))
    run = tuple(Group(op, OP[op], (GPU,)) for op in ops)
    if overlap:
        return Template((Phase("layer", (stream, *run), {UP: _NEEDED}),), lanes, OPS)
    copy, compute = Phase("copy", (stream,), {GPU: _NEEDED}), Phase("run", run, {UP: _NEEDED})
    return Template((copy, compute), lanes, OPS)


def swap_template(lanes: tuple[Lane, ...]) -> Template:
    """Blocks of preempted requests out, then those of resumed ones in."""
    groups = (
        Group("out", OP["swap_out"], (DOWN,)),
        Group("in", OP["swap_in"], (UP,), ("out",), {"out": WaitReason.MEMORY_FULL}),
    )
    return Template((Phase("swap", groups, {GPU: _NEEDED}),), lanes, OPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan(StreamPlan):
    """A prepared run.

    Attributes:
        schedule: who is served in every step.
        percent: share of each layer's weights on the GPU.
        workspace_bytes: GPU memory for activations of a prefill.
        swap: phases of swapping.
    """

    schedule: Schedule
    percent: int
    workspace_bytes: int
    swap: Template


class ResidentKv(LayeredSystem):
    """A system with its KV cache on the GPU: `serve` makes its schedule.

    Attributes:
        overlap: whether weights come beside computation.
        shares: percentages of the weights on the GPU that are tried.
        beside, lower: of the message when it does not fit: what must fit beside a layer's weights,
            and which settings to lower.
    """

    overlap: ClassVar[bool]
    shares: ClassVar[tuple[int, ...]]
    beside: ClassVar[str]
    lower: ClassVar[str]

    @abstractmethod
    def least_bytes(self, costs: Costs, prompts: Int, output: int) -> int:
        """GPU memory beside the weights that the run cannot do without."""

    @abstractmethod
    def serve(self, costs: Costs, prompts: Int, output: int, percent: int) -> Served | None:
        """The schedule with so much of the weights on the GPU; None if it does not fit."""

    def prepare(self, scenario: Scenario, *, items: bool = True) -> RoundPlan:
        parts, output = parts_of(scenario), int(scenario.workload.output_tokens)
        costs = Costs(parts, scenario.model, scenario.policy)
        prompts, lanes = prompt_lengths(scenario), make_lanes(parts)
        given = costs.policy.gpu_weights_percent
        best: RoundPlan | None = None
        least = 0
        for percent in self.shares if given is None else (given,):
            served = self.serve(costs, prompts, output, percent)
            if served is None:
                continue
            plan = RoundPlan(
                scenario=scenario,
                lanes=lanes,
                ops=OPS,
                memory=make_memory(parts),
                memory_kinds=MEMORY_KINDS,
                total_steps=len(served.schedule),
                items=items,
                costs=costs,
                prompts=prompts,
                resident_bytes=kept_bytes(costs, percent),
                layer=layer_template(lanes, prefill=False, overlap=self.overlap),
                prefill=layer_template(lanes, prefill=True, overlap=self.overlap),
                first=steps.first_weights(lanes),
                tail=steps.output_table(lanes),
                schedule=served.schedule,
                percent=percent,
                workspace_bytes=served.workspace_bytes,
                swap=swap_template(lanes),
            )
            time = self._whole_ps(plan)
            if best is None or time < least:
                best, least = plan, time
        if best is None:
            raise self._nothing_fits(costs, prompts, output)
        if int(best.schedule.host_tokens.max()) * costs.kv_bytes * best.model.layers > host_room(
            costs
        ):
            raise CapacityError(
                "host memory for caches",
                int(best.schedule.host_tokens.max()) * costs.kv_bytes * best.model.layers,
                host_room(costs),
                "raise hardware.host.memory_GiB or policy.host_cache_GB, or lower workload.batch",
            )
        return best

    def _nothing_fits(self, costs: Costs, prompts: Int, output: int) -> CapacityError:
        gpu = costs.parts.gpu
        given = costs.policy.gpu_weights_percent or 0
        needed = fixed_bytes(costs, given, 2 if self.overlap else 1)
        needed += self.least_bytes(costs, prompts, output) + int(gpu.reserve_GB * 1e9)
        return CapacityError(
            gpu.title,
            needed,
            free_bytes(gpu) + int(gpu.reserve_GB * 1e9),
            f"a layer's weights and {self.beside} must fit the GPU: raise "
            f"hardware.gpu.memory_GiB, lower {self.lower} or the lengths",
        )

    def _whole_ps(self, plan: RoundPlan) -> int:
        """Time of the run."""
        columns = self.causes(plan, 0, plan.total_steps)
        return int(self._totals(plan, columns, np.asarray(columns["kind"]))["duration_ps"].sum())

    def causes(self, plan: RoundPlan, start: int, stop: int) -> Causes:
        served = {f.name: getattr(plan.schedule, f.name)[start:stop] for f in fields(Schedule)}
        decode = served["kind"] != KIND_PREFILL
        index = np.arange(start, stop)
        return {
            "kind": served.pop("kind").astype(np.int8),
            "tokens": np.where(decode, served["requests"], 0).astype(np.int32),
            "context_tokens": served.pop("longest").astype(np.int32),
            "served": served.pop("requests").astype(np.int32),
            "work_tokens": served.pop("tokens"),
            **served,
            "is_first": (index == 0).astype(np.int8),
            "is_last": (index == plan.total_steps - 1).astype(np.int8),
        }

    def work(self, plan: RoundPlan, causes: Causes, kind: int) -> Stretch:
        costs, rows = plan.costs, len(causes["served"])
        prefill = kind == KIND_PREFILL
        template = plan.prefill if prefill else plan.layer
        served = np.asarray(causes["served"], np.int64)
        tokens = np.asarray(causes["work_tokens"], np.int64)
        steady, last = template.blank(rows), template.blank(rows)
        ends = np.asarray(causes["is_last"]) > 0
        for work, is_last in ((steady, False), (last, True)):
            if prefill:
                squares = np.asarray(causes["squares"], np.int64)
                costs.fill_layer(template, work, "prefill", "prefill", tokens, squares)
            else:
                for block in BLOCKS:
                    costs.fill_dense(template, work, block, block, served)
                costs.fill_attention(template, work, "attention", tokens)
            none = ends if is_last and self.overlap else np.zeros(rows, np.bool_)
            amount = np.where(none, 0, plan.streamed_bytes)
            costs.fill_copy(template, work, "weights", amount)
        before = self._before(plan, causes)
        if prefill:
            return Stretch(template, steady, last, before=before)
        tail = plan.tail.blank(rows)
        costs.fill_head(plan.tail, tail, served)
        return Stretch(template, steady, last, before=before, after=((plan.tail, tail),))

    def _before(self, plan: RoundPlan, causes: Causes) -> tuple[tuple[Template, Work], ...]:
        """Swaps, and the first layer's weights at the start of the run."""
        costs, rows = plan.costs, len(causes["served"])
        token = costs.kv_bytes * plan.model.layers
        out: list[tuple[Template, Work]] = []
        if np.any(causes["out_tokens"]) or np.any(causes["in_tokens"]):
            swap = plan.swap.blank(rows)
            for group in ("out", "in"):
                amount = np.asarray(causes[f"{group}_tokens"], np.int64) * token
                costs.fill_copy(plan.swap, swap, group, amount)
            out.append((plan.swap, swap))
        if self.overlap and plan.streamed_bytes and np.any(causes["is_first"]):
            first = plan.first.blank(rows)
            amount = np.where(causes["is_first"], plan.streamed_bytes, 0)
            costs.fill_copy(plan.first, first, "weights", amount)
            out.append((plan.first, first))
        return tuple(out)

    def memory(self, plan: RoundPlan, causes: Causes) -> Int:
        rows, at = len(causes["served"]), MEMORY_KINDS.index("kv")
        used = base_memory(plan, rows, plan.workspace_bytes)
        buffers = (2 if self.overlap else 1) * plan.streamed_bytes
        used[:, 0, MEMORY_KINDS.index("buffers")] = buffers
        token = plan.costs.kv_bytes * plan.model.layers
        used[:, 0, at] = np.asarray(causes["gpu_tokens"], np.int64) * token
        used[:, 1, at] = np.asarray(causes["host_tokens"], np.int64) * token
        return used

    def placement(
        self, plan: RoundPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.layers(plan, plan.percent, items_per_cell)

    def item(self, plan: RoundPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.layer_item(plan, plan.percent, row, column)

    def summary(self, plan: RoundPlan, run: Run) -> Mapping[str, Any]:
        token = plan.costs.kv_bytes * plan.model.layers
        out: dict[str, Any] = {
            "gpu_weight_share": plan.percent / PERCENT,
            "most_requests_together": int(plan.schedule.requests.max()),
            "iterations": len(plan.schedule),
            "swapped_bytes": int(plan.schedule.out_tokens.sum()) * token,
        }
        return out | figures.moved(plan, run)

    def series(self, plan: RoundPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
        return {
            "requests together": ("requests", run.column("served")),
            "tokens on the GPU": ("tokens", run.column("gpu_tokens")),
            "tokens swapped out": ("tokens", run.column("host_tokens")),
        }


@dataclass(frozen=True, slots=True)
class Served:
    """A schedule and the GPU memory its prefill needs."""

    schedule: Schedule
    workspace_bytes: int


def kept_bytes(costs: Costs, percent: int) -> int:
    """Weights of all layers on the GPU."""
    return costs.model.layers * (costs.layer_bytes * percent // PERCENT)


def fixed_bytes(costs: Costs, percent: int, buffers: int) -> int:
    """GPU memory for weights, their buffers and the output table."""
    kept = kept_bytes(costs, percent)
    streamed = costs.layer_bytes - kept // costs.model.layers
    return kept + buffers * streamed + shapes.lm_head_bytes(costs.model)


def prefill_bytes(costs: Costs, tokens: int) -> int:
    """GPU memory for the activations of a prefill of so many tokens."""
    model = costs.model
    wide = shapes.qkv_width(model) + shapes.mlp_activation_width(model) + 2 * model.hidden
    return 2 * tokens * wide


@register_system("deepspeed-inference")
class DeepSpeed(ResidentKv):
    """ZeRO-Inference: weights from the host under computation, groups that fit their KV cache."""

    title = "DeepSpeed-Inference"
    policy_type = ZeroPolicy
    overlap = True
    shares = (0, 100)
    beside = "the keys, values and prefill of the smallest group"
    lower = "policy.gpu_weights_percent, policy.group"

    def least_bytes(self, costs: Costs, prompts: Int, output: int) -> int:
        longest, policy = int(prompts.max()), costs.policy
        each = (longest + output) * costs.kv_bytes * costs.model.layers
        wanted = policy.group if isinstance(policy, ZeroPolicy) else None
        return (wanted or 1) * (each + prefill_bytes(costs, longest))

    def serve(self, costs: Costs, prompts: Int, output: int, percent: int) -> Served | None:
        room = free_bytes(costs.parts.gpu) - fixed_bytes(costs, percent, 2)
        longest = int(prompts.max())
        each = (longest + output) * costs.kv_bytes * costs.model.layers
        group = room // (each + prefill_bytes(costs, longest))
        policy = costs.policy
        wanted = policy.group if isinstance(policy, ZeroPolicy) else None
        if group < 1 or (wanted is not None and wanted > group):
            return None
        size = min(len(prompts), int(group) if wanted is None else wanted)
        return Served(in_groups(prompts, output, size), prefill_bytes(costs, longest) * size)


@register_system("vllm-swap")
class VllmSwap(ResidentKv):
    """vLLM: continuous batching over paged KV on the GPU, swapping, weights offloaded in part."""

    title = "vLLM with swapping"
    policy_type = SwapPolicy
    overlap = False
    shares = tuple(range(0, PERCENT + 1, 20))
    beside = "the keys and values of one request with the prompts of an iteration"
    lower = "policy.gpu_weights_percent, policy.prefill_tokens"

    def _workspace_bytes(self, costs: Costs, prompts: Int) -> int:
        """For the prompts of an iteration."""
        policy = costs.policy
        assert isinstance(policy, SwapPolicy)
        chunk = min(int(prompts.sum()), max(policy.prefill_tokens, int(prompts.max())))
        return prefill_bytes(costs, chunk)

    def least_bytes(self, costs: Costs, prompts: Int, output: int) -> int:
        policy = costs.policy
        assert isinstance(policy, SwapPolicy)
        blocks = -(-(int(prompts.max()) + output) // policy.block_tokens)
        kv = blocks * policy.block_tokens * costs.kv_bytes * costs.model.layers
        return kv + self._workspace_bytes(costs, prompts)

    def serve(self, costs: Costs, prompts: Int, output: int, percent: int) -> Served | None:
        policy = costs.policy
        assert isinstance(policy, SwapPolicy)
        workspace = self._workspace_bytes(costs, prompts)
        room = free_bytes(costs.parts.gpu) - fixed_bytes(costs, percent, 1) - workspace
        blocks = room // (policy.block_tokens * costs.kv_bytes * costs.model.layers)
        schedule = swapping(
            prompts,
            output,
            int(blocks),
            policy.block_tokens,
            watermark=policy.watermark,
            prefill_tokens=policy.prefill_tokens,
        )
        return None if schedule is None else Served(schedule, workspace)
