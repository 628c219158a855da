"""Busy time of lanes that are alike, in one step and over the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.composition import Composition
from app.viewmodels.formatting import significant
from app.viewmodels.keys import OP_KEYS
from simcore.results.run import Run
from simcore.results.spans import LaneKind

Floats = NDArray[np.float64]


def load_group(run: Run) -> list[int]:
    """Lanes of the largest group of compute lanes, such as the DIMMs; may be a single lane."""
    groups: dict[str, list[int]] = {}
    for index, lane in enumerate(run.lanes):
        if lane.kind is LaneKind.COMPUTE:
            groups.setdefault(lane.group, []).append(index)
    return max(groups.values(), key=len, default=[])


@dataclass(frozen=True, slots=True)
class StepLoad:
    """Load of alike lanes in one step.

    Attributes:
        parts: (lanes, op keys) busy time in ps.
        busy: (lanes,) busy time in ps.
        mean: mean of `busy`.
        imbalance: largest over mean, 1 when perfectly even or idle.
    """

    parts: Floats
    busy: Floats
    mean: float
    imbalance: float


def imbalance_text(load: StepLoad) -> str:
    """Largest over mean as text; a step in which nobody works has none."""
    return significant(load.imbalance) if load.mean > 0 else "–"


def step_load(composition: Composition, lanes: list[int], step: int) -> StepLoad:
    """Load of `lanes` in a step."""
    parts = composition.step_totals(step)[lanes, :OP_KEYS]
    busy = parts.sum(axis=1)
    mean = float(busy.mean()) if len(busy) else 0.0
    return StepLoad(parts, busy, mean, float(busy.max() / mean) if mean > 0 else 1.0)


def load_history(composition: Composition, lanes: list[int], columns: int) -> Floats:
    """Share of the time that each lane was busy, shape (lanes, columns).

    One column a step, or the mean over equally many steps where there are more; none is skipped.
    """
    edges = composition.edges
    steps = len(edges) - 1  # more may be taken in by another thread meanwhile
    if not steps or not lanes or columns < 1:
        return np.zeros((len(lanes), 0))
    cuts = np.arange(steps + 1)
    if steps > columns:
        cuts = np.linspace(0, steps, columns + 1).astype(np.int64)
    times = edges[cuts]
    busy = composition.between(times, lanes)[:, :, :OP_KEYS].sum(axis=-1)
    return np.asarray((busy / np.maximum(np.diff(times), 1.0)[:, None]).T)


def heat_range(columns: Floats) -> tuple[float, float]:
    """Range of the heat colours: from a little below the typical least to the largest share."""
    busy = columns[columns > 0]
    if not len(busy):
        return 0.0, 1.0
    low, high = float(np.percentile(busy, 2)), float(busy.max())
    return (max(0.0, low - 0.1 * (high - low)), high) if high - low > 1e-6 else (0.0, high)
