"""Curves of a figure over one field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.sweep.charts.kinds import Hit, SweepChart
from simcore.sweep.charts.shared import (
    axis_column,
    caption,
    figure_column,
    figure_title,
    from_zero,
    is_log,
    missing_notes,
    pick_x,
    rows_column,
    scale_x,
    word,
)
from simcore.sweep.figures import figure_label
from simcore.sweep.spec import Method, SweepSpec
from simcore.sweep.table import Row

MOST_CURVES = 12
_DASHES = ("-", "--", ":")
_MARKERS = "osD^v<>"


def _curves_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """The figure over one axis, a curve for each combination of the others."""
    at = pick_x(spec, x)
    others = [number for number in range(len(spec.axes)) if number != at]
    names = [
        ", ".join(f"{spec.axes[n].path.rpartition('.')[2]} {word(row.values[n])}" for n in others)
        for row in rows
    ]
    known = list(dict.fromkeys(names))
    lines = spec.method is Method.GRID
    notes = missing_notes(rows, figure)
    keep = np.ones(len(rows), np.bool_)
    if lines and len(known) > MOST_CURVES:
        even = np.unique(np.linspace(0, len(known) - 1, MOST_CURVES).round().astype(int))
        kept = {known[i] for i in even.tolist()}
        keep = np.array([name in kept for name in names])
        known = [name for name in known if name in kept]
        notes = (*notes, f"{MOST_CURVES} of {len(dict.fromkeys(names))} curves are shown.")
    rows = [row for row, shown in zip(rows, keep.tolist(), strict=True) if shown]
    names = [name for name, shown in zip(names, keep.tolist(), strict=True) if shown]
    if not lines:
        known = ["all"]
        names = ["all"] * len(names)
        if others:
            notes = (*notes, "The other axes vary from point to point.")
    order = np.array([known.index(name) for name in names], np.int64)
    return ChartData(
        "curves",
        f"{figure_title(figure)} over {spec.axes[at].label}",
        (
            rows_column(rows),
            axis_column(spec.axes[at], at, rows),
            Column("curve", "", order, tuple(known)),
            figure_column(rows, figure),
            Column("feasible", "", np.array([row.feasible for row in rows], np.bool_)),
        ),
        caption(spec, rows),
        notes,
        {
            "x": spec.axes[at].label,
            "y": figure_label(figure),
            "log": is_log(spec.axes[at]),
            "lines": lines,
            "constraints": bool(spec.constraints),
        },
    )


def _draw_curves(figure: Any, data: ChartData, theme: ChartTheme) -> list[Hit]:
    """Lines with a mark at every point; hollow where a constraint is not met."""
    from matplotlib.lines import Line2D

    frame(figure, data, theme)
    ax = axes(figure, theme)
    _, x, curve, y, feasible = data.columns
    handles = []
    for number, name in enumerate(curve.labels):
        mine = curve.values == number
        if not np.isfinite(y.values[mine]).any():
            continue
        order = np.flatnonzero(mine)[np.argsort(x.values[mine], kind="stable")]
        colour = theme.series[number % len(theme.series)]
        style: Any = (
            _DASHES[number // len(theme.series) % len(_DASHES)] if data.meta["lines"] else ""
        )
        mark = _MARKERS[number % len(_MARKERS)]
        ax.plot(x.values[order], y.values[order], linestyle=style, color=colour, linewidth=1.1)
        for good in (True, False):
            part = order[feasible.values[order] == good]
            ax.plot(
                x.values[part], y.values[part], linestyle="", marker=mark, markersize=3.2,
                color=colour, markerfacecolor=colour if good else theme.background,
                markeredgewidth=0.8,
            )  # fmt: skip
        handles.append(
            Line2D([], [], color=colour, linestyle=style, marker=mark, markersize=3.2, label=name)
        )
    scale_x(ax, x, log=data.meta["log"])
    from_zero(ax, y.values)
    labels(ax, data.meta["x"], data.meta["y"])
    if len(handles) > 1:
        legend(figure, theme, handles)
    points = np.column_stack([x.values.astype(np.float64), y.values])
    return [(ax, points, data["point"])]


CHART = SweepChart(
    "curves",
    "Curves",
    "A figure over one field, a curve for each combination of the others.",
    _curves_data,
    _draw_curves,
    takes_x=True,
)
