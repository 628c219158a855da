"""The page map of two memories: what their pages hold, how often it is read, what has moved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import MiB

_COLUMNS = 240


def data(run: Run, start: int, stop: int) -> ChartData:
    """Runs of pages at the last step of the range.

    Raises:
        UserError: if the system has no pages in two memories.
    """
    map_of = getattr(run.system, "page_map", None)
    found = None if map_of is None else map_of(run.plan, run, stop - 1)
    if found is None:
        raise UserError(
            f"{run.scenario.system} keeps no pages in two memories; the chart pages is one of H2M2"
        )
    step = stop - 1
    most = int(found.reads[found.layer >= 0].max(initial=1))
    shades = f" Pale: read once an iteration; full colour: {most} times." if most > 1 else ""
    moved = int(found.moved.sum())
    return ChartData(
        "pages",
        "What the pages of both memories hold",
        (
            codes(found.side, ("HBM", "LPDDR"), "memory"),
            Column("layer", "", found.layer),
            codes(found.owner, found.owners, "holds"),
            Column("pages", "", found.pages),
            Column("used", "B", found.used_bytes),
            Column("reads", "an iteration", found.reads),
            Column("moved in", "pages", found.moved),
        ),
        caption(run, step, stop),
        (
            f"Pages of {found.page_bytes / MiB:g} MiB in logical order, layer by layer. "
            + (f"{moved:,} pages changed sides before this step." if moved else "None moved.")
            + shades,
        ),
        {"owners": found.owners, "page_bytes": found.page_bytes},
    )


def layer_cells(
    owner: NDArray[np.int64], pages: NDArray[np.int64], columns: int, width: float
) -> NDArray[np.int64]:
    """Which run of pages lies at the middle of each cell of a layer's row; -1 where none does.

    Args:
        owner, pages: runs of one layer in order, (n,).
        columns: cells of the row.
        width: pages the row stands for.
    """
    middle = (np.arange(columns) + 0.5) * width / columns
    at = np.searchsorted(np.cumsum(pages), middle, side="right")
    return np.where(at < len(owner), at, -1)


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Pages of each layer as a row, one panel a memory."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    owners = data.meta["owners"]
    last = len(owners) - 2  # activations and what is free belong to no layer
    background, empty = np.array(to_rgb(theme.background)), np.array(to_rgb(theme.grid))
    colours = np.array([to_rgb(theme.memory(owner)) for owner in owners[:last]])
    panels = figure.add_gridspec(1, 2)
    most = max(1, int(data["reads"][data["holds"] < last].max(initial=1)))
    for side, title in enumerate(("HBM", "LPDDR")):
        mine = data["memory"] == side
        if not mine.any():
            continue
        layer, holds, pages = data["layer"][mine], data["holds"][mine], data["pages"][mine]
        reads, moved = data["reads"][mine], data["moved in"][mine]
        whole, layers = int(pages.sum()), int(layer.max()) + 1
        used = whole - int(pages[holds == len(owners) - 1].sum())
        width = whole / max(1, layers)
        image = np.empty((max(1, layers), _COLUMNS, 3))
        image[:] = (empty + background) / 2
        for row in range(layers):
            own = layer == row
            at = layer_cells(holds[own], pages[own], _COLUMNS, width)
            held = np.flatnonzero(at >= 0)
            which = at[held]
            # Shade: what is read once an iteration is paler than what each query group reads.
            strength = 0.5 + 0.5 * reads[own][which] / most if most > 1 else np.ones(len(which))
            image[row, held] = colours[holds[own][which]] * strength[:, None]
            image[row, held] += background * (1 - strength[:, None])
            ends = np.cumsum(pages[own])
            for run in np.flatnonzero(moved[own]):
                low, high = (ends[run] - moved[own][run]) / width, ends[run] / width
                first = int(low * _COLUMNS)
                image[row, first : max(first + 1, int(high * _COLUMNS))] = to_rgb(theme.accent)
        ax = axes(figure, theme, panels[0, side])
        ax.grid(visible=False)
        ax.imshow(
            image,
            aspect="auto",
            interpolation="nearest",
            extent=(0, width, layers - 0.5, -0.5),
            zorder=1,
        )
        share = 100 * used / max(1, whole)
        ax.set_title(
            f"{title}: {used:,} of {whole:,} pages in use ({share:.0f} %)",
            fontsize=7,
            color=theme.text,
            loc="left",
        )
        labels(ax, "pages of a layer", "layer" if side == 0 else "")
    handles = [
        Patch(facecolor=tuple(colour), label=name)
        for colour, name in zip(colours, owners, strict=False)
    ]
    handles.append(Patch(facecolor=tuple((empty + background) / 2), label="free, activations"))
    if data["moved in"].any():
        handles.append(Patch(facecolor=theme.accent, label="just moved in"))
    legend(figure, theme, handles)


CHARTS.add(
    "pages",
    Chart(
        "pages",
        "Page map",
        "pages of a layer",
        "layer",
        "What the pages of both memories hold, how often they are read, and what has moved.",
        data,
        draw,
        default_range="last",
    ),
)
