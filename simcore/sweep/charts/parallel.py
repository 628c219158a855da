"""Parallel coordinates: every point a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame
from simcore.sweep.analysis import pareto
from simcore.sweep.charts.kinds import Hit, SweepChart
from simcore.sweep.charts.shared import (
    axis_column,
    caption,
    figure_column,
    is_log,
    missing_notes,
    rows_column,
)
from simcore.sweep.figures import figure_label, figure_term
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row
from simcore.units import rounded


def _parallel_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """Every point a line through its values and its objectives."""
    figures = list(dict.fromkeys([*(o.figure for o in spec.objectives), figure]))
    notes = missing_notes(rows, figure)
    rows = [row for row in rows if row.number(figure) == row.number(figure)]
    return ChartData(
        "parallel",
        f"Points by {figure_term(figure).title}",
        (
            rows_column(rows),
            *(axis_column(axis, number, rows) for number, axis in enumerate(spec.axes)),
            *(figure_column(rows, name) for name in figures),
            Column("front", "", pareto(rows, spec.objectives)),
        ),
        caption(spec, rows),
        (*notes, "Lines of points on the Pareto front are thick."),
        {
            "titles": (
                *(axis.label for axis in spec.axes),
                *(figure_label(name) for name in figures),
            ),
            "log": (*(is_log(axis) for axis in spec.axes), *(False for _ in figures)),
            "colour": len(spec.axes) + figures.index(figure),
        },
    )


def _draw_parallel(figure: Any, data: ChartData, theme: ChartTheme) -> list[Hit]:
    """Upright scales side by side; the colour is the figure's."""
    import matplotlib
    from matplotlib.collections import LineCollection

    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    shown = data.columns[1:-1]
    places = []
    for number, (one, log) in enumerate(zip(shown, data.meta["log"], strict=True)):
        values = one.values.astype(np.float64)
        span = np.arange(len(one.labels), dtype=np.float64) if one.labels else values
        span = span[np.isfinite(span)]
        low, high = (float(span.min()), float(span.max())) if len(span) else (0.0, 1.0)
        to = np.log if log and low > 0 else np.asarray
        width = float(to(high) - to(low)) or 1.0
        places.append((to(values) - to(low)) / width if high > low else np.full(len(values), 0.5))
        ax.plot([number, number], [0, 1], color=theme.text, linewidth=0.7)
        marks: list[tuple[float, str]]
        if one.labels:
            every = -(-len(one.labels) // 12)
            marks = [(float(code), name) for code, name in enumerate(one.labels)][::every]
        else:
            marks = [(v, rounded(v, 3)) for v in (np.linspace(low, high, 5).tolist() if not log
                     else np.geomspace(low, high, 5).tolist())]  # fmt: skip
        for value, text in marks:
            height = float((to(value) - to(low)) / width) if high > low else 0.5
            ax.annotate(text, (number, height), xytext=(3, 0), textcoords="offset points",
                        fontsize=5.5, color=theme.text, va="center", zorder=5,
                        bbox={"facecolor": theme.background, "edgecolor": "none", "pad": 0.6,
                              "alpha": 0.7})  # fmt: skip
    heights = np.column_stack(places)
    # Dark ends of the colour map cannot be seen as thin lines on a dark ground.
    dark = sum(int(theme.background[at : at + 2], 16) for at in (1, 3, 5)) < 3 * 96
    colour = np.nan_to_num(places[data.meta["colour"]])
    colour = 0.3 + 0.7 * colour if dark else 0.92 * colour
    front = data["front"]
    steps = np.arange(heights.shape[1], dtype=np.float64)
    lines = np.stack([np.broadcast_to(steps, heights.shape), heights], axis=2)
    ax.add_collection(
        LineCollection(
            list(lines),
            colors=matplotlib.colormaps[theme.sequential](colour),
            linewidths=np.where(front, 1.8, 0.6),
            alpha=0.85,
        )
    )
    ax.set_xticks(steps, data.meta["titles"])
    ax.tick_params(axis="x", length=0, labelsize=6)
    for tick in ax.get_xticklabels():
        tick.set_wrap(True)
    ax.set_yticks([])
    ax.set_xlim(-0.15, heights.shape[1] - 0.55)
    ax.set_ylim(-0.04, 1.04)
    points = lines.reshape(-1, 2)
    return [(ax, points, np.repeat(data["point"], heights.shape[1]))]


CHART = SweepChart(
    "parallel",
    "Parallel coordinates",
    "Every point a line through its values and its figures.",
    _parallel_data,
    _draw_parallel,
)
