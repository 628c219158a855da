"""What came out of a sweep: rows as they come, and columns of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.export.tables import Field, write_table
from simcore.scenario.schema import Scenario
from simcore.sweep.evaluate import Outcome
from simcore.sweep.figures import FIGURES, cost_of, figure_term
from simcore.sweep.points import Values
from simcore.sweep.spec import SweepSpec

DONE = "done"


@dataclass(frozen=True, slots=True)
class Row:
    """A point with what came of it.

    Attributes:
        index: place among the points.
        values: value of each axis.
        key: under which the outcome is stored; empty if the point is no scenario.
        outcome: figures or failure.
        figures: all figures, price inside; empty if it failed, but for ``fits``.
        feasible: whether it meets all constraints.
        note: what is missing, such as a price; empty if nothing is.
    """

    index: int
    values: Values
    key: str
    outcome: Outcome = field(repr=False)
    figures: dict[str, Any] = field(repr=False)
    feasible: bool = True
    note: str = ""

    @property
    def status(self) -> str:
        """``done``, or what went wrong in two words."""
        return self.outcome.failure.value if self.outcome.failure else DONE

    def number(self, figure: str) -> float:
        """A figure as a number; NaN if there is none."""
        value = self.figures.get(figure)
        return float(value) if isinstance(value, (bool, int, float)) else float("nan")


def make_row(
    spec: SweepSpec,
    index: int,
    values: Values,
    key: str,
    scenario: Scenario | None,
    outcome: Outcome,
) -> Row:
    """The row of a point: outcome, price, constraints."""
    figures = dict(outcome.figures)
    note = ""
    if scenario is not None:
        cost = cost_of(scenario.hardware, spec.prices)
        figures["price_USD"] = cost.total_USD
        rate = figures.get("tokens_per_s")
        if outcome.failure is None:
            figures["tokens_per_s_per_USD"] = (
                rate / cost.total_USD if rate is not None and cost.total_USD else None
            )
        wanted = {o.figure for o in spec.objectives} | {c.figure for c in spec.constraints}
        if wanted & {"price_USD", "tokens_per_s_per_USD"}:
            note = cost.note
    feasible = outcome.failure is None and all(
        constraint.holds(figures.get(constraint.figure)) for constraint in spec.constraints
    )
    return Row(index, values, key, outcome, figures, feasible, note)


def figure_names(rows: Iterable[Row]) -> tuple[str, ...]:
    """Figures of rows: those every system has first, in fixed order, then the others."""
    found = dict.fromkeys(name for row in rows for name in row.figures)
    return (*(name for name in FIGURES if name in found), *(n for n in found if n not in FIGURES))


def column(rows: Sequence[Row], figure: str) -> NDArray[np.float64]:
    """A figure of all rows, shape (rows,); NaN where there is none."""
    return np.array([row.number(figure) for row in rows], np.float64)


def header(spec: SweepSpec, rows: Sequence[Row]) -> list[str]:
    """Names of the columns of `cells`, with units where the name does not end with one."""
    return [
        "point",
        *(axis.path for axis in spec.axes),
        "status",
        "feasible",
        *figure_names(rows),
        "error",
        "note",
        "key",
    ]


def cells(spec: SweepSpec, rows: Sequence[Row]) -> list[list[Any]]:
    """Rows as plain values, in the columns of `header`."""
    names = figure_names(rows)
    return [
        [
            row.index,
            *row.values,
            row.status,
            row.feasible,
            *(row.figures.get(name) for name in names),
            row.outcome.error,
            row.note,
            row.key,
        ]
        for row in rows
    ]


def write_rows(spec: SweepSpec, rows: Sequence[Row], path: str | Path) -> None:
    """Write the table as CSV (a missing figure is an empty cell) or as Parquet (units as metadata).

    Raises:
        UserError: if the ending is neither, or Parquet needs a library that is missing.
        DataFileError: if the file cannot be written.
    """
    units = {axis.path: axis.unit for axis in spec.axes}
    fields = [
        Field(name, unit=units.get(name) or (figure_term(name).unit if name in FIGURES else ""))
        for name in header(spec, rows)
    ]
    columns: list[Any] = list(zip(*cells(spec, rows), strict=True)) or [[] for _ in fields]
    write_table(path, fields, [columns])
