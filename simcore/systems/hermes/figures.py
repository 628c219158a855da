"""Figures of a Hermes run: predictor quality, imbalance, migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.results.terms import Term
from simcore.systems.hermes.plan import HermesPlan
from simcore.systems.hermes.study import MEASURES, PREDICTORS, predictor_study

Floats = NDArray[np.float64]


def _ratio(top: Any, bottom: Any) -> Floats:
    """Top / bottom, 0 where there is nothing below."""
    top, bottom = np.asarray(top, np.float64), np.asarray(bottom, np.float64)
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def imbalance(plan: HermesPlan, run: Run) -> Floats:
    """Most loaded DIMM over the mean, by bytes of cold work, summed over FC layers; per step."""
    sizes = np.array([b.neuron_bytes for b in plan.space.blocks], np.float64)
    work = run.column("n_dimm").astype(np.float64) * sizes[:, None]
    return _ratio(work.max(axis=-1).sum(axis=(1, 2)), work.mean(axis=-1).sum(axis=(1, 2)))


def _moved_bytes(plan: HermesPlan, run: Run, column: str) -> Floats:
    """Bytes moved in each step, from a column of neuron counts by layer and block."""
    counts = run.column(column)
    per_block = counts.reshape(*counts.shape[:3], -1).sum(axis=(1, 3))
    sizes = np.array([b.neuron_bytes for b in plan.space.blocks], np.int64)
    return (per_block @ sizes).astype(np.float64)


def series(plan: HermesPlan, run: Run) -> Mapping[str, tuple[str, Any]]:
    """Figures over the steps."""
    active = run.column("active").sum(axis=(1, 2), dtype=np.int64)
    predicted = run.column("predicted").sum(axis=(1, 2), dtype=np.int64)
    hits = run.column("hits").sum(axis=(1, 2), dtype=np.int64)
    on_gpu = run.column("n_gpu").sum(axis=(1, 2), dtype=np.int64)
    wrong = active + predicted - 2 * hits
    decode = active > 0
    return {
        "DIMM imbalance by FC layer": ("max/mean", imbalance(plan, run)),
        "active neurons": ("share", active / plan.space.neurons),
        "predictor recall": ("share", _ratio(hits, active)),
        "predictor precision": ("share", _ratio(hits, predicted)),
        "predictor accuracy": ("share", np.where(decode, 1 - wrong / plan.space.neurons, 0.0)),
        "work on GPU": ("share", _ratio(on_gpu, predicted)),
        "copied to GPU": ("MB", _moved_bytes(plan, run, "swap_in") / 1e6),
        "remapped between DIMMs": ("MB", _moved_bytes(plan, run, "remap") / 1e6),
    }


def _predictors(plan: HermesPlan, run: Run) -> Mapping[str, Any]:
    """Every predictor's mean over time, and its quality layer by layer."""
    study = predictor_study(plan, run)
    result: dict[str, Any] = {}
    for name in PREDICTORS if len(study.steps) else ():
        over_time, by_layer = study.over_time[name], study.by_layer[name]
        result[name] = {m: float(getattr(over_time, m).mean()) for m in MEASURES}
        result[name]["by_layer"] = {m: getattr(by_layer, m).round(6).tolist() for m in MEASURES}
    return result


def _partition(plan: HermesPlan) -> Mapping[str, Any]:
    """How the offline placement was found; the same on every computer."""
    offline, solution = plan.offline, plan.offline.solution
    result: dict[str, Any] = {"method": offline.method, "note": offline.note}
    if np.isfinite(offline.expected_ps):
        result["expected_ms"] = offline.expected_ps / 1e9
    if solution is not None:
        result["variables"] = solution.variables
        result["bound_ms"] = solution.bound_ps / 1e9
        result["gap"] = solution.gap
    return result


_BY_LAYER = (
    "{} over the decode steps of: bytes of cold work on the fullest DIMM of each FC layer, summed, "
    "over the same sum of the mean DIMM. Not the busy time of a whole step."
)
TERMS: Mapping[str, Term] = {
    "hot_neurons": Term("neurons on the GPU", "", "Placed there before the run."),
    "hot_share": Term("neurons on the GPU", "share", "Share of all neurons of the model."),
    "hot_room_bytes": Term("GPU memory for hot neurons", "B"),
    "partition.method": Term("offline placement", "", "How the first placement was found."),
    "partition.note": Term("offline placement, in words"),
    "partition.expected_ms": Term("expected step of the placement", "ms"),
    "partition.bound_ms": Term("no placement is faster than", "ms", "The solver's bound."),
    "partition.gap": Term("gap of the placement", "share", "Above the solver's bound."),
    "partition.variables": Term("variables of the program"),
    "active_share": Term("active neurons", "share", "Of all neurons, a sequence and step."),
    "work_on_gpu_share": Term("active neurons on the GPU", "share"),
    "predictor_accuracy": Term("predictor accuracy", "share", "Neurons predicted right."),
    "predictor_recall": Term("predictor recall", "share", "Active neurons that were predicted."),
    "predictor_precision": Term("predictor precision", "share", "Predicted neurons that fired."),
    "trivial_accuracy": Term(
        "accuracy of predicting nothing", "share", "What a predictor must beat to be of use."
    ),
    "imbalance": Term("imbalance by FC layer", "x", _BY_LAYER.format("Mean")),
    "imbalance_max": Term("imbalance by FC layer, max", "x", _BY_LAYER.format("Largest")),
    "swap_bytes": Term("moved by adjustment", "B", "Neurons that turned hot, to the GPU."),
    "swap_neurons": Term("neurons moved by adjustment"),
    "remap_bytes": Term("moved by remapping", "B", "Between DIMMs, over the DIMM-links."),
    "remap_neurons": Term("neurons moved by remapping"),
}


def summary(plan: HermesPlan, run: Run) -> Mapping[str, Any]:
    """The `placement` part of `run --json`; means over the decode steps."""
    steps = len(run)
    decode = run.column("kind") == 1 if steps else np.zeros(0, np.bool_)
    hot = sum(
        int(np.bitwise_count(plan.placement.gpu[:, b.words]).sum(dtype=np.int64))
        for b in plan.space.blocks
    )
    result: dict[str, Any] = {
        "neurons": plan.space.neurons,
        "hot_neurons": hot,
        "hot_share": hot / plan.space.neurons,
        "hot_room_bytes": plan.hot_room_bytes,
        "activations": plan.note,
        "partition": _partition(plan),
    }
    if not decode.any():
        return result
    figures = series(plan, run)
    keys = {
        "active_share": "active neurons",
        "work_on_gpu_share": "work on GPU",
        "predictor_accuracy": "predictor accuracy",
        "predictor_recall": "predictor recall",
        "predictor_precision": "predictor precision",
        "imbalance": "DIMM imbalance by FC layer",
    }
    for key, name in keys.items():
        result[key] = float(figures[name][1][decode].mean())
    result["trivial_accuracy"] = 1.0 - result["active_share"]
    result["predictors"] = _predictors(plan, run)
    result["imbalance_max"] = float(figures["DIMM imbalance by FC layer"][1][decode].max())
    for key, column in (("swap", "swap_in"), ("remap", "remap")):
        moved = _moved_bytes(plan, run, column)[decode]
        result[f"{key}_bytes"] = int(moved.sum())
        result[f"{key}_neurons"] = int(run.column(column)[decode].sum(dtype=np.int64))
    return result
