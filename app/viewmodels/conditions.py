"""Conditions playback can stop at, and where in a run they begin to hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.grains import marks_of
from app.viewmodels.hover import step_word, token_number
from app.viewmodels.series import COLD, IMBALANCE, LINK, MIGRATION, QUEUE
from simcore.results.run import Run

Place = tuple[int, int]
"""A step and a time in ps inside it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to stop at.

    Attributes:
        id: stable id; for conditions on a figure, the id of the figure.
        title: as shown, a value follows where there is one.
        unit: of the value.
        default, least, most, decimals: of the value; `most` 0 for conditions without one.
        help: one sentence.
    """

    id: str
    title: str
    unit: str
    default: float
    least: float
    most: float
    decimals: int
    help: str

    @property
    def has_value(self) -> bool:
        """Whether the user gives a value."""
        return self.most > self.least


TOKEN, LAYER = "token", "layer"

CONDITIONS: tuple[Condition, ...] = (
    Condition(TOKEN, "token", "", 10, 0, 10_000_000, 0, "The step that makes this token begins."),
    Condition(LAYER, "layer", "", 0, 0, 10_000, 0, "Work on this layer begins, in every step."),
    Condition(
        IMBALANCE,
        "imbalance above",
        "",
        1.05,
        1.0,
        1000.0,
        3,
        "The busiest of the alike devices over their mean, busy time of the whole step.",
    ),
    Condition(
        MIGRATION, "migrated above", "MB", 1, 0, 1e7, 1, "What moves between places in the step."
    ),
    Condition(LINK, "link above", "%", 90, 0, 100, 1, "Share of the step the busiest link works."),
    Condition(
        COLD, "a neuron turns cold", "", 0, 0, 0, 0, "A neuron leaves the GPU for a hotter one."
    ),
    Condition(
        QUEUE, "a request waits", "", 0, 0, 0, 0, "Requests wait or had to leave the memory."
    ),
)
"""All conditions in the order they are shown."""


def condition(id: str) -> Condition:
    """A condition by id."""
    return next(item for item in CONDITIONS if item.id == id)


def title_of(item: Condition, run: Run | None) -> str:
    """The title in the words of a run: ``iteration`` where steps are iterations."""
    return step_word(run) if item.id == TOKEN and run is not None else item.title


def help_of(item: Condition, run: Run | None) -> str:
    """The sentence in the words of a run."""
    if item.id == TOKEN and run is not None and step_word(run) != "token":
        return f"The {step_word(run)} of this number begins."
    return item.help


def missing(item: Condition, run: Run | None) -> str:
    """Why a run does not have what a condition needs, in a few words."""
    if run is None:
        return "no run yet"
    if item.id == QUEUE and run.scenario.workload.kind == "turnover":
        return "a request that ends is replaced at once"
    return _MISSING.get(item.id, "no such figure")


_MISSING = {
    LAYER: "the model has no layers",
    IMBALANCE: "no devices share the work",
    MIGRATION: "nothing moves between places",
    LINK: "no links between devices",
    COLD: "no neurons change places",
    QUEUE: "the workload has no queue of requests",
}


def applies(item: Condition, run: Run | None, figures: frozenset[str]) -> bool:
    """Whether a run has what a condition needs."""
    if item.id == TOKEN:
        return run is not None
    if item.id == LAYER:
        return run is not None and run.scenario.model.layers > 0
    return item.id in figures


def beginnings(values: NDArray[np.float64], above: float) -> NDArray[np.int64]:
    """Steps at which a figure comes to be above a value."""
    holds = values > above
    return np.flatnonzero(holds & ~np.append(False, holds[:-1]))


def token_step(run: Run, token: int, length: int) -> int:
    """The step that makes a token, -1 if there is none."""
    step = token if step_word(run) != "token" else token - token_number(run, 0)
    return step if 0 <= step < length else -1


def layer_start(run: Run, step: int, layer: int) -> int:
    """Time in a step at which work on a layer begins, -1 if it has none."""
    marks = marks_of(run, step)
    found = np.flatnonzero(marks.layers == layer)
    return int(marks.layer_starts[found[0]]) if len(found) else -1


def next_layer(run: Run, place: Place, layer: int, direction: int, length: int) -> Place | None:
    """The next or previous place at which work on a layer begins."""
    step, time_ps = place
    for at in (step, step + direction):
        if not 0 <= at < length:
            return None
        start = layer_start(run, at, layer)
        if start >= 0 and (at != step or (start > time_ps if direction > 0 else start < time_ps)):
            return at, start
    return None


def next_step(steps: NDArray[np.int64], place: Place, direction: int) -> Place | None:
    """The next or previous of some steps, from a place; a step begins at its time 0."""
    step, time_ps = place
    if direction > 0:
        at = int(np.searchsorted(steps, step, side="right"))
        return (int(steps[at]), 0) if at < len(steps) else None
    at = int(np.searchsorted(steps, step, side="right" if time_ps > 0 else "left")) - 1
    return (int(steps[at]), 0) if at >= 0 else None
