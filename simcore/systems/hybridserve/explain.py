"""Why a span is as long as it is: formula, numbers, sources."""

from __future__ import annotations

from simcore.results.explain import Explanation, Term
from simcore.results.spans import WAIT_OPS, Spans
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
from simcore.systems.hybridserve.machine import StreamPlan
from simcore.systems.hybridserve.plan import HybridPlan

CACHE_OPS = ("load_kv", "load_act", "regenerate", "recompute")
"""Operations whose length the ratio of the cache decides."""


def ratio_note(plan: HybridPlan, spans: Spans) -> str:
    """One sentence on the ratio and what it balances in this step."""
    work = spans.op < len(plan.ops) - len(WAIT_OPS)
    busy = [
        float(spans.duration_ps[work & (spans.lane == plan.lane_index(lane))].sum())
        for lane in ("pcie_up", "gpu")
    ]
    share, light = float(plan.chosen.share[0]), plan.cache.light_is
    what = "hold activations" if light == "act" else "are computed again from their tokens"
    return (
        f"{share:.1%} of the blocks {what}; in this step the link to the GPU is busy for "
        f"{us(busy[0])}, the GPU for {us(busy[1])}. More of them would shift work from the link "
        "to the GPU (chart ratio)."
    )


def explain(plan: StreamPlan, spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan: the run.
        spans: the step's spans.
        span: index into them.
    """
    op, lane = plan.ops[spans.op[span]], plan.lanes[int(spans.lane[span])]
    heading = heading_of(plan, spans, span)
    if op.reason is not None:
        return explain_wait(plan, spans, span, op.reason)
    if lane.id == "gpu":
        return _gpu(plan, spans, span, heading, op.help)
    return _copy(plan, spans, span, heading, op.help)


def _gpu(plan: StreamPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    gpu, costs = plan.costs.parts.gpu, plan.costs
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    total = float(spans.duration_ps[span])
    read_ps, compute_ps = amount * 1e3 / gpu.bandwidth_GBps, flops / costs.gemm_TFLOPS
    body = max(read_ps, compute_ps)
    launch = max(0.0, total - body)
    bound = "memory bandwidth" if read_ps >= compute_ps else "compute"
    bandwidth, peak = f"{gpu.bandwidth_GBps:g} GB/s", f"{gpu.fp16_TFLOPS:g} TFLOPS"
    share = f"{costs.policy.gemm_share:g}"
    return Explanation(
        title,
        "t = launches + max(bytes / bandwidth, FLOP / (peak * share))",
        f"{us(launch)} + max({us(read_ps)}, {us(compute_ps)}) = {us(total)}",
        "kernel launch" if launch > body else bound,
        (
            Term("bytes", amount_text(amount, "B"), "read from GPU memory"),
            Term("FLOP", amount_text(flops, "FLOP"), "two per multiply-accumulate"),
            *experts_terms(plan, plan.ops[spans.op[span]].id),
            term(plan, "bandwidth", bandwidth, "GPU memory", "hardware.gpu.bandwidth_GBps"),
            term(plan, "peak", peak, "FP16 tensor peak", "hardware.gpu.fp16_TFLOPS"),
            term(plan, "share", share, "of the peak, in matrix products", "policy.gemm_share"),
        ),
        (help,),
        parts=(
            fixed_part(launch, "kernel launch"),
            bandwidth_part(read_ps, gpu.bandwidth_GBps),
            compute_part(compute_ps, gpu.fp16_TFLOPS),
        ),
    )


def _copy(plan: StreamPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    rate = plan.costs.parts.pcie.bandwidth_GBps
    path, what, bound = "hardware.pcie.bandwidth_GBps", "one direction of PCIe", "link"
    staging = getattr(plan.costs.policy, "staging_GBps", None)
    if staging is not None and total > amount * 1e3 / rate + 1e6:
        rate, path, what, bound = staging, "policy.staging_GBps", "copies by the host", "host copy"
    move = amount * 1e3 / rate
    fixed = max(0.0, total - move)
    terms = [
        Term("bytes", amount_text(amount, "B"), "moved"),
        term(plan, "rate", f"{rate:g} GB/s", what, path),
    ]
    if fixed > 1e3:  # less than a nanosecond is rounding
        terms.append(term(plan, "fixed", us(fixed), "synchronisation", "hardware.pcie.sync_us"))
    return Explanation(
        title,
        "t = fixed + bytes / rate",
        f"{us(fixed)} + {us(move)} = {us(total)}",
        "latency" if fixed > move else bound,
        tuple(terms),
        (help,),
        parts=(
            fixed_part(fixed if fixed > 1e3 else 0.0, "latency"),
            bandwidth_part(move, rate, bound=bound, competes=False),
        ),
    )
