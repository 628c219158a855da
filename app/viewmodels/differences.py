"""What differs between run A and run B, as rows of a table and as a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.theme.tokens import Theme
from app.viewmodels.formatting import bytes_text, significant
from app.viewmodels.placement import Look, MapPicture, draw_map, items_per_cell
from simcore.results.diff import Difference, Figure, difference
from simcore.results.placement import NO_CELL, PlacementGrid
from simcore.results.run import Run
from simcore.results.summary import summarise
from simcore.results.terms import Term, term_of

_GROUPS = {
    "groups": "Lanes, by group",
    "lanes": "Lanes, one by one",
    "memory": "Memory",
    "energy_J": "Energy",
    "energy": "Energy, by part",
    "placement": "Placement and policy",
}
_HEADLINES = "Figures"
_EQUAL = 5e-4
"""Runs whose ratio is shown as one are neither better nor worse."""
HEADERS = ("", "A", "B", "B − A", "B ÷ A")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the table.

    Attributes:
        group: heading it stands under.
        cells: title, A, B, difference, ratio as text.
        same: whether both runs have the same value.
        verdict: ``better`` or ``worse`` for B where that has a meaning, else empty.
        path: the same path as `dimmscope compare --json` has.
    """

    group: str
    cells: tuple[str, str, str, str, str]
    same: bool
    verdict: str
    path: str


@dataclass(frozen=True, slots=True)
class DiffTable:
    """Rows, and the one sentence above them."""

    rows: tuple[DiffRow, ...]
    headline: str


def compare(a: Run, b: Run, length: int) -> DiffTable:
    """Compare A with the first `length` steps of B; for the background."""
    terms = {**getattr(a.system, "terms", {}), **getattr(b.system, "terms", {})}
    return table_of(difference(summarise(a), summarise(b.until(length))), terms)


def table_of(found: Difference, terms: Mapping[str, Term]) -> DiffTable:
    """The rows of a difference; terms name the figures of the systems."""
    settings = tuple(
        DiffRow("Settings", (s.path, _setting(s.a), _setting(s.b), "", ""), False, "", s.path)
        for s in found.settings
    )
    headline = "B has no tokens/s to compare"
    if found.speedup:
        headline = f"B: {significant(found.speedup, 3)} × the tokens/s of A"
    figures = [_row(figure, terms) for figure in found.figures]
    heads = [row for row in figures if row.group == _HEADLINES]
    rest = [row for row in figures if row.group != _HEADLINES]
    return DiffTable((*heads, *settings, *rest), headline)


def as_text(table: DiffTable, rows: list[DiffRow]) -> str:
    """Rows as lines with tabs, for a spreadsheet."""
    lines = [table.headline, "\t".join(("figure", *HEADERS[1:], "B is"))]
    lines += ["\t".join((*row.cells, row.verdict)) for row in rows]
    return "\n".join(lines) + "\n"


def _row(figure: Figure, terms: Mapping[str, Term]) -> DiffRow:
    head, _, rest = figure.path.partition(".")
    group = _GROUPS.get(head, _HEADLINES)
    name, full = figure.title, figure.unit
    if head == "placement":
        term = term_of(terms, rest)
        name, full = term.title, term.unit
    unit = "" if full in ("share", "B") else full
    title = f"{name} ({unit})" if unit else name
    delta, ratio = figure.difference, figure.ratio
    verdict = ""
    equal = ratio is not None and abs(ratio - 1) < _EQUAL
    if figure.larger_is_better is not None and delta and not equal:
        verdict = "better" if (delta > 0) is figure.larger_is_better else "worse"
    cells = (
        title,
        _value(figure.a, full),
        _value(figure.b, full),
        _difference(delta, full),
        "–" if ratio is None else f"{significant(ratio, 3)}×",
    )
    return DiffRow(group, cells, figure.same, verdict, figure.path)


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.2f} %"
    if unit == "B":
        return bytes_text(value)
    if float(value).is_integer() and abs(value) < 1e12:
        return f"{int(value):,}"
    return significant(value, 5)


def _difference(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    sign = "+" if value > 0 else "−" if value < 0 else ""
    if unit == "share":
        return f"{sign}{100 * abs(value):.2f} points"
    return f"{sign}{_value(abs(value), unit)}"


def _setting(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value) or "none"
    return "–" if value is None else str(value)


# Maps.

_COARSE = 64


@dataclass(frozen=True, slots=True)
class DiffMaps:
    """The placement of A and B at one place of the run, and how they differ.

    Attributes:
        a, b: coloured grids; None if there is no such step.
        elsewhere: (rows, cells) share of the items of a cell that have another place in B;
            NaN where a grid has no cell; None if the grids cannot be laid over each other.
        share: share of all items that have another place.
        reason: why there is no difference.
        steps: steps of A and B.
    """

    a: MapPicture | None
    b: MapPicture | None
    elsewhere: NDArray[np.float32] | None
    share: float
    reason: str
    steps: tuple[int, int]


def draw_difference(
    a: Run, step_a: int, b: Run, step_b: int, pixels: float, theme: Theme
) -> DiffMaps:
    """Both maps, about `pixels` wide, and their difference; for the background."""
    per = items_per_cell(b.placement(step_b, _COARSE).columns, pixels)
    steps = (step_a, step_b)
    look = Look(theme)
    picture_b = draw_map(b, step_b, per, look) if b.plan.items else None
    if step_a < 0:
        return DiffMaps(None, picture_b, None, 0.0, "A has no such step", steps)
    picture_a = draw_map(a, step_a, per, look) if a.plan.items else None
    if picture_a is None or picture_b is None:
        return DiffMaps(picture_a, picture_b, None, 0.0, "a run has no placement", steps)
    reason = unlike(picture_a.grid, picture_b.grid)
    if reason:
        return DiffMaps(picture_a, picture_b, None, 0.0, reason, steps)
    elsewhere, share = moved(picture_a.grid, picture_b.grid)
    return DiffMaps(picture_a, picture_b, elsewhere, share, "", steps)


def unlike(a: PlacementGrid, b: PlacementGrid) -> str:
    """Why two grids cannot be laid over each other, empty if they can."""
    if not (a.rows and a.columns and b.rows and b.columns):
        return "a run has no placement at this step"
    if a.column_title != b.column_title or a.row_title != b.row_title:
        return (
            f"A maps {a.column_title}s by {a.row_title}, B {b.column_title}s by {b.row_title}: "
            "no difference can be drawn"
        )
    if a.category.shape != b.category.shape or (a.rows, a.columns) != (b.rows, b.columns):
        return (
            f"A has {a.rows} × {a.columns:,} items, B {b.rows} × {b.columns:,}: "
            "no difference can be drawn"
        )
    return ""


def moved(a: PlacementGrid, b: PlacementGrid) -> tuple[NDArray[np.float32], float]:
    """Share of each cell's items that are elsewhere in B, and the share of all items.

    Of cells of many items only the numbers in each place are known, so this is the least share
    that must be elsewhere: half the sum of the differences. Places are the same by their id.
    """
    ids = list(dict.fromkeys([c.id for c in (*a.categories, *b.categories)]))
    first, second = _shares(a, ids), _shares(b, ids)
    out = 0.5 * np.abs(first - second).sum(axis=0)
    gone = (a.category == NO_CELL) | (b.category == NO_CELL)
    out[gone] = np.nan
    weight = np.where(gone, 0.0, _items(a))
    total = float(weight.sum())
    return out, float((np.nan_to_num(out) * weight).sum() / total) if total else 0.0


def _items(grid: PlacementGrid) -> NDArray[np.float32]:
    if grid.counts is None:
        return np.ones(grid.category.shape, np.float32)
    return np.asarray(grid.counts.sum(axis=0, dtype=np.float32))


def _shares(grid: PlacementGrid, ids: list[str]) -> NDArray[np.float32]:
    out = np.zeros((len(ids), *grid.category.shape), np.float32)
    total = np.maximum(_items(grid), 1)
    for index, category in enumerate(grid.categories):
        place = ids.index(category.id)
        if grid.counts is not None:
            out[place] += grid.counts[index] / total
        else:
            out[place] += grid.category == index
    return out
