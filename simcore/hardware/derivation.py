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

    @property
    def result(self) -> str:
        """Value and unit; four digits, large numbers in groups of three."""
        number = f"{self.value:,.0f}" if abs(self.value) >= 1e4 else f"{self.value:.4g}"
        return f"{number} {self.unit}".rstrip()

    def text(self) -> str:
        """One line: what, formula, result."""
        arithmetic = f"{self.formula} = " if self.formula else ""
        return f"{self.what}: {arithmetic}{self.result}"
