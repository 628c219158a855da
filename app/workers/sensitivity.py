"""Computes the sensitivity of a step in the background, keeps results, and can be stopped."""

from __future__ import annotations

import json
import traceback
from collections import OrderedDict

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.messages import Messages, Severity
from app.state.runs import RunsModel
from app.viewmodels.hover import step_name
from app.workers.loader import LatestLoader
from simcore.errors import Cancelled, SimcoreError
from simcore.remote.parent import WORKERS, Assignment
from simcore.remote.sensitivity import FindEffects
from simcore.results.run import Run
from simcore.sweep.sensitivity import Effect, Stretch, parameters, ranked, stretch_at

POLL_MS = 120
KEPT = 24
"""Results that are remembered, so that going back to a step shows them at once."""


class _Job:
    """One computation; the thread appends to `found`, the application reads it."""

    def __init__(self, key: str, stretch: Stretch, run: Run) -> None:
        self.key = key
        self.stretch = stretch
        self.wanted = parameters(run.scenario)
        self.found: list[Effect] = []
        self._assignment = Assignment(FindEffects(stretch, self.wanted))

    def give_up(self, *, hurry: bool = False) -> None:
        """Stop it as soon as possible; what is found stays."""
        self._assignment.give_up(hurry=hurry)

    def work(self) -> SimcoreError | None:
        try:
            with WORKERS.borrowed() as worker:
                for effect in self._assignment.messages(worker):
                    self.found.append(effect)
        except Cancelled:
            return None
        except SimcoreError as error:
            return error
        return None


class Sensitivities(QObject):
    """What the parameters do to a step.

    Attributes:
        effects: what is known so far of what was asked for last, strongest first.
        stretch: what was simulated for it, None before anything was asked for.
        error: why it could not be computed.
        partial: it was stopped before all parameters had been tried.
    """

    changed = Signal()

    def __init__(self, runs: RunsModel, messages: Messages) -> None:
        super().__init__()
        self._runs = runs
        self._messages = messages
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._known: OrderedDict[str, tuple[Stretch, tuple[Effect, ...]]] = OrderedDict()
        self._job: _Job | None = None
        self._key = ""
        self.effects: tuple[Effect, ...] = ()
        self.stretch: Stretch | None = None
        self.error = ""
        self.partial = False
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._take)

    @property
    def busy(self) -> bool:
        """Whether it is being computed."""
        return self._job is not None

    @property
    def progress(self) -> tuple[int, int]:
        """(parameters tried, in all)."""
        return (len(self._job.found), len(self._job.wanted)) if self._job else (0, 0)

    def fits(self, step: int) -> bool:
        """Whether what is shown belongs to a step of the run on screen, as its scenario is now."""
        run = self._runs.current
        if run is None or self._runs.stale or not 0 <= step < self._runs.length:
            return False
        return bool(self._key) and self._key == _key(stretch_at(run, step))

    def why_not(self, step: int) -> str:
        """Why what is shown does not hold for a step of the run on screen."""
        run = self._runs.current
        if self._runs.stale:
            return "the scenario has been edited"
        if run is None or self.stretch is None or not 0 <= step < self._runs.length:
            return "there is no such step"
        now = stretch_at(run, step).scenario
        parts = ("system", "hardware", "model", "policy", "activations", "seed")
        if any(now.get(part) != self.stretch.scenario.get(part) for part in parts):
            return "the scenario has changed since"
        return f"not for {step_name(run, step)}"

    def recall(self, step: int) -> bool:
        """Show what is remembered of a step, if anything is."""
        run = self._runs.current
        if run is None or self.busy or self._runs.stale or not 0 <= step < self._runs.length:
            return False
        known = self._known.get(_key(stretch_at(run, step)))
        if known is None:
            return False
        self._key = _key(known[0])
        self.stretch, self.effects, self.error = *known, ""
        self.partial = False
        self.changed.emit()
        return True

    def start(self, step: int) -> None:
        """Compute for a step of the run on screen; one under way is given up."""
        run = self._runs.current
        if run is None or not 0 <= step < self._runs.length:
            return
        self.cancel()
        if self.recall(step):
            return
        stretch = stretch_at(run, step)
        job = self._job = _Job(_key(stretch), stretch, run)
        self._key, self.stretch, self.effects, self.error = job.key, stretch, (), ""
        self.partial = False
        self._loader.request(job, lambda: (job.work(),))
        self._poll.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up what is under way; what is known of it stays on screen."""
        if self._job is not None:
            self._job.give_up()
            self._take()
            self._key, self.partial = "", True
            self._end()

    def shut_down(self) -> None:
        """Stop and wait."""
        if self._job is not None:
            self._job.give_up(hurry=True)
        self.cancel()
        self._loader.shut_down()

    def _end(self) -> None:
        self._job = None
        self._poll.stop()
        self.changed.emit()

    def _take(self) -> None:
        if self._job is not None and len(self._job.found) != len(self.effects):
            self.effects = ranked(tuple(self._job.found))
        self.changed.emit()

    def _on_loaded(self, job: _Job, result: tuple[SimcoreError | None]) -> None:
        if job is not self._job:
            return
        self.effects = ranked(tuple(job.found))
        error = result[0]
        if error is not None:
            self.error = str(error)
            self._messages.log(f"sensitivity: {error}", Severity.ERROR)
        else:
            self._known[job.key] = (job.stretch, self.effects)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._end()

    def _on_failed(self, error: Exception, job: _Job) -> None:
        if job is not self._job:
            return  # given up, and another one may be under way
        self._messages.log("".join(traceback.format_exception(error)), Severity.ERROR)
        self.error = f"{type(error).__name__}: {error}"
        self._end()


def _key(stretch: Stretch) -> str:
    """Equal for stretches that give the same effects."""
    plain = {name: value for name, value in stretch.scenario.items() if name != "name"}
    return json.dumps([plain, stretch.steps, stretch.kind, stretch.only], sort_keys=True)
