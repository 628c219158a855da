"""Why this ratio of activations to KV: time of the link and of the GPU over the share."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import PS_PER_MS

TITLES = {"act": "blocks cached as activations", "tokens": "blocks computed again"}


def data(run: Run, start: int, stop: int) -> ChartData:
    """Times of every share at the last step of the range (the first token's for the prefill).

    Raises:
        UserError: if the system does not cache in a ratio.
    """
    curve_of = getattr(run.system, "ratio_curve", None)
    if curve_of is None:
        raise UserError(
            f"{run.scenario.system} caches no activations beside KV; the chart ratio is one of "
            "HybridServe"
        )
    step = stop - 1
    curve = curve_of(run.plan, run.record(step))
    n = len(curve.share)
    return ChartData(
        "ratio",
        f"Share of {TITLES[curve.light]}: why this much",
        (
            Column("share", "%", 100 * curve.share),
            Column("link", "ms", curve.pcie_ps / PS_PER_MS),
            Column("GPU", "ms", curve.gpu_ps / PS_PER_MS),
            Column("step", "ms", curve.step_ps / PS_PER_MS),
            Column("fits", "", curve.fits.astype(np.int64)),
            Column("chosen", "", (np.arange(n) == curve.chosen).astype(np.int64)),
        ),
        caption(run, step, stop),
        (
            "Time in which the link carries something to the GPU and in which the GPU computes, in "
            f"a decode step of {curve.mini_batches} mini-batches; the step takes at least the "
            "longer of both. The share is chosen for the whole run. Shaded: does not fit.",
        ),
        {"x": TITLES[curve.light]},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Three curves, the chosen share as a line."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    ax = axes(figure, theme)
    share = data["share"]
    looks: dict[str, dict[str, Any]] = {
        "link": {"color": theme.series[1], "linewidth": 1.1, "linestyle": (0, (5, 1.5))},
        "GPU": {"color": theme.series[0], "linewidth": 1.1, "linestyle": (0, (1, 1))},
        "step": {"color": theme.text, "linewidth": 1.2},
    }
    for name, look in looks.items():
        ax.plot(share, data[name], **look)
    top = 1.1 * max(float(data["step"].max()), 1e-9)
    bad = data["fits"] == 0
    ax.fill_between(share, 0, top, where=bad, step="mid", color=theme.grid, linewidth=0, zorder=0)
    mark: dict[str, Any] = {"color": theme.accent, "linewidth": 1.0}
    for place in share[data["chosen"] > 0]:
        ax.axvline(place, **mark)
    ax.set_xlim(0, 100)
    ax.set_ylim(0, top)
    labels(ax, f"share of {data.meta['x']} (%)", "time of a decode step (ms)")
    legend(
        figure,
        theme,
        [
            *(Line2D([], [], label=name, **look) for name, look in looks.items()),
            Line2D([], [], label="chosen", **mark),
            Patch(facecolor=theme.grid, label="does not fit"),
        ],
    )


CHARTS.add(
    "ratio",
    Chart(
        "ratio",
        "Ratio of activations to KV",
        "share cached as activations (%)",
        "ms",
        "Why so much of the cache holds activations: time of the link against time of the GPU.",
        data,
        draw,
        default_range="step",
    ),
)
