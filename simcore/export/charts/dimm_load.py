"""Load of sister lanes: who has more work, at which step, and how unequal it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import (
    CHARTS,
    Chart,
    ChartData,
    Column,
    by_group,
    caption,
    decode_steps,
)
from simcore.export.charts.drawing import axes, frame, labels
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.results.spans import LaneKind
from simcore.units import PS_PER_MS


def data(run: Run, start: int, stop: int) -> ChartData:
    """Busy time of each lane of the largest compute group, step by step.

    Raises:
        UserError: if no group has two compute lanes to compare.
    """
    groups = {
        group: lanes
        for group, lanes in by_group(run).items()
        if len(lanes) > 1 and run.lanes[lanes[0]].kind is LaneKind.COMPUTE
    }
    if not groups:
        raise UserError(
            f"{run.scenario.system} has no group of alike devices; the chart dimm-load needs one"
        )
    group = max(groups, key=lambda name: len(groups[name]))
    lanes = groups[group]
    steps, notes = decode_steps(run, start, stop)
    work = [index for index, op in enumerate(run.ops) if not op.is_wait]
    busy = np.zeros((len(steps), len(lanes)))
    for at in range(0, len(steps), 4096):
        piece = run.column(
            "lane_op_ps", int(steps[at]), int(steps[min(at + 4096, len(steps)) - 1]) + 1
        )
        busy[at : at + 4096] = piece[:, lanes][:, :, work].sum(axis=2) / PS_PER_MS
    mean = busy.mean(axis=1)
    imbalance = np.divide(busy.max(axis=1), mean, out=np.ones_like(mean), where=mean > 0)
    return ChartData(
        "dimm-load",
        f"Load of the {len(lanes)} {group} lanes",
        (
            Column("step", "", steps),
            *(Column(run.lanes[lane].id, "ms", busy[:, at]) for at, lane in enumerate(lanes)),
            Column("imbalance", "max/mean", imbalance),
        ),
        caption(run, start, stop),
        notes,
        {"ids": [run.lanes[i].id for i in lanes], "titles": [run.lanes[i].title for i in lanes]},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Heat over steps, mean load as bars beside it, imbalance below."""
    from matplotlib.ticker import MaxNLocator

    frame(figure, data, theme)
    ids, titles = data.meta["ids"], data.meta["titles"]
    load = np.stack([data[name] for name in ids])
    steps = data["step"]
    grid = figure.add_gridspec(2, 2, width_ratios=(3.2, 1), height_ratios=(2.2, 1))
    heat = axes(figure, theme, grid[0, 0])
    heat.grid(visible=False)
    limits = (steps[0] - 0.5, steps[-1] + 0.5) if len(steps) else (0, 1)
    mean = load.mean(axis=0)
    deviation = 100 * np.divide(load - mean, mean, out=np.zeros_like(load), where=mean > 0)
    bound = max(0.1, float(np.percentile(np.abs(deviation), 99.5))) if load.size else 1.0
    image = heat.imshow(
        deviation,
        aspect="auto",
        interpolation="nearest",
        cmap=theme.diverging,
        vmin=-bound,
        vmax=bound,
        extent=(*limits, len(ids) - 0.5, -0.5),
    )
    size = 6.5 if len(ids) <= 12 else 5
    heat.set_yticks(range(len(ids)), titles, fontsize=size)
    heat.tick_params(labelbottom=False)
    bar = figure.colorbar(image, ax=heat, pad=0.015, aspect=14, extend="both")
    bar.set_label("load against the\nmean of the step (%)", fontsize=6, color=theme.text)
    bar.ax.tick_params(labelsize=6, colors=theme.text, width=0.5, length=2)
    bar.outline.set_linewidth(0.4)
    bars = axes(figure, theme, grid[:, 1])
    bars.grid(visible=False, axis="y")
    bars.grid(visible=True, axis="x", color=theme.grid, linewidth=0.4)
    middle = load.mean(axis=1) if load.size else np.zeros(len(ids))
    spread = np.stack([middle - load.min(axis=1), load.max(axis=1) - middle]) if load.size else None
    bars.barh(
        range(len(ids)),
        middle,
        xerr=spread,
        color=theme.series[0],
        height=0.7,
        error_kw={"elinewidth": 0.7, "ecolor": theme.text, "capsize": 1.5, "capthick": 0.7},
    )
    bars.set_ylim(len(ids) - 0.5, -0.5)
    bars.set_yticks(range(len(ids)), titles, fontsize=size)
    labels(bars, "busy in a step (ms):\nmean, least, most")
    bars.xaxis.set_major_locator(MaxNLocator(4))
    lower = axes(figure, theme, grid[1, 0], sharex=heat)
    lower.plot(steps, data["imbalance"], color=theme.series[4], linewidth=0.8)
    top = float(data["imbalance"].max()) if len(data) else 1.0
    lower.set_ylim(1.0, max(1.005, 1 + (top - 1) * 1.15))
    lower.set_xlim(*limits)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    labels(lower, "step", "step imbalance\nmax / mean")


CHARTS.add(
    "dimm-load",
    Chart(
        "dimm-load",
        "Load of the DIMMs",
        "step",
        "busy time (ms), imbalance",
        "Which of the alike devices has more work, and how unequal the load is.",
        data,
        draw,
    ),
)
