"""Derives what views want of the step that comes next, while the one on screen is looked at."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.state.cursor import Cursor
from app.state.runs import RunsModel
from app.state.time_window import TimeWindow
from app.state.turns import AFTER_VIEWS, Turns
from app.viewmodels.composition import composition_of
from app.viewmodels.grains import has_marks, marks_of
from app.viewmodels.time_axis import steps_around
from app.workers.loader import LatestLoader
from simcore.results.run import Run

PAUSE_MS = 8
"""After a step: the views draw it first."""
LONG_PAUSE_MS = 24
"""The same after a jump, for which they have more to do."""
NEAR = 4
"""Up to this stride, the steps beside the next one are derived too."""
LONGEST_STRIDE = 64
"""A longer way between two steps is a jump, which says nothing about the next one."""


class LookAhead(QObject):
    """Follows the cursor and asks for its step and the one as far again, in a thread of its own.

    Follows the range of the time views too, and asks for the steps that come into sight next. All
    views want the operations of the step at the cursor, and what can be said of them; to derive
    them is much of the work of a frame.
    """

    def __init__(self, runs: RunsModel, cursor: Cursor, window: TimeWindow, turns: Turns) -> None:
        super().__init__()
        self._runs, self._cursor, self._window, self._turns = runs, cursor, window, turns
        self._around = LatestLoader()
        self._range_pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._range_pause.timeout.connect(self._ask_around_soon)
        window.changed.connect(self._range_pause.start)
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_derived)
        cursor.patient = True
        self._last = cursor.step
        self._next = -1
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._ask_soon)
        cursor.step_changed.connect(self._on_step)

    def _on_step(self, step: int) -> None:
        stride = step - self._last
        self._last = step
        near = 0 < abs(stride) <= LONGEST_STRIDE
        self._next = step + stride if near else -1
        # Not at once, also if the step itself is unknown: while the views draw it, both would hold
        # up each other.
        if near or not self._cursor.known:
            self._pause.start(PAUSE_MS if near else LONG_PAUSE_MS)
        else:
            self._pause.stop()

    def _ask_soon(self) -> None:
        self._turns.ask(self._ask, AFTER_VIEWS)

    def _ask_around_soon(self) -> None:
        self._turns.ask(self._ask_around, AFTER_VIEWS)

    def _ask(self) -> None:
        step = self._next
        stride = step - self._last
        steps = [] if self._cursor.known else [self._last]
        if step < 0:
            return self._ask_for(steps)
        steps.append(step)
        if abs(stride) <= NEAR:  # playback faster than its ticks takes now one step, now two
            steps += [step + (1 if stride > 0 else -1), (step + self._last) // 2]
        return self._ask_for(steps)

    def _ask_for(self, steps: list[int]) -> None:
        run, length = self._runs.current, self._runs.length
        steps = [step for step in steps if 0 <= step < length]
        if run is not None and steps:
            self._loader.request(steps[0], lambda: self._derive(run, steps))

    def _derive(self, run: Run, steps: list[int]) -> None:
        """Derive steps in the other thread, until others are asked for."""
        wanted = self._last
        for step in steps:
            derive(run, step)
            if self._last != wanted:
                return

    def _ask_around(self) -> None:
        run, window = self._runs.current, self._window
        if run is None or not self._runs.length:
            return
        edges = composition_of(run).edges
        asked = window.start_ps, window.end_ps
        steps = [
            step
            for step in steps_around(edges, *asked)
            if not (run.has_spans(step) and has_marks(run, step))
        ]

        def work() -> None:
            for step in steps:
                if asked != (window.start_ps, window.end_ps):
                    return
                derive(run, step)

        if steps:
            self._around.request(None, work)

    def _on_derived(self, step: int, _: object) -> None:
        if step == self._cursor.step:
            self._cursor.derived.emit(step)

    def shut_down(self) -> None:
        """Stop asking and wait for what is under way."""
        self._pause.stop()
        self._range_pause.stop()
        self._loader.shut_down()
        self._around.shut_down()


def derive(run: Run, step: int) -> None:
    """What all views want of a step; it is kept where they look for it."""
    composition_of(run).step_totals(step)  # the quickest first: it is all that some views show
    run.value("lane_op_bytes", step)
    run.spans(step)
    marks_of(run, step)
