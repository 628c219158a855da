"""Time to pixels and back, ticks, and which steps are wide enough to be drawn exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.formatting import nice_step, tick_unit

EXACT_PX = 150.0
"""Steps at least this wide are drawn from their spans."""
MAX_EXACT = 12


@dataclass(frozen=True, slots=True)
class TimeMap:
    """A linear map of a time range to pixels.

    Attributes:
        start_ps, end_ps: the range.
        left, width: the pixels it fills.
    """

    start_ps: float
    end_ps: float
    left: float
    width: float

    def x(self, time_ps: float) -> float:
        """Pixel of a time."""
        return self.left + (time_ps - self.start_ps) * self.width / (self.end_ps - self.start_ps)

    def time(self, x: float) -> float:
        """Time of a pixel."""
        return self.start_ps + (x - self.left) * (self.end_ps - self.start_ps) / self.width

    def px(self, duration_ps: float) -> float:
        """Pixels of a duration."""
        return duration_ps * self.width / (self.end_ps - self.start_ps)


def visible_steps(edges: NDArray[np.float64], start_ps: float, end_ps: float) -> range:
    """Steps that overlap a range of time."""
    if len(edges) < 2:
        return range(0)
    first = int(np.searchsorted(edges, start_ps, side="right")) - 1
    last = int(np.searchsorted(edges, end_ps, side="left"))
    return range(max(0, first), max(0, min(last, len(edges) - 1)))


def exact_steps(edges: NDArray[np.float64], axis: TimeMap) -> list[int]:
    """Visible steps wide enough to be drawn from their spans."""
    steps = visible_steps(edges, axis.start_ps, axis.end_ps)
    need = EXACT_PX * (axis.end_ps - axis.start_ps) / axis.width
    wide = np.flatnonzero(np.diff(edges[steps.start : steps.stop + 1]) >= need)[:MAX_EXACT]
    return [steps.start + step for step in wide.tolist()]


def steps_around(edges: NDArray[np.float64], start_ps: float, end_ps: float) -> list[int]:
    """Steps that are drawn from their spans, or soon may be, when the range moves or shrinks.

    Those in sight come first, then those beside the range. How wide a canvas is does not matter:
    too many are few.
    """
    beside = (end_ps - start_ps) / 4
    steps = visible_steps(edges, start_ps - beside, end_ps + beside)
    inside = visible_steps(edges, start_ps, end_ps)
    if len(inside) > MAX_EXACT:
        return []
    return sorted(steps, key=lambda step: step not in inside)[: 2 * MAX_EXACT]


def neighbours(steps: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each row of steps that follow one another."""
    found: list[tuple[int, int]] = []
    for step in sorted(steps):
        if found and step == found[-1][1] + 1:
            found[-1] = (found[-1][0], step)
        else:
            found.append((step, step))
    return found


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of a time axis.

    Attributes:
        times: their positions in ps.
        labels: their texts.
        origin: text of the time the labels count from; empty when they count from 0.
    """

    times: NDArray[np.float64]
    labels: list[str]
    origin: str


def ticks(axis: TimeMap, apart_px: float = 96.0) -> Ticks:
    """Ticks about `apart_px` apart; deep inside a long run they count from a round origin."""
    span = axis.end_ps - axis.start_ps
    step = nice_step(span * apart_px / max(axis.width, 1.0))
    first = np.ceil(axis.start_ps / step)
    times = (first + np.arange(int(span / step) + 1)) * step
    times = times[(times >= max(axis.start_ps, 0.0) - 1e-6) & (times <= axis.end_ps)]
    origin = 0.0
    if axis.start_ps > 400 * span:
        coarse = nice_step(span * 2)
        origin = np.floor(axis.start_ps / coarse) * coarse
    reach = max(abs(axis.end_ps - origin), step)
    factor, unit, decimals = tick_unit(step, reach)
    sign = "+" if origin else ""
    labels = [f"{sign}{(t - origin) / factor:,.{decimals}f} {unit}" for t in times]
    return Ticks(
        times, labels, f"{origin / 1e9:,.9f}".rstrip("0").rstrip(".") + " ms" if origin else ""
    )
