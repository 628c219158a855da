"""Memory: what fills each memory over the run, against its capacity."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.results.totals import chunks
from simcore.units import GB

_HATCHES = ("", "//", "..", "\\\\", "xx", "++")


def data(run: Run, start: int, stop: int) -> ChartData:
    """Gigabytes by kind at the end of each step; alike devices are added up."""
    groups: dict[str, list[int]] = {}
    for index, device in enumerate(run.plan.memory):
        groups.setdefault(re.sub(r"[\s_-]*\d+$", "", device.title), []).append(index)
    pieces = list(chunks(run, "memory_bytes", start, stop))
    used = (
        np.concatenate(pieces)
        if pieces
        else np.zeros((0, len(run.plan.memory), len(run.plan.memory_kinds)))
    )
    columns = [Column("step", "", np.arange(start, stop))]
    panels = []
    for title, members in groups.items():
        name = (
            run.plan.memory[members[0]].title if len(members) == 1 else f"{len(members)} × {title}"
        )
        values = used[:, members].sum(axis=1) / GB
        kinds = [k for k in range(len(run.plan.memory_kinds)) if values[:, k].any()]
        keys = []
        for kind in kinds:
            key = f"{name}: {run.plan.memory_kinds[kind]}"
            columns.append(Column(key, "GB", values[:, kind]))
            keys.append((key, kind))
        capacity = sum(run.plan.memory[index].capacity_bytes for index in members) / GB
        panels.append((name, keys, capacity))
    return ChartData(
        "memory",
        "Memory in use",
        tuple(columns),
        caption(run, start, stop),
        meta={"panels": tuple(panels), "kinds": run.plan.memory_kinds},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """One panel a device: areas by kind, capacity as a dashed line."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    frame(figure, data, theme)
    panels = data.meta["panels"]
    steps = data["step"]
    grid = figure.add_gridspec(1, max(1, len(panels)))
    used: set[int] = set()
    for at, (name, keys, capacity) in enumerate(panels):
        ax = axes(figure, theme, grid[0, at])
        base = np.zeros(len(steps))
        for key, kind in keys:
            used.add(kind)
            top = base + data[key]
            ax.fill_between(
                steps,
                base,
                top,
                facecolor=theme.memory(data.meta["kinds"][kind]),
                edgecolor=theme.background,
                hatch=_HATCHES[kind % len(_HATCHES)],
                linewidth=0.2,
                step="mid" if len(steps) > 1 else None,
            )
            base = top
        ax.axhline(capacity, color=theme.accent, linewidth=0.9, linestyle=(0, (4, 2)))
        ax.set_ylim(0, max(capacity, float(base.max()) if len(base) else 0, 1e-9) * 1.1)
        if len(steps) > 1:
            ax.set_xlim(steps[0], steps[-1])
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        said = f"{capacity:g} GB" in name
        ax.set_title(
            name if said else f"{name}, {capacity:.1f} GB", fontsize=7, color=theme.text, loc="left"
        )
        labels(ax, "step", "GB" if at == 0 else "")
    handles: list[Any] = [
        Patch(
            facecolor=theme.memory(data.meta["kinds"][kind]),
            edgecolor=theme.background,
            hatch=_HATCHES[kind % len(_HATCHES)],
            label=data.meta["kinds"][kind],
        )
        for kind in sorted(used, reverse=True)
    ]
    handles.append(
        Line2D([], [], color=theme.accent, linewidth=0.9, linestyle=(0, (4, 2)), label="capacity")
    )
    legend(figure, theme, handles)


CHARTS.add(
    "memory",
    Chart(
        "memory",
        "Memory by kind",
        "step",
        "GB",
        "What fills each memory, and how much room is left.",
        data,
        draw,
    ),
)
