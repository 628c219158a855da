"""A walk through L3: requests served with attention in DIMM-PIM."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from app.tours.base import TRANSPORT, Stop, Tour, busy_share, lanes_of, longest_wait
from app.viewmodels.formatting import bytes_text, percent_text, significant, time_text
from simcore.model import shapes
from simcore.results.run import Run

_STEP = 400


def _plan(run: Run) -> Any:
    """The plan with what only serving systems have."""
    return cast(Any, run.plan)


def _machine(run: Run, _: int) -> str:
    plan = _plan(run)
    gpu = next(device for device in plan.memory if "gpu" in device.id)
    kv = plan.memory[plan.kv_device]
    return (
        f"{plan.model.title}: {bytes_text(shapes.weight_bytes(plan.model))} of weights on "
        f"{plan.gpus} GPUs with {bytes_text(gpu.capacity_bytes)} in all. What limits the batch is "
        "the KV cache, which grows with every token of every request. L3 keeps it in DIMMs that "
        f"compute attention where it is ({kv.title}, {bytes_text(kv.capacity_bytes)})."
    )


def _requests(run: Run, _: int) -> str:
    plan = _plan(run)
    lengths = run.column("duration_ps", 0, _STEP)
    return (
        f"{len(plan.requests):,} requests share this replica ({plan.replicas} in all). A bar of "
        "the slider is an iteration: every request of the batch gets one token, some read a piece "
        f"of their prompt. The first {len(lengths)} take {time_text(float(lengths.mean()))} on "
        "average."
    )


def _batch(run: Run, step: int) -> str:
    batch, queue = int(run.value("batch", step)), int(run.value("queue", step))
    prompt = int(run.value("prompt_tokens", step))
    return (
        f"At this iteration {batch} requests decode together, {queue} wait, and {prompt:,} prompt "
        "tokens are read beside them. A larger batch reads the weights once for more tokens; that "
        "is where throughput comes from."
    )


def _kv(run: Run, step: int) -> str:
    plan = _plan(run)
    held = int(run.value("kv_tokens", step))
    return (
        f"The batch holds {held:,} tokens of KV, {percent_text(held / plan.capacity_tokens)} of "
        f"the room for {plan.capacity_tokens:,}. On the GPUs alone only what the weights leave "
        "over would be there. The bars show what fills each memory."
    )


def _halves(run: Run, step: int) -> str:
    gpu = lanes_of(run, "gpu")
    return (
        "The batch is cut in two. While the DIMMs compute attention for one half, the GPUs do the "
        "matrices of the other, then they change places. In this iteration the GPUs work "
        f"{percent_text(busy_share(run, step, gpu))} of its "
        f"{time_text(run.value('duration_ps', step))}."
    )


def _waits(run: Run, step: int) -> str:
    gpu = lanes_of(run, "gpu")[0]
    wait, share = longest_wait(run, step, gpu)
    return (
        f"What does not fit together is a bubble: here the longest wait of {run.lanes[gpu].title} "
        f"is “{wait}”, {percent_text(share)} of the iteration. Stand on it to see who is waited "
        "for; the scheduler tries to admit requests so that both sides take equally long."
    )


def _load(run: Run, step: int) -> str:
    share = busy_share(run, step, lanes_of(run, "rankset"))
    return (
        "Requests are dealt out to the ranks of the DIMMs; attention is done when the fullest rank "
        f"is. They work {percent_text(share)} of this iteration. Below, every iteration at once: "
        "the share grows with the length of the texts."
    )


def _end(run: Run, _: int) -> str:
    batch = run.column("batch").astype(np.float64)
    length = run.column("duration_ps").astype(np.float64)
    mean = float((batch * length).sum() / max(1.0, length.sum()))
    tokens = int(run.column("tokens").sum(dtype=np.int64))
    rate = tokens / max(1e-12, run.end_ps / 1e12)
    return (
        f"{significant(rate, 4)} tokens/s with {significant(mean, 3)} requests in the batch on "
        "average. Now choose gpu-only as the system, or more requests, and see what the memory of "
        "the GPUs alone allows."
    )


TOUR = Tour(
    "l3",
    "L3 in eight stops",
    "l3-opt-66b",
    (
        Stop("Memory limits the batch", "machine", _machine, step=1),
        Stop("Iterations instead of tokens", TRANSPORT, _requests, step=_STEP),
        Stop("Many requests at once", "figures", _batch, step=_STEP, zoom="run"),
        Stop("What fills the memory", "memory", _kv, step=_STEP),
        Stop("Two halves take turns", "timeline", _halves, step=_STEP, zoom="step"),
        Stop("Bubbles", "timeline", _waits, step=_STEP, zoom="layer", layer=10),
        Stop("Ranks share the work", "load", _load, step=_STEP),
        Stop("Try it", "scenario", _end, step=_STEP, whole=True),
    ),
)
