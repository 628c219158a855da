"""The block map: what every token block of every request holds, and where it lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run


def data(run: Run, start: int, stop: int) -> ChartData:
    """Every block that is there at the last step of the range.

    Raises:
        UserError: if the system has no block table.
    """
    map_of = getattr(run.system, "block_map", None)
    if map_of is None:
        raise UserError(
            f"{run.scenario.system} keeps no table of blocks; the chart blocks is one of "
            "HybridServe"
        )
    step = stop - 1
    blocks = map_of(run.plan, run.record(step))
    request, block = np.nonzero(blocks.table.type >= 0)
    kind = blocks.kind[request, block].astype(np.int64)
    counts = ", ".join(
        f"{int((kind == code).sum()):,} {title}"
        for code, title in enumerate(blocks.titles)
        if (kind == code).any()
    )
    return ChartData(
        "blocks",
        "What every block holds, and where",
        (
            Column("request", "", request),
            Column("block", "", block),
            codes(kind, blocks.titles, "holds"),
            Column("number", "", blocks.table.number[request, block].astype(np.int64)),
        ),
        caption(run, step, stop),
        (f"Blocks of {blocks.tokens} tokens, all layers together: {counts}.",),
        {"map": blocks.kind, "titles": blocks.titles, "ids": blocks.ids},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A picture of requests by blocks."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    kind, titles = data.meta["map"], data.meta["titles"]
    colours = [to_rgb(colour) for colour in theme.places(data.meta["ids"])]
    colours[-1] = to_rgb(theme.background)  # not there yet
    ax = axes(figure, theme)
    ax.grid(visible=False)
    rows, columns = kind.shape
    ax.imshow(
        np.array(colours)[kind],
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
    )
    labels(ax, "block", "request")
    used = np.unique(data["holds"])
    handles = [Patch(facecolor=colours[code], label=titles[code]) for code in used]
    legend(figure, theme, handles)


CHARTS.add(
    "blocks",
    Chart(
        "blocks",
        "Block map",
        "block",
        "request",
        "Which blocks of which request are KV or activations, on the host or on the GPU.",
        data,
        draw,
        default_range="last",
    ),
)
