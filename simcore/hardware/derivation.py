"""A figure of a device with the arithmetic that gives it, spelt out with its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.scenario.fields import SourceClass


@dataclass(frozen=True, slots=True)
class Derivation:
    """One figure.

    Attributes:
        what: what it is.
        formula: the arithmetic with numbers in it, without the result.
        value, unit: the result.
        source_class: class of the figure as a whole; arithmetic on sourced values is `DERIVED`.
        source: where the formula or the figure comes from.
        used: whether the simulation takes its times from this figure.
    """

    what: str
    formula: str
    value: float
    unit: str
    source_class: SourceClass
    source: str
    used: bool = False

    def text(self) -> str:
        """One line: what, formula, result."""
        arithmetic = f"{self.formula} = " if self.formula else ""
        return f"{self.what}: {arithmetic}{self.value:.4g} {self.unit}".rstrip()
