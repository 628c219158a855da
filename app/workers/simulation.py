"""The thread that has runs simulated: takes the newest request, gives up an older one at once.

The simulation itself happens in a working process; here its steps are put into the run that is on
screen and summed up for the views. Nothing here touches a widget or emits a signal: the application
looks at a job's fields at its own frame rate.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from PySide6.QtCore import QThread

from app.viewmodels.composition import composition_of
from simcore.errors import Cancelled
from simcore.remote.parent import WORKERS, Assignment, Worker
from simcore.remote.priority import lower_thread
from simcore.remote.simulate import Prepared, Resolved, Simulate, Steps, begun, grow
from simcore.results.run import Run
from simcore.results.summary import system_figures
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario

FIRST_STEPS = 2
"""Steps a new run must have before it replaces the one on screen."""
SUM_S = 0.1
"""Time between two takings in of new steps: each costs the same however many there are, and the
views look for them five times a second."""


class Phase(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """One request to simulate a document. The thread writes, the application reads.

    Attributes:
        document: what to simulate.
        phase: how far it is; written last, after the fields it announces.
        scenario: the resolved scenario, once known.
        run: the growing run, once prepared.
        ready: its steps that are summed up for the views, which may be looked at.
        error: what ended it, for FAILED.
        assignment: what a worker does for it.
    """

    document: Document
    phase: Phase = Phase.QUEUED
    scenario: Scenario | None = None
    run: Run | None = None
    ready: int = 0
    error: Exception | None = None
    assignment: Assignment = field(init=False)
    _summed_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.assignment = Assignment(Simulate(self.document, FIRST_STEPS))

    def give_up(self, *, hurry: bool = False) -> None:
        """Stop it as soon as possible; the steps there are stay."""
        self.assignment.give_up(hurry=hurry)

    def take(self, message: object) -> None:
        """Write down what the worker says."""
        if isinstance(message, Resolved):
            self.scenario = message.scenario
        elif isinstance(message, Prepared):
            self.run = begun(message)
            self.phase = Phase.RUNNING
        elif isinstance(message, Steps):
            assert self.run is not None
            grow(self.run, message)
            now = time.monotonic()
            if self.ready < FIRST_STEPS or message.finished or now > self._summed_s + SUM_S:
                self._summed_s = now
                self.sum_up()

    def sum_up(self) -> None:
        """Let the views look at all steps there are."""
        if self.run is not None:
            composition_of(self.run).extend(len(self.run))
            self.ready = len(self.run)

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.phase in (Phase.DONE, Phase.FAILED, Phase.CANCELLED)


class SimulationThread(QThread):
    """One thread for all simulations of the application; stop it before it is destroyed."""

    def __init__(self) -> None:
        super().__init__()
        self._condition = threading.Condition()
        self._next: Job | None = None
        self._now: Job | None = None
        self._quit = False

    def submit(self, document: Document) -> Job:
        """Ask for a simulation; whatever is under way is given up."""
        job = Job(document)
        with self._condition:
            if self._now is not None:
                self._now.give_up()
            if self._next is not None:
                self._next.phase = Phase.CANCELLED
            self._next = job
            self._condition.notify()
        return job

    def stop(self) -> None:
        """End the thread and wait for it."""
        with self._condition:
            self._quit = True
            if self._now is not None:
                self._now.give_up(hurry=True)
            self._condition.notify()
        self.wait()

    def run(self) -> None:
        """Serve requests until `stop`."""
        lower_thread()
        worker: Worker | None = None
        while True:
            with self._condition:
                self._now = None
                while self._next is None and not self._quit:
                    self._condition.wait()
                if self._quit:
                    break
                self._now, self._next = self._next, None
                job = self._now
            assert job is not None
            try:
                if worker is None or not worker.usable:
                    if worker is not None:
                        worker.close()
                        worker = None
                    worker = WORKERS.take()
                _serve(job, worker)
            except Exception as error:  # the border of the thread: reported, not an abort
                with contextlib.suppress(Exception):  # it may be what failed
                    job.sum_up()
                job.error = error
                job.phase = Phase.FAILED
            if worker is not None and not worker.usable:
                # It may still work for nobody, as after a full disk here.
                worker.close()
                worker = None
        if worker is not None:
            WORKERS.give_back(worker)


def _serve(job: Job, worker: Worker) -> None:
    job.phase = Phase.PREPARING
    try:
        for message in job.assignment.messages(worker):
            job.take(message)
    except Cancelled:
        with contextlib.suppress(Exception):
            job.sum_up()
        if job.run is not None:
            job.run.status.cancelled = True
        job.phase = Phase.CANCELLED
        return
    assert job.run is not None
    system_figures(job.run)  # here, since it may take longer than a frame
    job.phase = Phase.DONE
