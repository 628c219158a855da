"""Figures of a serving run: batch, latency, queue, balance, what is hidden and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run
from simcore.results.terms import Term
from simcore.systems.l3.causes import Causes
from simcore.systems.l3.energy import energy_per_token
from simcore.systems.l3.history import latencies_ps
from simcore.systems.l3.machine import ServingPlan, kv_bytes
from simcore.systems.l3.predictors import fit_predictors, gpu_of_half, side_of_half
from simcore.systems.l3.steps import causes_of, middles
from simcore.systems.l3.work import durations_ps, make_times
from simcore.units import PS_PER_MS, PS_PER_S

Float = NDArray[np.float64]

_CHUNK = 16384


def _pieces(plan: ServingPlan, run: Run) -> Iterator[tuple[int, int, Causes]]:
    for start in range(0, len(run), _CHUNK):
        stop = min(len(run), start + _CHUNK)
        yield start, stop, causes_of(plan, run, start, stop)


def imbalance(plan: ServingPlan, causes: Causes) -> Float:
    """Slowest rank over the mean of all, both sub-batches in turn, (n,); 1 without decodes."""
    side = plan.side
    lanes = max(1, side.lanes)
    ranks = causes.loads().reshape(len(causes), 2, lanes, side.offsets) @ side.slots
    weight = np.bincount(side.rank_of, minlength=side.slots.shape[1])
    every = (ranks * weight).sum(axis=(2, 3)) / (weight.sum() * lanes)
    worst = ranks.max(axis=(2, 3)).sum(axis=1)
    mean = every.sum(axis=1)
    result: Float = np.where(mean > 0, worst / np.maximum(mean, 1e-9), 1.0)
    return result


NAMES = ("imbalance", "gpu_bubble", "side_bubble", "exposed", "hidden")


def balance(plan: ServingPlan, causes: Causes) -> dict[str, Float]:
    """Balance over ranks, bubbles and transfers of steps, (n,) each; times in ps."""
    times = make_times(plan, causes)
    length, layers = durations_ps(plan, times), plan.model.layers
    gpu = layers * (gpu_of_half(times) + times.attention).sum(axis=1)
    out = {name: np.zeros(len(causes)) for name in NAMES}
    out["imbalance"] = imbalance(plan, causes)
    out["gpu_bubble"] = (length - gpu - times.fc["lm_head"].sum(axis=1)).astype(np.float64)
    if plan.side.lanes:
        out["side_bubble"] = (length - layers * side_of_half(times).sum(axis=1)).astype(np.float64)
        moved = layers * (times.inputs + times.outputs).sum(axis=1)
        out["exposed"] = (layers * (times.receive + times.send).sum(axis=1)).astype(np.float64)
        out["hidden"] = moved - out["exposed"]
    return out


def over_steps(plan: ServingPlan, run: Run) -> dict[str, Float]:
    """The same for every step of a run."""
    out = {name: np.zeros(len(run)) for name in NAMES}
    for start, stop, causes in _pieces(plan, run):
        for name, values in balance(plan, causes).items():
            out[name][start:stop] = values
    return out


def series(plan: ServingPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
    """Figures over the steps: name to unit and array."""
    steps = over_steps(plan, run)
    out: dict[str, tuple[str, Any]] = {
        "batch": ("requests", run.column("batch")),
        "time between tokens": ("ms", run.column("duration_ps") / PS_PER_MS),
        "queue": ("requests", run.column("queue")),
        "prompt tokens": ("tokens", run.column("prompt_tokens")),
        "KV in memory": ("GB", run.column("kv_tokens") * (kv_bytes(plan.model) / 1e9)),
        "GPU bubble": ("ms", steps["gpu_bubble"] / PS_PER_MS),
    }
    if plan.side.lanes:
        title = {"dimm": "PIM", "cpu": "CPU"}.get(plan.side.kind, "HBM-PIM")
        out[f"{title} bubble"] = ("ms", steps["side_bubble"] / PS_PER_MS)
    if plan.side.link_GBps:
        out["transfers exposed"] = ("ms", steps["exposed"] / PS_PER_MS)
        out["transfers hidden"] = ("ms", steps["hidden"] / PS_PER_MS)
    if plan.side.classes > 1:
        out["imbalance"] = ("x", steps["imbalance"])
    return out


def rates(run: Run) -> dict[str, float]:
    """Throughput of the machine, average batch and latency of a replica's steps.

    The batch counts the decodes of both sub-batches; steps that only compute prompts are left out
    of it and of the latency. The time between tokens is the latency as a token sees it.
    """
    length = run.column("duration_ps").astype(np.float64)
    rows = run.column("batch").astype(np.float64)
    decode = rows > 0
    some = bool(decode.any())
    return {
        "tokens_per_s": float(run.column("tokens").sum()) * PS_PER_S / max(1, run.end_ps),
        "mean_batch": float(rows[decode].mean()) if some else 0.0,
        "latency_ms": float(length[decode].mean()) / PS_PER_MS if some else 0.0,
        "tbt_ms": float((rows * length).sum() / max(1.0, rows.sum())) / PS_PER_MS,
    }


TERMS: Mapping[str, Term] = {
    "mean_batch": Term("mean batch", "requests", "Decoded together, steps with decodes only."),
    "latency_ms": Term("mean decode step", "ms", "Steps with decodes only."),
    "tbt_ms": Term("time between tokens", "ms", "Mean over tokens."),
    "replicas": Term("replicas of the model", "", "One is simulated and stands for all."),
    "gpus_per_replica": Term("GPUs of a replica"),
    "requests": Term("requests", "", "Of all replicas."),
    "requests_cut": Term("requests cut", "", "Outputs that no memory could hold."),
    "kv_capacity_tokens": Term("room for KV", "tokens"),
    "kv_bytes_per_token": Term("KV of a token", "B"),
    "mean_queue": Term("mean queue", "requests", "Waiting or moved out, over time."),
    "kv_use": Term("KV memory in use", "share", "Mean over time."),
    "imbalance": Term(
        "imbalance of ranks", "x", "Slowest rank over the mean of all, weighted by time."
    ),
    "gpu_bubble_share": Term("GPUs idle (bubbles)", "share", "Of the whole time."),
    "side_bubble_share": Term("attention side idle (bubbles)", "share", "Of the whole time."),
    "prefill_only_share": Term("iterations of prompts only", "share", "Of the whole time."),
    "transfer_exposed_share": Term("PCIe transfers, exposed", "share", "They delay attention."),
    "transfer_hidden_share": Term("PCIe transfers, hidden", "share", "Attention goes on."),
    "request_s_mean": Term("time of a request, mean", "s", "From arrival to last token."),
    "request_s_p95": Term("time of a request, 95 %", "s", "From arrival to last token."),
    "first_token_s_mean": Term("time to the end of the prompt, mean", "s"),
    **{
        f"energy_{part}_J_per_token": Term(
            f"energy, {title}", "J/token", "The paper's breakdown; see the sources of constants."
        )
        for part, title in (
            ("fc", "FC"),
            ("attention", "attention"),
            ("background", "background"),
            ("other", "transfers"),
            ("total", "total"),
        )
    },
    "predictor_error_gpu": Term("error of the GPU predictor", "share", "Median."),
    "predictor_error_side": Term("error of the attention predictor", "share", "Median."),
}


def summary(plan: ServingPlan, run: Run) -> dict[str, Any]:
    """System-specific figures of a run."""
    length = run.column("duration_ps").astype(np.float64)
    middle, count = middles(plan, run)
    steps = balance(plan, middle)
    whole = max(1.0, float(length.sum()))
    first_step = np.cumsum(count) - count
    of_stretch = np.add.reduceat(length, first_step)

    def share(name: str) -> float:
        return float((steps[name] * count).sum() / whole)

    ready, finished = latencies_ps(plan, run)
    known = finished[finished >= 0] / PS_PER_S
    first = ready[ready >= 0] / PS_PER_S
    speed = rates(run)
    del speed["tokens_per_s"]  # said elsewhere
    out: dict[str, Any] = {
        **speed,
        "replicas": plan.replicas,
        "gpus_per_replica": plan.gpus,
        "requests": len(plan.requests) * plan.replicas,
        "requests_cut": plan.cut * plan.replicas,
        "kv_capacity_tokens": plan.capacity_tokens,
        "kv_bytes_per_token": kv_bytes(plan.model),
        "mean_queue": float((run.column("queue") * length).sum() / whole),
        "kv_use": float((run.column("kv_tokens") * length).sum() / whole / plan.capacity_tokens),
        "imbalance": float((steps["imbalance"] * of_stretch).sum() / whole),
        "gpu_bubble_share": share("gpu_bubble"),
        "prefill_only_share": float(length[run.column("kind") == KIND_PREFILL].sum() / whole),
    }
    if plan.side.lanes:
        out["side_bubble_share"] = share("side_bubble")
    if plan.side.link_GBps:
        out["transfer_exposed_share"] = share("exposed")
        out["transfer_hidden_share"] = share("hidden")
    if len(known):
        out["request_s_mean"] = float(known.mean())
        out["request_s_p95"] = float(np.percentile(known, 95))
    if len(first):
        out["first_token_s_mean"] = float(first.mean())
    for part, joules in energy_per_token(plan, run).items():
        out[f"energy_{part}_J_per_token"] = joules
    if plan.policy.scheduling == "aligned" and plan.side.lanes:
        fitted = fit_predictors(plan)
        out["predictor_error_gpu"] = fitted.gpu_error
        out["predictor_error_side"] = fitted.side_error
    return out
