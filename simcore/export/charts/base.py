"""What a chart is: data from a run as named numpy columns, and a drawing of these data.

Data need numpy only and serve the application too; matplotlib is imported by `draw` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.export.charts.style import ChartTheme
from simcore.registry import Registry
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.summary import version
from simcore.results.terms import prefill_title


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity of a chart.

    Attributes:
        name: short name, the same in every export of the chart.
        unit: unit of the values; empty for counts, shares and names.
        values: shape (n,).
        labels: names behind integer values, for columns of codes; empty otherwise.
    """

    name: str
    unit: str
    values: NDArray[Any]
    labels: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """Name with unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def texts(self) -> list[Any]:
        """The values as a table shows them."""
        if not self.labels:
            return list(self.values.tolist())
        return [self.labels[code] if code >= 0 else "" for code in self.values.tolist()]


@dataclass(frozen=True, slots=True)
class ChartData:
    """Everything a chart shows.

    Attributes:
        chart: id in `CHARTS`.
        title: title of the drawing.
        columns: the table behind it, all of one length.
        caption: scenario, range, version and seed in one line.
        notes: what a reader must know, such as what is merged or left out.
        meta: structure for drawing that is no column (lanes, peaks, shape of a matrix).
    """

    chart: str
    title: str
    columns: tuple[Column, ...]
    caption: str
    notes: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> NDArray[Any]:
        for column in self.columns:
            if column.name == name:
                return column.values
        raise KeyError(name)

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the table."""
        return zip(*(column.texts() for column in self.columns), strict=True)


@dataclass(frozen=True, slots=True)
class Chart:
    """A kind of chart.

    Attributes:
        id, title: stable id and name as shown.
        x, y: what the axes mean, with units.
        help: one sentence on what it answers.
        data: `(run, start, stop)` to the data over these steps.
        draw: puts the data on a matplotlib figure.
        default_range: steps shown when none are asked for: ``all``, ``step`` (one decode step
            in the middle) or ``last``.
        items: whether the run must have recorded single items.
        layers: `(run, step, first, last)` to the data while these layers are worked on, for
            charts that can show less than a step; else None.
    """

    id: str
    title: str
    x: str
    y: str
    help: str
    data: Callable[[Run, int, int], ChartData]
    draw: Callable[[Any, ChartData, ChartTheme], None]
    default_range: str = "all"
    items: bool = False
    layers: Callable[[Run, int, int, int], ChartData] | None = None

    def range_of(self, run: Run) -> tuple[int, int]:
        """The steps shown when none are asked for."""
        length = len(run)
        if self.default_range == "step" and length:
            middle = (length + int(length > 1)) // 2
            return min(middle, length - 1), min(middle, length - 1) + 1
        if self.default_range == "last" and length:
            return length - 1, length
        return 0, length


CHARTS: Registry[Chart] = Registry("chart")
"""Chart ids; filled when `simcore.export.charts` is imported."""

DRAWINGS: Registry[Callable[[Any, ChartData, ChartTheme], None]] = Registry("drawing")
"""Drawings of data that come from several runs, and so have no `Chart`."""


def drawing_of(data: ChartData) -> Callable[[Any, ChartData, ChartTheme], None]:
    """What puts the data on a figure."""
    return CHARTS.get(data.chart).draw if data.chart in CHARTS else DRAWINGS.get(data.chart)


def caption(run: Run, start: int, stop: int) -> str:
    """One line that says where a drawing comes from."""
    scenario = run.scenario
    steps = f"step {start}" if stop - start == 1 else f"steps {start} to {stop - 1}"
    return (
        f"{scenario.name} · {scenario.system} · {steps} of {len(run)} · "
        f"seed {scenario.seed} · DIMMscope {version()}"
    )


def codes(values: NDArray[Any], labels: tuple[str, ...], name: str) -> Column:
    """A column of integer codes with the names behind them."""
    return Column(name, "", np.asarray(values), labels)


def is_prefill(run: Run, start: int, stop: int) -> NDArray[np.bool_]:
    """Which of the steps are prefill."""
    return np.asarray(run.column("kind", start, stop) == KIND_PREFILL, dtype=np.bool_)


def decode_steps(run: Run, start: int, stop: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Decode steps of a range, or all of its steps if there is none; and a note on what is left.

    The prefill is many times longer than a decode step and would flatten every axis it is on.
    """
    prefill = is_prefill(run, start, stop)
    steps = np.arange(start, stop, dtype=np.int64)
    if prefill.all() or not prefill.any():
        return steps, ()
    return steps[~prefill], (f"{_left_out(run)} left out.",)


def _left_out(run: Run) -> str:
    word = getattr(run.system, "step_word", "token")
    return "The prefill step is" if word == "token" else f"{prefill_title(word).capitalize()} are"


def by_group(run: Run) -> dict[str, list[int]]:
    """Group title to the indices of its lanes, in display order."""
    out: dict[str, list[int]] = {}
    for index, lane in enumerate(run.lanes):
        out.setdefault(lane.group, []).append(index)
    return out
