"""Placement: where every item is at one step (hue) and how active it is (strength)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.placement import FLAG_FALSE_ALARM, FLAG_MISSED, FLAG_MOVING, NO_CELL
from simcore.results.run import Run

CELLS = 700
"""Cells of a row at most; more items share a cell."""
_FAINT = 0.22


def data(run: Run, start: int, stop: int) -> ChartData:
    """The grid of the last step of the range, a row a cell: share of each place, share active.

    Raises:
        UserError: if the run did not record single items.
    """
    if not run.plan.items:
        raise UserError("the run did not record single items; simulate it with them for this chart")
    index = max(start, stop - 1)
    grid = run.placement(index, 1)
    size = max(1, -(-grid.columns // CELLS))
    there = grid.category != NO_CELL
    items = _cells(there, size)
    share = {
        place.title: _share(grid.category == number, size, items)
        for number, place in enumerate(grid.categories)
    }
    rows, cells = items.shape
    row, cell = np.divmod(np.arange(rows * cells), cells)
    shown = items.ravel() > 0
    columns = [
        Column(grid.row_title, "", row[shown]),
        Column(f"first_{grid.column_title}", "", cell[shown] * size),
        *(
            Column(f"share on {title}", "", values.ravel()[shown])
            for title, values in share.items()
        ),
        Column("active_share", "", _share(grid.active / 255.0 * there, size, items).ravel()[shown]),
    ]
    for name, flag in (
        ("missed", FLAG_MISSED),
        ("false_alarm", FLAG_FALSE_ALARM),
        ("moving", FLAG_MOVING),
    ):
        columns.append(Column(name, "", _cells((grid.flags & flag) > 0, size).ravel()[shown]))
    return ChartData(
        "placement",
        f"Placement at step {index}",
        tuple(columns),
        caption(run, index, index + 1),
        (
            f"A cell is {size} {grid.column_title}s; its colour is the mean of their places' "
            "colours, its strength the share of active ones.",
        )
        if size > 1
        else (),
        {
            "grid": grid,
            "share": tuple(share.values()),
            "active": _share(grid.active / 255.0 * there, size, items),
            "items": items,
            "items_per_cell": size,
        },
    )


def _cells(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Sums over cells of `size` columns, the last one perhaps shorter."""
    starts = np.arange(0, values.shape[1], size)
    kind = np.int64 if values.dtype.kind in "bui" else np.float64
    sums: NDArray[Any] = np.add.reduceat(values, starts, axis=1, dtype=kind)
    return sums


def _share(values: NDArray[Any], size: int, items: NDArray[Any]) -> NDArray[np.float64]:
    """Sums over cells as a share of the items there are."""
    sums = _cells(values, size).astype(np.float64)
    return np.divide(sums, items, out=np.zeros_like(sums), where=items > 0)


def _colours(theme: ChartTheme, count: int) -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    base = [to_rgb(colour) for colour in theme.places]
    while len(base) < count:  # further turns through the list are darker, then lighter
        turn = len(base) // len(theme.places)
        shade = np.array(base[len(base) % len(theme.places)])
        base.append(tuple(shade * (0.6 if turn % 2 else 1.0) + (0.0 if turn % 2 else 0.25)))
    return np.clip(np.array(base[:count]), 0, 1)


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A picture of rows by items."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    grid = data.meta["grid"]
    colours = _colours(theme, len(grid.categories))
    ground = np.array(to_rgb(theme.background))
    there = data.meta["items"] > 0
    active = data.meta["active"]
    full = max(float(np.percentile(active[there], 98)) if there.any() else 1.0, 1e-3)
    strength = _FAINT + (1 - _FAINT) * np.clip(active / full, 0, 1)
    hue = np.tensordot(np.stack(data.meta["share"], axis=-1), colours, axes=1)
    picture = ground + (hue - ground) * strength[..., None]
    picture[~there] = ground
    ax = axes(figure, theme)
    ax.grid(visible=False)
    ax.imshow(
        np.clip(picture, 0, 1),
        aspect="auto",
        interpolation="nearest",
        extent=(0, picture.shape[1] * data.meta["items_per_cell"], grid.rows - 0.5, -0.5),
    )
    ax.set_xlim(0, grid.columns)
    for section in grid.sections:
        if section.start:
            ax.axvline(section.start, color=theme.text, linewidth=0.8)
        ax.annotate(
            section.title,
            ((section.start + section.stop) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6.5,
            color=theme.text,
        )
    labels(ax, grid.column_title, grid.row_title)
    handles = [
        Patch(facecolor=colour, label=place.title)
        for colour, place in zip(colours, grid.categories, strict=True)
    ]
    others = np.stack(data.meta["share"][1:]) if len(grid.categories) > 2 else np.ones((1, 1, 1))
    if (others.max(axis=0) < 0.75 * others.sum(axis=0)).any():
        mixed = f"{grid.categories[1].title} to {grid.categories[-1].title}, mixed"
        handles.append(Patch(facecolor=tuple(colours[1:].mean(axis=0)), label=mixed))
    handles += [
        Patch(facecolor="none", edgecolor="none", label=""),
        Patch(facecolor=_mix(theme, _FAINT), label="faint: none active"),
        Patch(
            facecolor=_mix(theme, 1.0),
            label=f"full: {full:.0%} active" if full < 1 else "full: all active",
        ),
    ]
    legend(figure, theme, handles)


def _mix(theme: ChartTheme, strength: float) -> Any:
    from matplotlib.colors import to_rgb

    ground, ink = np.array(to_rgb(theme.background)), np.array(to_rgb(theme.muted))
    return tuple((ground + (ink - ground) * strength).tolist())


CHARTS.add(
    "placement",
    Chart(
        "placement",
        "Placement map",
        "item",
        "row",
        "Where every item is at one step, and how active it is.",
        data,
        draw,
        default_range="last",
        items=True,
    ),
)
