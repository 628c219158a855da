"""What the sweep view shows: what is typed, checked field by field; rows as text; charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.theme.tokens import Theme
from app.viewmodels.charts import POINTS_PER_INCH, chart_theme
from simcore.errors import ScenarioErrors, SimcoreError
from simcore.export.chart_file import MM_PER_INCH
from simcore.results.terms import value_text
from simcore.scenario.document import Document
from simcore.scenario.listing import FieldInfo
from simcore.sweep.charts import render_sweep, sweep_chart_data
from simcore.sweep.charts.kinds import Places
from simcore.sweep.figures import figure_label, figure_term
from simcore.sweep.parse import (
    Noted,
    axis_fields,
    make_axis,
    make_spec,
    read_constraint,
    read_objective,
    read_values,
    values_text,
)
from simcore.sweep.spec import RELATIONS, Axis, Method, SweepSpec
from simcore.sweep.table import Row
from simcore.units import rounded

LEAST_PX = (420, 220)


@dataclass(frozen=True, slots=True)
class AxisDraft:
    """A field and its values as typed."""

    path: str = ""
    values: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A sweep as typed."""

    axes: tuple[AxisDraft, ...] = (AxisDraft(),)
    method: Method = Method.GRID
    points: int = 100
    seed: int = 1
    objectives: str = "tokens_per_s:max"
    constraints: str = ""
    prices: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a draft comes to.

    Attributes:
        spec: the sweep; None if something is missing or wrong.
        problems: what is wrong by place: ``axis0`` to ``axis3``, ``objectives``, ``constraints``,
            ``prices``, ``method`` or ``whole``.
        counts: number of values of each axis, 0 where it is wrong.
    """

    spec: SweepSpec | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    counts: tuple[int, ...] = ()


def split(text: str) -> list[str]:
    """Parts of a text between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def read_prices(text: str) -> tuple[dict[str, float], str]:
    """``gpu=1500, host=800`` as prices, and what is wrong with it."""
    found = {}
    for part in split(text):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            return {}, f"{part!r}: write COMPONENT=USD, such as ndp_dimms=120"
    return found, ""


def check_draft(document: Document | None, draft: Draft) -> Checked:
    """A draft as a sweep, or everything that is wrong with it, each at its place."""
    if document is None:
        return Checked(problems={"whole": "no scenario is open"})
    try:
        fields = axis_fields(document)
    except ScenarioErrors as error:
        return Checked(problems={"whole": f"the scenario has problems: {error.problems[0].text()}"})
    problems: dict[str, str] = {}
    vary: list[tuple[str, Any]] = []
    counts = []
    for number, one in enumerate(draft.axes):
        axis = None
        if one.path and one.values.strip():
            noted = Noted()
            given = read_values(one.values)
            axis = make_axis(one.path, given, fields, noted, where="")
            if noted.problems:
                problems[f"axis{number}"] = "; ".join(_text(p, one.path) for p in noted.problems)
            vary.append((one.path, given))
        elif one.path or one.values.strip():
            problems[f"axis{number}"] = "choose a field" if one.values.strip() else "give values"
        counts.append(len(axis.grid()) if axis is not None else 0)
    for place, text, read in (
        ("objectives", draft.objectives, read_objective),
        ("constraints", draft.constraints, read_constraint),
    ):
        noted = Noted()
        for part in split(text):
            read(part, place, noted)
        if noted.problems:
            problems[place] = "; ".join(_text(problem, place) for problem in noted.problems)
    prices, wrong = read_prices(draft.prices)
    if wrong:
        problems["prices"] = wrong
    if problems or not vary:
        return Checked(None, problems, tuple(counts))
    try:
        spec = make_spec(
            document,
            vary,
            scenario=document.path.name if document.path else "",
            method=draft.method,
            points=None if draft.method is Method.GRID else draft.points,
            objectives=split(draft.objectives),
            constraints=split(draft.constraints),
            prices=prices,
            seed=draft.seed,
        )
    except ScenarioErrors as error:
        for problem in error.problems:
            place = problem.path.partition(".")[0]
            place = place if place in ("objectives", "constraints", "prices", "method") else "whole"
            problems.setdefault(place, _text(problem, place))
        return Checked(None, problems, tuple(counts))
    return Checked(spec, {}, tuple(counts))


def _text(problem: Any, path: str) -> str:
    """A problem without the path that stands beside it."""
    return str(problem.text().removeprefix(f"{path}: ").removeprefix(f"{path}."))


def draft_of(spec: SweepSpec) -> Draft:
    """A sweep as it is typed."""
    return Draft(
        tuple(AxisDraft(axis.path, values_text(axis)) for axis in spec.axes),
        spec.method,
        spec.points or 100,
        spec.seed,
        ", ".join(objective.text for objective in spec.objectives),
        ", ".join(c.text if c.figure != "fits" else "fits" for c in spec.constraints),
        ", ".join(f"{name}={price:g}" for name, price in spec.prices.items()),
    )


def proposed_values(info: FieldInfo) -> str:
    """Values to begin with: around the one there is, or all of a short list."""
    if info.knob.choices:
        choices = [choice for choice in info.knob.choices if choice]
        return ", ".join(choices) if len(choices) <= 8 else str(info.value)
    if info.type is bool:
        return "false, true"
    if info.type not in (int, float) or info.value is None:
        return "" if info.value is None else str(info.value)
    value = info.value or 1
    found = []
    for factor in (0.5, 1, 2, 4):
        one: float = value * factor
        if info.type is int:
            one = round(one)
        if not info.knob.problem(one) and one not in found:
            found.append(one)
    return ", ".join(f"{one:.10g}" for one in found)


# Rows.


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: key of its values, words, and what it means."""

    key: str
    title: str
    tip: str = ""


def headings(spec: SweepSpec, figures: Sequence[str]) -> list[Heading]:
    """Columns of the table."""
    found = [Heading("point", "Point")]
    found += [Heading(axis.path, _short(axis, spec.axes), axis.header) for axis in spec.axes]
    for name in figures:
        found.append(Heading(name, figure_label(name), figure_term(name).help or name))
    return [*found, Heading("front", "Pareto"), Heading("status", "Status")]


def shown_figures(spec: SweepSpec) -> list[str]:
    """Figures a table begins with: those the sweep names."""
    named = [o.figure for o in spec.objectives] + [c.figure for c in spec.constraints]
    return list(dict.fromkeys(named))


def _short(axis: Axis, axes: Sequence[Axis]) -> str:
    """Last parts of a path, as many as tell it from the others; with the unit where it lacks."""
    parts = axis.path.split(".")
    for count in range(min(2, len(parts)), len(parts) + 1):
        name = ".".join(parts[-count:])
        if sum(other.path.endswith(name) for other in axes) == 1:
            return name
    return axis.path


def cell_text(value: Any) -> str:
    """A value of a row in a few characters."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return rounded(float(value), 4) if value == value else "–"
    return str(value)


def row_value(row: Row, key: str, spec: SweepSpec) -> Any:
    """Value of a row in a column, for sorting and for text."""
    if key == "point":
        return row.index
    if key == "status":
        return row.status if row.status != "done" or row.feasible else "misses a constraint"
    for axis, value in zip(spec.axes, row.values, strict=True):
        if axis.path == key:
            return value
    return row.figures.get(key)


Test = Callable[[Row], bool]


def row_filter(text: str, spec: SweepSpec) -> tuple[Test, str]:
    """What a filter lets through, and what is wrong with it.

    Parts between commas must all hold: a relation such as ``tokens_per_s > 10`` or
    ``workload.batch <= 8``, or a word that stands anywhere in the row.
    """
    tests: list[Test] = []
    paths = [axis.path for axis in spec.axes]
    for part in split(text):
        if not any(relation in part for relation in RELATIONS):
            tests.append(_word_test(part.casefold()))
            continue
        name = part.split(next(r for r in RELATIONS if r in part))[0].strip()
        noted = Noted()
        ends = [path for path in paths if path == name or path.endswith(f".{name}")]
        probe = part.replace(name, "tokens_per_s", 1) if ends else part
        found = read_constraint(probe, "filter", noted)
        if found is None or noted.problems:
            return (lambda _: True), noted.problems[0].text().removeprefix("filter: ")
        if ends:
            at = paths.index(ends[0])
            tests.append(lambda row, at=at, found=found: found.holds(row.values[at]))  # type: ignore[misc]
        else:
            tests.append(lambda row, found=found: found.holds(row.figures.get(found.figure)))  # type: ignore[misc]
    return (lambda row: all(test(row) for test in tests)), ""


def _word_test(word: str) -> Test:
    def test(row: Row) -> bool:
        texts = (*map(cell_text, row.values), row.status, row.outcome.error, row.note)
        return any(word in text.casefold() for text in texts)

    return test


def row_tip(row: Row, spec: SweepSpec) -> str:
    """A row in words."""
    lines = [f"Point {row.index}"]
    for axis, value in zip(spec.axes, row.values, strict=True):
        unit = f" {axis.unit}" if axis.unit else ""
        lines.append(f"{axis.path} = {cell_text(value)}{unit}")
    for name in shown_figures(spec):
        if row.figures.get(name) is not None:
            term = figure_term(name)
            lines.append(f"{term.title}: {value_text(row.figures[name], term.unit)}")
    if row.outcome.error:
        lines.append(f"{row.status}: {row.outcome.error}")
    if row.note:
        lines.append(row.note)
    return "\n".join(lines)


def point_title(row: Row, spec: SweepSpec) -> str:
    """What opening a point is called in the history."""
    parts = [
        f"{axis.path.rpartition('.')[2]} {cell_text(value)}"
        for axis, value in zip(spec.axes, row.values, strict=True)
    ]
    return f"open point {row.index} of the sweep: {', '.join(parts)}"


# Charts.


@dataclass(frozen=True, slots=True)
class SweepPicture:
    """A drawn chart, or why there is none."""

    png: bytes
    places: Places | None
    reason: str = ""


def draw_sweep(
    spec: SweepSpec,
    rows: Sequence[Row],
    chart: str,
    figure: str,
    x: str,
    size: tuple[int, int],
    ratio: float,
    theme: Theme,
) -> SweepPicture:
    """Draw a chart for a place of the screen; made to run in the background."""
    width, height = (
        max(least, px) / POINTS_PER_INCH * MM_PER_INCH
        for px, least in zip(size, LEAST_PX, strict=True)
    )
    try:
        data = sweep_chart_data(chart, spec, rows, figure, x)
        png, places = render_sweep(
            data,
            "png",
            theme=chart_theme(theme),
            width_mm=width,
            height_mm=height,
            dpi=round(POINTS_PER_INCH * ratio),
        )
    except SimcoreError as error:
        return SweepPicture(b"", None, str(error))
    return SweepPicture(png, places)
