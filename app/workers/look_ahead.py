"""Derives what views want of the step that comes next, while the one on screen is looked at."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.state.cursor import Cursor
from app.state.runs import RunsModel
from app.viewmodels.composition import composition_of
from app.viewmodels.grains import marks_of
from app.workers.loader import LatestLoader
from simcore.results.run import Run

PAUSE_MS = 8
"""After a step: the views draw it first."""
LONGEST_STRIDE = 64
"""A longer way between two steps is a jump, which says nothing about the next one."""


class LookAhead(QObject):
    """Follows the cursor and asks for the step as far again, in a thread of its own.

    All views want the operations of the step at the cursor, and what can be said of them; to derive
    them is much of the work of a frame.
    """

    def __init__(self, runs: RunsModel, cursor: Cursor) -> None:
        super().__init__()
        self._runs, self._cursor = runs, cursor
        self._loader = LatestLoader()
        self._last = cursor.step
        self._next = -1
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        cursor.step_changed.connect(self._on_step)

    def _on_step(self, step: int) -> None:
        stride = step - self._last
        self._last = step
        if 0 < abs(stride) <= LONGEST_STRIDE:
            self._next = step + stride
            self._pause.start()
        else:
            self._pause.stop()

    def _ask(self) -> None:
        run, step = self._runs.current, self._next
        if run is not None and 0 <= step < self._runs.length:
            self._loader.request(step, lambda: derive(run, step))

    def shut_down(self) -> None:
        """Stop asking and wait for what is under way."""
        self._pause.stop()
        self._loader.shut_down()


def derive(run: Run, step: int) -> None:
    """What all views want of a step; it is kept where they look for it."""
    run.spans(step)
    marks_of(run, step)
    composition_of(run).step_totals(step)
