"""Figures of a serving run: batch, latency, queue, balance, what is hidden and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run
from simcore.systems.l3.causes import Causes
from simcore.systems.l3.energy import PARTS, energy_per_token
from simcore.systems.l3.history import latencies_ps
from simcore.systems.l3.machine import ServingPlan, kv_bytes
from simcore.systems.l3.predictors import fit_predictors, gpu_of_half, side_of_half
from simcore.systems.l3.steps import causes_of
from simcore.systems.l3.work import make_times
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


def over_steps(plan: ServingPlan, run: Run) -> dict[str, Float]:
    """Balance, bubbles and transfers of every step; times in ms."""
    names = ("imbalance", "gpu_bubble", "side_bubble", "exposed", "hidden")
    out = {name: np.zeros(len(run)) for name in names}
    layers = plan.model.layers
    for start, stop, causes in _pieces(plan, run):
        times = make_times(plan, causes)
        length = run.column("duration_ps", start, stop)
        edge = times.fc["lm_head"].sum(axis=1)
        gpu = layers * (gpu_of_half(times) + times.attention).sum(axis=1) + edge
        out["imbalance"][start:stop] = imbalance(plan, causes)
        out["gpu_bubble"][start:stop] = (length - gpu) / PS_PER_MS
        if plan.side.lanes:
            side = layers * side_of_half(times).sum(axis=1)
            out["side_bubble"][start:stop] = (length - side) / PS_PER_MS
            moved = layers * (times.inputs + times.outputs).sum(axis=1)
            stops = layers * (times.receive + times.send).sum(axis=1)
            out["exposed"][start:stop] = stops / PS_PER_MS
            out["hidden"][start:stop] = (moved - stops) / PS_PER_MS
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
        "GPU bubble": ("ms", steps["gpu_bubble"]),
    }
    if plan.side.lanes:
        title = {"dimm": "PIM", "cpu": "CPU"}.get(plan.side.kind, "HBM-PIM")
        out[f"{title} bubble"] = ("ms", steps["side_bubble"])
    if plan.side.link_GBps:
        out["transfers exposed"] = ("ms", steps["exposed"])
        out["transfers hidden"] = ("ms", steps["hidden"])
    if plan.side.classes > 1:
        out["imbalance"] = ("x", steps["imbalance"])
    return out


def summary(plan: ServingPlan, run: Run) -> dict[str, Any]:
    """System-specific figures of a run."""
    length = run.column("duration_ps").astype(np.float64)
    rows = run.column("batch").astype(np.float64)
    decode = rows > 0
    steps = over_steps(plan, run)
    whole = max(1.0, float(length.sum()))
    weight = rows * length
    ready, finished = latencies_ps(plan, run)
    known = finished[finished >= 0] / PS_PER_S
    first = ready[ready >= 0] / PS_PER_S
    out: dict[str, Any] = {
        "replicas": plan.replicas,
        "gpus_per_replica": plan.gpus,
        "requests": len(plan.requests) * plan.replicas,
        "requests_cut": plan.cut * plan.replicas,
        "kv_capacity_tokens": plan.capacity_tokens,
        "kv_bytes_per_token": kv_bytes(plan.model),
        "mean_batch": float(rows[decode].mean()) if decode.any() else 0.0,
        "latency_ms": float(length[decode].mean()) / PS_PER_MS if decode.any() else 0.0,
        "tbt_ms": float(weight.sum() / max(1.0, rows.sum())) / PS_PER_MS,
        "mean_queue": float((run.column("queue") * length).sum() / whole),
        "kv_use": float((run.column("kv_tokens") * length).sum() / whole / plan.capacity_tokens),
        "imbalance": float((steps["imbalance"] * length).sum() / whole),
        "gpu_bubble_share": float(steps["gpu_bubble"].sum() * PS_PER_MS / whole),
        "prefill_only_share": float(length[run.column("kind") == KIND_PREFILL].sum() / whole),
    }
    if plan.side.lanes:
        out["side_bubble_share"] = float(steps["side_bubble"].sum() * PS_PER_MS / whole)
    if plan.side.link_GBps:
        out["transfer_exposed_share"] = float(steps["exposed"].sum() * PS_PER_MS / whole)
        out["transfer_hidden_share"] = float(steps["hidden"].sum() * PS_PER_MS / whole)
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
    assert set(PARTS) <= {name.split("_")[1] for name in out if name.startswith("energy_")}
    return out
