"""Why a span of H2M2 is as long as it is, and why heads are shared out as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcore.hardware.npu import drain_cycles, tiles
from simcore.results.explain import Explanation, Part, Term
from simcore.results.spans import Spans
from simcore.systems.explaining import (
    amount_text,
    bandwidth_part,
    experts_terms,
    explain_wait,
    fixed_part,
    heading_of,
    term,
    us,
)
from simcore.systems.h2m2.curves import MappingCurve, mapping_curve
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import (
    HBM,
    LPDDR,
    SUBLAYER_TITLES,
    H2M2Plan,
    Kernel,
    vectors_of_an_expert,
)

_NAMES = ("HBM", "LPDDR")
_MEMORIES = ("hbm", "lpddr")
_CHIPS = ("hbm_npu", "lpddr_npu")


def explain(plan: H2M2Plan, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
    """The explanation of one span of a step.

    Args:
        plan, record: the step.
        spans: the step's spans.
        span: index into them.
    """
    op, lane = plan.ops[spans.op[span]], plan.lanes[spans.lane[span]]
    heading = heading_of(plan, spans, span)
    if op.reason is not None:
        return explain_wait(plan, spans, span, op.reason)
    if op.id in ("softmax", "norm"):
        return _vector(plan, record, spans, span, heading, lane.id)
    if op.id in {kernel.id for kernel in plan.kernels}:
        return _chip(plan, record, spans, span, heading, lane.id, op.id)
    if op.id == "walk":
        return _walk(plan, record, spans, span, heading, lane.id)
    if op.id in ("launch", "solve"):
        return _fixed(plan, spans, span, heading, op.id)
    return _bytes(plan, record, spans, span, heading, lane.id)


def why(curve: MappingCurve, units: int) -> tuple[str, ...]:
    """Sentences on the mapping of a sublayer: both sides at the chosen and at the best split."""

    def sides(n: int) -> str:
        hbm, lpddr = float(curve.hbm_ps[n]), float(curve.lpddr_ps[n])
        return f"T_HBM({n}) = {us(hbm)}, T_LPDDR({units - n}) = {us(lpddr)}"

    longer = _NAMES[int(curve.lpddr_ps[curve.chosen] > curve.hbm_ps[curve.chosen])]
    notes = [
        f"{curve.chosen} of {units} are on the HBM side: {sides(curve.chosen)}; "
        f"the {longer} side decides.",
    ]
    if curve.optimum != curve.chosen:
        notes.append(f"The best mapping of all sublayers takes {sides(curve.optimum)}.")
    if curve.balanced != curve.chosen:
        fits = "fits" if bool(curve.fits[curve.balanced]) else "does not fit beside the others"
        notes.append(f"Alone it would be fastest with {sides(curve.balanced)}; that {fits}.")
    return tuple(notes)


def _kernel(plan: H2M2Plan, op: str) -> Kernel:
    return next(kernel for kernel in plan.kernels if kernel.id == op)


def _notes(plan: H2M2Plan, record: Mapping[str, Any], kernel: Kernel) -> tuple[str, ...]:
    """The bound of both sides, and why the sublayer is split so."""
    if not plan.split or plan.policy.mapping == "naive":
        return ()
    curve = mapping_curve(plan, record, kernel.sublayer)
    title = SUBLAYER_TITLES[kernel.sublayer]
    return (f"Mapping of {title}:", *why(curve, plan.units))


def _side(lane: str) -> int:
    return LPDDR if lane.startswith(("c1", "lpddr")) else HBM


def _chip(
    plan: H2M2Plan,
    record: Mapping[str, Any],
    spans: Spans,
    span: int,
    title: str,
    lane: str,
    op: str,
) -> Explanation:
    """A kernel on the array or the trees of a chip."""
    kernel, side = _kernel(plan, op), _side(lane)
    chip, total = plan.parts.chips[side], float(spans.duration_ps[span])
    macs = float(spans.flops[span]) / 2
    path = f"hardware.{_CHIPS[side]}"
    terms = [
        Term("MACs", amount_text(macs, "MAC"), "multiply-accumulates of this chip"),
        term(plan, "cores", f"{chip.cores}", "cores of the chip", f"{path}.cores"),
        term(plan, "clock", f"{chip.clock_GHz:g} GHz", "clock", f"{path}.clock_GHz"),
    ]
    if kernel.is_attention:
        trees = chip.cores * chip.mv_units
        formula = "t = GEMV cycles of all heads and sequences / trees / clock"
        cycles = total * chip.clock_GHz / 1e3
        result = f"{cycles * trees:,.0f} / {trees} / {chip.clock_GHz:g} GHz = {us(total)}"
        terms.append(
            Term(
                "GEMV",
                f"M * ceil(K / {chip.mv_width}) + {drain_cycles(chip)} cycles",
                "logits: M = tokens, K = head width; weighted sum: the other way round",
            )
        )
    else:
        cost = plan.costs_of(kernel)[side]
        rounds = total * chip.clock_GHz / 1e3 / cost.cycles
        formula = "t = ceil(tiles / cores) * cycles of a tile / clock"
        result = f"{rounds:,.1f} * {cost.cycles} / {chip.clock_GHz:g} GHz = {us(total)}"
        if plan.split and plan.policy.mapping != "naive":
            n = int(record["mapping"][kernel.sublayer])
            mine = Kernels(plan).outputs(kernel, n, side)
            count = int(tiles(chip, kernel.inputs, mine))
            each = " of each expert" if kernel.experts else ""
            terms.append(Term("tiles", f"{count:,}", f"weight tiles of this side{each}"))
        terms.append(
            term(
                plan,
                "cycles",
                f"{cost.cycles} on the {'array' if cost.unit == 'mm' else 'trees'}",
                f"{_vectors(plan, kernel)}: array {cost.mm_cycles}, trees {cost.mv_cycles}",
                "policy.tile_model",
            )
        )
        if kernel.experts:
            terms += experts_terms(plan, "mlp")
    reading = float(_longest_read(plan, spans, span))
    return Explanation(
        title,
        formula,
        result,
        "memory bandwidth" if reading > total else "compute",
        tuple(terms),
        _notes(plan, record, kernel),
        parts=(
            Part("compute", total, "clock", chip.clock_GHz, "GHz"),
            bandwidth_part(reading, plan.bandwidth_GBps[side]),
        ),
    )


def _vectors(plan: H2M2Plan, kernel: Kernel) -> str:
    """How many vectors a weight tile is multiplied with, in words."""
    if not kernel.experts:
        return f"{plan.batch} vectors"
    return f"{vectors_of_an_expert(plan.model, plan.batch)} vectors of an expert"


def _longest_read(plan: H2M2Plan, spans: Spans, span: int) -> int:
    """The longest time in ps that the memory of a side reads for a kernel; 0 for none."""
    side = _side(plan.lanes[spans.lane[span]].id)
    reads = [plan.op_index("read_weights"), plan.op_index("read_kv")]
    if _MEMORIES[side] not in {lane.id for lane in plan.lanes}:
        return 0
    memory = plan.lane_index(_MEMORIES[side])
    beside = (
        (spans.lane == memory)
        & np.isin(spans.op, reads)
        & (spans.start_ps < spans.end_ps[span])
        & (spans.end_ps > spans.start_ps[span])
    )
    return int(spans.duration_ps[beside].max(initial=0))


def _vector(
    plan: H2M2Plan, record: Mapping[str, Any], spans: Spans, span: int, title: str, lane: str
) -> Explanation:
    side = _side(lane)
    chip, total = plan.parts.chips[side], float(spans.duration_ps[span])
    lanes = chip.vector_lanes * chip.cores
    visits = total * chip.clock_GHz / 1e3 * lanes
    return Explanation(
        title,
        "t = elements * passes / (lanes * cores) / clock",
        f"{visits:,.0f} / {lanes} / {chip.clock_GHz:g} GHz = {us(total)}",
        "compute",
        (
            term(
                plan,
                "lanes",
                f"{chip.vector_lanes}",
                "elements of a core in a cycle",
                f"hardware.{_CHIPS[side]}.vector_lanes",
            ),
        ),
        ("It follows the kernel's arithmetic, which it does not overlap.",),
        parts=(Part("compute", total, "clock", chip.clock_GHz, "GHz"),),
    )


def _walk(
    plan: H2M2Plan, record: Mapping[str, Any], spans: Spans, span: int, title: str, lane: str
) -> Explanation:
    mmu, side = plan.parts.mmu, _side(lane)
    total = float(spans.duration_ps[span])
    each = mmu.miss_ns * 1e3 / mmu.walkers
    misses = total / each if each else 0.0
    return Explanation(
        title,
        "t = misses * time of a walk / walkers",
        f"{misses:,.0f} * {mmu.miss_ns:g} ns / {mmu.walkers} = {us(total)}",
        "translation",
        (
            term(plan, "walk", f"{mmu.miss_ns:g} ns", "one walk", "hardware.mmu.miss_ns"),
            term(plan, "walkers", f"{mmu.walkers}", "walks at once", "hardware.mmu.walkers"),
            term(plan, "page", f"{mmu.page_KiB} KiB", "size", "hardware.mmu.page_KiB"),
            Term(
                "misses of the step",
                f"{int(record['tlb_misses'][side]):,}",
                f"on the {_NAMES[side]} side, {mmu.tlb_entries} translations kept",
            ),
        ),
        parts=(fixed_part(total, "translation", "time of a walk", mmu.miss_ns / 1e3),),
    )


def _fixed(plan: H2M2Plan, spans: Spans, span: int, title: str, op: str) -> Explanation:
    total = float(spans.duration_ps[span])
    path = "policy.launch_us" if op == "launch" else "policy.solver_us"
    what = "barrier passed, next kernel started" if op == "launch" else "mapping solver"
    bound = "latency" if op == "launch" else "host"
    terms = (term(plan, "t", us(total), what, path),)
    return Explanation(title, "t = a fixed time", us(total), bound, terms)


def _bytes(
    plan: H2M2Plan, record: Mapping[str, Any], spans: Spans, span: int, title: str, lane: str
) -> Explanation:
    """Bytes over a memory or a link."""
    op = plan.ops[spans.op[span]]
    amount, total = float(spans.amount_bytes[span]), float(spans.duration_ps[span])
    if lane.startswith("hbm"):
        rate, path = plan.bandwidth_GBps[HBM], "hardware.hbm.bandwidth_GBps"
    elif lane == "lpddr":
        rate, path = plan.bandwidth_GBps[LPDDR], "hardware.lpddr.bandwidth_GBps"
    elif lane.startswith("ring"):
        rate, path = plan.policy.hbm8_link_GBps, "policy.hbm8_link_GBps"
    else:
        rate, path = plan.parts.link.bandwidth_GBps, "hardware.chip_link.bandwidth_GBps"
    move = amount * 1e3 / rate
    fixed = max(0.0, total - move)
    notes: tuple[str, ...] = (op.help,)
    computing = 0.0
    is_link = lane in ("link",) or lane.startswith("ring")
    if op.id in ("read_weights", "read_kv"):
        kernel, computing = _reading(plan, spans, span)
        if computing > total:
            notes += (f"The chip computes longer than this memory reads: {us(computing)}.",)
        if plan.split:
            notes += _notes(plan, record, kernel)
    return Explanation(
        title,
        "t = fixed + bytes / bandwidth",
        f"{us(fixed)} + {us(move)} = {us(total)}",
        "latency" if fixed > move else "link" if is_link else "memory bandwidth",
        (
            Term("bytes", amount_text(amount, "B"), "read, written or moved"),
            term(plan, "bandwidth", f"{rate:g} GB/s", "sustained", path),
            Term("fixed", us(fixed), "latency, hops, or translations dropped for moved pages"),
        ),
        notes,
        parts=(
            fixed_part(fixed, "latency"),
            bandwidth_part(move, rate, bound="link" if is_link else "memory bandwidth"),
            Part("compute of the chip", computing if computing < total else 0.0),
        ),
    )


def _reading(plan: H2M2Plan, spans: Spans, span: int) -> tuple[Kernel, float]:
    """The kernel a memory reads for, computed at the same time, and its longest time on a chip."""
    ids = {plan.op_index(kernel.id): kernel for kernel in plan.kernels}
    beside = (
        np.isin(spans.op, list(ids))
        & (spans.layer == spans.layer[span])
        & (spans.start_ps < spans.end_ps[span])
        & (spans.end_ps > spans.start_ps[span])
    )
    found = np.flatnonzero(beside)
    if not len(found):
        return plan.kernels[0], 0.0
    side = "c1" if plan.lanes[spans.lane[span]].id == "lpddr" else "c0"
    mine = [i for i in found if plan.lanes[spans.lane[i]].id.startswith(side)]
    longest = max((float(spans.duration_ps[i]) for i in mine), default=0.0)
    return ids[int(spans.op[found[0]])], longest
