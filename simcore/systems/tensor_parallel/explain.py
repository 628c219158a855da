"""Why a span of a tensor-parallel step is as long as it is."""

from __future__ import annotations

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans, WaitReason
from simcore.systems.tensor_parallel.machine import TensorParallelPlan

_REASONS = {
    WaitReason.DEPENDENCY: "it needs the result of",
    WaitReason.SYNC: "the barrier holds until the end of",
    WaitReason.IMBALANCE: "a sister has more of the same work:",
    WaitReason.NO_WORK: "nothing was assigned to it during",
}


def _us(time_ps: float) -> str:
    return f"{time_ps / 1e6:,.3f} µs"


def _term(plan: TensorParallelPlan, symbol: str, value: str, meaning: str, path: str) -> Term:
    return Term(symbol, value, meaning, path, plan.scenario.provenance.get(path))


def explain(plan: TensorParallelPlan, spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan: the run.
        spans: the step's spans.
        span: index into them.
    """
    op, lane = plan.ops[spans.op[span]], int(spans.lane[span])
    layer, total = int(spans.layer[span]), float(spans.duration_ps[span])
    where = f"layer {layer}, " if layer >= 0 else ""
    title = f"{op.title} on {plan.lanes[lane].title} ({where}{_us(total)})"
    if op.reason is not None:
        return _wait(plan, spans, span, title, op.reason)
    if lane < plan.count:
        return _gpu(plan, spans, span, title, op.help)
    return _link(plan, spans, span, title, op.help)


def _wait(
    plan: TensorParallelPlan, spans: Spans, span: int, title: str, reason: WaitReason
) -> Explanation:
    cause = int(spans.cause[span])
    note = "Nothing else bounds this phase."
    if cause >= 0:
        note = (
            f"It waits because {_REASONS.get(reason, 'of')} {plan.ops[spans.op[cause]].title} on "
            f"{plan.lanes[spans.lane[cause]].title}, "
            f"which takes {_us(float(spans.duration_ps[cause]))}."
        )
    return Explanation(title, "wait = end of the cause - own end", note, reason.value)


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
        f"{_us(launch)} + max({_us(read_ps)}, {_us(compute_ps)}) = {_us(total)}",
        "kernel launch" if launch > body else bound,
        (
            Term("bytes", f"{amount:,.0f} B", "weights, or keys and values, of this GPU"),
            Term("FLOP", f"{flops:,.0f}", "two per multiply-accumulate"),
            _term(
                plan,
                "bandwidth",
                f"{gpu.bandwidth_GBps:g} GB/s",
                "GPU memory",
                "hardware.gpu.bandwidth_GBps",
            ),
            _term(
                plan,
                "efficiency",
                f"{policy.memory_efficiency:g}",
                "sustained share of it",
                "policy.memory_efficiency",
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
        ),
        (help,),
    )


def _link(plan: TensorParallelPlan, spans: Spans, span: int, title: str, help: str) -> Explanation:
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    move = amount * 1e3 / plan.policy.link_GBps
    fixed = max(0.0, total - move)
    return Explanation(
        title,
        "t = steps * hop + bytes / bandwidth",
        f"{_us(fixed)} + {_us(move)} = {_us(total)}",
        "latency" if fixed > move else "link",
        (
            Term("bytes", f"{amount:,.0f} B", "over this link, all steps together"),
            Term("steps", f"{plan.count - 1} a round", "the ring has as many links as GPUs"),
            _term(
                plan, "hop", f"{plan.policy.hop_us:g} µs", "one step of the ring", "policy.hop_us"
            ),
            _term(
                plan,
                "bandwidth",
                f"{plan.policy.link_GBps:g} GB/s",
                "NVLink, one direction",
                "policy.link_GBps",
            ),
        ),
        (help,),
    )
