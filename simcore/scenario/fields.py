"""How a scenario field describes itself: unit, range, help, provenance, live or not.

A field's description is the single source for validation, the generated form, `dimmscope list`,
error messages and the sources shown on hover.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SourceClass(StrEnum):
    """Where a constant comes from."""

    PAPER = "paper"
    PUBLIC = "public"
    DERIVED = "derived"
    CALIBRATED = "calibrated"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Class and citation of one value."""

    source_class: SourceClass
    source: str


@dataclass(frozen=True, slots=True)
class Knob:
    """Description of one scenario field.

    Attributes:
        help: one sentence a newcomer understands.
        unit: unit of the value, as shown; empty for counts and names.
        ge, gt, le: bounds (`gt` is exclusive); None when unbounded.
        choices: allowed words, empty when free.
        provenance: class and citation of the default.
        live: whether the app may change it while a run is shown.
        step: sensible increment for a spin box; 0 lets the form choose.
        optional: whether None ("automatic") is allowed.
    """

    help: str
    unit: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    choices: tuple[str, ...] = ()
    provenance: Provenance | None = None
    live: bool = True
    step: float = 0.0
    optional: bool = False

    def allowed(self) -> str:
        """The allowed values in words; empty when everything of the type is allowed."""
        if self.choices:
            return " | ".join(self.choices)
        low = (
            f"{self.ge:g}"
            if self.ge is not None
            else f"more than {self.gt:g}"
            if self.gt is not None
            else ""
        )
        high = f"{self.le:g}" if self.le is not None else ""
        unit = f" {self.unit}" if self.unit else ""
        if low and high:
            return f"{low} to {high}{unit}"
        if low:
            return f"{low}{unit}" if self.ge is None else f"at least {low}{unit}"
        return f"at most {high}{unit}" if high else ""

    def problem(self, value: Any) -> str:
        """What is wrong with a value of the right type, or an empty string."""
        if value is None:
            return "" if self.optional else "a value is needed"
        if self.choices and value not in self.choices:
            return "not one of the allowed words"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if value != value or value in (float("inf"), float("-inf")):
                return "not a finite number"
            if self.ge is not None and value < self.ge:
                return "too small"
            if self.gt is not None and value <= self.gt:
                return "too small"
            if self.le is not None and value > self.le:
                return "too large"
        return ""


def knob(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    cls: SourceClass | str = "",
    source: str = "",
    default_factory: Any = dataclasses.MISSING,
    **description: Any,
) -> Any:
    """A dataclass field that carries a `Knob`."""
    provenance = Provenance(SourceClass(cls), source) if cls else None
    metadata = {"knob": Knob(help=help, provenance=provenance, **description)}
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def knob_of(field: dataclasses.Field[Any]) -> Knob:
    """The description of a dataclass field made with `knob`."""
    description: Knob = field.metadata["knob"]
    return description
