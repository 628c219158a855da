"""The figures of a run as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.viewmodels.composition import Composition
from app.viewmodels.formatting import (
    bytes_text,
    percent_text,
    rate_text,
    significant,
    time_text,
)
from app.viewmodels.hover import step_name, step_word
from app.viewmodels.load import imbalance_text, load_group, step_load
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import LaneKind
from simcore.results.terms import Fact, facts, prefill_title
from simcore.units import PS_PER_S

_STEP_IMBALANCE = (
    "Busiest over the mean of the devices that share the work, busy time of the whole step, "
    "attention included. Unevenness of single layers evens out in it; the timeline shows it as "
    "wait: imbalance."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    label: str
    value: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together."""

    id: str
    title: str
    rows: tuple[Row, ...]


def throughput(run: Run, length: int) -> Group:
    """Rates and step times over the steps there are."""
    duration = run.column("duration_ps", 0, length).astype(np.float64)
    kind = run.column("kind", 0, length)
    tokens = run.column("tokens", 0, length).astype(np.float64)
    decode = kind != KIND_PREFILL
    total_s = duration.sum() / PS_PER_S
    decode_s = duration[decode].sum() / PS_PER_S
    rows = [
        Row(
            "Tokens/s",
            significant(tokens.sum() / total_s) if total_s else "–",
            "All output tokens over the whole time, prefill inside, as the papers count it.",
        ),
        Row(
            "Tokens/s decode",
            significant(tokens[decode].sum() / decode_s) if decode_s else "–",
            "Output tokens of the decode steps over their time.",
        ),
    ]
    rows += _prefill(run, float(duration[~decode].sum()))
    rows.append(Row("Steps", f"{length:,} of {int(run.total_steps):,}"))
    steps = duration[decode]
    if len(steps):
        p50, p95 = np.percentile(steps, [50, 95])
        rows += [
            Row("Step, mean", time_text(float(steps.mean())), "Decode steps, mean."),
            Row("Step, p50", time_text(float(p50)), "Decode steps, median."),
            Row("Step, p95", time_text(float(p95)), "Decode steps, 95th percentile."),
            Row("Step, max", time_text(float(steps.max())), "Longest decode step."),
        ]
    return Group("run", "Run", tuple(rows))


def _prefill(run: Run, time_ps: float) -> list[Row]:
    """What the steps without any decoding sequence took, by the name it deserves."""
    if not getattr(run.system, "prefills", True):
        return []
    word = step_word(run)
    title = prefill_title(word).capitalize()
    if word == "token":
        return [Row(title, time_text(time_ps), "Time of the prefill.")]
    return [
        Row(
            title,
            time_text(time_ps),
            f"Time of the {word}s in which no sequence decodes. Most prompts are computed in "
            f"{word}s that also decode; their time is not in here.",
        )
    ]


def current_step(run: Run, composition: Composition, step: int) -> Group:
    """The step the cursor is in."""
    duration = int(run.value("duration_ps", step))
    amount = int(run.value("lane_op_bytes", step).sum())
    load = step_load(composition, load_group(run), step)
    return Group(
        "step",
        f"This step: {step_name(run, step)}",
        (
            Row("Duration", time_text(duration)),
            Row("Context", f"{int(run.value('context_tokens', step)):,} tokens"),
            Row("Bytes moved", bytes_text(amount)),
            Row("Step max/mean", imbalance_text(load), _STEP_IMBALANCE),
        ),
    )


def lanes(run: Run, composition: Composition, length: int) -> Group:
    """Busy share, bytes and rate of every lane."""
    busy = composition.busy_share()
    total_ps = float(composition.edges[-1])
    amounts = composition.amounts_at(np.array([total_ps]))[0]
    rows = []
    for index, lane in enumerate(run.lanes):
        share = percent_text(busy[index])
        if busy[index] and not amounts[index]:
            where = ": those of its memory count there" if lane.kind is LaneKind.COMPUTE else ""
            rows.append(Row(lane.title, share, f"moves no bytes itself{where}"))
            continue
        value = f"{share} · {bytes_text(amounts[index], 3)}"
        rate = rate_text(amounts[index], total_ps)
        peak = f"; peak {significant(lane.peak_GBps)} GB/s" if lane.peak_GBps else ""
        rows.append(Row(lane.title, value, f"{rate} on average over the run{peak}"))
    return Group("lanes", "Lanes: busy · bytes", tuple(rows))


def system_figures(run: Run) -> Group | None:
    """What the system itself has to say, such as the predictor's accuracy; None before the end."""
    if run.figures is None:
        return None
    terms = getattr(run.system, "terms", {})
    rows = tuple(
        Row(fact.title, fact.text, _tip(fact))
        for fact in facts(terms, run.figures)
        if isinstance(fact.value, (int, float, str, np.integer, np.floating))
    )
    return Group("system", "Placement and policy", rows) if rows else None


def _tip(fact: Fact) -> str:
    """What is counted, and the whole value where it is shown shortened."""
    value = fact.value
    exact = f"{value:,} B" if fact.term.unit == "B" and isinstance(value, int) else ""
    return "\n".join(part for part in (fact.term.help, exact) if part)
