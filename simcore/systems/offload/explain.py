"""Why a span of an offloading system is as long as it is: formula, numbers, sources."""

from __future__ import annotations

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans
from simcore.systems.explaining import (
    amount_text,
    bandwidth_part,
    compute_part,
    experts_terms,
    explain_wait,
    fixed_part,
    heading_of,
    term,
    us,
)
from simcore.systems.offload.machine import GPU, OffloadPlan


def explain(plan: OffloadPlan, spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan: the run.
        spans: the step's spans.
        span: index into them.
    """
    op, lane = plan.ops[spans.op[span]], int(spans.lane[span])
    heading = heading_of(plan, spans, span)
    if op.reason is not None:
        return explain_wait(plan, spans, span, op.reason)
    if lane == GPU:
        return _gpu(plan, spans, span, heading, op.help)
    return _copy(plan, spans, span, heading, op.id, op.help)


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
        f"{us(issue)} + max({us(read_ps)}, {us(compute_ps)}) = {us(total)}",
        "kernel launch" if issue > body else bound,
        (
            Term("bytes", amount_text(amount, "B"), "read from GPU memory"),
            Term("FLOP", amount_text(flops, "FLOP"), "two per multiply-accumulate"),
            *experts_terms(plan, plan.ops[spans.op[span]].id),
            term(
                plan,
                "bandwidth",
                f"{gpu.bandwidth_GBps:g} GB/s",
                "GPU memory",
                "hardware.gpu.bandwidth_GBps",
            ),
            term(
                plan,
                "rate",
                f"{gpu.fp16_TFLOPS:g} TFLOPS",
                "FP16 tensor peak",
                "hardware.gpu.fp16_TFLOPS",
            ),
            term(
                plan,
                "launch",
                f"{gpu.kernel_launch_us:g} µs",
                "kernel launch",
                "hardware.gpu.kernel_launch_us",
            ),
            term(
                plan,
                "dispatch",
                f"{plan.policy.dispatch_us:g} µs",
                "framework time of one kernel",
                "policy.dispatch_us",
            ),
        ),
        (help,),
        parts=(
            fixed_part(issue, "kernel launch"),
            bandwidth_part(read_ps, gpu.bandwidth_GBps),
            compute_part(compute_ps, gpu.fp16_TFLOPS),
        ),
    )


def _copy(
    plan: OffloadPlan, spans: Spans, span: int, title: str, op: str, help: str
) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    rate = _rate(plan, op, amount, total)
    move = amount * 1e3 / rate
    fixed = max(0.0, total - move)
    limited_by_host = rate < plan.link_GBps
    terms = [Term("bytes", amount_text(amount, "B"), "moved")]
    if amount and limited_by_host:
        terms.append(
            term(
                plan,
                "staging",
                f"{plan.staging_GBps:g} GB/s",
                "the host filling copy buffers",
                "policy.staging_GBps",
            )
        )
    if amount:
        terms.append(
            term(
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
        f"{us(fixed)} + {us(move)} = {us(total)}",
        "latency" if fixed > move else bound,
        tuple(terms),
        (help,),
        parts=(
            fixed_part(fixed if fixed > 1e3 else 0.0, "latency"),
            bandwidth_part(move, rate, bound=bound, competes=False),
        ),
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
    return term(plan, "fixed", us(fixed), meaning, path)
