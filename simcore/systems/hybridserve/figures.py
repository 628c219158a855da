"""Figures of a run: the chosen ratio, tokens by type and place, what was moved and hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.results.run import KIND_DECODE, Run
from simcore.results.spans import WAIT_OPS
from simcore.results.terms import Term
from simcore.systems.hybridserve.machine import DOWN, GPU, UP, Int, StreamPlan
from simcore.systems.hybridserve.plan import HybridPlan
from simcore.units import PS_PER_MS

_DECODE = "Mean over the decode steps."
_HIDDEN = "Of the copies in a decode step in the middle: time in which the GPU computes."
TERMS: Mapping[str, Term] = {
    "act_share": Term("blocks cached as activations", "share", "Or computed again from tokens."),
    "mini_batches": Term("mini-batches", "", "Parts of the batch that share a layer's weights."),
    "gpu_batches": Term("mini-batches", "", "FlexGen's block, searched."),
    "block_tokens": Term("tokens of a block"),
    "act_bytes_over_kv_bytes": Term("activation over KV", "x", "Bytes of one token."),
    "gpu_weight_share": Term("weights on the GPU", "share"),
    "kv_gpu_share": Term("KV on the GPU", "share"),
    "gpu_act_blocks": Term("activation blocks on the GPU", "", "Most, all requests together."),
    "gpu_kv_blocks": Term("KV blocks on the GPU", "", "Most, all requests together."),
    "gpu_cache_bytes": Term("GPU memory for caches", "B"),
    "workspace_bytes": Term("GPU memory for buffers", "B", "Mini-batches, activations."),
    "host_cache_bytes": Term("caches on the host at the end", "B"),
    "most_requests_together": Term("requests served together, most"),
    "swapped_bytes": Term("swapped out", "B", "Keys and values of preempted requests."),
    "bytes_to_gpu_per_step": Term("to the GPU, a step", "B", _DECODE),
    "bytes_to_host_per_step": Term("to the host, a step", "B", _DECODE),
    "gpu_busy_share": Term("GPU busy while decoding", "share"),
    "link_busy_share": Term("link to the GPU busy while decoding", "share"),
    "hidden_share_of_weights": Term("weights hidden", "share", _HIDDEN),
    "hidden_share_of_kv": Term("KV hidden", "share", _HIDDEN),
    "hidden_share_of_activations": Term("activations hidden", "share", _HIDDEN),
}

HELD = ("KV on the host", "KV on the GPU", "light on the host", "light on the GPU")


def moved(plan: StreamPlan, run: Run) -> dict[str, Any]:
    """Bytes over the link in a decode step, and how much of the time link and GPU work."""
    decode = run.column("kind") == KIND_DECODE if len(run) else np.zeros(0, np.bool_)
    steps = int(decode.sum())
    if not steps:
        return {}
    amount = run.column("lane_op_bytes")[decode].sum(axis=2)
    time = run.column("lane_op_ps")[decode].sum(axis=0)
    work = [i for i, op in enumerate(plan.ops) if not op.is_wait]
    whole = max(1, int(run.column("duration_ps")[decode].sum()))
    gpu, link = int(time[GPU, work].sum()), int(time[UP, work].sum())
    return {
        "bytes_to_gpu_per_step": int(amount[:, UP].sum()) // steps,
        "bytes_to_host_per_step": int(amount[:, DOWN].sum()) // steps,
        "gpu_busy_share": gpu / whole,
        "link_busy_share": link / whole,
        **hidden(plan, run, int(np.flatnonzero(decode)[steps // 2])),
    }


_MOVES = {"stream": "weights", "load_kv": "kv", "load_act": "activations"}


def hidden(plan: StreamPlan, run: Run, index: int) -> dict[str, float]:
    """Share of each kind of copy to the GPU under which the GPU computes, in one step."""
    spans = run.spans(index)
    busy = (spans.lane == GPU) & (spans.op < len(plan.ops) - len(WAIT_OPS))
    start, end = spans.start_ps[busy], spans.end_ps[busy]  # in order, and none overlap
    if not len(start):
        return {}
    before = np.cumsum(end - start) - (end - start)

    def computed(until: Int) -> Int:
        """Time the GPU has computed by then."""
        last = np.maximum(np.searchsorted(start, until, side="right") - 1, 0)
        return before[last] + np.clip(until - start[last], 0, end[last] - start[last])

    out = {}
    for op, name in _MOVES.items():
        mine = (spans.lane == UP) & (spans.op == plan.op_index(op))
        moving = int((spans.end_ps[mine] - spans.start_ps[mine]).sum())
        if moving:
            under = computed(spans.end_ps[mine]) - computed(spans.start_ps[mine])
            out[f"hidden_share_of_{name}"] = float(under.sum()) / moving
    return out


def summary(plan: HybridPlan, run: Run) -> Mapping[str, Any]:
    """The `placement` part of `run --json`."""
    cache, chosen, costs = plan.cache, plan.chosen, plan.costs
    layers, block = plan.model.layers, cache.policy.block_tokens
    at_end = cache.tokens((plan.prompts + cache.output_tokens)[None], chosen)
    light = -(-at_end.light_gpu // block)
    kv = -(-at_end.kv_gpu // block)
    out: dict[str, Any] = {
        "cache": cache.policy.cache,
        "act_share": float(chosen.share[0]),
        "mini_batches": chosen.mini_batches,
        "block_tokens": block,
        "act_bytes_over_kv_bytes": costs.act_bytes / costs.kv_bytes,
        "gpu_weight_share": plan.resident_bytes / (layers * costs.layer_bytes),
        "gpu_act_blocks": int(light.sum()),
        "gpu_kv_blocks": int(kv.sum()),
        "gpu_cache_bytes": int(light.sum() * cache.light_bytes + kv.sum() * costs.kv_bytes)
        * layers
        * block,
        "workspace_bytes": int(chosen.workspace_bytes[0]),
        "host_cache_bytes": int(chosen.host_needed[0]),
    }
    return out | moved(plan, run)


def series(plan: HybridPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
    """Figures over the steps."""
    held = run.column("held_tokens")
    out: dict[str, tuple[str, Any]] = {"step": ("ms", run.column("duration_ps") / PS_PER_MS)}
    for index, title in enumerate(HELD):
        what = "activations" if cache_holds_activations(plan) else "tokens to compute again"
        out[f"cached: {title.replace('light', what)}"] = ("tokens", held[:, index])
    return out


def cache_holds_activations(plan: HybridPlan) -> bool:
    """Whether light blocks hold activations."""
    return plan.cache.light_bytes > 0
