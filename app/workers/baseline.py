"""Simulates a baseline for comparison in the background; the run on screen is left alone."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.comparison import Comparison
from app.state.messages import Messages, Severity
from app.viewmodels.composition import composition_of
from app.workers.loader import LatestLoader
from simcore.errors import Cancelled, ScenarioErrors, SimcoreError
from simcore.registry import SYSTEMS
from simcore.remote.parent import WORKERS, Assignment
from simcore.remote.simulate import Prepared, Simulate, Steps, begun, grow
from simcore.results.run import Run
from simcore.results.summary import system_figures
from simcore.results.variants import variant_scenario
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario

POLL_MS = 100


class _Job:
    """One baseline; the thread writes `run`, the application reads it."""

    def __init__(self, system: str, remembered: Mapping[str, Any] | None = None) -> None:
        self.system = system
        self.remembered = remembered
        self.run: Run | None = None
        self._assignment: Assignment | None = None
        self._unwanted = False

    def give_up(self, *, hurry: bool = False) -> None:
        """Stop it as soon as possible."""
        self._unwanted = True
        if self._assignment is not None:
            self._assignment.give_up(hurry=hurry)

    def work(self, scenario: Scenario) -> Run | SimcoreError | None:
        """Simulate to the end; None when cancelled."""
        try:
            if self.remembered is None:
                scenario = variant_scenario(scenario, self.system)
            self._assignment = Assignment(Simulate(scenario))
            if self._unwanted:
                return None
            with WORKERS.borrowed() as worker:
                for message in self._assignment.messages(worker):
                    if isinstance(message, Prepared):
                        self.run = begun(message)
                    elif isinstance(message, Steps) and self.run is not None:
                        grow(self.run, message)
            assert self.run is not None
            system_figures(self.run)
            composition_of(self.run).extend(len(self.run))  # not on the GUI thread
        except Cancelled:
            return None
        except SimcoreError as error:
            return error
        return self.run


class BaselineRunner(QObject):
    """Runs the scenario on another system and keeps the result as A.

    Attributes:
        system: the system under way, empty for none.
        progress: (steps done, steps in all).
    """

    changed = Signal()

    def __init__(self, comparison: Comparison, messages: Messages) -> None:
        super().__init__()
        self._comparison = comparison
        self._messages = messages
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._job: _Job | None = None
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self.changed)

    @property
    def system(self) -> str:
        return self._job.system if self._job else ""

    @property
    def progress(self) -> tuple[int, int]:
        run = self._job.run if self._job else None
        return (len(run), run.total_steps) if run else (0, 0)

    def start(self, scenario: Scenario, system: str) -> None:
        """Simulate `scenario` on a system; one under way is given up."""
        self.cancel()
        job = self._job = _Job(system)
        self._messages.log(f"simulating {system} as A")
        self._loader.request(job, lambda: (job.work(scenario),))
        self._poll.start()
        self.changed.emit()

    @property
    def remembered(self) -> Mapping[str, Any] | None:
        """What is being recalled, so that it is not forgotten meanwhile."""
        return self._job.remembered if self._job else None

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Simulate the run A of an earlier session again; no step of the history.

        Args:
            remembered: with ``scenario``, a resolved scenario as plain data.

        Raises:
            ValueError: if the scenario cannot be used any more.
        """
        text = json.dumps(remembered["scenario"], ensure_ascii=False)
        try:
            scenario = Document.from_text(text).resolve()
        except SimcoreError as error:
            raise ValueError(str(error)) from error
        self.cancel()
        job = self._job = _Job(scenario.system, remembered)
        self._messages.log(f"simulating {scenario.system} as A, as in the last session")
        self._loader.request(job, lambda: (job.work(scenario),))
        self._poll.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up what is under way."""
        if self._job is not None:
            self._job.give_up()
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

    def _on_loaded(self, job: _Job, result: tuple[Run | SimcoreError | None]) -> None:
        if job is not self._job:
            return
        self._end()
        outcome = result[0]
        if isinstance(outcome, Run) and job.remembered is not None:
            self._comparison.recall(outcome)
        elif isinstance(outcome, Run):
            self._comparison.keep(outcome, f"run {job.system} as A")
        elif outcome is not None:
            self._messages.show(
                f"{SYSTEMS.get(job.system).name} cannot run this scenario: {_text(outcome)}"
            )

    def _on_failed(self, error: Exception, job: _Job) -> None:
        if job is not self._job:
            return  # given up, and another one may be under way
        self._messages.log("".join(traceback.format_exception(error)), Severity.ERROR)
        self._messages.show(f"the baseline failed: {type(error).__name__}: {error}")
        self._end()


def _text(error: SimcoreError) -> str:
    if isinstance(error, ScenarioErrors):
        return "; ".join(problem.text() for problem in error.problems)
    return str(error)


def offered(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Systems to compare a scenario with, by headline; only those that can run its workload."""
    kind = scenario.workload.kind
    own = SYSTEMS.get(scenario.system)
    able = [
        id for id, system in SYSTEMS.items() if kind in system.workloads and id != scenario.system
    ]
    listed = [id for id in scenario.compare if id in able]
    family = [id for id in able if id not in listed and type(SYSTEMS.get(id)) is type(own)]
    others = [id for id in able if id not in listed and id not in family]
    groups = [
        ("In the scenario's list", listed),
        (f"Variants of {own.title}", family),
        ("Other systems", others),
    ]
    return [(title, ids) for title, ids in groups if ids]
