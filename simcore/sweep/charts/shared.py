"""What the charts share: captions, columns of figures and axes, and the axis along the bottom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.export.charts import Column
from simcore.results.summary import version
from simcore.sweep.figures import figure_term
from simcore.sweep.spec import Axis, Method, Scale, SweepSpec
from simcore.sweep.table import Row, column
from simcore.units import rounded


def caption(spec: SweepSpec, rows: Sequence[Row]) -> str:
    """What was simulated and by which version, in a line."""
    scenario = f"{spec.scenario} · " if spec.scenario else ""
    how = {
        Method.GRID: "full grid",
        Method.RANDOM: f"random sample, seed {spec.seed}",
        Method.LATIN_HYPERCUBE: f"Latin hypercube, seed {spec.seed}",
        Method.SEARCH: f"search, seed {spec.seed}",
    }[spec.method]
    return f"{scenario}{len(rows)} points, {how} · DIMMscope {version()}"


def missing_notes(rows: Sequence[Row], figure: str) -> tuple[str, ...]:
    """How many points lack a figure, if any do."""
    missing = int((~np.isfinite(column(rows, figure))).sum())
    return (f"{missing} of {len(rows)} points have no such figure.",) if missing else ()


def figure_title(figure: str) -> str:
    """Title of a figure, with a capital."""
    term = figure_term(figure)
    return term.title[:1].upper() + term.title[1:]


def figure_column(rows: Sequence[Row], figure: str) -> Column:
    """A figure of all points."""
    return Column(figure, "", column(rows, figure))


def axis_column(axis: Axis, number: int, rows: Sequence[Row]) -> Column:
    """Values of an axis: numbers, or the number of each word."""
    values = [row.values[number] for row in rows]
    if axis.numeric:
        return Column(axis.path, axis.unit, np.array(values, np.float64))
    known = list(dict.fromkeys([*axis.values, *values]))
    codes = np.array([known.index(value) for value in values], np.int64)
    return Column(axis.path, axis.unit, codes, tuple(word(value) for value in known))


def word(value: Any) -> str:
    """A value as ticks and legends say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "automatic" if value is None else str(value)


def rows_column(rows: Sequence[Row]) -> Column:
    """Which point each row is."""
    return Column("point", "", np.array([row.index for row in rows], np.int64))


def is_log(axis: Axis) -> bool:
    """Whether values of an axis are best shown in logarithmic spacing."""
    if axis.range is not None:
        return axis.range.scale is Scale.LOG
    values = [float(v) for v in axis.values] if axis.numeric else []
    if len(values) < 3 or min(values) <= 0:
        return False
    steps = np.sort(values)
    ratios, gaps = steps[1:] / steps[:-1], np.diff(steps)
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(gaps) / gaps.mean())


def pick_x(spec: SweepSpec, x: str) -> int:
    """The axis along the bottom: the one asked for, else the number with most values."""
    paths = [axis.path for axis in spec.axes]
    if x in paths:
        return paths.index(x)
    able = [number for number, axis in enumerate(spec.axes) if axis.numeric]
    sampled = spec.method is not Method.GRID
    size = {
        n: (math.inf if sampled and axis.range else len(axis.grid()))
        for n, axis in enumerate(spec.axes)
    }
    return max(able or range(len(spec.axes)), key=lambda n: (size[n], -n))


def scale_x(ax: Any, column_: Column, *, log: bool) -> None:
    """Ticks at values where there are few, names where they are names."""
    if column_.labels:
        names = column_.labels
        long = max(len(name) for name in names) * len(names) > 90
        ax.set_xticks(range(len(names)), names, **({"rotation": 30, "ha": "right"} if long else {}))
        ax.set_xlim(-0.5, len(names) - 0.5)
        return
    values = np.unique(column_.values)
    if log:
        ax.set_xscale("log")
    if len(values) <= 12:
        ax.set_xticks(values, [rounded(float(v), 4) for v in values])
        ax.set_xticks([], minor=True)


def from_zero(ax: Any, values: NDArray[np.float64]) -> None:
    """Begin the axis at 0 unless that hides everything."""
    there = values[np.isfinite(values)]
    if len(there) and there.min() >= 0 and there.min() < 0.7 * there.max():
        ax.set_ylim(0, 1.06 * float(there.max()))
