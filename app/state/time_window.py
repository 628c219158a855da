"""The range of the run's time axis that timeline and bandwidth show together."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.cursor import Cursor
from app.state.runs import RunsModel
from simcore.results.run import Run

MIN_SPAN_PS = 20_000.0
"""Smallest range, 20 ns."""


class TimeWindow(QObject):
    """Visible time range in ps.

    A new run keeps what was visible: the range is remembered in steps relative to the cursor, and
    put back as the new run grows.

    Attributes:
        start_ps, end_ps: the range.
        fit_all: the range follows the growing run until the user zooms or pans.
        follow: the range pages on when the cursor leaves it.
        scale_to_peak: bandwidth is drawn up to the peak, else up to what is visible.
    """

    changed = Signal()

    def __init__(self, runs: RunsModel, cursor: Cursor) -> None:
        super().__init__()
        self._runs = runs
        self._cursor = cursor
        self.start_ps = 0.0
        self.end_ps = 1e12
        self.fit_all = True
        self.follow = True
        self.scale_to_peak = True
        self._kept: tuple[float, float] | None = None
        self._before: Run | None = None
        runs.replaced.connect(self._on_replaced)
        runs.grew.connect(self._on_grew)
        runs.cleared.connect(self._on_cleared)
        cursor.moved.connect(self._on_cursor_moved)

    @property
    def span_ps(self) -> float:
        """Length of the range."""
        return self.end_ps - self.start_ps

    def set(self, start_ps: float, end_ps: float, *, fit_all: bool = False) -> None:
        """Show a range; it is kept inside the run and above the smallest range."""
        total = self._end_ps()
        span = min(max(end_ps - start_ps, MIN_SPAN_PS), total * 1.02)
        start = min(max((start_ps + end_ps - span) / 2, -0.01 * total), 1.01 * total - span)
        self.fit_all = fit_all
        self._kept = None
        self._place(start, start + span)

    def all(self) -> None:
        """Show the whole run and follow it as it grows."""
        run = self._runs.current
        if run is not None:
            self.set(0.0, self._end_ps(), fit_all=True)

    def zoom(self, factor: float, anchor_ps: float) -> None:
        """Scale the range by `factor`; the time `anchor_ps` stays where it is on screen."""
        span = max(self.span_ps * factor, MIN_SPAN_PS)
        share = (anchor_ps - self.start_ps) / self.span_ps
        start = anchor_ps - share * span
        self.set(start, start + span)

    def pan(self, delta_ps: float) -> None:
        """Move the range."""
        self.set(self.start_ps + delta_ps, self.end_ps + delta_ps)

    def set_scale_to_peak(self, on: bool) -> None:
        """Choose the scale of bandwidth."""
        self.scale_to_peak = on
        self.changed.emit()

    def show_step(self, step: int) -> None:
        """Fit one step."""
        run = self._runs.current
        if run is not None and 0 <= step < self._runs.length:
            start = float(run.start_ps(step))
            length = float(run.value("duration_ps", step))
            self.set(start - 0.02 * length, start + 1.02 * length)

    def remembered(self) -> tuple[float, float] | None:
        """The range in steps and shares of steps; None while it follows the whole run."""
        run = self._runs.current
        if self._kept is not None:
            return self._kept
        if self.fit_all or run is None or not self._runs.length:
            return None
        return step_position(run, self.start_ps), step_position(run, self.end_ps)

    def recall(self, first: float, last: float) -> None:
        """Show a range given in steps, as soon as the run has it."""
        self.fit_all = False
        self._kept = (first, last)
        self._before = self._runs.current
        self._restore()

    def _end_ps(self) -> float:
        """End of the steps that views may use."""
        run, last = self._runs.current, self._runs.length - 1
        if run is None or last < 0:
            return 1e12
        return max(float(run.start_ps(last)) + float(run.value("duration_ps", last)), 1.0)

    def _place(self, start: float, end: float) -> None:
        if (start, end) != (self.start_ps, self.end_ps):
            self.start_ps, self.end_ps = start, end
            self.changed.emit()

    def _on_cursor_moved(self) -> None:
        if not self.follow or self.fit_all or self._kept is not None:
            return
        if self._runs.current is not self._before:
            return  # the axis is still that of the run before
        at = float(self._cursor.absolute_ps)
        if not self.start_ps <= at <= self.end_ps:
            span = self.span_ps
            start = at - 0.08 * span if at > self.end_ps else at - 0.5 * span
            self.set(start, start + span)

    def _on_replaced(self, run: Run) -> None:
        if not self.fit_all and self._before is not None and self._kept is None:
            before = self._before
            first = step_position(before, self.start_ps)
            last = step_position(before, self.end_ps)
            self._kept = (first, last)
        self._before = run
        self._restore()

    def _on_cleared(self) -> None:
        self._kept = self._before = None
        self.fit_all = True
        self._place(0.0, 1e12)

    def _on_grew(self, _: int) -> None:
        self._restore()

    def _restore(self) -> None:
        run = self._runs.current
        if run is None:
            return
        if self._kept is not None:
            kept, length = self._kept, self._runs.length
            first, last = kept
            done = last <= length or length >= run.total_steps
            shift = min(0.0, length - last)
            self.set(time_of(run, first + shift), time_of(run, last + shift))
            self._kept = None if done else kept
        elif self.fit_all:
            self.all()


def step_position(run: Run, time_ps: float) -> float:
    """A time as step index plus the share of the step that has passed."""
    if not len(run):
        return 0.0
    step = run.step_at(int(time_ps))
    return step + (time_ps - run.start_ps(step)) / max(int(run.value("duration_ps", step)), 1)


def time_of(run: Run, position: float) -> float:
    """The inverse of `step_position`."""
    if not len(run):
        return 0.0
    step = int(np.clip(np.floor(position), 0, len(run) - 1))
    return run.start_ps(step) + (position - step) * int(run.value("duration_ps", step))
