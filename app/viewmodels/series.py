"""Figures over the steps of a run, ready to plot: names, units, and envelopes of many steps."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.load import load_group
from simcore.results.run import Run
from simcore.results.spans import LaneKind
from simcore.units import PS_PER_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_CHUNK = 4096
IMBALANCE, LINK, MIGRATION, COLD, QUEUE = "imbalance", "link", "migration", "cold", "queue"
"""Ids of figures that playback can stop at."""
DEFAULT_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over the steps.

    Attributes:
        id: stable id, the same for every run of a system.
        title, unit: as shown; the unit is empty for counts.
        group: heading in the list of series.
        values: shape (steps,); NaN where a step has no such figure.
    """

    id: str
    title: str
    unit: str
    group: str
    values: Floats

    @property
    def changes(self) -> bool:
        """Whether there is more than one value."""
        seen = self.values[np.isfinite(self.values)]
        return bool(len(seen)) and bool(seen.min() != seen.max())


def series_of(run: Run, length: int) -> tuple[Series, ...]:
    """All figures of the first `length` steps: those of the system first. For the background."""
    part = run.until(length)
    named = getattr(run.system, "series", None)
    own = named(run.plan, part) if named is not None and length else {}
    title = str(getattr(run.system, "title", run.scenario.system))
    found = [
        Series(f"system.{name}", name, unit, title, _floats(values)[:length])
        for name, (unit, values) in own.items()
    ]
    return (*found, *_common(run, length))


def default_ids(series: tuple[Series, ...]) -> tuple[str, ...]:
    """What is shown until the user chooses: the length of the steps, and figures that change."""
    out: list[Series] = [item for item in series if item.id == "step_time"]
    for item in series:
        if len(out) == DEFAULT_SHOWN:
            break
        known = any(np.array_equal(item.values, other.values) for other in out)
        if item.changes and not known:
            out.append(item)
    return tuple(item.id for item in out)


class _Totals:
    """Sums over lanes and memories of a growing run; it does not hold the run."""

    def __init__(self) -> None:
        self.length = 0
        self.busy: list[Floats] = []
        self.memory: list[Floats] = []
        self.measures: list[Floats] = []


_KNOWN: weakref.WeakKeyDictionary[Run, _Totals] = weakref.WeakKeyDictionary()


def _common(run: Run, length: int) -> list[Series]:
    """Figures that every system records."""
    totals = _KNOWN.setdefault(run, _Totals())
    groups = _groups(run)
    _extend(run, totals, groups, length)
    busy = np.concatenate(totals.busy)[:length] if totals.busy else np.zeros((0, len(groups)))
    memory = np.concatenate(totals.memory)[:length] if totals.memory else np.zeros((0, 0))
    duration = run.column("duration_ps", 0, length).astype(np.float64)
    tokens = run.column("tokens", 0, length).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(duration > 0, tokens * 1e12 / duration, np.nan)
    out = [
        Series("step_time", "step time", "ms", "Steps", duration / PS_PER_MS),
        Series("tokens", "tokens of the step", "tokens", "Steps", tokens),
        Series("rate", "tokens a second", "tokens/s", "Steps", rate),
        Series(
            "context",
            "context",
            "tokens",
            "Steps",
            run.column("context_tokens", 0, length).astype(np.float64),
        ),
    ]
    kinds = run.plan.memory_kinds
    if len(memory):
        for number, device in enumerate(run.plan.memory):
            used = memory[:, number * len(kinds) : (number + 1) * len(kinds)].sum(axis=1)
            out.append(
                Series(f"memory.{device.id}", f"{device.title} in use", "GB", "Memory", used / 1e9)
            )
        for number, kind in enumerate(kinds):
            used = memory[:, number :: len(kinds)].sum(axis=1)
            name = kind.replace("_", " ")
            out.append(Series(f"kind.{kind}", f"{name}, everywhere", "GB", "Memory", used / 1e9))
    measures = np.concatenate(totals.measures)[:length] if totals.measures else np.zeros((0, 4))
    if len(measures):
        if _alike(run):
            title = "step max/mean"
            out.append(Series(IMBALANCE, title, "max/mean", "Lanes", measures[:, 0]))
        if _links(run):
            share = 100 * measures[:, 1] / np.maximum(duration, 1.0)
            out.append(Series(LINK, "busiest link", "%", "Lanes", share))
            if _moves(run).any():
                out.append(Series(MIGRATION, "migrated", "MB", "Lanes", measures[:, 2] / 1e6))
        if _has_neurons(run):
            out.append(Series(COLD, "neurons turned cold", "neurons", "Steps", measures[:, 3]))
        if "queue" in run.column_names:
            queue = run.column("queue", 0, length).astype(np.float64)
            out.append(Series(QUEUE, "requests waiting", "requests", "Steps", queue))
    for number, group in enumerate(groups):
        if len(busy):
            share = 100 * busy[:, number] / np.maximum(duration, 1.0)
            out.append(Series(f"busy.{group}", f"{group} busy", "%", "Lanes", share))
    return out


def _groups(run: Run) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for index, lane in enumerate(run.lanes):
        groups.setdefault(lane.group, []).append(index)
    return groups


def _alike(run: Run) -> list[int]:
    """Lanes that share the work, if there is more than one."""
    lanes = load_group(run)
    return lanes if len(lanes) > 1 else []


def _links(run: Run) -> list[int]:
    return [index for index, lane in enumerate(run.lanes) if lane.kind is LaneKind.LINK]


def _moves(run: Run) -> NDArray[np.bool_]:
    return np.array([op.category == "migration" for op in run.ops])


def _has_neurons(run: Run) -> bool:
    """Whether hot neurons that are copied in push out as many others."""
    return {"swap_in", "n_gpu"} <= set(run.column_names)


def _measured(run: Run, first: int, stop: int, times: NDArray[Any]) -> Floats:
    """Columns: largest over mean, busiest link in ps, bytes migrated, neurons turned cold.

    Args:
        times: working time of each lane, shape (steps, lanes).
    """
    out = np.zeros((stop - first, 4))
    alike, links, moves = _alike(run), _links(run), _moves(run)
    if alike:
        mean = times[:, alike].mean(axis=1)
        largest = times[:, alike].max(axis=1)
        out[:, 0] = np.divide(largest, mean, out=np.ones(len(mean)), where=mean > 0)
    if links:
        out[:, 1] = times[:, links].max(axis=1)
        if moves.any():
            amounts = run.column("lane_op_bytes", first, stop)[:, links][:, :, moves]
            out[:, 2] = amounts.sum(axis=(1, 2))
    if _has_neurons(run):
        out[:, 3] = run.column("swap_in", first, stop).reshape(stop - first, -1).sum(axis=1)
    return out


def _extend(run: Run, totals: _Totals, groups: dict[str, list[int]], length: int) -> None:
    """Take in new steps, a chunk at a time so that no array of all lanes and ops is made."""
    work = np.array([not op.is_wait for op in run.ops])
    while totals.length < length:
        stop = min(length, totals.length + _CHUNK)
        times = run.column("lane_op_ps", totals.length, stop)[:, :, work].sum(axis=2)
        busy = [times[:, lanes].mean(axis=1) for lanes in groups.values()]
        totals.busy.append(np.stack(busy, axis=1).astype(np.float64))
        totals.measures.append(_measured(run, totals.length, stop, times))
        used = run.column("memory_bytes", totals.length, stop)
        totals.memory.append(used.reshape(stop - totals.length, -1).astype(np.float64))
        totals.length = stop


def _floats(values: object) -> Floats:
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Columns:
    """The steps behind each pixel column of a plot.

    Attributes:
        first, last: (columns,) step at the left and the right edge of the column; -1 outside.
    """

    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.first)

    def without(self, steps: NDArray[np.bool_]) -> Columns:
        """The columns without some steps at their begin; all of them if nothing else is left."""
        counts = np.append(0, np.cumsum(steps))
        after = np.append(np.where(steps, len(steps), np.arange(len(steps))), len(steps))
        after = np.minimum.accumulate(after[::-1])[::-1]
        first = after[np.clip(self.first, 0, len(steps))]
        last = np.minimum(self.last + 1, len(steps))
        use = (self.first >= 0) & (first < last)
        use &= counts[last] == counts[np.minimum(first, last)]
        if not use.any():
            return self
        return Columns(np.where(use, first, -1), np.where(use, self.last, -1))


def columns_at(places: Floats, steps: int) -> Columns:
    """Columns between consecutive places, given in steps and shares of steps.

    A column has the steps that end or begin in it, so neighbours share a step and a curve drawn
    from envelopes has no gaps.
    """
    at = np.floor(places).astype(np.int64)
    first, last = at[:-1], at[1:]
    inside = (places[1:] > 0) & (places[:-1] < steps)
    return Columns(
        np.where(inside, np.clip(first, 0, max(steps - 1, 0)), -1),
        np.where(inside, np.clip(last, 0, max(steps - 1, 0)), -1),
    )


def places_of(times_ps: Floats, edges: Floats) -> Floats:
    """Times as steps and shares of steps, linear outside of the run as well."""
    steps = len(edges) - 1
    if steps < 1:
        return np.full(len(times_ps), -1.0)
    at = np.clip(np.searchsorted(edges, times_ps, side="right") - 1, 0, steps - 1)
    width = np.maximum(edges[at + 1] - edges[at], 1.0)
    return np.asarray(at + (times_ps - edges[at]) / width)


def envelope(values: Floats, columns: Columns) -> tuple[Floats, Floats]:
    """Least and largest value of each column; NaN where there is none."""
    low = np.full(len(columns), np.nan)
    high = low.copy()
    use = (columns.first >= 0) & (columns.last < len(values))
    if not len(values) or not use.any():
        return low, high
    pairs = np.empty(2 * int(use.sum()), np.int64)
    pairs[0::2], pairs[1::2] = columns.first[use], columns.last[use] + 1
    padded = np.append(values, values[-1])  # the end of the last range may be past the values
    low[use] = np.fmin.reduceat(padded, pairs)[::2]
    high[use] = np.fmax.reduceat(padded, pairs)[::2]
    return low, high


def scale_of(low: Floats, high: Floats) -> tuple[float, float]:
    """Range of the axis: from zero unless the values are far from it."""
    seen = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]])
    if not len(seen):
        return 0.0, 1.0
    bottom, top = float(seen.min()), float(seen.max())
    if bottom >= 0 and bottom < 0.6 * top:
        bottom = 0.0
    if top <= bottom:
        if top == 0:
            return 0.0, 1.0
        margin = abs(top) * 0.1
        return bottom - margin, top + margin
    room = 0.06 * (top - bottom)
    return (bottom if bottom == 0 else bottom - room), top + room
