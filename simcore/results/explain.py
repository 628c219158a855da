"""The answer to "why this long?": a formula with its numbers and their sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simcore.scenario.fields import Provenance


@dataclass(frozen=True, slots=True)
class Term:
    """One number of a formula.

    Attributes:
        symbol: as in the formula.
        value: number with unit, as shown.
        meaning: what it is.
        path: dotted scenario path the number comes from; empty for a result.
        provenance: class and citation; None for a result of the run.
    """

    symbol: str
    value: str
    meaning: str
    path: str = ""
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of the times a span is made of.

    Attributes:
        bound: what the span is bound by where this part is the longest.
        time_ps: how long it takes.
        symbol: what would have to change, as in the formula; empty for what no number sets.
        value, unit: that number.
        competes: it overlaps the other competing parts, the longest of which counts; else it is
            added.
        shrinks: a larger number makes it shorter, as a bandwidth does; else longer.
    """

    bound: str
    time_ps: float
    symbol: str = ""
    value: float = 0.0
    unit: str = ""
    competes: bool = True
    shrinks: bool = True


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """Where the longest part of a span stops being the longest.

    Attributes:
        part: the longest part.
        second: the part that is the longest from there on; None where there is no other.
        factor: how many times shorter the longest part must get; infinity without a second.
        total_ps: how long the span takes there.
    """

    part: Part
    second: Part | None
    factor: float
    total_ps: float


def turning_point(parts: Sequence[Part]) -> TurningPoint | None:
    """Where the second bound takes over; None for parts that take no time."""
    order = sorted((part for part in parts if part.time_ps > 0), key=lambda part: -part.time_ps)
    if not order:
        return None
    first, second = order[0], order[1] if len(order) > 1 else None
    if second is None:
        return TurningPoint(first, None, math.inf, 0.0)
    shorter = [replace(first, time_ps=second.time_ps), *order[1:]]
    return TurningPoint(first, second, first.time_ps / second.time_ps, total_ps(shorter))


def total_ps(parts: Sequence[Part]) -> float:
    """Length of a span: the parts that are added, and the longest of those that overlap."""
    added = sum(part.time_ps for part in parts if not part.competes)
    return added + max((part.time_ps for part in parts if part.competes), default=0.0)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a span is as long as it is.

    Attributes:
        title: what the span is.
        formula: symbols, such as ``bytes / bandwidth + MACs / rate``.
        result: the formula with numbers put in and the outcome.
        bound: what bounds it, ``memory bandwidth``, ``compute``, ``link``, ``latency`` ...
        terms: the numbers.
        notes: further sentences (for a wait: what it waits for and how long).
        parts: the times the span is made of, for `change`.
        remedy: what would have to change, for spans without parts.
    """

    title: str
    formula: str
    result: str
    bound: str
    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    remedy: str = ""

    def change(self) -> str:
        """What would have to change for the bound to stop being the bottleneck, in words."""
        found = turning_point(self.parts)
        if found is None:
            return self.remedy
        part, second = found.part, found.second
        if second is None:
            if not part.symbol:
                return ""
            how = "twice" if part.shrinks else "half"
            return f"Nothing else bounds it: with {how} the {part.symbol} it takes half as long."
        if found.factor < 1.0005:
            return f"{_capital(part.bound)} and {second.bound} take the same time: both bind."
        total = total_ps(self.parts)
        ends = f"it would take {_us(found.total_ps)} instead of {_us(total)}"
        takes = f"{second.bound} ({_us(second.time_ps)})"
        turn = f"{takes} takes over" if part.competes and second.competes else f"{takes} is longer"
        if not part.symbol:
            return (
                f"{_capital(part.bound)} would have to be {_number(found.factor, 3)} times shorter "
                f"before {turn}; {ends}."
            )
        after = part.value * found.factor if part.shrinks else part.value / found.factor
        times = found.factor if part.shrinks else 1 / found.factor
        change = f"{_number(part.value)} to {_number(after)} {part.unit}".rstrip()
        return f"With {_number(times, 3)} times the {part.symbol} ({change}), {turn}; {ends}."

    def text(self) -> str:
        """Plain text, for the clipboard and the terminal."""
        lines = [self.title, f"  {self.formula}", f"  {self.result}"]
        if self.bound:
            lines.append(f"  bound by: {self.bound}")
        change = self.change()
        if change:
            lines.append(f"  to change that: {change}")
        for term in self.terms:
            source = (
                f"  [{term.provenance.source_class.value}: {term.provenance.source}]"
                if term.provenance
                else ""
            )
            lines.append(f"  {term.symbol} = {term.value}  ({term.meaning}){source}")
        lines.extend(f"  {note}" for note in self.notes)
        return "\n".join(lines)


def _us(time_ps: float) -> str:
    return f"{time_ps / 1e6:,.3f} µs"


def _number(value: float, digits: int = 4) -> str:
    """About `digits` significant digits, without an exponent."""
    if not value:
        return "0"
    decimals = min(max(0, digits - 1 - math.floor(math.log10(abs(value)))), 9)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
