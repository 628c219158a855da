"""Charts of a sweep: curves, heat map, Pareto front, parallel coordinates, sensitivity.

Like the charts of a run they are data as columns and a drawing of these data, and are written by
the same code; besides, a drawing says where its points are, so that the window can open them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError, did_you_mean
from simcore.export.chart_file import PICTURES, render
from simcore.export.charts import ChartData, ChartTheme, Column
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.registry import Registry
from simcore.results.files import replacing
from simcore.results.summary import version
from simcore.sweep.analysis import pareto, sensitivity
from simcore.sweep.figures import figure_label, figure_term, maximised
from simcore.sweep.spec import Axis, Method, Scale, SweepSpec
from simcore.sweep.table import Row, column
from simcore.units import rounded

MOST_CURVES = 12
_MOST_TICKS = 24
_DASHES = ("-", "--", ":")
_MARKERS = "osD^v<>"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the points of a drawing are.

    Attributes:
        at: shape (n, 2), share of the width from the left and of the height from the top.
        rows: which row each place belongs to, shape (n,).
    """

    at: NDArray[np.float64]
    rows: NDArray[np.int64]


Hit = tuple[Any, NDArray[np.float64], NDArray[np.int64]]
"""Axes of matplotlib, points in its data coordinates, and their rows."""


@dataclass(frozen=True, slots=True)
class SweepChart:
    """A kind of chart of a sweep.

    Attributes:
        id, title: stable id and name as shown.
        help: one sentence on what it answers.
        data: `(spec, rows, figure, x)` to the data; `x` is the path of an axis, may be empty.
        draw: puts the data on a matplotlib figure and says where the points are.
        takes_x: whether another axis along the bottom gives another chart.
    """

    id: str
    title: str
    help: str
    data: Callable[[SweepSpec, Sequence[Row], str, str], ChartData]
    draw: Callable[[Any, ChartData, ChartTheme], list[Hit]]
    takes_x: bool = False


SWEEP_CHARTS: Registry[SweepChart] = Registry("chart of a sweep")
"""Charts of sweeps by id."""


def sweep_chart_data(
    chart: str, spec: SweepSpec, rows: Sequence[Row], figure: str = "", x: str = ""
) -> ChartData:
    """Data of a chart; of the first objective if no figure is named.

    Raises:
        UnknownNameError: if there is no such chart.
        UserError: if the sweep lacks what the chart needs.
    """
    kind = SWEEP_CHARTS.get(chart)
    figure = figure or spec.objectives[0].figure
    if not any(row.outcome.failure is None for row in rows):
        raise UserError("no point has figures yet; there is nothing to draw")
    if not np.isfinite(column(rows, figure)).any():
        notes = dict.fromkeys(row.note for row in rows if row.note)
        why = f": {next(iter(notes))}" if notes else ""
        raise UserError(f"no point has a {figure}{why}")
    return kind.data(spec, rows, figure, x)


def render_sweep(
    data: ChartData, kind: str, *, theme: str | ChartTheme = "paper", **size: Any
) -> tuple[bytes, Places]:
    """A drawing as the bytes of a file, and where its points are.

    Args:
        data: of `sweep_chart_data`.
        kind: ``svg``, ``pdf`` or ``png``.
        theme: theme or its name.
        size: ``width_mm``, ``height_mm`` and ``dpi`` as of `simcore.export.chart_file.render`.
    """
    hits: list[Hit] = []
    kept: list[Any] = []

    def draw(figure: Any, shown: ChartData, look: ChartTheme) -> None:
        kept.append(figure)
        hits.extend(SWEEP_CHARTS.get(data.chart).draw(figure, shown, look))

    picture = render(data, kind, theme=theme, draw=draw, **size)
    return picture, _places(kept[0], hits)


def _places(figure: Any, hits: Sequence[Hit]) -> Places:
    if not hits:
        return Places(np.empty((0, 2)), np.empty(0, np.int64))
    at = np.vstack([ax.transData.transform(points) for ax, points, _ in hits])
    at /= (figure.bbox.width, figure.bbox.height)
    at[:, 1] = 1 - at[:, 1]
    rows = np.concatenate([rows for _, _, rows in hits])
    shown = np.isfinite(at).all(axis=1)
    return Places(at[shown], rows[shown])


def write_sweep_chart(
    chart: str,
    spec: SweepSpec,
    rows: Sequence[Row],
    path: str | Path,
    *,
    figure: str = "",
    x: str = "",
    theme: str = "paper",
    width_mm: float = 180,
    height_mm: float = 100,
    dpi: int = 300,
) -> None:
    """Write a chart of a sweep to a ``.svg``, ``.pdf`` or ``.png`` file.

    Raises:
        UserError: if there is no such chart or kind of file, or the sweep lacks what it needs.
        DataFileError: if the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURES:
        raise UserError(f"{path}: a chart is written to {', '.join(PICTURES)}")
    data = sweep_chart_data(chart, spec, rows, figure, x)
    picture, _ = render_sweep(
        data, suffix[1:], theme=theme, width_mm=width_mm, height_mm=height_mm, dpi=dpi
    )
    with replacing(path) as temporary:
        temporary.write_bytes(picture)


def chart_of_name(path: str | Path) -> str:
    """The chart a file's name asks for: ``dimms-pareto.svg`` is the Pareto front.

    Raises:
        UserError: if the name holds no chart of a sweep.
    """
    stem = Path(path).stem.lower().replace("_", "-")
    named = [chart for chart in SWEEP_CHARTS if stem == chart or stem.endswith(f"-{chart}")]
    if named:
        return named[0]
    raise UserError(
        f"{path}: which chart? {did_you_mean(stem, SWEEP_CHARTS)}name the file after one of "
        f"{', '.join(SWEEP_CHARTS)}, such as mine-{next(iter(SWEEP_CHARTS))}.svg"
    )


# What the charts share.


def _caption(spec: SweepSpec, rows: Sequence[Row]) -> str:
    scenario = f"{spec.scenario} · " if spec.scenario else ""
    how = {
        Method.GRID: "full grid",
        Method.RANDOM: f"random sample, seed {spec.seed}",
        Method.LATIN_HYPERCUBE: f"Latin hypercube, seed {spec.seed}",
        Method.SEARCH: f"search, seed {spec.seed}",
    }[spec.method]
    return f"{scenario}{len(rows)} points, {how} · DIMMscope {version()}"


def _notes(rows: Sequence[Row], figure: str) -> tuple[str, ...]:
    missing = int((~np.isfinite(column(rows, figure))).sum())
    return (f"{missing} of {len(rows)} points have no such figure.",) if missing else ()


def _title(figure: str) -> str:
    term = figure_term(figure)
    return term.title[:1].upper() + term.title[1:]


def _figure_column(rows: Sequence[Row], figure: str) -> Column:
    return Column(figure, "", column(rows, figure))


def _axis_column(axis: Axis, number: int, rows: Sequence[Row]) -> Column:
    values = [row.values[number] for row in rows]
    if axis.numeric:
        return Column(axis.path, axis.unit, np.array(values, np.float64))
    known = list(dict.fromkeys([*axis.values, *values]))
    codes = np.array([known.index(value) for value in values], np.int64)
    return Column(axis.path, axis.unit, codes, tuple(_word(value) for value in known))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "automatic" if value is None else str(value)


def _rows_column(rows: Sequence[Row]) -> Column:
    return Column("point", "", np.array([row.index for row in rows], np.int64))


def _is_log(axis: Axis) -> bool:
    """Whether values of an axis are best shown in logarithmic spacing."""
    if axis.range is not None:
        return axis.range.scale is Scale.LOG
    values = [float(v) for v in axis.values] if axis.numeric else []
    if len(values) < 3 or min(values) <= 0:
        return False
    steps = np.sort(values)
    ratios, gaps = steps[1:] / steps[:-1], np.diff(steps)
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(gaps) / gaps.mean())


def _pick_x(spec: SweepSpec, x: str) -> int:
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


def _scale_x(ax: Any, column_: Column, *, log: bool) -> None:
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


# Curves.


def _curves_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """The figure over one axis, a curve for each combination of the others."""
    at = _pick_x(spec, x)
    others = [number for number in range(len(spec.axes)) if number != at]
    names = [
        ", ".join(f"{spec.axes[n].path.rpartition('.')[2]} {_word(row.values[n])}" for n in others)
        for row in rows
    ]
    known = list(dict.fromkeys(names))
    lines = spec.method is Method.GRID
    notes = _notes(rows, figure)
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
        f"{_title(figure)} over {spec.axes[at].label}",
        (
            _rows_column(rows),
            _axis_column(spec.axes[at], at, rows),
            Column("curve", "", order, tuple(known)),
            _figure_column(rows, figure),
            Column("feasible", "", np.array([row.feasible for row in rows], np.bool_)),
        ),
        _caption(spec, rows),
        notes,
        {
            "x": spec.axes[at].label,
            "y": figure_label(figure),
            "log": _is_log(spec.axes[at]),
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
    _scale_x(ax, x, log=data.meta["log"])
    _from_zero(ax, y.values)
    labels(ax, data.meta["x"], data.meta["y"])
    if len(handles) > 1:
        legend(figure, theme, handles)
    points = np.column_stack([x.values.astype(np.float64), y.values])
    return [(ax, points, data["point"])]


def _from_zero(ax: Any, values: NDArray[np.float64]) -> None:
    """Begin the axis at 0 unless that hides everything."""
    there = values[np.isfinite(values)]
    if len(there) and there.min() >= 0 and there.min() < 0.7 * there.max():
        ax.set_ylim(0, 1.06 * float(there.max()))


# Heat map.


def _heatmap_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """The figure over two axes; the best over the others, if there are more."""
    if len(spec.axes) < 2:
        raise UserError("a heat map needs two axes; this sweep varies one field")
    first = _pick_x(spec, x)
    rest = [number for number in range(len(spec.axes)) if number != first]
    second = max(rest, key=lambda n: (len(spec.axes[n].grid()), -n))
    grid = spec.method is Method.GRID
    upward = {o.figure: o.maximise for o in spec.objectives}.get(figure, maximised(figure))
    notes = _notes(rows, figure)
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
        _title(figure),
        (
            _rows_column(rows),
            _axis_column(spec.axes[first], first, rows),
            _axis_column(spec.axes[second], second, rows),
            _figure_column(rows, figure),
            Column(
                "failure",
                "",
                np.array([kinds.index(text) if text else -1 for text in failures], np.int64),
                kinds,
            ),
        ),
        _caption(spec, rows),
        notes,
        {
            "x": spec.axes[first].label,
            "y": spec.axes[second].label,
            "z": figure_label(figure),
            "grid": grid,
            "log": (_is_log(spec.axes[first]), _is_log(spec.axes[second])),
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


# Pareto front.


def _pareto_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """All points over two objectives, and which of them nothing beats."""
    if len(spec.objectives) < 2:
        raise UserError("a Pareto front needs two objectives; give the sweep a second one")
    first, second, *more = spec.objectives
    notes = [*_notes(rows, first.figure)]
    if more:
        others = ", ".join(o.figure for o in more)
        notes.append(f"Points on the front may be there for {others}, too.")
    return ChartData(
        "pareto",
        f"{_title(first.figure)} against {figure_term(second.figure).title}",
        (
            _rows_column(rows),
            _figure_column(rows, first.figure),
            _figure_column(rows, second.figure),
            Column("front", "", pareto(rows, spec.objectives)),
            Column("feasible", "", np.array([row.feasible for row in rows], np.bool_)),
        ),
        _caption(spec, rows),
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
    _from_zero(ax, y)
    labels(ax, data.meta["x"], data.meta["y"])
    return [(ax, np.column_stack([x, y]), data["point"])]


# Parallel coordinates.


def _parallel_data(spec: SweepSpec, rows: Sequence[Row], figure: str, x: str) -> ChartData:
    """Every point a line through its values and its objectives."""
    figures = list(dict.fromkeys([*(o.figure for o in spec.objectives), figure]))
    notes = _notes(rows, figure)
    rows = [row for row in rows if row.number(figure) == row.number(figure)]
    return ChartData(
        "parallel",
        f"Points by {figure_term(figure).title}",
        (
            _rows_column(rows),
            *(_axis_column(axis, number, rows) for number, axis in enumerate(spec.axes)),
            *(_figure_column(rows, name) for name in figures),
            Column("front", "", pareto(rows, spec.objectives)),
        ),
        _caption(spec, rows),
        (*notes, "Lines of points on the Pareto front are thick."),
        {
            "titles": (
                *(axis.label for axis in spec.axes),
                *(figure_label(name) for name in figures),
            ),
            "log": (*(_is_log(axis) for axis in spec.axes), *(False for _ in figures)),
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


# Sensitivity.


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
        _caption(spec, rows),
        (
            *_notes(rows, figure),
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


for _chart in (
    SweepChart(
        "curves",
        "Curves",
        "A figure over one field, a curve for each combination of the others.",
        _curves_data,
        _draw_curves,
        takes_x=True,
    ),
    SweepChart(
        "heatmap",
        "Heat map",
        "A figure over two fields; the best over the others.",
        _heatmap_data,
        _draw_heatmap,
        takes_x=True,
    ),
    SweepChart(
        "pareto",
        "Pareto front",
        "Two objectives against each other, and the points nothing beats.",
        _pareto_data,
        _draw_pareto,
    ),
    SweepChart(
        "parallel",
        "Parallel coordinates",
        "Every point a line through its values and its figures.",
        _parallel_data,
        _draw_parallel,
    ),
    SweepChart(
        "sensitivity",
        "Sensitivity",
        "Which field matters: the share of a figure's variance each explains by itself.",
        _sensitivity_data,
        _draw_sensitivity,
    ),
):
    SWEEP_CHARTS.add(_chart.id, _chart)
