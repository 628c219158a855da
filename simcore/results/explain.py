"""The answer to "why this long?": a formula with its numbers and their sources."""

from __future__ import annotations

from dataclasses import dataclass

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
class Explanation:
    """Why a span is as long as it is.

    Attributes:
        title: what the span is.
        formula: symbols, such as ``bytes / bandwidth + MACs / rate``.
        result: the formula with numbers put in and the outcome.
        bound: what bounds it, ``memory bandwidth``, ``compute``, ``link``, ``latency`` ...
        terms: the numbers.
        notes: further sentences (for a wait: what it waits for and how long).
    """

    title: str
    formula: str
    result: str
    bound: str
    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Plain text, for the clipboard and the terminal."""
        lines = [self.title, f"  {self.formula}", f"  {self.result}"]
        if self.bound:
            lines.append(f"  bound by: {self.bound}")
        for term in self.terms:
            source = (
                f"  [{term.provenance.source_class.value}: {term.provenance.source}]"
                if term.provenance
                else ""
            )
            lines.append(f"  {term.symbol} = {term.value}  ({term.meaning}){source}")
        lines.extend(f"  {note}" for note in self.notes)
        return "\n".join(lines)
