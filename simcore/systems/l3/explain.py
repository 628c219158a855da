"""Why an operation of a serving step takes as long as it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simcore.hardware.hbm_pim import passes
from simcore.model.shapes import queries_per_kv_head
from simcore.results.explain import Explanation, Part, Term
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
from simcore.systems.l3.causes import Causes
from simcore.systems.l3.machine import ServingPlan
from simcore.systems.l3.notes import note


def explain(plan: ServingPlan, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step, with its sub-batch or the name of the bubble first.

    Args:
        plan: the run.
        record: the step.
        spans: the step's spans.
        span: index into them.
    """
    found, own = _explain(plan, record, spans, span), note(plan, spans, span)
    return replace(found, notes=(own, *found.notes)) if own else found


def _explain(plan: ServingPlan, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
    op, lane = plan.ops[spans.op[span]], plan.lanes[spans.lane[span]]
    heading = heading_of(plan, spans, span)
    if op.reason is not None:
        return explain_wait(plan, spans, span, op.reason)
    causes = Causes(np.asarray(record["causes"], np.int64)[None], plan.side.classes)
    total = us(float(spans.duration_ps[span]))
    if op.id == "idle":
        return Explanation(heading, "t = next arrival - now", total, "no request", notes=(op.help,))
    if lane.id == "gpu":
        return _gpu(plan, causes, spans, span, heading)
    if lane.group in ("DIMM-PIM", "HBM-PIM", "Host CPU"):
        return _side(plan, causes, spans, span, heading)
    return _link(plan, spans, span, heading)


def _batch(causes: Causes) -> tuple[Term, ...]:
    rows, chunk = causes.half("rows")[0], causes.half("chunk")[0]
    return (
        Term("rows", f"{int(rows[0])} and {int(rows[1])}", "decodes of the two sub-batches"),
        Term("prompt", f"{int(chunk.sum())}", "prompt tokens computed in this step"),
    )


def _gpu(plan: ServingPlan, causes: Causes, spans: Spans, span: int, heading: str) -> Explanation:
    gpu, op = plan.gpu, plan.ops[spans.op[span]]
    amount, flops = float(spans.amount_bytes[span]), float(spans.flops[span])
    total = float(spans.duration_ps[span])
    read = amount * 1e3 / (gpu.bandwidth_GBps * plan.caps.memory * plan.gpus)
    compute = flops / (gpu.fp16_TFLOPS * plan.caps.compute * plan.gpus)
    formula = "t = max(bytes / (GPUs * bandwidth * efficiency * busy), FLOP / (GPUs * rate * cap))"
    bound = "memory bandwidth" if read >= compute else "compute"
    share = read / total if total and read >= compute else 1.0
    if op.id == "norm":
        formula, bound = "t = fixed + passes * rows * width / bandwidth", "kernel launches"
    result = f"max({us(read)} / {share:.3f}, {us(compute)}) = {us(total)}"
    parts: tuple[Part, ...] = (
        bandwidth_part(read / share if share else read, gpu.bandwidth_GBps),
        compute_part(compute, gpu.fp16_TFLOPS),
    )
    if op.id == "norm":
        parts = ()  # its fixed part is not recorded apart
    notes = [op.help]
    if op.id == "attention":
        longest = int(causes.half("longest")[0].max())
        notes.append(
            f"A thread block reads one head of one request; the longest context has {longest:,} "
            "tokens, and the kernel ends with its blocks."
        )
    return Explanation(
        heading,
        formula,
        result,
        bound,
        (
            *_batch(causes),
            Term("bytes", f"{amount:,.0f} B", "weights, or keys and values"),
            Term("FLOP", f"{flops:,.0f}", "two per multiply-accumulate"),
            *experts_terms(plan, op.id if op.id == "mlp" else ""),
            Term("busy", f"{share:.3f}", "share of multiprocessors that blocks keep busy"),
            term(
                plan,
                "bandwidth",
                f"{gpu.bandwidth_GBps:g} GB/s",
                "memory of one GPU",
                "hardware.gpu.bandwidth_GBps",
            ),
            term(
                plan,
                "efficiency",
                f"{plan.caps.memory:g}",
                "sustained share of it",
                "policy.memory_efficiency",
            ),
            term(
                plan,
                "rate",
                f"{gpu.fp16_TFLOPS:g} TFLOPS",
                "FP16 peak of one GPU",
                "hardware.gpu.fp16_TFLOPS",
            ),
        ),
        tuple(notes),
        parts=parts,
    )


def _side(plan: ServingPlan, causes: Causes, spans: Spans, span: int, heading: str) -> Explanation:
    side, op = plan.side, plan.ops[spans.op[span]]
    total = float(spans.duration_ps[span])
    if op.id != "attention":
        return Explanation(
            heading,
            "t = transfer * share of this rankset",
            f"{us(total / side.share)} * {side.share:.3g} = {us(total)}",
            "link",
            (Term("share", f"{side.share:.3g}", "of the transfer in which it stops computing"),),
            (op.help,),
        )
    tokens = (total - side.fixed_ps) / side.token_ps if side.token_ps else 0.0
    shown: list[Term] = list(_batch(causes))
    shown.append(Term("tokens", f"{tokens:,.0f}", "times head groups, on the slowest rank"))
    # Bank units of many stacks take less than a picosecond for a token.
    each = f"{side.token_ps / 1e3:,.4g} ns"
    shown.append(Term("t_token", each, "one token of one head group on one rank"))
    path = {
        "dimm": "hardware.dimm_pim.efficiency",
        "hbm": "hardware.hbm_pim.efficiency",
        "ext": "hardware.hbm_pim.efficiency",
        "cpu": "policy.host_efficiency",
    }[side.kind]
    group, name = path.split(".")[0], path.split(".")[-1]
    owner = (
        plan.policy if group == "policy" else getattr(plan.scenario.hardware, path.split(".")[1])
    )
    peak = f"{side.peak_GBps:,.0f} GB/s"
    shown.append(Term("bandwidth", peak, f"{plan.lanes[spans.lane[span]].title}, inside t_token"))
    shown.append(term(plan, "efficiency", f"{getattr(owner, name):g}", "inside t_token", path))
    hbm = plan.scenario.hardware.hbm_pim
    if hbm is not None and side.kind in ("hbm", "ext") and hbm.queries_per_read:
        again = passes(hbm, queries_per_kv_head(plan.model))
        where = "hardware.hbm_pim.queries_per_read"
        shown.append(term(plan, "reads", f"{again}", "of every key and value", where))
    fixed = f"{us(side.fixed_ps)} + " if side.fixed_ps else ""
    return Explanation(
        heading,
        "t = fixed + tokens of the slowest rank * t_token",
        f"{fixed}{tokens:,.0f} * {each} = {us(total)}",
        "memory bandwidth",
        tuple(shown),
        (op.help,),
        parts=(
            fixed_part(side.fixed_ps, "latency"),
            bandwidth_part(total - side.fixed_ps, side.peak_GBps, competes=False),
        ),
    )


def _link(plan: ServingPlan, spans: Spans, span: int, heading: str) -> Explanation:
    op, lane = plan.ops[spans.op[span]], plan.lanes[spans.lane[span]]
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    if op.id == "all_reduce":
        move = amount * 1e3 / plan.nvlink.bandwidth_GBps
        hops = (
            term(
                plan, "hop", f"{plan.nvlink.hop_us:g} µs", "one of N - 1", "hardware.nvlink.hop_us"
            ),
            term(
                plan,
                "bandwidth",
                f"{plan.nvlink.bandwidth_GBps:g} GB/s",
                "one GPU, one direction",
                "hardware.nvlink.bandwidth_GBps",
            ),
        )
        return Explanation(
            heading,
            "t = (N - 1) * hop + bytes / bandwidth",
            f"{us(total - move)} + {us(move)} = {us(total)}",
            "latency" if total > 2 * move else "link",
            (Term("bytes", f"{amount:,.0f} B", "over each link"), *hops),
            (op.help,),
            parts=(
                fixed_part(total - move, "latency", "hop", plan.nvlink.hop_us),
                bandwidth_part(move, plan.nvlink.bandwidth_GBps, bound="link", competes=False),
            ),
        )
    rate = amount * 1e3 / total if total else 0.0
    return Explanation(
        heading,
        "t = bytes / bandwidth",
        f"{amount:,.0f} B / {rate:,.1f} GB/s = {us(total)}",
        "link",
        (
            Term("bytes", f"{amount:,.0f} B", "moved"),
            Term("bandwidth", f"{lane.peak_GBps:g} GB/s", f"{lane.title}, all GPUs of a replica"),
        ),
        (op.help,),
        parts=(bandwidth_part(total, lane.peak_GBps, bound="link"),) if amount else (),
    )
