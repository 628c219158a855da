"""What a sweep is: axes, how points are chosen among them, what counts as good."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simcore.scenario.document import Document

MAX_AXES = 4
MAX_POINTS = 100_000
MAX_VALUES = 10_000


class Method(StrEnum):
    """How the points of a sweep are chosen."""

    GRID = "grid"
    RANDOM = "random"
    LATIN_HYPERCUBE = "lhs"
    SEARCH = "search"


class Scale(StrEnum):
    """How the values of a range are spaced."""

    LINEAR = "linear"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Range:
    """Evenly spaced values, both ends included.

    Attributes:
        low, high: the ends, in the unit of the field; above 0 for logarithmic spacing.
        points: values of a grid; samples may fall anywhere between.
        scale: spacing.
    """

    low: float
    high: float
    points: int
    scale: Scale = Scale.LINEAR

    def at(self, share: float) -> float:
        """The value at a share (0 to 1) of the way; the ends are exact."""
        if share <= 0:
            return self.low
        if share >= 1:
            return self.high
        if self.scale is Scale.LOG:
            return math.exp((1 - share) * math.log(self.low) + share * math.log(self.high))
        return (1 - share) * self.low + share * self.high


@dataclass(frozen=True, slots=True)
class Axis:
    """A field that is varied.

    Attributes:
        path: dotted path of the field; ``hardware.gpu`` and ``model`` choose a preset.
        values: its values in order; empty if it is a range.
        range: its range; None if it is a list.
        integer: whether values of the range are rounded to whole numbers.
        unit: unit of the field; empty for counts and names.
    """

    path: str
    values: tuple[Any, ...] = ()
    range: Range | None = None
    integer: bool = False
    unit: str = ""

    @property
    def header(self) -> str:
        """Path with unit, for tables and charts."""
        return f"{self.path} ({self.unit})" if self.unit else self.path

    @property
    def label(self) -> str:
        """The last two parts of the path, and the unit unless the name ends with it."""
        name = ".".join(self.path.split(".")[-2:])
        spelled = self.unit.replace("/s", "ps").replace("/", "_per_")
        return name if not spelled or name.endswith(f"_{spelled}") else f"{name} ({self.unit})"

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers, so that they have places on a line."""
        return self.range is not None or all(
            isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values
        )

    def grid(self) -> tuple[Any, ...]:
        """The values of a full grid; whole numbers that coincide stand once."""
        if self.range is None:
            return self.values
        count = self.range.points
        shares = [index / (count - 1) for index in range(count)]
        return tuple(dict.fromkeys(self._typed(self.range.at(share)) for share in shares))

    def sample(self, share: float) -> Any:
        """The value at a share (0 up to 1) of the axis, for samples."""
        if self.range is None:
            return self.values[min(len(self.values) - 1, int(share * len(self.values)))]
        if self.integer and self.range.scale is Scale.LINEAR:  # every whole number as likely
            low, high = round(self.range.low), round(self.range.high)
            return min(high, low + int(share * (high - low + 1)))
        return self._typed(self.range.at(share))

    def _typed(self, value: float) -> float | int:
        return round(value) if self.integer else value


@dataclass(frozen=True, slots=True)
class Objective:
    """A figure that should be large or small."""

    figure: str
    maximise: bool = True

    @property
    def text(self) -> str:
        """As it is written on the command line."""
        return f"{self.figure}:{'max' if self.maximise else 'min'}"


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
RELATIONS = tuple(_COMPARE)
"""Relations of a constraint; longer ones first, as a text is searched for them."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A relation that holds for points worth having; a missing figure never meets it."""

    figure: str
    relation: str
    limit: float

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.figure} {self.relation} {self.limit:g}"

    def holds(self, value: Any) -> bool:
        """Whether a value meets the constraint."""
        if not isinstance(value, (int, float)) or value != value:
            return False
        return _COMPARE[self.relation](value, self.limit)

    def excess(self, value: Any) -> float:
        """How far a value is from meeting the constraint; 0 or less if it does."""
        if not isinstance(value, (int, float)) or value != value:
            return math.inf
        if self.relation == "==":
            return abs(value - self.limit)
        return value - self.limit if self.relation.startswith("<") else self.limit - value


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSpec:
    """A sweep, checked: every axis names a field of the scenario and stays in its range.

    Attributes:
        name: what it asks, in one line.
        scenario: name or file of the scenario, as given; empty if it has neither.
        document: the scenario with the fixed changes of the sweep made.
        axes: one to four fields.
        method: how points are chosen.
        points: how many, for all methods but a grid.
        objectives: what counts as good; the first is shown by default.
        constraints: what a point must meet to be of use.
        prices: USD of one component, by its name in ``hardware``; goes before the scenario's.
        seed: seed of samples and searches. The scenario has its own.
    """

    name: str
    document: Document
    axes: tuple[Axis, ...]
    scenario: str = ""
    method: Method = Method.GRID
    points: int = 0
    objectives: tuple[Objective, ...] = (Objective("tokens_per_s"),)
    constraints: tuple[Constraint, ...] = ()
    prices: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1

    @property
    def size(self) -> int:
        """Number of points."""
        if self.method is not Method.GRID:
            return self.points
        return math.prod(len(axis.grid()) for axis in self.axes)
