"""Where a marker jumps to: edges of spans and steps near the pointer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from simcore.results.spans import Spans


def snap(
    time_ps: float,
    within_ps: float,
    edges: NDArray[np.float64],
    exact: Mapping[int, Spans],
    lane: int = -1,
    others: Iterable[float] = (),
) -> float:
    """The nearest edge at most `within_ps` away, else the time itself, kept inside the run.

    Edges in the lane under the pointer come before those of other lanes.

    Args:
        edges: step edges in ps.
        exact: spans of the steps that are drawn one by one.
        lane: the lane under the pointer, -1 for none.
        others: further times to jump to, such as the cursor.
    """
    if len(edges) < 2:
        return time_ps
    time_ps = min(max(time_ps, float(edges[0])), float(edges[-1]))
    own: list[float] = []
    every = [_nearest(edges, time_ps), *others]
    for step, spans in exact.items():
        if step + 1 >= len(edges) or not (
            edges[step] - within_ps <= time_ps <= edges[step + 1] + within_ps
        ):
            continue
        ends = np.concatenate([spans.start_ps, spans.end_ps]).astype(np.float64) + edges[step]
        if not len(ends):
            continue
        mine = ends[np.concatenate([spans.lane, spans.lane]) == lane]
        if len(mine):
            own.append(float(mine[np.abs(mine - time_ps).argmin()]))
        every.append(float(ends[np.abs(ends - time_ps).argmin()]))
    for found in (own, every):
        near = [time for time in found if abs(time - time_ps) <= within_ps]
        if near:
            return min(near, key=lambda time: abs(time - time_ps))
    return time_ps


def _nearest(edges: NDArray[np.float64], time_ps: float) -> float:
    at = int(np.clip(np.searchsorted(edges, time_ps), 1, len(edges) - 1))
    low, high = float(edges[at - 1]), float(edges[at])
    return low if time_ps - low <= high - time_ps else high
