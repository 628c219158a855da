"""Why a span of Hermes is as long as it is: formula, numbers, sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans, WaitReason
from simcore.systems.hermes.machine import MachinePlan

_REASONS = {
    WaitReason.DEPENDENCY: "It needs the result of {other}.",
    WaitReason.LINK_BUSY: "The link is used by {other}.",
    WaitReason.SYNC: "All lanes start the next phase together; {other} is the last to end.",
    WaitReason.IMBALANCE: "{other} does the same work and has more of it.",
    WaitReason.MEMORY_FULL: "{other} must make room first.",
    WaitReason.NO_WORK: "This phase has no work for it; the phase lasts until {other} ends.",
}


def _us(time_ps: float) -> str:
    return f"{time_ps / 1e6:,.3f} µs"


def _amount(value: float, unit: str) -> str:
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:,.3f} {prefix}{unit}"
    return f"{value:,.0f} {unit}"


def _term(plan: MachinePlan, symbol: str, value: str, meaning: str, path: str) -> Term:
    return Term(symbol, value, meaning, path, plan.scenario.provenance.get(path))


def explain(plan: MachinePlan, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan, record: the step.
        spans: the step's spans.
        span: index into them.
    """
    op = plan.ops[spans.op[span]]
    lane = plan.lanes[spans.lane[span]]
    layer = int(spans.layer[span])
    where = f"layer {layer}, " if layer >= 0 else ""
    title = f"{op.title} on {lane.title} ({where}{_us(float(spans.duration_ps[span]))})"
    if op.reason is not None:
        return _wait(plan, spans, span, title, op.reason)
    notes = (op.help,) if op.help else ()
    if lane.group == "GPU":
        return _gpu(plan, spans, span, title, notes)
    if lane.group == plan.units.group:
        return _unit(plan, spans, span, title, notes, op.id)
    return _link(plan, spans, span, title, notes, lane.group)


def _wait(
    plan: MachinePlan, spans: Spans, span: int, title: str, reason: WaitReason
) -> Explanation:
    cause = int(spans.cause[span])
    if cause < 0:
        return Explanation(title, "no op bounds this wait", "", reason.value)
    other = plan.ops[spans.op[cause]].title
    lane = plan.lanes[spans.lane[cause]].title
    start, end = float(spans.start_ps[span]), float(spans.end_ps[span])
    takes = _us(float(spans.duration_ps[cause]))
    return Explanation(
        title,
        f"wait = end of {other} on {lane} - end of the lane's own work",
        f"{_us(end)} - {_us(start)} = {_us(end - start)} (from the start of the step)",
        reason.value,
        notes=(_REASONS[reason].format(other=f"{other} on {lane} ({takes})"),),
    )


def _gpu(
    plan: MachinePlan, spans: Spans, span: int, title: str, notes: tuple[str, ...]
) -> Explanation:
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    read_ps = amount * 1e3 / plan.gpu.bandwidth_GBps
    compute_ps = flops / plan.gpu.fp16_TFLOPS
    bound = "memory bandwidth" if read_ps >= compute_ps else "compute"
    if max(read_ps, compute_ps) < plan.gpu.kernel_launch_us * 1e6:
        bound = "kernel launch"
    return Explanation(
        title,
        "t = launch + max(bytes / bandwidth, FLOP / rate)",
        f"{plan.gpu.kernel_launch_us:g} µs + max({_us(read_ps)}, {_us(compute_ps)})"
        f" = {_us(float(spans.duration_ps[span]))}",
        bound,
        (
            Term("bytes", _amount(amount, "B"), "weights read from GPU memory"),
            Term("FLOP", _amount(flops, "FLOP"), "two per multiply-accumulate"),
            _term(
                plan,
                "bandwidth",
                f"{plan.gpu.bandwidth_GBps:g} GB/s",
                "GPU memory",
                "hardware.gpu.bandwidth_GBps",
            ),
            _term(
                plan,
                "rate",
                f"{plan.gpu.fp16_TFLOPS:g} TFLOPS",
                "FP16 tensor peak",
                "hardware.gpu.fp16_TFLOPS",
            ),
            _term(
                plan,
                "launch",
                f"{plan.gpu.kernel_launch_us:g} µs",
                "kernel launch",
                "hardware.gpu.kernel_launch_us",
            ),
        ),
        notes,
    )


def _unit(
    plan: MachinePlan, spans: Spans, span: int, title: str, notes: tuple[str, ...], op: str
) -> Explanation:
    units = plan.units
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    total = float(spans.duration_ps[span])
    if op == "merge":
        source = units.source("vector")
        return Explanation(
            title,
            "t = elements / rate",
            f"{flops:,.0f} / {units.vector_Gops:g} G/s = {_us(total)}",
            "compute",
            (
                Term("elements", f"{flops:,.0f}", "values added by this unit"),
                _term(plan, "rate", f"{units.vector_Gops:g} G/s", source.meaning, source.path),
            ),
            notes,
        )
    bandwidth, rate = units.bandwidth_GBps, units.rate_GMACps
    read_ps, compute_ps = amount * 1e3 / bandwidth, flops / 2 * 1e3 / rate
    if units.overlaps:
        formula, body = "t = max(bytes / bandwidth, MACs / rate)", max(read_ps, compute_ps)
        pieces = f"max({_us(read_ps)}, {_us(compute_ps)})"
    else:
        formula, body = "t = bytes / bandwidth + MACs / rate", read_ps + compute_ps
        pieces = f"{_us(read_ps)} + {_us(compute_ps)}"
    if op == "attention":
        formula += " + softmax"
        pieces += f" + {_us(max(0.0, total - body))}"
    what = {"attention": "keys and values read"}.get(op, "weights read")
    read, multiply = units.source("bandwidth"), units.source("rate")
    return Explanation(
        title,
        formula,
        f"{pieces} = {_us(total)}",
        "memory bandwidth" if read_ps >= compute_ps else "compute",
        (
            Term("bytes", _amount(amount, "B"), what),
            Term("MACs", _amount(flops / 2, "MAC"), "multiply-accumulates"),
            _term(plan, "bandwidth", f"{bandwidth:.1f} GB/s", read.meaning, read.path),
            _term(plan, "rate", f"{rate:.1f} GMAC/s", multiply.meaning, multiply.path),
        ),
        notes,
    )


def _link(
    plan: MachinePlan, spans: Spans, span: int, title: str, notes: tuple[str, ...], group: str
) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    rate, path, what = (
        plan.host.cache_GBps,
        "hardware.host.cache_GBps",
        "predictor tables in cache",
    )
    if group == "PCIe":
        rate, path, what = plan.pcie.bandwidth_GBps, "hardware.pcie.bandwidth_GBps", "PCIe"
    elif plan.link and group == "DIMM-link":
        rate, path = plan.link.bandwidth_GBps, "hardware.dimm_link.bandwidth_GBps"
        what = "one link"
    move_ps = amount * 1e3 / rate
    fixed = max(0.0, total - move_ps)
    terms = [
        Term("bytes", _amount(amount, "B"), "moved"),
        _term(plan, "bandwidth", f"{rate:g} GB/s", what, path),
    ]
    if group != "Host":
        knob = "hardware.pcie.sync_us" if group == "PCIe" else "hardware.dimm_link.latency_us"
        terms.append(_term(plan, "fixed", _us(fixed), "synchronisation or hop", knob))
    return Explanation(
        title,
        "t = fixed + bytes / bandwidth",
        f"{_us(fixed)} + {_us(move_ps)} = {_us(total)}",
        "latency" if fixed > move_ps else "link",
        tuple(terms),
        notes,
    )
