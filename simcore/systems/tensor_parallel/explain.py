"""Why a span of a tensor-parallel step is as long as it is."""

from __future__ import annotations

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans
from simcore.systems.explaining import (
    bandwidth_part,
    compute_part,
    experts_terms,
    explain_wait,
    fixed_part,
    heading_of,
    term,
    us,
)
from simcore.systems.tensor_parallel.machine import TensorParallelPlan


def explain(plan: TensorParallelPlan, spans: Spans, span: int) -> Explanation:
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
    if lane < plan.count:
        return _gpu(plan, spans, span, heading, op.help)
    return _link(plan, spans, span, heading, op.help)


def _gpu(plan: TensorParallelPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    gpu, policy = plan.gpu, plan.policy
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    total = float(spans.duration_ps[span])
    read_ps, compute_ps = amount * 1e3 / plan.read_GBps, flops / gpu.fp16_TFLOPS
    body = max(read_ps, compute_ps)
    launch = max(0.0, total - body)
    bound = "memory bandwidth" if read_ps >= compute_ps else "compute"
    return Explanation(
        title,
        "t = kernels * launch + max(bytes / (bandwidth * efficiency), FLOP / rate)",
        f"{us(launch)} + max({us(read_ps)}, {us(compute_ps)}) = {us(total)}",
        "kernel launch" if launch > body else bound,
        (
            Term("bytes", f"{amount:,.0f} B", "weights, or keys and values, of this GPU"),
            Term("FLOP", f"{flops:,.0f}", "two per multiply-accumulate"),
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
                "efficiency",
                f"{policy.memory_efficiency:g}",
                "sustained share of it",
                "policy.memory_efficiency",
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
        ),
        (help,),
        parts=(
            fixed_part(launch, "kernel launch", "launch", gpu.kernel_launch_us),
            bandwidth_part(read_ps, gpu.bandwidth_GBps),
            compute_part(compute_ps, gpu.fp16_TFLOPS),
        ),
    )


def _link(plan: TensorParallelPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    move = amount * 1e3 / plan.policy.link_GBps
    fixed = max(0.0, total - move)
    return Explanation(
        title,
        "t = steps * hop + bytes / bandwidth",
        f"{us(fixed)} + {us(move)} = {us(total)}",
        "latency" if fixed > move else "link",
        (
            Term("bytes", f"{amount:,.0f} B", "over this link, all steps together"),
            Term("steps", f"{plan.count - 1} a round", "the ring has as many links as GPUs"),
            term(
                plan, "hop", f"{plan.policy.hop_us:g} µs", "one step of the ring", "policy.hop_us"
            ),
            term(
                plan,
                "bandwidth",
                f"{plan.policy.link_GBps:g} GB/s",
                "NVLink, one direction",
                "policy.link_GBps",
            ),
        ),
        (help,),
        parts=(
            fixed_part(fixed, "latency", "hop", plan.policy.hop_us),
            bandwidth_part(move, plan.policy.link_GBps, bound="link", competes=False),
        ),
    )
