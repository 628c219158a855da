"""Comparison: the speed of several systems or runs as bars, and how many times the first it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simcore.errors import UserError
from simcore.export.charts.base import DRAWINGS, ChartData, Column, caption, codes
from simcore.export.charts.drawing import axes, frame, labels
from simcore.export.charts.style import ChartTheme
from simcore.results.run import Run
from simcore.results.summary import version
from simcore.results.totals import totals
from simcore.units import PS_PER_S


@dataclass(frozen=True, slots=True)
class Entry:
    """One bar.

    Attributes:
        title: name beside the bar.
        tokens_per_s: speed end to end; None if it could not run.
        problem: why it could not, in one sentence.
    """

    title: str
    tokens_per_s: float | None
    problem: str = ""


def comparison_data(entries: Sequence[Entry], below: str) -> ChartData:
    """Speeds, and the first one's as a multiple of each.

    Raises:
        UserError: if there are fewer than two entries, or the first has no speed.
    """
    if len(entries) < 2 or not entries[0].tokens_per_s:
        raise UserError(
            "a comparison needs two runs that have a speed; name other systems in the scenario's "
            "compare list"
        )
    speed = np.array([np.nan if e.tokens_per_s is None else e.tokens_per_s for e in entries])
    with np.errstate(divide="ignore"):
        ratio = np.where(speed > 0, speed[0] / speed, np.nan)
    names = tuple(entry.title for entry in entries)
    return ChartData(
        "comparison",
        f"{names[0]} compared",
        (
            codes(np.arange(len(names)), names, "system"),
            Column("speed", "tokens/s", speed),
            Column(f"speedup of {names[0]}", "", ratio),
        ),
        below,
        tuple(f"{entry.title}: {entry.problem}" for entry in entries if entry.problem),
        {"problems": [entry.problem for entry in entries]},
    )


def two_runs(a: Run, b: Run) -> ChartData:
    """The speeds of two runs, named so that they can be told apart."""
    names = [run.scenario.name for run in (a, b)]
    if names[0] == names[1]:
        names = [f"{name} ({run.scenario.system})" for name, run in zip(names, (a, b))]
    if names[0] == names[1]:
        names = [f"{which}: {name}" for which, name in zip("AB", names)]
    seeds = " and ".join(dict.fromkeys(str(run.scenario.seed) for run in (a, b)))
    entries = [Entry(name, _speed(run)) for name, run in zip(names, (a, b))]
    return comparison_data(entries, f"{' · '.join(names)} · seed {seeds} · DIMMscope {version()}")


def one_and_others(run: Run, compare: Mapping[str, Any]) -> ChartData:
    """A run and the systems it is compared with, as its summary lists them.

    Args:
        run: the run.
        compare: name to ``tokens_per_s`` and, if it cannot run, ``error``.

    Raises:
        UserError: if there are none.
    """
    entries = [
        Entry(run.scenario.system, _speed(run)),
        *(
            Entry(name, other["tokens_per_s"], str(other.get("error", "")))
            for name, other in compare.items()
        ),
    ]
    return comparison_data(entries, caption(run, 0, len(run)))


def _speed(run: Run) -> float:
    sums = totals(run)
    return sums.tokens * PS_PER_S / max(1, sums.duration_ps)


def draw(figure: Any, data: ChartData, theme: ChartTheme) -> None:
    """A bar a system, with its figures at the end of the bar."""
    frame(figure, data, theme)
    system, speed_column, ratio_column = data.columns
    names, speed, ratio = system.labels, speed_column.values, ratio_column.values
    ax = axes(figure, theme)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x", color=theme.grid, linewidth=0.4)
    at = np.arange(len(names))
    colours = [theme.series[1], *[theme.series[0]] * (len(names) - 1)]
    ax.barh(at, np.nan_to_num(speed), color=colours, height=0.66)
    ax.set_yticks(at, names, fontsize=7)
    ax.set_ylim(max(len(names), 3) - 0.5, -0.5)
    most = float(np.nanmax(speed))
    ax.set_xlim(0, 1.3 * most)
    for y, (value, times) in enumerate(zip(speed.tolist(), ratio.tolist(), strict=True)):
        if np.isnan(value):
            text = "cannot run"
        elif y == 0 or np.isnan(times):
            text = f"{value:.4g}"
        else:
            text = f"{value:.4g}  ({times:.3g}×)"
        ax.annotate(
            text,
            (0 if np.isnan(value) else value, y),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            color=theme.text,
        )
    labels(ax, f"tokens/s; in brackets: {names[0]} over it")


DRAWINGS.add("comparison", draw)
