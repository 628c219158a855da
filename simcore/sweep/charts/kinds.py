"""What a chart of a sweep is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.export.charts import ChartData, ChartTheme
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row


@dataclass(frozen=True, slots=True)
class Places:
    """Where the points of a drawing are.

    Attributes:
        at: shape (n, 2), share of the width from the left and of the height from the top.
        rows: which row each place belongs to, shape (n,).
    """

    at: NDArray[np.float64]
    rows: NDArray[np.int64]


Hit = tuple[Any, NDArray[np.float64], NDArray[np.int64]]
"""Axes of matplotlib, points in its data coordinates, and their rows."""


@dataclass(frozen=True, slots=True)
class SweepChart:
    """A kind of chart of a sweep.

    Attributes:
        id, title: stable id and name as shown.
        help: one sentence on what it answers.
        data: `(spec, rows, figure, x)` to the data; `x` is the path of an axis, may be empty.
        draw: puts the data on a matplotlib figure and says where the points are.
        takes_x: whether another axis along the bottom gives another chart.
    """

    id: str
    title: str
    help: str
    data: Callable[[SweepSpec, Sequence[Row], str, str], ChartData]
    draw: Callable[[Any, ChartData, ChartTheme], list[Hit]]
    takes_x: bool = False
