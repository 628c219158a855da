"""Why this mapping: time of both sides over the heads on the HBM side, one panel a sublayer."""

from __future__ import annotations

from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import CHARTS, Chart, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels, legend
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.units import PS_PER_US

SUBLAYERS = ("qkv", "attention", "fc")


def data(run: Run, start: int, stop: int) -> ChartData:
    """Times of every share of heads at the last step of the range.

    Raises:
        UserError: if the system shares nothing out between two sides.
    """
    curve_of = getattr(run.system, "mapping_curve", None)
    if curve_of is None:
        raise UserError(
            f"{run.scenario.system} maps no heads to two sides; the chart mapping is one of H2M2"
        )
    step = stop - 1
    curves = [curve_of(run.plan, run.record(step), name) for name in SUBLAYERS]
    sizes = [len(curve.n) for curve in curves]
    number = np.repeat(np.arange(len(curves)), sizes)
    n = np.concatenate([curve.n for curve in curves])

    def at(values: list[int]) -> Any:
        return (n == np.repeat(values, sizes)).astype(np.int64)

    def times(which: str) -> Any:
        return np.concatenate([getattr(curve, which) for curve in curves]) / PS_PER_US

    return ChartData(
        "mapping",
        "Heads on the HBM side: why this many",
        (
            codes(number, SUBLAYERS, "sublayer"),
            Column("n", "heads", n),
            Column("HBM side", "us", times("hbm_ps")),
            Column("LPDDR side", "us", times("lpddr_ps")),
            Column("fits", "", np.concatenate([curve.fits for curve in curves]).astype(np.int64)),
            Column("chosen", "", at([curve.chosen for curve in curves])),
            Column("optimum", "", at([curve.optimum for curve in curves])),
        ),
        caption(run, step, stop),
        (
            "Time of one layer; both sides run beside each other, so the slower one counts. "
            "Shaded: does not fit beside the other sublayers. Optimum: of all three sublayers "
            "together.",
        ),
        {"titles": ("QKV", "attention", "FC")},
    )


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """Two curves a panel, the chosen and the best share as lines."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    frame(figure, data, theme)
    titles = data.meta["titles"]
    grid = figure.add_gridspec(1, len(titles))
    hbm, lpddr = theme.series[0], theme.series[1]
    looks: dict[str, dict[str, Any]] = {
        "chosen": {"color": theme.text, "linewidth": 1.0},
        "optimum": {"color": theme.accent, "linewidth": 1.0, "linestyle": (0, (3, 2))},
    }
    for at, title in enumerate(titles):
        mine = data["sublayer"] == at
        n = data["n"][mine]
        ax = axes(figure, theme, grid[0, at])
        ax.plot(n, data["HBM side"][mine], color=hbm, linewidth=1.1)
        ax.plot(n, data["LPDDR side"][mine], color=lpddr, linewidth=1.1, linestyle=(0, (5, 1.5)))
        top = max(float(data["HBM side"][mine].max()), float(data["LPDDR side"][mine].max()), 1e-9)
        ax.fill_between(
            n,
            0,
            top * 1.1,
            where=data["fits"][mine] == 0,
            step="mid",
            color=theme.grid,
            linewidth=0,
            zorder=0,
        )
        for name, look in looks.items():
            for place in n[data[name][mine] > 0]:
                ax.axvline(place, **look)
        ax.set_xlim(n[0], n[-1])
        ax.set_ylim(0, top * 1.1)
        ax.set_title(title, fontsize=7, color=theme.text, loc="left")
        labels(ax, "heads on the HBM side", "time of a layer (µs)" if at == 0 else "")
    legend(
        figure,
        theme,
        [
            Line2D([], [], color=hbm, linewidth=1.1, label="HBM side"),
            Line2D([], [], color=lpddr, linewidth=1.1, linestyle=(0, (5, 1.5)), label="LPDDR side"),
            *(Line2D([], [], label=name, **look) for name, look in looks.items()),
            Patch(facecolor=theme.grid, label="does not fit"),
        ],
    )


CHARTS.add(
    "mapping",
    Chart(
        "mapping",
        "Mapping of heads",
        "heads on the HBM side",
        "µs",
        "Why so many heads are on the HBM side, and how far that is from the best.",
        data,
        draw,
        default_range="step",
    ),
)
