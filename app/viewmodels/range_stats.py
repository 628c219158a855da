"""What happened between two times: exact sums by lane, from records and spans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.formatting import bytes_text, percent_text, significant, time_text
from app.viewmodels.grains import is_wait_table
from app.viewmodels.hover import step_name
from simcore.results.run import Run

Floats = NDArray[np.float64]
CHUNK_BYTES = 24 << 20
"""Steps are summed up in pieces of about this size, between which work can be given up."""
HEADERS = (
    "lane",
    "group",
    "busy",
    "least in a step",
    "most in a step",
    "bytes",
    "average GB/s",
    "of the peak",
    "longest wait",
)
SHORT_HEADERS = (
    "lane",
    "group",
    "busy",
    "least",
    "most",
    "bytes",
    "GB/s",
    "of peak",
    "longest wait",
)
"""The same for a narrow table, whose tips have the long ones."""
CSV_HEADERS = (
    "lane",
    "title",
    "group",
    "busy_share",
    "least_busy_share_of_a_step",
    "most_busy_share_of_a_step",
    "bytes",
    "average_GBps",
    "peak_GBps",
    "longest_wait",
    "longest_wait_share",
)


@dataclass(frozen=True, slots=True)
class LaneStats:
    """One lane in a range.

    Attributes:
        id, title, group: the lane.
        busy: share of the range in which it worked.
        least, most: the same of the steps in the range, of each the part that is inside.
        amount_bytes: bytes moved.
        GBps: on average over the range; 0 for no bytes.
        peak_GBps: peak of the lane, 0 for none.
        wait: reason it waited longest for, empty if it never waited.
        wait_share: share of the range of that wait.
    """

    id: str
    title: str
    group: str
    busy: float
    least: float
    most: float
    amount_bytes: float
    GBps: float
    peak_GBps: float
    wait: str
    wait_share: float


@dataclass(frozen=True, slots=True)
class RangeStats:
    """A range of the time axis.

    Attributes:
        start_ps, end_ps: the range.
        first, stop: steps it touches.
        steps: how many of them, parts counted as parts.
        tokens: output tokens of the steps that end in it, all sequences together.
        where: the first and the last step in words.
        lanes: the lanes in the order of the run.
    """

    start_ps: int
    end_ps: int
    first: int
    stop: int
    steps: float
    tokens: int
    where: str
    lanes: tuple[LaneStats, ...]

    @property
    def duration_ps(self) -> int:
        """Length of the range."""
        return self.end_ps - self.start_ps

    def headline(self) -> str:
        """The range in a line."""
        rate = self.tokens * 1e12 / self.duration_ps
        tokens = "token" if self.tokens == 1 else "tokens"
        parts = [
            f"Δ {time_text(self.duration_ps)}",
            f"{self.where} ({significant(self.steps, 4)} steps)",
            f"{self.tokens:,} {tokens} finished",
        ]
        if self.tokens:
            parts.append(f"{significant(rate, 4)} tokens/s")
        return " · ".join(parts)

    def rows(self) -> list[tuple[str, ...]]:
        """Cells of the table, as `HEADERS`."""
        return [
            (
                lane.title,
                lane.group,
                percent_text(lane.busy),
                percent_text(lane.least),
                percent_text(lane.most),
                bytes_text(lane.amount_bytes) if lane.amount_bytes else "–",
                significant(lane.GBps, 4) if lane.amount_bytes else "–",
                percent_text(lane.GBps / lane.peak_GBps)
                if lane.peak_GBps and lane.amount_bytes
                else "–",
                f"{lane.wait}, {percent_text(lane.wait_share)}" if lane.wait else "–",
            )
            for lane in self.lanes
        ]

    def text(self) -> str:
        """Headline and table with tabs, for the clipboard."""
        return "\n".join([self.headline(), "\t".join(HEADERS), *map("\t".join, self.rows())])

    def table(self) -> list[tuple[str | float, ...]]:
        """Rows for a CSV file, as `CSV_HEADERS`; numbers unrounded and without separators."""
        return [
            (
                lane.id,
                lane.title,
                lane.group,
                lane.busy,
                lane.least,
                lane.most,
                lane.amount_bytes,
                lane.GBps,
                lane.peak_GBps,
                lane.wait,
                lane.wait_share,
            )
            for lane in self.lanes
        ]


class _Sums:
    """Time by (lane, op), bytes by lane, and the busy shares of steps."""

    def __init__(self, run: Run) -> None:
        lanes, ops = len(run.lanes), len(run.ops)
        self.time_ps = np.zeros((lanes, ops))
        self.amount = np.zeros(lanes)
        self.work = ~is_wait_table(run)
        self.least = np.full(lanes, np.inf)
        self.most = np.full(lanes, -np.inf)
        self.steps = 0.0

    def add(self, time_ps: Floats, amount: Floats, length_ps: Floats, steps: float) -> None:
        """Take in (n, lanes, ops) times, (n, lanes) bytes and the lengths of n steps."""
        busy = time_ps[:, :, self.work].sum(axis=2) / np.maximum(length_ps, 1.0)[:, None]
        self.least = np.minimum(self.least, busy.min(axis=0))
        self.most = np.maximum(self.most, busy.max(axis=0))
        self.time_ps += time_ps.sum(axis=0)
        self.amount += amount.sum(axis=0)
        self.steps += steps


def measure(
    run: Run,
    start_ps: int,
    end_ps: int,
    length: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RangeStats | None:
    """Sum up a range; None if it was cancelled.

    Whole steps are summed from their recorded totals, parts of steps from their spans; bytes of
    a span that is cut are shared out evenly over its time.

    Args:
        start_ps, end_ps: the range, inside the run and not empty.
        length: steps that may be used, by default all.
    """
    length = len(run) if length is None else min(length, len(run))
    first = min(run.step_at(start_ps), length - 1)
    last = min(run.step_at(end_ps), length - 1)
    if last > first and run.start_ps(last) >= end_ps:
        last -= 1
    sums = _Sums(run)
    whole_from, whole_to = first, last + 1
    for step in sorted({first, last}):
        begin = run.start_ps(step)
        end = begin + int(run.value("duration_ps", step))
        if start_ps > begin or end_ps < end:
            _add_part(run, sums, step, max(start_ps, begin) - begin, min(end_ps, end) - begin)
            if step == first:
                whole_from = first + 1
            if step == last:
                whole_to = last
    per_step = 16 * len(run.lanes) * len(run.ops)
    chunk = max(1, CHUNK_BYTES // per_step)
    for at in range(whole_from, whole_to, chunk):
        if cancelled():
            return None
        stop = min(at + chunk, whole_to)
        sums.add(
            run.column("lane_op_ps", at, stop).astype(np.float64),
            run.column("lane_op_bytes", at, stop).sum(axis=2).astype(np.float64),
            run.column("duration_ps", at, stop).astype(np.float64),
            stop - at,
        )
    ends = run.column("start_ps", first, last + 1) + run.column("duration_ps", first, last + 1)
    done = run.column("tokens", first, last + 1)[(ends > start_ps) & (ends <= end_ps)]
    where = step_name(run, first)
    if last > first:
        where += f" to {step_name(run, last)}"
    return RangeStats(
        start_ps,
        end_ps,
        first,
        last + 1,
        sums.steps,
        int(done.sum()),
        where,
        _lanes(run, sums, end_ps - start_ps),
    )


def _add_part(run: Run, sums: _Sums, step: int, begin: int, end: int) -> None:
    """Take in what a step did between two times in it."""
    spans = run.spans(step)
    overlap = np.minimum(spans.end_ps, end) - np.maximum(spans.start_ps, begin)
    use = np.flatnonzero(overlap > 0)
    time = np.zeros(sums.time_ps.shape)
    np.add.at(time, (spans.lane[use], spans.op[use]), overlap[use])
    share = overlap[use] / (spans.end_ps[use] - spans.start_ps[use])
    amount = np.bincount(
        spans.lane[use], weights=spans.amount_bytes[use] * share, minlength=len(time)
    )
    duration = int(run.value("duration_ps", step))
    sums.add(
        time[None],
        amount[None].astype(np.float64),
        np.array([float(end - begin)]),
        (end - begin) / max(duration, 1),
    )


def _lanes(run: Run, sums: _Sums, duration_ps: int) -> tuple[LaneStats, ...]:
    found = []
    waits = np.where(sums.work, 0.0, sums.time_ps)
    for index, lane in enumerate(run.lanes):
        wait = int(waits[index].argmax())
        waited = float(waits[index, wait])
        reason = run.ops[wait].reason
        amount = float(sums.amount[index])
        found.append(
            LaneStats(
                lane.id,
                lane.title,
                lane.group,
                float(sums.time_ps[index, sums.work].sum() / duration_ps),
                float(sums.least[index]),
                float(sums.most[index]),
                amount,
                amount * 1e3 / duration_ps,
                lane.peak_GBps,
                reason.value if reason and waited else "",
                waited / duration_ps if reason else 0.0,
            )
        )
    return tuple(found)
