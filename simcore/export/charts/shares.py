"""Charts of where the time goes: waits of each lane, and time of each operation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from simcore.export.charts.base import (
    CHARTS,
    Chart,
    ChartData,
    Column,
    by_group,
    caption,
    codes,
    decode_steps,
)
from simcore.export.charts.drawing import axes, frame, labels, legend, look, op_order, patch
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.results.totals import totals
from simcore.units import PS_PER_MS, rounded


def wait_data(run: Run, start: int, stop: int) -> ChartData:
    """Share of the time each lane spends on each category of work and each kind of wait."""
    sums = totals(run, start, stop)
    whole = max(1, sums.duration_ps)
    keys = op_order(run.ops)
    return ChartData(
        "waits",
        "Work and waits of each lane",
        (
            codes(np.arange(len(run.lanes)), tuple(lane.id for lane in run.lanes), "lane"),
            *(
                Column(key.replace(":", "_").replace(" ", "_"), "%", values)
                for key, ops in keys
                if (values := sums.lane_op_ps[:, ops].sum(axis=1) * (100.0 / whole)).any()
            ),
        ),
        caption(run, start, stop),
        meta={
            "titles": tuple(lane.title for lane in run.lanes),
            "keys": tuple(key for key, ops in keys if sums.lane_op_ps[:, ops].any()),
        },
    )


def draw_waits(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Bars that add up to 100 %; work in colour, waits hatched."""
    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color=theme.grid, linewidth=0.4)
    titles = data.meta["titles"]
    left = np.zeros(len(titles))
    for key, column in zip(data.meta["keys"], data.columns[1:], strict=True):
        style = look(key, theme)
        if not key.startswith("wait:"):
            style["edgecolor"] = theme.background
        ax.barh(range(len(titles)), column.values, left=left, height=0.76, linewidth=0.3, **style)
        left += column.values
    ax.set_yticks(range(len(titles)), titles)
    ax.tick_params(axis="y", length=0, labelsize=6.5 if len(titles) <= 16 else 5)
    ax.set_ylim(len(titles) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    labels(ax, "share of the time (%)")
    legend(figure, theme, [patch(key, theme) for key in data.meta["keys"]])


def alike_lanes(run: Run) -> dict[str, list[int]]:
    """Lanes that differ only in their number, by name: the DIMMs, but HBM apart from LPDDR.

    Means over lanes of different memories, or over both directions of a link, mean nothing.
    """
    found: dict[str, list[int]] = {}
    for group, lanes in by_group(run).items():
        kinds: dict[tuple[str, float], list[int]] = {}
        for lane in lanes:
            what = run.lanes[lane]
            kinds.setdefault((re.sub(r"\d+", "", what.title), what.peak_GBps), []).append(lane)
        for members in kinds.values():
            title = run.lanes[members[0]].title
            alone = len(members) == 1 and len(lanes) > 1
            found[title if alone or group in found else group] = members
    return found


def breakdown_data(run: Run, start: int, stop: int) -> ChartData:
    """Milliseconds a step spends on each operation, mean over the lanes of a group."""
    steps, notes = decode_steps(run, start, stop)
    first, last = (int(steps[0]), int(steps[-1]) + 1) if len(steps) else (start, start)
    sums = totals(run, first, last)
    count = max(1, sums.steps)
    groups, ops, times = [], [], []
    alike = alike_lanes(run)
    names = tuple(alike)
    for number, lanes in enumerate(alike.values()):
        mean = sums.lane_op_ps[lanes].mean(axis=0) / (count * PS_PER_MS)
        for op in np.argsort(-mean, kind="stable").tolist():
            if mean[op] > 0 and not run.ops[op].is_wait:
                groups.append(number)
                ops.append(op)
                times.append(float(mean[op]))
    return ChartData(
        "breakdown",
        "Time of each operation in a step",
        (
            codes(np.array(groups, np.int64), names, "group"),
            codes(np.array(ops, np.int64), tuple(op.id for op in run.ops), "op"),
            Column("time", "ms", np.array(times)),
        ),
        caption(run, start, stop),
        (*notes, "Mean over the steps and over lanes that are alike; waits are left out."),
        {"ops": run.ops},
    )


def draw_breakdown(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """One bar an operation, grouped by the lanes that do it."""
    frame(figure, data, theme)
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color=theme.grid, linewidth=0.4)
    ops = data.meta["ops"]
    names = data.columns[0].texts()
    gaps = np.cumsum(np.r_[0, np.diff(data["group"]) != 0]) * 0.6 if len(data) else np.empty(0)
    at = np.arange(len(data)) + gaps
    longest = float(data["time"].max()) if len(data) else 1.0
    for place, op, time in zip(at, data["op"].tolist(), data["time"].tolist(), strict=True):
        style = look(ops[op].category, theme)
        style["edgecolor"] = theme.background
        ax.barh(place, time, height=0.8, linewidth=0.3, **style)
        ax.annotate(
            f"{rounded(time, 3)} ms",
            (time, place),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=5.5,
            color=theme.text,
        )
    ax.set_yticks(at, [f"{name}: {ops[op].title}" for name, op in zip(names, data["op"].tolist())])
    ax.tick_params(axis="y", length=0, labelsize=6 if len(data) <= 18 else 4.5)
    ax.set_ylim((at[-1] if len(at) else 0) + 0.7, -0.7)
    ax.set_xlim(0, longest * 1.12)
    labels(ax, "time in a step (ms)")
    shown = {ops[op].category for op in data["op"].tolist()}
    legend(figure, theme, [patch(key, theme) for key, _ in op_order(ops) if key in shown])


CHARTS.add(
    "waits",
    Chart(
        "waits",
        "Work and waits",
        "share of the time (%)",
        "lane",
        "How busy each lane is, and what it waits for.",
        wait_data,
        draw_waits,
    ),
)
CHARTS.add(
    "breakdown",
    Chart(
        "breakdown",
        "Time by operation",
        "ms",
        "operation",
        "Which operations a step spends its time on.",
        breakdown_data,
        draw_breakdown,
    ),
)
