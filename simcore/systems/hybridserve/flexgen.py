"""FlexGen at this batch: the zig-zag schedule with what its implementation costs.

As in FlexGen's code (recalled, not re-read): attention and MLP are two sublayers; for each of them
the mini-batches of the block are computed in turn, and everything is synchronised after each. A
sublayer's weights come while the first mini-batch of the sublayer before is computed. The KV cache
lies in pageable memory: the thread that issues the work copies keys, then values of the next
mini-batch into pinned buffers before it starts the current one, and only these buffers go over the
link. New keys and values are copied back the same way. Prompts are computed a mini-batch at a time,
with their scores in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Group, Phase, Template, Work
from simcore.errors import CapacityError
from simcore.model import shapes
from simcore.placement.packing import arrival_bins, bin_sums
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Lane, WaitReason
from simcore.scenario.schema import Scenario
from simcore.systems.base import register_system
from simcore.systems.hybridserve import figures, grid, steps
from simcore.systems.hybridserve.layered import Causes, LayeredSystem
from simcore.systems.hybridserve.machine import (
    BLOCKS,
    DOWN,
    GPU,
    HOST,
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
    put,
)
from simcore.systems.hybridserve.memory import base_memory
from simcore.systems.hybridserve.policy import ZigZagPolicy
from simcore.systems.hybridserve.search import doublings, sampled_steps
from simcore.systems.hybridserve.stretch import Stretch
from simcore.units import transfer_ps

PERCENT = 100
WEIGHT_STEP = 10
"""Percentages of the weights that are tried."""
MOST_BATCHES = 64

SUBLAYERS = (("attention", ("qkv", "attention", "projection")), ("mlp", ("mlp",)))


def zigzag_layer(lanes: tuple[Lane, ...], parts: int, *, prefill: bool) -> Template:
    """Two sublayers of `parts` mini-batches, a barrier after each of them."""
    phases = []
    for sublayer, ops in SUBLAYERS:
        for k in range(parts):
            phases.append(_step(sublayer, ops, k, parts, prefill))
    return Template(tuple(phases), lanes, OPS)


def _step(sublayer: str, ops: tuple[str, ...], k: int, parts: int, prefill: bool) -> Phase:
    """One mini-batch of one sublayer."""
    groups: list[Group] = []
    staged: tuple[str, ...] = ()
    if k == 0:  # of the sublayer after this one
        groups.append(Group(f"weights.{sublayer}", OP["stream"], (UP,)))
    # Attention brings the next mini-batch; the MLP's last step the first one of the next layer.
    ahead = k + 1 if sublayer == "attention" and k + 1 < parts else None
    if sublayer == "mlp" and k + 1 == parts:
        ahead = 0
    if ahead is not None:
        for which in ("keys", "values"):
            stage = f"stage_{which}.{ahead}"
            groups.append(Group(stage, OP["stage"], (HOST,)))
            groups.append(Group(f"load_{which}.{ahead}", OP["load_kv"], (UP,), (stage,)))
            staged = (stage,)
    name = sublayer if prefill else ""
    for op in ("prefill",) if prefill else ops:
        groups.append(Group(f"{name or op}.{k}", OP[op], (GPU,), staged))
        staged = ()
    before = k - 1 if sublayer == "attention" else parts - 1
    if before >= 0 and (sublayer == "attention" or k == 0):
        groups.append(Group(f"store.{before}", OP["store_kv"], (DOWN,)))
    return Phase(f"{sublayer}.{k}", tuple(groups), {UP: WaitReason.DEPENDENCY})


@dataclass(frozen=True, slots=True)
class Policies:
    """FlexGen's percentages for a number of mini-batches, arrays of shape (n,).

    Attributes:
        batches: mini-batches.
        weights: percent of the weights on the GPU.
        kv: percent of the KV cache there; -1 if the policy does not fit.
        workspace_bytes: GPU memory for buffers and activations.
    """

    batches: int
    weights: Int
    kv: Int
    workspace_bytes: int


@dataclass(frozen=True, slots=True)
class ZigZag:
    """A run of FlexGen before its policy is chosen."""

    costs: Costs
    prompts: Int
    output_tokens: int

    @property
    def policy(self) -> ZigZagPolicy:
        """The knobs."""
        policy = self.costs.policy
        assert isinstance(policy, ZigZagPolicy)
        return policy

    def sums(self, values: Int, batches: int) -> Int:
        """Sums over the requests of each mini-batch, (batches,)."""
        bins = arrival_bins(1, len(self.prompts), batches)
        return bin_sums(values[None], bins, batches)[0]

    def kept(self, percent: Any) -> Any:
        """Weights of a layer that stay on the GPU."""
        return self.costs.layer_bytes * np.asarray(percent) // PERCENT

    def needed_bytes(self, batches: int) -> int:
        """GPU memory for buffers and activations: KV of two mini-batches, prompts of one."""
        costs, model = self.costs, self.costs.model
        longest = self.sums(self.prompts + self.output_tokens, batches).max()
        scores = model.heads * model.bytes_per_kv * self.sums(self.prompts**2, batches).max()
        wide = 2 * (shapes.qkv_width(model) + shapes.mlp_activation_width(model) + model.hidden)
        chunk = wide * self.sums(self.prompts, batches).max() + scores
        hidden = int(self.prompts.sum()) * model.hidden * 2
        return int(hidden + max(chunk, 2 * longest * costs.kv_bytes))

    def policies(self, batches: int) -> Policies:
        """Percentages to try, with as much of the KV cache on the GPU as fits."""
        costs, knobs = self.costs, self.policy
        steps = np.arange(0, PERCENT + 1, WEIGHT_STEP)
        given = knobs.gpu_weights_percent
        weights = steps if given is None else np.array([given])
        layers = costs.model.layers
        kept = self.kept(weights)
        needed = self.needed_bytes(batches)
        used = layers * kept + (costs.layer_bytes - kept) + shapes.lm_head_bytes(costs.model)
        whole = int((self.prompts + self.output_tokens).sum()) * costs.kv_bytes * layers
        room = free_bytes(costs.parts.gpu) - used - needed
        most = np.minimum(PERCENT, np.maximum(room, 0) * PERCENT // whole)
        kv = most if knobs.kv_gpu_percent is None else np.minimum(most, knobs.kv_gpu_percent)
        wanted = kv if knobs.kv_gpu_percent is None else np.full_like(kv, knobs.kv_gpu_percent)
        host = whole - whole * kv // PERCENT
        good = (room >= 0) & (wanted <= most) & (host <= host_room(costs))
        return Policies(batches, weights, np.where(good, kv, -1), needed)

    def run_ps(self, found: Policies, lanes: tuple[Lane, ...]) -> NDArray[np.float64]:
        """Estimated time of the run under each policy; infinite where it does not fit."""
        out = np.full(len(found.weights), np.inf)
        good = np.flatnonzero(found.kv >= 0)
        if not len(good):
            return out
        layer = zigzag_layer(lanes, found.batches, prefill=False)
        before = zigzag_layer(lanes, found.batches, prefill=True)
        tail, first = steps.output_table(lanes), steps.first_weights(lanes)
        at, weight = sampled_steps(self.output_tokens)
        step = np.tile(at, len(good))
        weights, kv = (np.repeat(v[good], len(at)) for v in (found.weights, found.kv))
        decode = self.decode(layer, tail, step, weights, kv).totals(self.costs.model.layers)
        total = decode.duration_ps.reshape(len(good), len(at)) @ weight
        prompt = self.prefill(before, first, found.batches, found.weights[good], found.kv[good])
        out[good] = total + prompt.durations_ps(self.costs.model.layers)
        return out

    def staged_ps(self, amount: Any) -> Int:
        """Copies between pageable and pinned memory, read and written in the same memory."""
        host = self.costs.parts.host
        return transfer_ps(amount, min(self.policy.staging_GBps, host.bandwidth_GBps / 2))

    def _load(self, template: Template, work: Work, k: int, tokens: Any, kv: Int) -> None:
        """Stage and load keys, then values, of a mini-batch."""
        half = np.asarray(tokens) * (self.costs.kv_bytes // 2)
        half = half - half * kv // PERCENT
        for which in ("keys", "values"):
            put(template, work, f"stage_{which}.{k}", self.staged_ps(half), half)
            self.costs.fill_copy(template, work, f"load_{which}.{k}", half)

    def _weights(self, template: Template, work: Work, percent: Int, more: Any) -> None:
        """The MLP's weights under attention, the next layer's attention under the MLP."""
        costs = self.costs
        mlp = costs.block_bytes("mlp")
        own = {"attention": mlp, "mlp": costs.layer_bytes - mlp}
        for sublayer, size in own.items():
            streamed = size - size * percent // PERCENT
            if sublayer == "mlp":
                streamed = np.where(more, streamed, 0)
            costs.fill_copy(template, work, f"weights.{sublayer}", streamed)

    def _store(self, template: Template, work: Work, k: int, tokens: Any, kv: Int) -> None:
        """New keys and values to pageable memory."""
        amount = np.asarray(tokens) * self.costs.kv_bytes
        amount = amount - amount * kv // PERCENT
        time = np.maximum(self.staged_ps(amount), self.costs.copy_ps(amount))
        put(template, work, f"store.{k}", time, amount)

    def decode(
        self, template: Template, tail: Template, step: Int, percent: Int, kv: Int
    ) -> Stretch:
        """Work of decode steps (from 1), one row each."""
        costs = self.costs
        batches = sum(phase.id.startswith("mlp") for phase in template.phases)
        requests = self.sums(np.ones_like(self.prompts), batches)
        prompts = self.sums(self.prompts, batches)
        cached = prompts[None, :] + (step[:, None] - 1) * requests[None, :]
        more = step < self.output_tokens
        steady, last = template.blank(len(step)), template.blank(len(step))
        for work, is_last in ((steady, False), (last, True)):
            for k in range(batches):
                for block in BLOCKS:
                    costs.fill_dense(template, work, block, f"{block}.{k}", requests[k])
                tokens = cached[:, k] + requests[k]
                costs.fill_attention(template, work, f"attention.{k}", tokens)
                self._store(template, work, k, requests[k], kv)
                if k:
                    self._load(template, work, k, cached[:, k], kv)
            coming = cached[:, 0] + requests[0] if is_last else cached[:, 0]
            follows = more if is_last else np.ones_like(more)
            self._load(template, work, 0, np.where(follows, coming, 0), kv)
            self._weights(template, work, percent, follows)
        end = tail.blank(len(step))
        costs.fill_head(tail, end, len(self.prompts))
        return Stretch(template, steady, last, after=((tail, end),))

    def prefill(
        self, template: Template, first: Template, batches: int, percent: Int, kv: Int
    ) -> Stretch:
        """Work of the prefill, one policy a row."""
        costs, model = self.costs, self.costs.model
        rows = len(percent)
        tokens, squares = (self.sums(v, batches) for v in (self.prompts, self.prompts**2))
        mlp = costs.block_bytes("mlp")
        sizes = {"attention": costs.layer_bytes - mlp, "mlp": mlp}
        steady, last = template.blank(rows), template.blank(rows)
        for work in (steady, last):
            for k in range(batches):
                for sublayer, whole in sizes.items():
                    size = met = whole
                    if sublayer == "mlp":
                        size = shapes.mlp_read_bytes(model, tokens[k])
                        met = shapes.mlp_token_bytes(model)
                    flops = 2 * tokens[k] * (met // model.bytes_per_weight)
                    if sublayer == "attention":
                        flops += 2 * squares[k] * shapes.attention_width(model)
                    costs.fill(template, work, f"{sublayer}.{k}", "prefill", size, flops)
                self._store(template, work, k, tokens[k], kv)
            self._weights(template, work, percent, True)
        self._load(template, last, 0, tokens[0], kv)
        start = first.blank(rows)
        attention = sizes["attention"]
        costs.fill_copy(first, start, "weights", attention - attention * percent // PERCENT)
        before = ((first, start),) if (percent < PERCENT).any() else ()
        return Stretch(template, steady, last, before=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZigZagPlan(StreamPlan):
    """A prepared run of FlexGen.

    Attributes:
        zigzag: sizes, lengths, knobs.
        batches, weights_percent, kv_percent: the policy of the run.
        workspace_bytes: GPU memory for buffers and activations.
    """

    zigzag: ZigZag
    batches: int
    weights_percent: int
    kv_percent: int
    workspace_bytes: int

    @property
    def streamed_bytes(self) -> int:
        """Weights of a layer that come over PCIe; a sublayer at a time, so one layer's buffer."""
        return self.costs.layer_bytes - int(self.zigzag.kept(self.weights_percent))


@register_system("hybridserve-flexgen")
class FlexGenZigZag(LayeredSystem):
    """FlexGen at large batches, its percentages and its block searched."""

    title = "FlexGen (large batch)"
    policy_type = ZigZagPolicy

    def prepare(self, scenario: Scenario, *, items: bool = True) -> ZigZagPlan:
        parts, output = parts_of(scenario), int(scenario.workload.output_tokens)
        costs = Costs(parts, scenario.model, scenario.policy)
        zigzag = ZigZag(costs, prompt_lengths(scenario), output)
        lanes = make_lanes(parts, host=True)
        found, at = _search(zigzag, lanes)
        percent = int(found.weights[at])
        return ZigZagPlan(
            scenario=scenario,
            lanes=lanes,
            ops=OPS,
            memory=make_memory(parts),
            memory_kinds=MEMORY_KINDS,
            total_steps=1 + output,
            items=items,
            costs=costs,
            prompts=zigzag.prompts,
            resident_bytes=scenario.model.layers * int(zigzag.kept(percent)),
            layer=zigzag_layer(lanes, found.batches, prefill=False),
            prefill=zigzag_layer(lanes, found.batches, prefill=True),
            first=steps.first_weights(lanes),
            tail=steps.output_table(lanes),
            zigzag=zigzag,
            batches=found.batches,
            weights_percent=percent,
            kv_percent=int(found.kv[at]),
            workspace_bytes=found.workspace_bytes,
        )

    def causes(self, plan: ZigZagPlan, start: int, stop: int) -> Causes:
        steps_ = np.arange(start, stop)
        decode = steps_ > 0
        return {
            "kind": np.where(decode, KIND_DECODE, KIND_PREFILL).astype(np.int8),
            "tokens": np.where(decode, plan.requests, 0).astype(np.int32),
            "context_tokens": (int(plan.prompts.max()) + steps_).astype(np.int32),
        }

    def work(self, plan: ZigZagPlan, causes: Causes, kind: int) -> Stretch:
        step = np.asarray(causes["context_tokens"], np.int64) - int(plan.prompts.max())
        percent = np.full(len(step), plan.weights_percent)
        kv = np.full(len(step), plan.kv_percent)
        if kind == KIND_PREFILL:
            return plan.zigzag.prefill(plan.prefill, plan.first, plan.batches, percent, kv)
        return plan.zigzag.decode(plan.layer, plan.tail, step, percent, kv)

    def memory(self, plan: ZigZagPlan, causes: Causes) -> Int:
        step = np.asarray(causes["context_tokens"], np.int64) - int(plan.prompts.max())
        used = base_memory(plan, len(step), plan.workspace_bytes)
        used[:, 0, MEMORY_KINDS.index("buffers")] = plan.streamed_bytes
        token = plan.costs.kv_bytes * plan.model.layers
        kv = (int(plan.prompts.sum()) + step * plan.requests) * token
        on_gpu = kv * plan.kv_percent // PERCENT
        at = MEMORY_KINDS.index("kv")
        used[:, 0, at], used[:, 1, at] = on_gpu, kv - on_gpu
        return used

    def placement(
        self, plan: ZigZagPlan, run: Run, index: int, items_per_cell: int
    ) -> PlacementGrid:
        return grid.layers(plan, plan.weights_percent, items_per_cell)

    def item(self, plan: ZigZagPlan, run: Run, index: int, row: int, column: int) -> ItemInfo:
        return grid.layer_item(plan, plan.weights_percent, row, column)

    def summary(self, plan: ZigZagPlan, run: Run) -> Mapping[str, Any]:
        out: dict[str, Any] = {
            "gpu_batches": plan.batches,
            "gpu_weight_share": plan.weights_percent / PERCENT,
            "kv_gpu_share": plan.kv_percent / PERCENT,
            "workspace_bytes": plan.workspace_bytes,
        }
        return out | figures.moved(plan, run)


def _search(zigzag: ZigZag, lanes: tuple[Lane, ...]) -> tuple[Policies, int]:
    """The fastest policy.

    Raises:
        CapacityError: if none fits.
    """
    requests, given = len(zigzag.prompts), zigzag.policy.gpu_batches
    options = doublings(min(requests, MOST_BATCHES))
    if given is not None:
        options = [min(given, requests)]
    best: tuple[float, Policies, int] | None = None
    for batches in options:
        found = zigzag.policies(batches)
        times = zigzag.run_ps(found, lanes)
        at = int(times.argmin())
        if np.isfinite(times[at]) and (best is None or times[at] < best[0]):
            best = (float(times[at]), found, at)
    if best is None:
        raise _nothing_fits(zigzag, options[-1])
    return best[1], best[2]


def _nothing_fits(zigzag: ZigZag, batches: int) -> CapacityError:
    """What is missing with the smallest mini-batches tried."""
    costs = zigzag.costs
    gpu = costs.parts.gpu
    given = zigzag.policy.gpu_weights_percent or 0
    needed = zigzag.needed_bytes(batches) + shapes.lm_head_bytes(costs.model) + costs.layer_bytes
    needed += int(zigzag.kept(given)) * costs.model.layers
    if needed > free_bytes(gpu) or zigzag.policy.kv_gpu_percent is not None:
        return CapacityError(
            gpu.title,
            needed + int(gpu.reserve_GB * 1e9),
            free_bytes(gpu) + int(gpu.reserve_GB * 1e9),
            "weights that stay, a layer's buffer, two mini-batches' KV and the prompts must fit "
            "the GPU: lower policy.gpu_weights_percent, policy.kv_gpu_percent or workload.batch, "
            "raise policy.gpu_batches or hardware.gpu.memory_GiB",
        )
    tokens = int((zigzag.prompts + zigzag.output_tokens).sum())
    return CapacityError(
        "host memory for caches",
        tokens * costs.kv_bytes * costs.model.layers,
        host_room(costs),
        "raise hardware.host.memory_GiB or policy.host_cache_GB, or lower workload.batch",
    )
