"""What a tour is: stops, each a place on screen and a text made of the run's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simcore.results.run import Run

TRANSPORT = "transport"
"""The target of a stop that is not a view: the bar with the token slider."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a tour.

    Attributes:
        title: in a few words.
        target: the view that is brought up and outlined, or `TRANSPORT`.
        text: what happens and why, of the run and the step.
        step: where the cursor goes; the stop waits until the run is that long.
        zoom: ``run`` shows all of it, ``step`` the step, ``layer`` one layer; empty leaves it.
        layer: the layer ``layer`` means.
        select: op whose longest span is selected; empty for none.
        whole: whether the text needs the finished run.
        reveal: what the view is scrolled to, a lane or a field; empty leaves it.
    """

    title: str
    target: str
    text: Callable[[Run, int], str]
    step: int = 0
    zoom: str = ""
    layer: int = 0
    select: str = ""
    whole: bool = False
    reveal: str = ""


@dataclass(frozen=True, slots=True)
class Tour:
    """A walk through a system.

    Attributes:
        id, title: stable id and name as shown.
        scenario: shipped scenario it opens.
        stops: in order.
    """

    id: str
    title: str
    scenario: str
    stops: tuple[Stop, ...]


def busy_share(run: Run, step: int, lanes: list[int]) -> float:
    """Mean share of a step that lanes work, waits aside."""
    work = np.array([op.reason is None for op in run.ops])
    times = run.value("lane_op_ps", step)[lanes][:, work].sum()
    return float(times) / max(1, len(lanes) * int(run.value("duration_ps", step)))


def lanes_of(run: Run, prefix: str) -> list[int]:
    """Lanes whose id begins so."""
    return [index for index, lane in enumerate(run.lanes) if lane.id.startswith(prefix)]


def longest_wait(run: Run, step: int, lane: int) -> tuple[str, float]:
    """Title of the wait a lane spends most of a step in, and its share of the step."""
    times = np.array(run.value("lane_op_ps", step)[lane], np.float64)
    times[[op.reason is None for op in run.ops]] = 0
    which = int(times.argmax())
    return run.ops[which].title, float(times[which]) / max(1, int(run.value("duration_ps", step)))
