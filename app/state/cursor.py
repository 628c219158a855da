"""The one time cursor: a step and a time inside it, movable at three grains."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.runs import RunsModel
from app.viewmodels.grains import Grain, boundaries, has_marks, layer_at, op_at
from simcore.results.run import Run


class Cursor(QObject):
    """Where in the run everybody looks.

    While a new run is still shorter than the step last asked for, the cursor stands at its end
    and moves on to the wanted step, and the same share of it, as soon as it is there.

    Attributes:
        step: index of the step, 0 when there is no run.
        time_ps: time inside the step.
        patient: somebody derives the ops of the step in the background, and `derived` tells when
            they are there; who can do without them until then does not wait for them.
    """

    moved = Signal()
    step_changed = Signal(int)
    derived = Signal(int)

    def __init__(self, runs: RunsModel) -> None:
        super().__init__()
        self._runs = runs
        self.step = 0
        self.time_ps = 0
        self.patient = False
        self._wanted = 0
        self._share = 0.0  # of the step, kept when a new run takes over
        runs.replaced.connect(self._on_replaced)
        runs.settled.connect(self._on_settled)
        runs.cleared.connect(self._on_cleared)
        runs.grew.connect(self._on_grew)

    @property
    def catching_up(self) -> bool:
        """Whether the step asked for is still being simulated."""
        return self._wanted > self.step and any(self._runs.progress)

    @property
    def absolute_ps(self) -> int:
        """Time on the run's axis."""
        run = self._runs.current
        return run.start_ps(self.step) + self.time_ps if run and self._runs.length else 0

    @property
    def known(self) -> bool:
        """Whether `layer` and `op` can be said at once; else `derived` follows."""
        run = self._runs.current
        if not self.patient or run is None:
            return True
        return run.has_spans(self.step) and has_marks(run, self.step)

    @property
    def layer(self) -> int:
        """Layer worked on at the cursor, -1 outside the layers or without a run."""
        run = self._runs.current
        return layer_at(run, self.step, self.time_ps) if run and self._runs.length else -1

    def op(self, lane: int = -1) -> int:
        """Index of the span that says what happens at the cursor, -1 if nothing does."""
        run = self._runs.current
        return op_at(run, self.step, self.time_ps, lane) if run and self._runs.length else -1

    def seek(self, step: int, time_ps: int = 0) -> None:
        """Go to a time of a step, clamped to what there is."""
        last = self._runs.length - 1
        self._wanted = max(0, step)
        if last < 0:
            return
        clamped = min(max(step, 0), last)
        self._wanted = clamped
        run = self._runs.current
        assert run is not None
        duration = max(int(run.value("duration_ps", clamped)), 1)
        inside = min(max(int(time_ps), 0), duration - 1)
        self._share = inside / duration
        self._place(clamped, inside)

    def remembered(self) -> tuple[int, float]:
        """The step wanted or reached, and the share of it that has passed."""
        return max(self._wanted, self.step), self._share

    def recall(self, step: int, share: float) -> None:
        """Go to a share of a step, as soon as the run has it."""
        run, last = self._runs.current, self._runs.length - 1
        self._share = share
        if run is not None and 0 <= step <= last:
            self.seek(step, self._time_at_share(run, step))
        else:
            self.seek(last)
        self._wanted, self._share = step, share

    def seek_time(self, absolute_ps: float) -> None:
        """Go to a time on the run's axis."""
        run = self._runs.current
        if run is None or not self._runs.length:
            return
        step = min(run.step_at(int(absolute_ps)), self._runs.length - 1)
        self.seek(step, int(absolute_ps) - run.start_ps(step))

    def move(self, grain: Grain, delta: int) -> None:
        """Go |delta| boundaries of a grain forward or back, stopping at the ends of the run."""
        run = self._runs.current
        if run is None or not self._runs.length:
            return
        step, time_ps = self.step, self.time_ps
        for _ in range(abs(delta)):
            step, time_ps = self._next(run, step, time_ps, grain, delta > 0)
        self.seek(step, time_ps)

    def home(self) -> None:
        """Go to the start of the run."""
        self.seek(0, 0)

    def end(self) -> None:
        """Go to the last op of the last step there is."""
        run = self._runs.current
        if run is not None and self._runs.length:
            last = self._runs.length - 1
            self.seek(last, int(boundaries(run, last, Grain.OP)[-1]))

    def _next(
        self, run: Run, step: int, time_ps: int, grain: Grain, forward: bool
    ) -> tuple[int, int]:
        marks = boundaries(run, step, grain)
        if forward:
            at = int(np.searchsorted(marks, time_ps, side="right"))
            if at < len(marks):
                return step, int(marks[at])
            return (step + 1, 0) if step + 1 < self._runs.length else (step, time_ps)
        at = int(np.searchsorted(marks, time_ps, side="left")) - 1
        if at >= 0:
            return step, int(marks[at])
        return (step - 1, int(boundaries(run, step - 1, grain)[-1])) if step else (0, 0)

    def _place(self, step: int, time_ps: int) -> None:
        if (step, time_ps) == (self.step, self.time_ps):
            return
        other = step != self.step
        self.step, self.time_ps = step, time_ps
        if other:
            self.step_changed.emit(step)
        self.moved.emit()

    def _on_replaced(self, run: Run) -> None:
        """Find a place in the new run; views hear of it when all of them have the run."""
        last = self._runs.length - 1
        if last < 0:
            self.step = self.time_ps = 0
            return
        reached = self._wanted <= last
        self.step = min(self._wanted, last)
        self.time_ps = self._time_at_share(run, self.step) if reached else 0

    def _on_cleared(self) -> None:
        self.step = self.time_ps = self._wanted = 0
        self._share = 0.0
        self._on_settled()

    def _on_settled(self) -> None:
        self.step_changed.emit(self.step)
        self.moved.emit()

    def _on_grew(self, length: int) -> None:
        if self._wanted > self.step:
            wanted, share = self._wanted, self._share
            run = self._runs.current
            assert run is not None
            reached = wanted < length
            self.seek(min(wanted, length - 1), self._time_at_share(run, wanted) if reached else 0)
            self._wanted, self._share = wanted, share

    def _time_at_share(self, run: Run, step: int) -> int:
        """The time in a step that is where the cursor was in the step of the run before."""
        duration = max(int(run.value("duration_ps", step)), 1)
        return min(round(self._share * duration), duration - 1)
