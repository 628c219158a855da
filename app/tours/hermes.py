"""A walk through Hermes on the scenario the program starts with."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from app.tours.base import TRANSPORT, Stop, Tour, busy_share, lanes_of, longest_wait
from app.viewmodels.formatting import bytes_text, percent_text, significant, time_text
from simcore.model import shapes
from simcore.results.run import Run
from simcore.results.totals import totals
from simcore.units import PS_PER_S

_STEP = 20
_LAYER = 40
_FIRST_EDIT = "hardware.ndp_dimms.count"


def _plan(run: Run) -> Any:
    """The plan with what only Hermes has."""
    return cast(Any, run.plan)


def _machine(run: Run, _: int) -> str:
    plan = _plan(run)
    card = plan.memory[0]
    return (
        f"{plan.model.title} has {bytes_text(shapes.weight_bytes(plan.model))} of weights, "
        f"{card.title} {bytes_text(card.capacity_bytes)} of memory. Fetching the rest over PCIe "
        f"for every token would be slow, so Hermes leaves it in {plan.units.count} DIMMs that can "
        "compute: only small vectors travel."
    )


def _tokens(run: Run, _: int) -> str:
    first = int(run.value("duration_ps", 0))
    decode = run.column("duration_ps", 1).mean()
    prompt = run.scenario.workload.prompt_tokens
    return (
        f"Each bar is a step. The first, prefill, reads the prompt of {prompt} tokens in "
        f"{time_text(first)}; then every bar is one token, {time_text(float(decode))} on average "
        "so far. Click a bar to go there, press Space to play."
    )


def _placement(run: Run, _: int) -> str:
    plan = _plan(run)
    hot = int(np.bitwise_count(plan.placement.gpu).sum(dtype=np.int64))
    share = plan.space.weigh(plan.placement.gpu) / shapes.weight_bytes(plan.model)
    return (
        f"Every column is a neuron, every row a layer. Before the run {hot:,} of "
        f"{plan.space.neurons:,} neurons, those that fire most often, were put on the GPU "
        f"({percent_text(share)} of the weights); the cold ones are dealt out to the DIMMs. Zoom "
        "in with the wheel to see single neurons."
    )


def _sparse(run: Run, step: int) -> str:
    plan = _plan(run)
    active = int(run.value("active", step).sum(dtype=np.int64))
    on_gpu = int(run.value("n_gpu", step).sum(dtype=np.int64))
    read = on_gpu + int(run.value("n_dimm", step).sum(dtype=np.int64))
    return (
        f"For this token only {percent_text(active / plan.space.neurons)} of the neurons fire; "
        "ReLU makes all others zero, so nobody reads their weights. "
        f"{percent_text(on_gpu / max(1, read))} of what is read is on the GPU, though it holds far "
        "fewer neurons: hot ones fire again and again."
    )


def _predicted(run: Run, step: int) -> str:
    predicted = int(run.value("predicted", step).sum(dtype=np.int64))
    active = int(run.value("active", step).sum(dtype=np.int64))
    hits = int(run.value("hits", step).sum(dtype=np.int64))
    return (
        "Which neurons will fire must be known before they are computed. A table of 4-bit states "
        f"and what fires in the layer below predict {predicted:,} neurons here; {hits:,} of the "
        f"{active:,} that fire are among them ({percent_text(hits / max(1, active))}). A missed "
        "neuron is lost, a false alarm costs a read."
    )


def _layer(run: Run, step: int) -> str:
    spans = run.spans(step)
    mine = spans.layer == _LAYER
    length = int(spans.end_ps[mine].max() - spans.start_ps[mine].min())
    return (
        f"One layer, {time_text(length)} long. GPU and DIMMs each compute their predicted neurons "
        "at the same time; the partial results are brought together, attention runs in the DIMMs, "
        "where the KV cache is, and the dense projection on the GPU. Click a span: "
        "Explain has the formula behind its length."
    )


def _waits(run: Run, step: int) -> str:
    gpu = lanes_of(run, "gpu")[0]
    wait, share = longest_wait(run, step, gpu)
    return (
        f"No gap is without a reason. The GPU works {percent_text(busy_share(run, step, [gpu]))} "
        f"of this token's time; its longest wait is “{wait}”, {percent_text(share)}. Stand on a "
        "gap and an arrow shows what it waits for."
    )


def _load(run: Run, step: int) -> str:
    units = run.value("n_dimm", step).astype(np.float64)  # (layers, blocks, DIMMs)
    worst = float(units.max(axis=2).sum()) / max(1.0, float(units.mean(axis=2).sum()))
    return (
        "A layer is done when its slowest DIMM is. Layer by layer, the fullest of "
        f"{units.shape[2]} DIMMs reads {significant(worst, 4)} times the mean number of neurons in "
        "this token. Below, every step at once: streaks are DIMMs that stay busier than others."
    )


def _adjust(run: Run, step: int) -> str:
    moved = int(run.column("swap_in", 1).sum(dtype=np.int64))
    here = int(run.value("swap_in", step).sum(dtype=np.int64))
    return (
        f"Neurons turn hot and cold while text goes on. Hermes swaps them for one another while "
        f"the GPU is busy with projections, when PCIe is free: {here:,} before this token, "
        f"{moved:,} in the run so far."
    )


def _remap(run: Run, _: int) -> str:
    window = run.scenario.policy.window_tokens
    moved = run.column("remap", 1).reshape(max(1, len(run) - 1), -1).sum(axis=1, dtype=np.int64)
    times = int((moved > 0).sum())
    return (
        f"After every {window} tokens each pair of DIMMs evens out what it has to do: neurons of "
        f"the fuller one cross the DIMM-link. So far {int(moved.sum()):,} neurons moved, in "
        f"{times} of {len(moved)} steps. The lanes of the DIMM-links show when."
    )


def _bandwidth(run: Run, step: int) -> str:
    dimms = lanes_of(run, "dimm")
    moved = run.value("lane_op_bytes", step)[dimms].sum()
    rate = float(moved) / int(run.value("duration_ps", step)) * 1e3
    peak = sum(run.lanes[i].peak_GBps for i in dimms)
    return (
        f"Decoding is bound by memory. In this token all DIMMs together deliver "
        f"{significant(rate, 3)} GB/s of {significant(peak, 4)} GB/s, without a byte of it "
        "crossing PCIe; dashed lines are peaks. Faster memory helps only where a lane is close to "
        "its peak."
    )


def _end(run: Run, _: int) -> str:
    sums = totals(run)
    rate = sums.tokens * PS_PER_S / max(1, sums.duration_ps)
    return (
        f"{significant(rate, 4)} tokens/s from prompt to end. Now change something: the number of "
        "DIMMs or the window in the Scenario form, and the run is made again at once. "
        "Compare > Freeze the run as A keeps this one to compare with; Undo takes every change "
        "back."
    )


TOUR = Tour(
    "hermes",
    "Hermes in twelve stops",
    "hermes-llama2-70b",
    (
        Stop("A model larger than its GPU", "machine", _machine, step=1),
        Stop("Prefill, then token by token", TRANSPORT, _tokens, step=1),
        Stop("Hot and cold neurons", "placement", _placement, step=1),
        Stop("Few neurons fire", "placement", _sparse, step=_STEP),
        Stop("Predict before you compute", "metrics", _predicted, step=_STEP),
        Stop("GPU and DIMMs side by side", "timeline", _layer, _STEP, "layer", _LAYER),
        Stop("Why somebody waits", "timeline", _waits, step=_STEP, zoom="step"),
        Stop("The slowest DIMM sets the pace", "load", _load, step=_STEP),
        Stop("Swaps while PCIe is free", "timeline", _adjust, _STEP, "layer", _LAYER),
        Stop("Evening out the DIMMs", "timeline", _remap, _STEP, "run", reveal="link"),
        Stop("What memory delivers", "bandwidth", _bandwidth, step=_STEP, zoom="run"),
        Stop("Try it", "scenario", _end, _STEP, whole=True, reveal=_FIRST_EDIT),
    ),
)
