"""Why a span of Hermes is as long as it is: formula, numbers, sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simcore.results.explain import Explanation, Term
from simcore.results.spans import Spans
from simcore.systems.explaining import (
    amount_text,
    bandwidth_part,
    compute_part,
    explain_wait,
    fixed_part,
    heading_of,
    term,
    us,
)
from simcore.systems.hermes.machine import MachinePlan


def explain(plan: MachinePlan, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan, record: the step.
        spans: the step's spans.
        span: index into them.
    """
    op = plan.ops[spans.op[span]]
    lane = plan.lanes[spans.lane[span]]
    heading = heading_of(plan, spans, span)
    if op.reason is not None:
        return explain_wait(plan, spans, span, op.reason)
    notes = (op.help,) if op.help else ()
    if lane.group == "GPU":
        return _gpu(plan, spans, span, heading, notes)
    if lane.group == plan.units.group:
        return _unit(plan, spans, span, heading, notes, op.id)
    return _link(plan, spans, span, heading, notes, lane.group)


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
        f"{plan.gpu.kernel_launch_us:g} µs + max({us(read_ps)}, {us(compute_ps)})"
        f" = {us(float(spans.duration_ps[span]))}",
        bound,
        (
            Term("bytes", amount_text(amount, "B"), "weights read from GPU memory"),
            Term("FLOP", amount_text(flops, "FLOP"), "two per multiply-accumulate"),
            term(
                plan,
                "bandwidth",
                f"{plan.gpu.bandwidth_GBps:g} GB/s",
                "GPU memory",
                "hardware.gpu.bandwidth_GBps",
            ),
            term(
                plan,
                "rate",
                f"{plan.gpu.fp16_TFLOPS:g} TFLOPS",
                "FP16 tensor peak",
                "hardware.gpu.fp16_TFLOPS",
            ),
            term(
                plan,
                "launch",
                f"{plan.gpu.kernel_launch_us:g} µs",
                "kernel launch",
                "hardware.gpu.kernel_launch_us",
            ),
        ),
        notes,
        parts=(
            fixed_part(
                plan.gpu.kernel_launch_us * 1e6,
                "kernel launch",
                "launch",
                plan.gpu.kernel_launch_us,
            ),
            bandwidth_part(read_ps, plan.gpu.bandwidth_GBps),
            compute_part(compute_ps, plan.gpu.fp16_TFLOPS),
        ),
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
            f"{flops:,.0f} / {units.vector_Gops:g} G/s = {us(total)}",
            "compute",
            (
                Term("elements", f"{flops:,.0f}", "values added by this unit"),
                term(plan, "rate", f"{units.vector_Gops:g} G/s", source.meaning, source.path),
            ),
            notes,
            parts=(compute_part(total, units.vector_Gops, "G/s"),),
        )
    bandwidth, rate = units.bandwidth_GBps, units.rate_GMACps
    read_ps, compute_ps = amount * 1e3 / bandwidth, flops / 2 * 1e3 / rate
    if units.overlaps:
        formula, body = "t = max(bytes / bandwidth, MACs / rate)", max(read_ps, compute_ps)
        pieces = f"max({us(read_ps)}, {us(compute_ps)})"
    else:
        formula, body = "t = bytes / bandwidth + MACs / rate", read_ps + compute_ps
        pieces = f"{us(read_ps)} + {us(compute_ps)}"
    if op == "attention":
        formula += " + softmax"
        pieces += f" + {us(max(0.0, total - body))}"
    what = {"attention": "keys and values read"}.get(op, "weights read")
    read, multiply = units.source("bandwidth"), units.source("rate")
    return Explanation(
        title,
        formula,
        f"{pieces} = {us(total)}",
        "memory bandwidth" if read_ps >= compute_ps else "compute",
        (
            Term("bytes", amount_text(amount, "B"), what),
            Term("MACs", amount_text(flops / 2, "MAC"), "multiply-accumulates"),
            term(plan, "bandwidth", f"{bandwidth:.1f} GB/s", read.meaning, read.path),
            term(plan, "rate", f"{rate:.1f} GMAC/s", multiply.meaning, multiply.path),
        ),
        notes,
        parts=(
            fixed_part(max(0.0, total - body) if op == "attention" else 0.0, "softmax"),
            bandwidth_part(read_ps, bandwidth, competes=units.overlaps),
            replace(compute_part(compute_ps, rate, "GMAC/s"), competes=units.overlaps),
        ),
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
        Term("bytes", amount_text(amount, "B"), "moved"),
        term(plan, "bandwidth", f"{rate:g} GB/s", what, path),
    ]
    if group != "Host":
        knob = "hardware.pcie.sync_us" if group == "PCIe" else "hardware.dimm_link.latency_us"
        terms.append(term(plan, "fixed", us(fixed), "synchronisation or hop", knob))
    return Explanation(
        title,
        "t = fixed + bytes / bandwidth",
        f"{us(fixed)} + {us(move_ps)} = {us(total)}",
        "latency" if fixed > move_ps else "link",
        tuple(terms),
        notes,
        parts=(
            fixed_part(fixed, "latency"),
            bandwidth_part(move_ps, rate, bound="link", competes=False),
        ),
    )
