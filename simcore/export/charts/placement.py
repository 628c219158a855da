"""Placement: where every item is at one step (hue) and how active it is (strength)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.placement import FLAGS, NO_CELL, PlacementGrid
from simcore.results.run import Run

CELLS = 700
"""Cells of a row at most; more items share a cell."""
_FAINT = 0.22


@dataclass(frozen=True, slots=True)
class Cells:
    """A placement grid as it is drawn.

    Attributes:
        share: share of a cell's items in each place, (places, rows, cells).
        active: share of its items that are active, (rows, cells).
        items: number of its items, (rows, cells).
        flagged: items of a cell with each of `FLAGS`, (flags, rows, cells).
        size: items behind a cell of a full row.
    """

    share: NDArray[np.float64]
    active: NDArray[np.float64]
    items: NDArray[np.int64]
    flagged: NDArray[np.int64]
    size: int


def cells_of(run: Run, index: int, size: int) -> tuple[PlacementGrid, Cells]:
    """A step's grid in cells of about `size` items, as the system itself adds them up.

    Faster than exact cells, for moving pictures; activity is rounded to a 255th of a cell.

    Raises:
        UserError: if the run did not record single items.
    """
    _check(run)
    grid = run.placement(index, size)
    if grid.counts is None or grid.flag_counts is None:
        return grid, replace(exact_cells(grid, 1), size=grid.items_per_cell)
    items = grid.counts.sum(axis=0, dtype=np.int64)
    there = np.maximum(items, 1)
    return grid, Cells(
        grid.counts / there,
        grid.active / 255.0 * (items > 0),
        items,
        grid.flag_counts.astype(np.int64),
        grid.items_per_cell,
    )


def exact_cells(grid: PlacementGrid, size: int) -> Cells:
    """Cells of `size` items of an exact grid."""
    there = grid.category != NO_CELL
    items = _cells(there, size)
    return Cells(
        np.stack([_share(grid.category == at, size, items) for at in range(len(grid.categories))]),
        _share(grid.active / 255.0 * there, size, items),
        items,
        np.stack([_cells((grid.flags & flag) > 0, size) for flag in FLAGS]),
        size,
    )


def data(run: Run, start: int, stop: int) -> ChartData:
    """The grid of the last step of the range, a row a cell: share of each place, share active.

    Raises:
        UserError: if the run did not record single items.
    """
    _check(run)
    index = max(start, stop - 1)
    grid = run.placement(index, 1)
    size = max(1, -(-grid.columns // CELLS))
    cells = exact_cells(grid, size)
    row, cell = np.divmod(np.arange(cells.items.size), cells.items.shape[1])
    shown = cells.items.ravel() > 0
    columns = [
        Column(grid.row_title, "", row[shown]),
        Column(f"first_{grid.column_title}", "", cell[shown] * size),
        *(
            Column(f"share on {place.title}", "", values.ravel()[shown])
            for place, values in zip(grid.categories, cells.share, strict=True)
        ),
        Column("active_share", "", cells.active.ravel()[shown]),
        *(
            Column(name, "", values.ravel()[shown])
            for name, values in zip(("missed", "false_alarm", "moving"), cells.flagged, strict=True)
        ),
    ]
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
        {"grid": grid, "cells": cells},
    )


def _check(run: Run) -> None:
    if not run.plan.items:
        raise UserError("the run did not record single items; simulate it with them for this chart")


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


def place_colours(theme: ChartTheme, grid: PlacementGrid) -> NDArray[np.float64]:
    """Red, green, blue in 0..1 of each place, (places, 3)."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(c) for c in theme.places([place.id for place in grid.categories])])


def full_strength(cells: Cells) -> float:
    """The share of active items that is drawn in full colour: nearly the largest there is."""
    there = cells.items > 0
    return max(float(np.percentile(cells.active[there], 98)) if there.any() else 1.0, 1e-3)


def picture_of(
    cells: Cells, theme: ChartTheme, colours: NDArray[np.float64], full: float
) -> NDArray[np.float64]:
    """Rows by cells by red, green, blue in 0..1: hue from the places, strength from activity."""
    from matplotlib.colors import to_rgb

    ground = np.array(to_rgb(theme.background))
    strength = _FAINT + (1 - _FAINT) * np.clip(cells.active / full, 0, 1)
    hue = np.tensordot(cells.share, colours, axes=(0, 0))
    picture = ground + (hue - ground) * strength[..., None]
    picture[cells.items == 0] = ground
    return np.clip(picture, 0, 1)


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A picture of rows by items."""
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    grid = data.meta["grid"]
    colours = place_colours(theme, grid)
    cells: Cells = data.meta["cells"]
    full = full_strength(cells)
    picture = picture_of(cells, theme, colours, full)
    ax = axes(figure, theme)
    ax.grid(visible=False)
    ax.imshow(
        picture,
        aspect="auto",
        interpolation="nearest",
        extent=(0, picture.shape[1] * cells.size, grid.rows - 0.5, -0.5),
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
    handles = place_handles(grid, cells, colours)
    handles += [
        Patch(facecolor="none", edgecolor="none", label=""),
        Patch(facecolor=_mix(theme, _FAINT), label="faint: none active"),
        Patch(
            facecolor=_mix(theme, 1.0),
            label=f"full: {full:.0%} active" if full < 1 else "full: all active",
        ),
    ]
    legend(figure, theme, handles)


def place_handles(grid: PlacementGrid, cells: Cells, colours: NDArray[np.float64]) -> list[Any]:
    """Entries of a legend: the places, and what a cell of several looks like."""
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, label=place.title)
        for colour, place in zip(colours, grid.categories, strict=True)
    ]
    others = cells.share[1:] if len(grid.categories) > 2 else np.ones((1, 1, 1))
    if (others.max(axis=0) < 0.75 * others.sum(axis=0)).any():
        mixed = f"{grid.categories[1].title} to {grid.categories[-1].title}, mixed"
        handles.append(Patch(facecolor=tuple(colours[1:].mean(axis=0)), label=mixed))
    return handles


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
