"""The Pareto front of two objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.sweep.analysis import pareto
from simcore.sweep.charts.kinds import Hit, SweepChart
from simcore.sweep.charts.shared import (
    caption,
    figure_column,
    figure_title,
    from_zero,
    missing_notes,
    rows_column,
)
from simcore.sweep.figures import figure_label, figure_term
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row


def _pareto_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """All points over two objectives, and which of them nothing beats."""
    if len(spec.objectives) < 2:
        raise UserError("a Pareto front needs two objectives; give the sweep a second one")
    first, second, *more = spec.objectives
    notes = [*missing_notes(rows, first.figure)]
    if more:
        others = ", ".join(o.figure for o in more)
        notes.append(f"Points on the front may be there for {others}, too.")
    return ChartData(
        "pareto",
        f"{figure_title(first.figure)} against {figure_term(second.figure).title}",
        (
            rows_column(rows),
            figure_column(rows, first.figure),
            figure_column(rows, second.figure),
            Column("front", "", pareto(rows, spec.objectives)),
            Column("feasible", "", np.array([row.feasible for row in rows], np.bool_)),
        ),
        caption(spec, rows),
        tuple(notes),
        {
            "x": f"{figure_label(first.figure)}, {_wish(first.maximise)}",
            "y": f"{figure_label(second.figure)}, {_wish(second.maximise)}",
            "constraints": ", ".join(c.text for c in spec.constraints),
            "two": not more,
        },
    )


def _wish(maximise: bool) -> str:
    return "more is better" if maximise else "less is better"


def _draw_pareto(figure: Any, data: ChartData, theme: ChartTheme) -> list[Hit]:
    """Dots; the front is filled, and joined when there are two objectives."""
    from matplotlib.lines import Line2D

    frame(figure, data, theme)
    ax = axes(figure, theme)
    x, y = data.columns[1].values, data.columns[2].values
    front, feasible = data["front"], data["feasible"]
    kinds: list[tuple[str, NDArray[np.bool_], dict[str, Any]]] = [
        ("on the front", front, {"marker": "o", "markersize": 5, "color": theme.series[4]}),
        (
            "beaten",
            feasible & ~front,
            {"marker": "o", "markersize": 3, "color": theme.series[0], "alpha": 0.75},
        ),
        (
            f"does not meet {data.meta['constraints']}",
            ~feasible & np.isfinite(x) & np.isfinite(y),
            {"marker": "x", "markersize": 3.5, "color": theme.muted, "markeredgewidth": 0.7},
        ),
    ]
    if data.meta["two"]:
        order = np.flatnonzero(front)[np.argsort(x[front], kind="stable")]
        ax.plot(x[order], y[order], color=theme.series[4], linewidth=0.9)
    handles: list[Any] = []
    for name, mine, style in kinds[::-1]:
        if mine.any():
            ax.plot(x[mine], y[mine], linestyle="", **style)
            handles.insert(0, Line2D([], [], linestyle="", label=name, **style))
    legend(figure, theme, handles)
    from_zero(ax, y)
    labels(ax, data.meta["x"], data.meta["y"])
    return [(ax, np.column_stack([x, y]), data["point"])]


CHART = SweepChart(
    "pareto",
    "Pareto front",
    "Two objectives against each other, and the points nothing beats.",
    _pareto_data,
    _draw_pareto,
)
