"""What the explanations of all systems share: amounts as text, sourced terms, waits."""

from __future__ import annotations

from simcore.model.shapes import EXPERTS_SOURCE
from simcore.results.explain import Explanation, Part, Term
from simcore.results.run import Plan
from simcore.results.spans import Spans, WaitReason

_REASONS = {
    WaitReason.DEPENDENCY: "It needs the result of {other}.",
    WaitReason.LINK_BUSY: "The link is used by {other}.",
    WaitReason.SYNC: "All lanes start the next phase together; {other} is the last to end.",
    WaitReason.IMBALANCE: "{other} does the same work and has more of it.",
    WaitReason.MEMORY_FULL: "{other} must make room first.",
    WaitReason.NO_WORK: "This phase has no work for it; the phase lasts until {other} ends.",
}


def us(time_ps: float) -> str:
    """A time as text."""
    return f"{time_ps / 1e6:,.3f} µs"


def amount_text(value: float, unit: str) -> str:
    """An amount with a decimal prefix."""
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:,.3f} {prefix}{unit}"
    return f"{value:,.0f} {unit}"


def term(plan: Plan, symbol: str, value: str, meaning: str, path: str) -> Term:
    """A number of the scenario with its source."""
    return Term(symbol, value, meaning, path, plan.scenario.provenance.get(path))


def experts_terms(plan: Plan, op: str) -> tuple[Term, ...]:
    """How many experts of a mixture an operation reads, for those that compute the MLP."""
    model = plan.scenario.model
    if model.experts == 1 or op not in ("mlp", "prefill", "recompute"):
        return ()
    meaning = "experts a token picks; T tokens are expected to read E * (1 - (1 - k/E)^T) of them"
    value = f"{model.experts_per_token} of {model.experts}"
    return (Term("k, E", value, meaning, "model.experts_per_token", EXPERTS_SOURCE),)


def heading_of(plan: Plan, spans: Spans, span: int) -> str:
    """Operation, lane, layer and length of a span."""
    layer = int(spans.layer[span])
    where = f"layer {layer}, " if layer >= 0 else ""
    op, lane = plan.ops[spans.op[span]].title, plan.lanes[spans.lane[span]].title
    return f"{op} on {lane} ({where}{us(float(spans.duration_ps[span]))})"


def explain_wait(plan: Plan, spans: Spans, span: int, reason: WaitReason) -> Explanation:
    """What a wait waits for, with the times of both."""
    cause = int(spans.cause[span])
    heading = heading_of(plan, spans, span)
    if cause < 0:
        return Explanation(heading, "no op bounds this wait", "", reason.value)
    other = f"{plan.ops[spans.op[cause]].title} on {plan.lanes[spans.lane[cause]].title}"
    start, end = float(spans.start_ps[span]), float(spans.end_ps[span])
    length = float(spans.duration_ps[cause])
    takes, waited = us(length), end - start
    return Explanation(
        heading,
        f"wait = end of {other} - end of the lane's own work",
        f"{us(end)} - {us(start)} = {us(end - start)} (from the start of the step)",
        reason.value,
        notes=(_REASONS[reason].format(other=f"{other} ({takes})"),),
        remedy=_remedy(other, length, waited),
    )


def _remedy(other: str, length_ps: float, waited_ps: float) -> str:
    """By how much the work that is waited for would have to shrink."""
    left = length_ps - waited_ps
    if left > 0:
        return (
            f"The wait ends when {other} is {length_ps / left:,.3g} times as fast "
            f"({us(length_ps)} to {us(left)}), as far as nothing else holds it then."
        )
    return (
        f"It is as long as {other} ({us(length_ps)}) or longer: what comes before that would have "
        "to shrink too."
    )


def bandwidth_part(
    time_ps: float, GBps: float, *, bound: str = "memory bandwidth", competes: bool = True
) -> Part:
    """Bytes over a bandwidth."""
    return Part(bound, time_ps, "bandwidth", GBps, "GB/s", competes)


def compute_part(time_ps: float, rate: float, unit: str = "TFLOPS") -> Part:
    """Operations over a rate, beside the reading of their operands."""
    return Part("compute", time_ps, "rate", rate, unit)


def fixed_part(time_ps: float, bound: str, symbol: str = "", value_us: float = 0.0) -> Part:
    """A time that is added and grows with a latency, where one number sets it."""
    return Part(bound, time_ps, symbol, value_us, "µs", competes=False, shrinks=False)
