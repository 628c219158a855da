"""Which field explains how much of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame, labels
from simcore.sweep.analysis import sensitivity
from simcore.sweep.charts.kinds import Hit, SweepChart
from simcore.sweep.charts.shared import (
    caption,
    missing_notes,
)
from simcore.sweep.figures import figure_label, figure_term
from simcore.sweep.spec import Method, SweepSpec
from simcore.sweep.table import Row
from simcore.units import rounded


def _sensitivity_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """How much of the variance each axis explains alone."""
    found = sensitivity(spec, rows, figure)
    paths = tuple(one.path for one in found)
    return ChartData(
        "sensitivity",
        f"What {figure_term(figure).title} depends on",
        (
            Column("axis", "", np.arange(len(found)), paths),
            Column("share", "%", np.array([100 * one.share for one in found])),
            Column("lowest mean", "", np.array([one.lowest for one in found])),
            Column("highest mean", "", np.array([one.highest for one in found])),
        ),
        caption(spec, rows),
        (
            *missing_notes(rows, figure),
            *(
                ("Points of a search crowd where it is good; shares hold for these points only.",)
                if spec.method is Method.SEARCH
                else ()
            ),
            "Share of the variance that each field explains by itself (first-order index); what "
            "is missing to 100 % comes of fields together, or of points without the figure.",
        ),
        {"figure": figure_label(figure)},
    )


def _draw_sensitivity(figure: Any, data: ChartData, theme: ChartTheme) -> list[Hit]:
    """One bar an axis, with the range of its means."""
    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color=theme.grid, linewidth=0.4)
    names = data.columns[0].labels
    share = np.nan_to_num(data["share"])
    order = np.argsort(share, kind="stable")
    at = np.arange(len(names))
    ax.barh(at, share[order], height=0.6, color=theme.series[0])
    low, high = data["lowest mean"][order], data["highest mean"][order]
    for place, (value, a, b) in enumerate(zip(share[order], low, high, strict=True)):
        ax.annotate(
            f"{value:.0f} %, means {rounded(float(a), 3)} to {rounded(float(b), 3)}",
            (value, place), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=6, color=theme.text,
        )  # fmt: skip
    ax.set_yticks(at, [names[i] for i in order.tolist()])
    ax.tick_params(axis="y", length=0, labelsize=6.5)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_xlim(0, max(60.0, 1.45 * float(share.max())))
    ax.set_xticks(np.arange(0, 101, 20))
    labels(ax, f"variance of {data.meta['figure']} explained (%)")
    return []


CHART = SweepChart(
    "sensitivity",
    "Sensitivity",
    "Which field matters: the share of a figure's variance each explains by itself.",
    _sensitivity_data,
    _draw_sensitivity,
)
