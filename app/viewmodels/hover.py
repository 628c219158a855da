"""Texts for tips: what a span, a lane or a step is, with units."""

from __future__ import annotations

from app.theme.tokens import CATEGORY_TITLES, COLOUR_KEYS
from app.viewmodels.composition import Composition
from app.viewmodels.formatting import (
    bytes_text,
    percent_text,
    rate_text,
    significant,
    time_text,
)
from app.viewmodels.keys import OP_KEYS
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.results.text import step_token, visible


def token_number(run: Run, step: int) -> int:
    """Number of the token a step makes; without a prefill the first step makes the first one."""
    return step + (int(run.value("kind", 0)) != KIND_PREFILL)


def step_word(run: Run) -> str:
    """What a step after the prefill is called: ``token`` or ``iteration``."""
    return str(getattr(run.system, "step_word", "token"))


def step_name(run: Run, step: int) -> str:
    """``prefill`` or ``token 12``; ``iteration 12`` where requests come and go."""
    word = step_word(run)
    if word != "token":
        return f"{word} {step}"
    if int(run.value("kind", step)) == KIND_PREFILL:
        return "prefill"
    name = f"token {token_number(run, step)}"
    text = step_token(run, step)
    return name if text is None else f"{name} “{visible(text)}”"


def span_text(run: Run, spans: Spans, step: int, span: int) -> str:
    """What a span is, how long, how much it moves or what it waits for."""
    op = run.ops[int(spans.op[span])]
    lane = run.lanes[int(spans.lane[span])]
    duration = int(spans.end_ps[span] - spans.start_ps[span])
    layer = int(spans.layer[span])
    where = step_name(run, step) + (f" · layer {layer}" if layer >= 0 else "")
    lines = [f"{op.title} — {lane.title}", f"{where} · {time_text(duration)}"]
    note = run.system.note(run.plan, spans, span)
    if note:
        lines.append(note)
    amount, flops = int(spans.amount_bytes[span]), int(spans.flops[span])
    if amount:
        peak = f" of {significant(lane.peak_GBps)} GB/s" if lane.peak_GBps else ""
        lines.append(f"{bytes_text(amount)} at {rate_text(amount, duration)}{peak}")
    if flops:
        lines.append(f"{flops / 1e9:,.3f} GFLOP")
    cause = int(spans.cause[span])
    if cause >= 0:
        other = run.ops[int(spans.op[cause])]
        device = run.lanes[int(spans.lane[cause])]
        lines.append(f"waits for: {other.title} on {device.title}")
    elif op.help:
        lines.append(op.help)
    return "\n".join(lines)


def step_text(run: Run, composition: Composition, step: int, lane: int) -> str:
    """What a lane did over a whole step."""
    totals = composition.step_totals(step)[lane]
    duration = max(float(run.value("duration_ps", step)), 1.0)
    head = f"{run.lanes[lane].title} — {step_name(run, step)} · {time_text(duration)}"
    busy = totals[:OP_KEYS].sum() / duration
    lines = [head, f"busy {percent_text(busy)}"]
    for key in totals.argsort()[::-1][:5]:
        if totals[key] > 0:
            title = CATEGORY_TITLES[COLOUR_KEYS[key]]
            share = percent_text(totals[key] / duration)
            lines.append(f"{title}: {time_text(totals[key])} ({share})")
    return "\n".join(lines)


def lane_text(run: Run, composition: Composition, lane: int) -> str:
    """What a lane is and how busy it was so far."""
    what = run.lanes[lane]
    busy = composition.busy_share()[lane]
    peak = f"\npeak {significant(what.peak_GBps)} GB/s" if what.peak_GBps else ""
    return f"{what.title} ({what.kind.value}){peak}\nbusy {percent_text(busy)} of the run"
