"""Charts over the steps: length of a step, and tokens over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.export.charts.base import (
    CHARTS,
    Chart,
    ChartData,
    Column,
    caption,
    decode_steps,
    is_prefill,
)
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import PS_PER_MS, PS_PER_S


def step_data(run: Run, start: int, stop: int) -> ChartData:
    """Length of each decode step."""
    steps, notes = decode_steps(run, start, stop)
    length = run.column("duration_ps", start, stop)[steps - start] / PS_PER_MS
    if notes:
        prefill = run.column("duration_ps", start, stop)[is_prefill(run, start, stop)].sum()
        notes = (f"{notes[0][:-1]} ({prefill / PS_PER_S:.3g} s).",)
    return ChartData(
        "step-time",
        "Length of a decode step",
        (
            Column("step", "", steps),
            Column("duration", "ms", length),
            Column("context", "tokens", run.column("context_tokens", start, stop)[steps - start]),
        ),
        caption(run, start, stop),
        notes,
    )


def draw_steps(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A curve with median and 95th percentile."""
    from matplotlib.ticker import MaxNLocator

    frame(figure, data, theme)
    ax = axes(figure, theme)
    steps, length = data["step"], data["duration"]
    handles = ax.plot(
        steps,
        length,
        color=theme.series[0],
        linewidth=0.9,
        marker="o" if len(steps) <= 40 else "",
        markersize=2.5,
        label="decode step",
        rasterized=len(steps) > 20_000,
    )
    if len(length):
        p50, p95 = np.percentile(length, (50, 95))
        for value, name, dashes, colour in (
            (p50, "median", (0, (5, 2)), theme.series[2]),
            (p95, "95th percentile", (0, (1, 1.5)), theme.series[4]),
        ):
            handles.append(
                ax.axhline(
                    value,
                    color=colour,
                    linewidth=0.9,
                    linestyle=dashes,
                    label=f"{name}: {value:.4g} ms",
                )
            )
        low, high = float(length.min()), float(length.max())
        room = max((high - low) * 0.15, high * 0.005, 1e-9)
        ax.set_ylim(max(0.0, low - room), high + room)
    ax.margins(x=0.01)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    labels(ax, "step", "length (ms)")
    legend(figure, theme, handles)


def token_data(run: Run, start: int, stop: int) -> ChartData:
    """Tokens finished by the end of each step; time counts from the start of the range."""
    begin = run.start_ps(start) if stop > start else 0
    end = run.column("start_ps", start, stop) + run.column("duration_ps", start, stop) - begin
    tokens = np.cumsum(run.column("tokens", start, stop)) if stop > start else np.empty(0)
    prefill = is_prefill(run, start, stop)
    decode_ps = int(run.column("duration_ps", start, stop)[~prefill].sum()) if stop > start else 0
    decoded = int(run.column("tokens", start, stop)[~prefill].sum()) if stop > start else 0
    return ChartData(
        "tokens",
        "Tokens over time",
        (
            Column("step", "", np.arange(start, stop)),
            Column("time", "s", end / PS_PER_S),
            Column("tokens", "", tokens),
        ),
        caption(run, start, stop),
        meta={
            "tokens_per_s": float(tokens[-1]) * PS_PER_S / float(end[-1]) if len(tokens) else 0.0,
            "decode_tokens_per_s": decoded * PS_PER_S / decode_ps if decode_ps else 0.0,
            "prefill_s": float(run.column("duration_ps", start, stop)[prefill].sum()) / PS_PER_S
            if stop > start
            else 0.0,
            # A band says when the prefill was: at the start, unless requests come and go.
            "band": getattr(run.system, "step_word", "token") == "token",
        },
    )


def draw_tokens(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Cumulative tokens, with the two rates the papers quote."""
    frame(figure, data, theme)
    ax = axes(figure, theme)
    time, tokens = np.r_[0.0, data["time"]], np.r_[0.0, data["tokens"]]
    handles = ax.plot(
        time,
        tokens,
        drawstyle="steps-post",
        color=theme.series[0],
        linewidth=1.0,
        label=f"tokens (decode {data.meta['decode_tokens_per_s']:.4g} tokens/s)",
    )
    handles += ax.plot(
        time[[0, -1]],
        tokens[[0, -1]],
        color=theme.series[4],
        linewidth=0.8,
        linestyle=(0, (5, 2)),
        label=f"end to end {data.meta['tokens_per_s']:.4g} tokens/s",
    )
    prefill = data.meta["prefill_s"]
    if prefill > 0 and data.meta["band"]:
        handles.append(
            ax.axvspan(
                0,
                prefill,
                color=theme.grid,
                alpha=0.6,
                linewidth=0,
                label=f"prefill {prefill:.3g} s",
            )
        )
    ax.set_xlim(0, float(time[-1]) or 1.0)
    ax.set_ylim(0, (float(tokens[-1]) or 1.0) * 1.05)
    labels(ax, "time (s)", "tokens finished")
    legend(figure, theme, handles)


CHARTS.add(
    "step-time",
    Chart(
        "step-time",
        "Length of the steps",
        "step",
        "ms",
        "How long each decode step takes, with median and 95th percentile.",
        step_data,
        draw_steps,
    ),
)
CHARTS.add(
    "tokens",
    Chart(
        "tokens",
        "Tokens over time",
        "time (s)",
        "tokens",
        "How many tokens are finished at any time.",
        token_data,
        draw_tokens,
    ),
)
