"""The simulation thread: takes the newest request, gives up an older one between two steps.

Nothing here touches a widget or emits a signal: the application looks at a job's fields at its
own frame rate. numpy releases the GIL during the heavy parts of a step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from PySide6.QtCore import QThread

from app.viewmodels.composition import composition_of
from simcore.engine.courtesy import courteous
from simcore.engine.simulator import Simulator
from simcore.errors import SimcoreError
from simcore.results.run import Run
from simcore.results.summary import system_figures
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario

FIRST_STEPS = 2
"""Steps a new run must have before it replaces the one on screen."""


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
        cancel: set it to stop the job between two steps.
    """

    document: Document
    phase: Phase = Phase.QUEUED
    scenario: Scenario | None = None
    run: Run | None = None
    ready: int = 0
    error: Exception | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.phase in (Phase.DONE, Phase.FAILED, Phase.CANCELLED)


class SimulationThread(QThread):
    """One thread for all simulations of the application; stop it before it is destroyed."""

    def __init__(self, wait: Callable[[], None]) -> None:
        """Make the thread; `wait` is called in it wherever the simulation can pause."""
        super().__init__()
        self._wait = wait
        self._condition = threading.Condition()
        self._next: Job | None = None
        self._now: Job | None = None
        self._quit = False

    def submit(self, document: Document) -> Job:
        """Ask for a simulation; whatever is under way is given up."""
        job = Job(document)
        with self._condition:
            if self._now is not None:
                self._now.cancel.set()
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
                self._now.cancel.set()
            self._condition.notify()
        self.wait()

    def run(self) -> None:
        """Serve requests until `stop`."""
        while True:
            with self._condition:
                self._now = None
                while self._next is None and not self._quit:
                    self._condition.wait()
                if self._quit:
                    return
                self._now, self._next = self._next, None
                job = self._now
            assert job is not None
            with courteous(self._wait):
                _serve(job)


def _serve(job: Job) -> None:
    try:
        job.phase = Phase.PREPARING
        job.scenario = job.document.resolve()
        if job.cancel.is_set():
            job.phase = Phase.CANCELLED
            return
        simulator = Simulator(job.scenario, items=True)
        job.run = simulator.run
        composition = composition_of(simulator.run)
        job.phase = Phase.RUNNING
        while not job.cancel.is_set():
            composition.extend(len(simulator.run))
            job.ready = len(simulator.run)
            # The first steps by themselves: they are waited for.
            if not simulator.advance(simulator.block_steps if job.ready else FIRST_STEPS):
                system_figures(simulator.run)  # here, since it may take longer than a frame
                job.phase = Phase.DONE
                return
        simulator.run.status.cancelled = True
        job.phase = Phase.CANCELLED
    except SimcoreError as error:
        job.error = error
        job.phase = Phase.FAILED
    except Exception as error:  # the border of the thread: a bug becomes a report, not an abort
        error.add_note("while simulating; this is a bug in the simulator")
        job.error = error
        job.phase = Phase.FAILED
