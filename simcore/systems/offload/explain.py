"""Why a span of an offloading system is as long as it is: formula, numbers, sources."""

from __future__ import annotations

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans, WaitReason
from simcore.systems.offload.machine import GPU, OffloadPlan

_REASONS = {
    WaitReason.DEPENDENCY: "it needs the result of",
    WaitReason.LINK_BUSY: "the link is used by",
    WaitReason.SYNC: "the barrier holds until the end of",
    WaitReason.IMBALANCE: "a sister has more of the same work:",
    WaitReason.MEMORY_FULL: "room must be made by",
    WaitReason.NO_WORK: "nothing was assigned to it during",
}


def _us(time_ps: float) -> str:
    return f"{time_ps / 1e6:,.3f} µs"


def _amount(value: float, unit: str) -> str:
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:,.3f} {prefix}{unit}"
    return f"{value:,.0f} {unit}"


def _term(plan: OffloadPlan, symbol: str, value: str, meaning: str, path: str) -> Term:
    return Term(symbol, value, meaning, path, plan.scenario.provenance.get(path))


def explain(plan: OffloadPlan, spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan: the run.
        spans: the step's spans.
        span: index into them.
    """
    op, lane = plan.ops[spans.op[span]], int(spans.lane[span])
    layer = int(spans.layer[span])
    where = f"layer {layer}, " if layer >= 0 else ""
    total = float(spans.duration_ps[span])
    title = f"{op.title} on {plan.lanes[lane].title} ({where}{_us(total)})"
    if op.reason is not None:
        return _wait(plan, spans, span, title, op.reason)
    if lane == GPU:
        return _gpu(plan, spans, span, title, op.help)
    return _copy(plan, spans, span, title, op.id, op.help)


def _wait(
    plan: OffloadPlan, spans: Spans, span: int, title: str, reason: WaitReason
) -> Explanation:
    cause = int(spans.cause[span])
    if cause < 0:
        note = "Nothing else bounds this phase."
    else:
        other = plan.ops[spans.op[cause]].title
        lane = plan.lanes[spans.lane[cause]].title
        note = (
            f"It waits because {_REASONS[reason]} {other} on {lane}, "
            f"which takes {_us(float(spans.duration_ps[cause]))}."
        )
    return Explanation(title, "wait = end of the cause - own end", note, reason.value)


def _gpu(plan: OffloadPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    gpu = plan.gpu
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    total = float(spans.duration_ps[span])
    read_ps, compute_ps = amount * 1e3 / gpu.bandwidth_GBps, flops / gpu.fp16_TFLOPS
    body = max(read_ps, compute_ps)
    issue = max(0.0, total - body)
    bound = "memory bandwidth" if read_ps >= compute_ps else "compute"
    return Explanation(
        title,
        "t = kernels * (dispatch + launch) + max(bytes / bandwidth, FLOP / rate)",
        f"{_us(issue)} + max({_us(read_ps)}, {_us(compute_ps)}) = {_us(total)}",
        "kernel launch" if issue > body else bound,
        (
            Term("bytes", _amount(amount, "B"), "read from GPU memory"),
            Term("FLOP", _amount(flops, "FLOP"), "two per multiply-accumulate"),
            _term(
                plan,
                "bandwidth",
                f"{gpu.bandwidth_GBps:g} GB/s",
                "GPU memory",
                "hardware.gpu.bandwidth_GBps",
            ),
            _term(
                plan,
                "rate",
                f"{gpu.fp16_TFLOPS:g} TFLOPS",
                "FP16 tensor peak",
                "hardware.gpu.fp16_TFLOPS",
            ),
            _term(
                plan,
                "launch",
                f"{gpu.kernel_launch_us:g} µs",
                "kernel launch",
                "hardware.gpu.kernel_launch_us",
            ),
            _term(
                plan,
                "dispatch",
                f"{plan.policy.dispatch_us:g} µs",
                "framework time of one kernel",
                "policy.dispatch_us",
            ),
        ),
        (help,),
    )


def _copy(
    plan: OffloadPlan, spans: Spans, span: int, title: str, op: str, help: str
) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    rate = _rate(plan, op, amount, total)
    move = amount * 1e3 / rate
    fixed = max(0.0, total - move)
    limited_by_host = rate < plan.link_GBps
    terms = [Term("bytes", _amount(amount, "B"), "moved")]
    if amount and limited_by_host:
        terms.append(
            _term(
                plan,
                "staging",
                f"{plan.staging_GBps:g} GB/s",
                "the host filling copy buffers",
                "policy.staging_GBps",
            )
        )
    if amount:
        terms.append(
            _term(
                plan,
                "link",
                f"{plan.link_GBps:g} GB/s",
                "one direction of PCIe",
                "hardware.pcie.bandwidth_GBps",
            )
        )
    if fixed > 1e3:  # less than a nanosecond is rounding
        terms.append(_fixed(plan, op, fixed))
    turns = amount > 0 and rate == plan.on_demand_GBps
    bound = "host copy" if limited_by_host else "link"
    return Explanation(
        title,
        "t = fixed + bytes / rate" + ("; 1 / rate = 1 / staging + 1 / link" if turns else ""),
        f"{_us(fixed)} + {_us(move)} = {_us(total)}",
        "latency" if fixed > move else bound,
        tuple(terms),
        (help,),
    )


def _rate(plan: OffloadPlan, op: str, amount: float, total: float) -> float:
    """Rate of a copy; one the GPU waits for takes longer than one made ahead."""
    if op in ("ask", "tokens"):
        return plan.link_GBps
    on_demand = op in ("issue", "fetch") or total >= amount * 1e3 / plan.on_demand_GBps
    return plan.on_demand_GBps if on_demand else plan.stream_GBps


def _fixed(plan: OffloadPlan, op: str, fixed: float) -> Term:
    """What a copy costs beside its bytes."""
    if op in ("fetch", "issue"):
        path, meaning = "policy.copy_call_us", "one call for each piece"
    elif op == "hooks":
        path, meaning = "policy.hook_us", "hooks around each module"
    else:
        path, meaning = "hardware.pcie.sync_us", "synchronisation"
    return _term(plan, "fixed", _us(fixed), meaning, path)
