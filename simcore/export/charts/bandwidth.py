"""Bandwidth: bytes a second of each group of lanes over time, against the hardware peak."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, by_group, caption
from simcore.export.charts.drawing import axes, frame, labels, legend, time_unit
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import rounded

BINS = 400
_MAX_STEPS = 4000


def data(run: Run, start: int, stop: int) -> ChartData:
    """Mean rate of each lane in equal bins of time; lanes that never move a byte are left out."""
    begin_ps = run.start_ps(start) if stop > start else 0
    end_ps = run.start_ps(stop - 1) + int(run.value("duration_ps", stop - 1)) if stop > start else 1
    edges = np.linspace(begin_ps, end_ps, BINS + 1)
    moved = np.zeros((len(run.lanes), BINS))
    if stop - start > _MAX_STEPS:
        _add_totals(run, start, stop, edges, moved)
    else:
        for index in range(start, stop):
            _add_spans(run, index, edges, moved)
    rate = moved / np.diff(edges) * 1e3  # bytes/ps * 1000 = GB/s
    shown = [index for index in range(len(run.lanes)) if moved[index].any()]
    middle = (edges[:-1] + edges[1:]) / 2 - begin_ps
    groups = _panels(run, shown)
    return ChartData(
        "bandwidth",
        "Bandwidth in use",
        (
            Column("time", "us", middle / 1e6),
            *(Column(run.lanes[index].id, "GB/s", rate[index]) for index in shown),
        ),
        caption(run, start, stop),
        meta={
            "groups": {
                group: tuple(run.lanes[index].id for index in lanes)
                for group, lanes in groups.items()
            },
            "peak_GBps": {
                group: max(run.lanes[index].peak_GBps for index in lanes)
                for group, lanes in groups.items()
            },
            "length_ps": end_ps - begin_ps,
        },
    )


def _panels(run: Run, shown: list[int]) -> dict[str, list[int]]:
    """Title to lanes of each panel: a group of lanes, divided where their peaks differ."""
    panels: dict[str, list[int]] = {}
    for group, members in by_group(run).items():
        lanes = [index for index in members if index in shown]
        peaks = dict.fromkeys(run.lanes[index].peak_GBps for index in lanes)
        for peak in peaks:
            same = [index for index in lanes if run.lanes[index].peak_GBps == peak]
            title = group
            if len(peaks) > 1:
                title = (
                    run.lanes[same[0]].title
                    if len(same) == 1
                    else f"{group}, {rounded(peak, 4)} GB/s"
                )
            panels.setdefault(title, []).extend(same)
    return panels


def _add_spans(run: Run, index: int, edges: NDArray[Any], moved: NDArray[np.float64]) -> None:
    """Spread the bytes of each span of a step evenly over its time."""
    spans = run.spans(index)
    offset = run.start_ps(index)
    bounds = np.searchsorted(spans.lane, np.arange(len(run.lanes) + 1))
    first = max(0, int(np.searchsorted(edges, offset, side="right")) - 1)
    last = int(np.searchsorted(edges, offset + int(run.value("duration_ps", index)), side="left"))
    local = edges[first : last + 1] - offset
    for lane, (low, high) in enumerate(itertools.pairwise(bounds.tolist())):
        if high > low:
            times = np.r_[spans.start_ps[low], spans.end_ps[low:high]]
            total = np.r_[0.0, np.cumsum(spans.amount_bytes[low:high], dtype=np.float64)]
            moved[lane, first:last] += np.diff(np.interp(local, times, total))


def _add_totals(
    run: Run, start: int, stop: int, edges: NDArray[Any], moved: NDArray[np.float64]
) -> None:
    """Spread the bytes of each step evenly over it, for runs too long to derive every span."""
    amount = np.concatenate(
        [
            run.column("lane_op_bytes", at, min(stop, at + 4096)).sum(axis=2)
            for at in range(start, stop, 4096)
        ]
    )
    times = np.r_[run.column("start_ps", start, stop), edges[-1]]
    for lane in range(len(run.lanes)):
        total = np.r_[0.0, np.cumsum(amount[:, lane], dtype=np.float64)]
        moved[lane] += np.diff(np.interp(edges, times, total))


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """One panel a group: mean of its lanes, the range between them, and the peak."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    groups = data.meta["groups"]
    unit, size = time_unit(data.meta["length_ps"])
    time = data["time"] * (1e6 / size)
    grid = figure.add_gridspec(max(1, len(groups)), 1)
    first = None
    spread = peaks = False
    for row, (group, ids) in enumerate(groups.items()):
        ax = axes(figure, theme, grid[row, 0], sharex=first)
        first = first or ax
        colour = theme.series[row % len(theme.series)]
        rates = np.stack([data[lane] for lane in ids])
        if len(ids) > 1:
            spread = True
            ax.fill_between(
                time, rates.min(axis=0), rates.max(axis=0), color=colour, alpha=0.3, linewidth=0
            )
        ax.plot(time, rates.mean(axis=0), color=colour, linewidth=0.8)
        peak = data.meta["peak_GBps"][group]
        top = float(rates.max()) if rates.size else 0.0
        if peak > 0:
            peaks = True
            ax.axhline(peak, color=theme.accent, linewidth=0.8, linestyle=(0, (4, 2)))
            ax.annotate(
                f"peak {rounded(peak, 4)}",
                (1.0, peak),
                xycoords=("axes fraction", "data"),
                xytext=(0, 1),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=5.5,
                color=theme.accent,
            )
        ax.set_ylim(0, max(top, peak, 1e-9) * (1.32 if peak else 1.1))
        ax.set_xlim(0, data.meta["length_ps"] / size)
        ax.locator_params(axis="y", nbins=3)
        name = group if len(ids) == 1 else f"{group} ({len(ids)})"
        ax.set_title(name, fontsize=6.5, color=theme.text, loc="left", pad=2)
        if row < len(groups) - 1:
            ax.tick_params(labelbottom=False)
        else:
            labels(ax, f"time since the start of the range ({unit})")
    figure.supylabel("GB/s", fontsize=7, color=theme.text)
    handles: list[Any] = [
        Line2D([], [], color=theme.text, linewidth=0.8, label="rate (mean of lanes)")
    ]
    if spread:
        handles.append(Patch(facecolor=theme.muted, alpha=0.3, label="least to most of the lanes"))
    if peaks:
        handles.append(
            Line2D(
                [],
                [],
                color=theme.accent,
                linewidth=0.8,
                linestyle=(0, (4, 2)),
                label="hardware peak",
            )
        )
    legend(figure, theme, handles)


CHARTS.add(
    "bandwidth",
    Chart(
        "bandwidth",
        "Bandwidth against peak",
        "time",
        "GB/s",
        "How much of each memory's and link's peak is used.",
        data,
        draw,
        default_range="step",
    ),
)
