"""A heat map of a figure over two fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.sweep.charts.kinds import Hit, SweepChart
from simcore.sweep.charts.shared import (
    axis_column,
    caption,
    figure_column,
    figure_title,
    is_log,
    missing_notes,
    pick_x,
    rows_column,
)
from simcore.sweep.figures import figure_label, maximised
from simcore.sweep.spec import Method, SweepSpec
from simcore.sweep.table import Row
from simcore.units import rounded

_MOST_TICKS = 24


def _heatmap_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """The figure over two axes; the best over the others, if there are more."""
    if len(spec.axes) < 2:
        raise UserError("a heat map needs two axes; this sweep varies one field")
    first = pick_x(spec, x)
    rest = [number for number in range(len(spec.axes)) if number != first]
    second = max(rest, key=lambda n: (len(spec.axes[n].grid()), -n))
    grid = spec.method is Method.GRID
    upward = {o.figure: o.maximise for o in spec.objectives}.get(figure, maximised(figure))
    notes = missing_notes(rows, figure)
    if grid and len(spec.axes) > 2:
        best: dict[tuple[Any, Any], Row] = {}
        for row in rows:
            place = (row.values[first], row.values[second])
            held = best.setdefault(place, row)
            mine, theirs = row.number(figure), held.number(figure)
            if mine == mine and (theirs != theirs or (mine > theirs) == upward != (mine == theirs)):
                best[place] = row
        rows = list(best.values())
        others = ", ".join(spec.axes[n].path for n in rest if n != second)
        notes = (*notes, f"The best over {others}.")
    failures = [row.status if row.outcome.failure else "" for row in rows]
    kinds = tuple(dict.fromkeys(text for text in failures if text))
    return ChartData(
        "heatmap",
        figure_title(figure),
        (
            rows_column(rows),
            axis_column(spec.axes[first], first, rows),
            axis_column(spec.axes[second], second, rows),
            figure_column(rows, figure),
            Column(
                "failure",
                "",
                np.array([kinds.index(text) if text else -1 for text in failures], np.int64),
                kinds,
            ),
        ),
        caption(spec, rows),
        notes,
        {
            "x": spec.axes[first].label,
            "y": spec.axes[second].label,
            "z": figure_label(figure),
            "grid": grid,
            "log": (is_log(spec.axes[first]), is_log(spec.axes[second])),
        },
    )


def _draw_heatmap(figure: Any, data: ChartData, theme: ChartTheme) -> list[Hit]:
    """Cells with their value where they are few; points of a sample as coloured dots."""
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    _, x, y, z, failure = data.columns
    there = z.values[np.isfinite(z.values)]
    low, high = float(there.min()), float(there.max())
    limits: dict[str, Any] = {
        "vmin": low,
        "vmax": high if high > low else low + 1,
        "cmap": theme.sequential,
    }
    if not data.meta["grid"]:
        points = np.column_stack([x.values.astype(np.float64), y.values.astype(np.float64)])
        image = ax.scatter(
            *points.T, c=z.values, s=22, linewidths=0.3, edgecolors=theme.muted, **limits
        )
        for set_scale, is_log in ((ax.set_xscale, data.meta["log"][0]),
                                  (ax.set_yscale, data.meta["log"][1])):  # fmt: skip
            if is_log:
                set_scale("log")
        for set_ticks, one in ((ax.set_xticks, x), (ax.set_yticks, y)):
            if one.labels:
                set_ticks(range(len(one.labels)), one.labels)
    else:
        columns, at_x = np.unique(x.values, return_inverse=True)
        lines, at_y = np.unique(y.values, return_inverse=True)
        cells = np.full((len(lines), len(columns)), np.nan)
        cells[at_y, at_x] = z.values
        image = ax.imshow(cells, origin="lower", aspect="auto", interpolation="nearest", **limits)
        points = np.column_stack([at_x, at_y]).astype(np.float64)
        _ticks(ax.set_xticks, x, columns, data.meta["x"])
        _ticks(ax.set_yticks, y, lines, data.meta["y"])
        if cells.size <= 120:
            for px, py, value in zip(at_x.tolist(), at_y.tolist(), z.values.tolist(), strict=True):
                if value == value:
                    dark = (value - low) < 0.55 * (limits["vmax"] - low)
                    ax.text(px, py, rounded(value, 3), ha="center", va="center", fontsize=5.5,
                            color="#FFFFFF" if dark else "#000000")  # fmt: skip
        handles = []
        for code, name in enumerate(failure.labels):
            hatch = ("////", "xxxx", "....", "\\\\\\\\", "++++")[code % 5]
            for px, py in points[failure.values == code]:
                ax.add_patch(
                    _rectangle(px, py, facecolor=theme.grid, edgecolor=theme.muted, hatch=hatch)
                )
            handles.append(
                Patch(facecolor=theme.grid, edgecolor=theme.muted, hatch=hatch, label=name)
            )
        legend(figure, theme, handles)
    bar = figure.colorbar(image, ax=ax, pad=0.01, aspect=30)
    bar.ax.tick_params(colors=theme.text, labelsize=6, width=0.5, length=2)
    bar.outline.set_visible(False)
    bar.set_label(data.meta["z"], fontsize=7, color=theme.text)
    labels(ax, data.meta["x"], data.meta["y"])
    return [(ax, points, data["point"])]


def _rectangle(x: float, y: float, **style: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, linewidth=0, **style)


def _ticks(set_ticks: Any, one: Column, values: NDArray[Any], header: str) -> None:
    names = (
        [one.labels[int(v)] for v in values]
        if one.labels
        else [rounded(float(v), 4) for v in values]
    )
    every = -(-len(names) // _MOST_TICKS)
    turned = set_ticks.__name__ == "set_xticks" and len(names) * max(map(len, names)) > 110
    places = range(0, len(names), every)
    set_ticks(places, names[::every], **({"rotation": 30, "ha": "right"} if turned else {}))


CHART = SweepChart(
    "heatmap",
    "Heat map",
    "A figure over two fields; the best over the others.",
    _heatmap_data,
    _draw_heatmap,
    takes_x=True,
)
