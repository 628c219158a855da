"""Charts of served requests: batch and queue over the steps, and what became of each request."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import PS_PER_S

_POINTS = 4000


def _intervals_of(run: Run) -> Any:
    """The function of a system that serves requests which tells what became of them."""
    found = getattr(run.system, "request_intervals", None)
    if found is None:
        raise UserError(
            f"{run.scenario.system} keeps no queue of requests; this chart is for systems that do, "
            "such as l3"
        )
    return found


def batch_data(run: Run, start: int, stop: int) -> ChartData:
    """Decodes in the batch and requests out of memory, at up to some thousand steps."""
    _intervals_of(run)
    every = max(1, -(-(stop - start) // _POINTS))
    steps = np.arange(start, stop, every)
    batch = run.column("batch", start, stop)[::every]
    queue = run.column("queue", start, stop)[::every]
    notes = (f"Every {every}th step is shown.",) if every > 1 else ()
    return ChartData(
        "batch",
        "Batch and queue",
        (
            Column("step", "", steps),
            Column("time", "s", run.column("start_ps", start, stop)[::every] / PS_PER_S),
            Column("batch", "requests", batch),
            Column("queue", "requests", queue),
        ),
        caption(run, start, stop),
        notes,
    )


def draw_batch(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Two curves over time."""
    frame(figure, data, theme)
    ax = axes(figure, theme)
    handles = []
    for name, colour, title in (
        ("batch", theme.series[0], "decoded in a step"),
        ("queue", theme.series[4], "waiting or moved out"),
    ):
        handles += ax.plot(
            data["time"],
            data[name],
            color=colour,
            linewidth=0.9,
            drawstyle="steps-post",
            label=title,
            rasterized=len(data) > 2000,
        )
    most = max([1.0, *(float(data[name].max(initial=0)) for name in ("batch", "queue"))])
    ax.set_ylim(0, most * 1.05)
    ax.margins(x=0.01)
    labels(ax, "time (s)", "requests")
    legend(figure, theme, handles)


def request_data(run: Run, start: int, stop: int) -> ChartData:
    """States of every request over time."""
    found = _intervals_of(run)(run.plan, run)
    low = run.start_ps(start) if stop > start else 0
    high = run.start_ps(stop - 1) + int(run.value("duration_ps", stop - 1)) if stop > start else 0
    keep = (found.end_ps > low) & (found.start_ps < high)
    return ChartData(
        "requests",
        "What became of the requests",
        (
            Column("request", "", found.request[keep]),
            codes(found.state[keep].astype(np.int64), found.names, "state"),
            Column("start", "s", np.maximum(found.start_ps[keep], low) / PS_PER_S),
            Column("end", "s", np.minimum(found.end_ps[keep], high) / PS_PER_S),
        ),
        caption(run, start, stop),
        ("Requests of one replica of the model.",),
        meta={"names": found.names},
    )


def draw_requests(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A bar a request, coloured by state."""
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    ax = axes(figure, theme)
    names, handles = data.meta["names"], []
    for state, name in enumerate(names):
        mine = data["state"] == state
        if not mine.any():
            continue
        colour = theme.grid if name == "waiting" else theme.series[state % len(theme.series)]
        ax.barh(
            data["request"][mine],
            (data["end"] - data["start"])[mine],
            left=data["start"][mine],
            height=0.9,
            color=colour,
            linewidth=0,
            rasterized=bool(mine.sum() > 2000),
        )
        handles.append(Patch(facecolor=colour, label=name))
    ax.invert_yaxis()
    ax.margins(x=0.01, y=0.01)
    labels(ax, "time (s)", "request")
    legend(figure, theme, handles)


CHARTS.add(
    "batch",
    Chart(
        "batch",
        "Batch and queue",
        "time (s)",
        "requests",
        "How many requests are decoded together, and how many wait.",
        batch_data,
        draw_batch,
    ),
)
CHARTS.add(
    "requests",
    Chart(
        "requests",
        "States of the requests",
        "time (s)",
        "request",
        "When each request waited, was prefilled, decoded, or had to leave the memory.",
        request_data,
        draw_requests,
    ),
)
