"""Every figure of a run that a published number may be compared with.

Definitions where the papers leave one open:

- ``mlp_latency_s``: time of the MLP phase (prediction, both sides, transfers, the wait for the
  slower side) summed over the layers of a token; mean over every eighth token.
- ``window_imbalance``: cold MLP load of the busiest DIMM over the mean of all, minus 1. The load
  is the neurons a DIMM computes in one layer in a whole window of tokens, after the first remap;
  mean over layers and windows, weighted by load.
- ``fixed_imbalance_min``, ``_max``: load of the busiest DIMM over the mean of the others, per
  layer over a window; smallest and largest of all layers and windows.
- ``communication_share``: time in which data moves between host and GPU, or is prepared for it,
  on any link or by the host, over the whole time; what computation hides is in it.
- ``predict_share``: prediction over the whole time; ``predict_compute_share``: over the busy time
  of everything that computes, prediction included, data movement not.
- ``remap_share``, ``remap_host_share``: time of moving cold neurons over the whole time. Pairs of
  DIMMs move side by side over the DIMM-links (busiest link counts); through the host they follow
  each other at `HOST_PATH_GBps` and hide behind nothing, so their time is added to the run.
- ``solver_s``: time the solver took for the offline placement, when and where it was solved.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import LaneKind, Spans
from simcore.results.totals import Totals, totals
from simcore.units import PS_PER_S

LINK_GBPS_OF_PAPER = 25.0
LINK_OVER_HOST = 62.0
HOST_PATH_GBps = LINK_GBPS_OF_PAPER / LINK_OVER_HOST
"""DIMM to DIMM through the host (derived: Hermes, Table II and section V: 25 GB/s, 62 times)."""

_SAMPLE = 8

Flags = NDArray[np.bool_]


def run_figures(run: Run, names: Collection[str] | None = None) -> dict[str, float]:
    """Figures of a finished run by name; a figure that means nothing for the system is absent.

    Args:
        run: the run.
        names: what is wanted; the figures for which every eighth step is laid out are left out if
            they are not named. None for all.
    """
    sums = totals(run)
    whole = max(1, sums.duration_ps)
    decode_steps = int((run.column("kind") != KIND_PREFILL).sum())
    out = {
        "tokens_per_s": sums.tokens * PS_PER_S / whole,
        "decode_tokens_per_s": sums.decode_tokens * PS_PER_S / max(1, sums.decode_ps),
        "duration_s": sums.duration_ps / PS_PER_S,
        "prefill_share": sums.prefill_ps / whole,
        "decode_share": sums.decode_ps / whole,
        "step_s": sums.decode_ps / PS_PER_S / max(1, decode_steps),
    }
    out |= _lane_figures(run, sums)
    if names is None or "communication_share" in names:
        out["communication_share"] = _communication(run, sums) / whole
    out |= _moved(run, sums)
    if names is None or "mlp_latency_s" in names:
        out |= _mlp_latency(run)
    out |= _imbalance(run)
    offline = getattr(run.plan, "offline", None)
    if offline is not None and offline.solution is not None:
        out["solver_s"] = offline.solution.seconds
    system = cast(Any, run.system)
    for name, value in system.summary(run.plan, run).items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            out[f"summary.{name}"] = float(value)
    return {name: value for name, value in out.items() if np.isfinite(value)}


def _lane_figures(run: Run, sums: Totals) -> dict[str, float]:
    """Shares of time and of computation."""
    work = np.array([not op.is_wait for op in run.ops])
    predicts = np.array([op.category == "predict" for op in run.ops])
    busy = sums.lane_op_ps[:, work].sum(axis=1)
    predict_ps = sums.lane_op_ps[:, predicts].sum(axis=1)
    predict = float(predict_ps.sum())
    computes = np.array([lane.kind is LaneKind.COMPUTE for lane in run.lanes])
    computing = float(busy[computes].sum() + predict_ps[~computes].sum())
    dimm = np.array([lane.group == "DIMM" for lane in run.lanes])
    whole = max(1, sums.duration_ps)
    out = {
        "predict_share": predict / whole,
        "predict_compute_share": predict / max(1.0, computing),
    }
    first = int((run.column("kind") == KIND_PREFILL).sum())
    decode = totals(run, first).lane_op_flops.sum(axis=1)
    if dimm.any() and decode.sum() > 0:
        out["dimm_compute_share"] = float(decode[dimm].sum() / decode.sum())
    return out


def _communication(run: Run, sums: Totals) -> float:
    """Time in which data moves, from the prefill and every eighth token."""
    moves = np.array([op.category in ("transfer", "weights", "migration") for op in run.ops])
    outside = np.array([lane.kind is not LaneKind.COMPUTE for lane in run.lanes])
    prefill = run.column("kind") == KIND_PREFILL
    total = 0.0
    for steps, whole in (
        (np.flatnonzero(prefill), sums.prefill_ps),
        (np.flatnonzero(~prefill)[::_SAMPLE], sums.decode_ps),
    ):
        moving = length = 0
        for step in steps:
            spans = run.spans(int(step))
            mine = moves[spans.op] & outside[spans.lane]
            moving += _covered(spans.start_ps[mine], spans.end_ps[mine])
            length += int(run.value("duration_ps", int(step)))
        total += whole * moving / max(1, length)
    return total


def _covered(start: NDArray[np.int64], end: NDArray[np.int64]) -> int:
    """Length of the union of intervals."""
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    before = np.maximum.accumulate(np.concatenate([[0], end[:-1]])) if len(end) else end
    return int(np.maximum(0, end - np.maximum(start, before)).sum())


def _moved(run: Run, sums: Totals) -> dict[str, float]:
    """Shares of time spent moving cold neurons between DIMMs."""
    remaps = [index for index, op in enumerate(run.ops) if op.id == "remap"]
    if not remaps:
        return {}
    time = float(sums.lane_op_ps[:, remaps].sum(axis=1).max())
    through_host = float(sums.lane_op_bytes[:, remaps].sum()) * 1e3 / HOST_PATH_GBps
    whole = max(1.0, float(sums.duration_ps))
    return {
        "remap_share": time / whole,
        "remap_host_share": through_host / (whole + through_host),
    }


def _mlp_latency(run: Run) -> dict[str, float]:
    """Mean time of the MLP phases of a token."""
    steps = np.flatnonzero(run.column("kind") != KIND_PREFILL)[::_SAMPLE]
    work = np.array([op.category == "mlp" for op in run.ops])
    if not len(steps) or not work.any():
        return {}
    opens = np.array([op.category == "predict" for op in run.ops])
    follows = np.array([op.id in ("gather", "merge") for op in run.ops])
    total = sum(_mlp_of_step(run.spans(int(step)), work, opens, follows) for step in steps)
    return {"mlp_latency_s": total / len(steps) / PS_PER_S}


def _mlp_of_step(spans: Spans, work: Flags, opens: Flags, follows: Flags) -> int:
    """Time of the MLP phases of all layers of a step.

    A phase begins with the last prediction of its layer, or the first MLP operation if nothing is
    predicted. It ends when the results are gathered or merged, or with the last MLP operation.
    """
    layers = int(spans.layer.max(initial=-1)) + 1
    inside = spans.layer >= 0
    never = np.iinfo(np.int64).max
    first, last = np.full(layers, never), np.full(layers, -1, np.int64)
    mine = inside & work[spans.op]
    np.minimum.at(first, spans.layer[mine], spans.start_ps[mine])
    np.maximum.at(last, spans.layer[mine], spans.end_ps[mine])
    begin = np.full(layers, -1, np.int64)
    mine = inside & opens[spans.op]
    np.maximum.at(begin, spans.layer[mine], spans.start_ps[mine])
    begin = np.where(begin < 0, first, begin)
    mine = inside & follows[spans.op]
    earliest = np.maximum(begin, last)
    mine[mine] = spans.start_ps[mine] >= earliest[spans.layer[mine]]
    end = np.full(layers, never)
    np.minimum.at(end, spans.layer[mine], spans.start_ps[mine])
    end = np.where(end == never, last, end)
    return int((end - begin)[(begin < never) & (end > begin)].sum())


def _imbalance(run: Run) -> dict[str, float]:
    """Load of the DIMMs over windows of tokens."""
    policy = run.scenario.policy
    window = int(getattr(policy, "window_tokens", 0) or 0)
    if "n_dimm" not in run.column_names or not window:
        return {}
    counts = run.column("n_dimm")
    if counts.ndim != 4 or counts.shape[-1] < 2:
        return {}
    load: NDArray[np.float64] = counts[1:, :, -1, :].astype(np.float64)  # decode, MLP
    windows = len(load) // window
    if windows < 2:
        return {}
    load = load[: windows * window].reshape(windows, window, *load.shape[1:]).sum(axis=1)
    total, top = load.sum(axis=-1), load.max(axis=-1)
    out: dict[str, float] = {}
    if total[1:].sum() > 0:
        mean = total[1:] / load.shape[-1]
        out["window_imbalance"] = float((top[1:] - mean).sum() / mean.sum())
    others = (total - top) / (load.shape[-1] - 1)
    if (others > 0).any():
        ratio = top[others > 0] / others[others > 0]
        out["fixed_imbalance_min"] = float(ratio.min())
        out["fixed_imbalance_max"] = float(ratio.max())
    return out
