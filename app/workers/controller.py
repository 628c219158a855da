"""From an edit to a new run on screen: debounce, simulate, watch, swap, report."""

from __future__ import annotations

import re
import time
import traceback
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.messages import Messages, Severity
from app.state.runs import RunsModel
from app.state.session import Session
from app.state.turns import Turns
from app.workers.simulation import FIRST_STEPS, Job, Phase, SimulationThread
from simcore.errors import CapacityError, Problem, ScenarioErrors, SimcoreError
from simcore.results.run import Run

DEBOUNCE_MS = 150
POLL_MS = 12
"""Time between looks at a job."""
RANK = 0
"""What has happened to a job comes before what views make of it."""
GROW_MS = 200
"""Time between steps of the growth on screen; drawing competes with simulating."""
PREPARING_MS = 300
"""After this time without a step, the user is told that there will be one, and can stop it."""


_PATH = re.compile(r"\b[a-z_]+(?:\.[A-Za-z_]+)+\b")


def _named_fields(error: SimcoreError) -> list[Problem]:
    """Problems at the fields that the message of an error tells the user to change."""
    paths = dict.fromkeys(_PATH.findall(str(error)))
    text = "does not fit" if isinstance(error, CapacityError) else "cannot be simulated"
    hint = error.remedy if isinstance(error, CapacityError) else ""
    return [Problem(path, text, hint=hint) for path in paths]


class RunController(QObject):
    """Keeps the run on screen in line with the document.

    Attributes:
        job: the newest simulation, finished or not.
    """

    job_changed = Signal()

    def __init__(self, session: Session, runs: RunsModel, messages: Messages, turns: Turns) -> None:
        super().__init__()
        self._turns = turns
        self._session = session
        self._runs = runs
        self._messages = messages
        self._thread = SimulationThread()
        self.job: Job | None = None
        self._reported = Phase.DONE
        self._resolved: Job | None = None
        self._file: Path | None = None
        self._foreign = False  # the run on screen is of the file that was open before
        self._begin = 0.0
        self._grow_at = 0.0
        self._unsettled: Run | None = None
        self._progressed = False
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._debounce.timeout.connect(self.start)
        self._slow = QTimer(self, singleShot=True, interval=PREPARING_MS)
        self._slow.timeout.connect(self._on_slow)
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._ask)
        session.document_changed.connect(self._on_document_changed)
        session.opened.connect(self._on_opened)
        session.file_changed.connect(self._on_file_changed)

    def start(self) -> None:
        """Simulate the document now."""
        self._debounce.stop()
        document = self._session.document
        if document is None:
            return
        if not self._thread.isRunning():
            self._thread.start()
        self.job = self._thread.submit(document)
        self._reported = Phase.QUEUED
        self._progressed = False
        self._begin = time.perf_counter()
        self._poll.start()
        self._slow.start()
        self.job_changed.emit()

    def cancel(self) -> None:
        """Stop the simulation under way; the steps there are stay."""
        self._debounce.stop()
        if self.job is not None and not self.job.over:
            self.job.give_up()

    @property
    def busy(self) -> bool:
        """Whether an edit waits, a simulation is under way or its run or end is not told of yet."""
        waits = self._debounce.isActive() or self._unsettled is not None
        job = self.job
        return waits or (job is not None and not (job.over and self._reported is job.phase))

    def shut_down(self) -> None:
        """Stop everything; call before the application ends."""
        self._debounce.stop()
        self._poll.stop()
        self._turns.drop(self._look)
        self._slow.stop()
        if self._thread.isRunning():
            self._thread.stop()

    def _on_opened(self) -> None:
        if self._session.path is None or self._session.path != self._file:
            self._foreign = self._runs.current is not None
            self._runs.set_foreign()
        self.start()

    def _on_file_changed(self) -> None:
        self._file = self._session.path

    def _drop_foreign(self, job: Job) -> None:
        if self._foreign and job.document is self._session.document:
            self._foreign = False
            self._runs.clear()

    def _on_document_changed(self) -> None:
        if self._runs.current is not None:
            self._runs.set_stale(True)
        self._debounce.start()

    def _ask(self) -> None:
        self._turns.ask(self._look, RANK)

    def _look(self) -> None:
        """Take the next piece of what has happened, in an event of its own."""
        job = self.job
        if job is None:
            self._poll.stop()
            return
        phase = job.phase
        if self._take_piece(job, phase):
            self._ask()  # more may have happened
        elif job.over and phase is job.phase:
            self._poll.stop()

    def _take_piece(self, job: Job, phase: Phase) -> bool:
        """Tell the models the next thing that has happened; False if there is nothing new.

        A short run is resolved, there and over at the first look. All of that at once would take
        longer than a frame.
        """
        current = job.document is self._session.document
        if self._unsettled is not None:
            taken, self._unsettled = self._unsettled, None
            if taken is self._runs.current:
                self._runs.settle()
        elif self._progressed:
            self._progressed = False
            self._began()
            self._runs.tell_progress()
        elif current and job.scenario is not None and self._resolved is not job:
            self._resolved = job
            self._session.set_resolved(job.scenario)
        elif current and job.run is not None and self._watch(job, job.run):
            pass
        elif phase is not self._reported:
            self._reported = phase
            self._report(job, phase)
            self.job_changed.emit()
        else:
            return False
        return True

    def _watch(self, job: Job, run: Run) -> bool:
        """Show a run, or what it has grown by from time to time; whether there was anything."""
        total = int(run.total_steps)
        now = time.perf_counter()
        if self._runs.current is not run:
            if job.ready < min(FIRST_STEPS, total):
                return False
            self._messages.clear_strip()
            self._foreign = False
            self._unsettled = run
            # Before the run is told of: one that seems to be whole would stop the playback.
            self._runs.set_progress(len(run), total, tell=False)
            self._runs.replace(run, job.ready, settle=False)
        elif now >= self._grow_at and job.ready > self._runs.length:
            self._runs.poll(job.ready)
            self._runs.set_progress(len(run), total, tell=False)
        else:
            return False
        self._grow_at = now + GROW_MS / 1000
        self._progressed = True
        return True

    def _on_slow(self) -> None:
        if self.job is not None and not self.job.over:
            self._runs.set_preparing(True)

    def _began(self) -> None:
        """There are steps, or there will be none."""
        self._slow.stop()
        self._runs.set_preparing(False)

    def _report(self, job: Job, phase: Phase) -> None:
        if job.over:
            self._began()
        if phase is Phase.DONE:
            self._runs.finish()
            count = len(job.run) if job.run else 0
            wall = time.perf_counter() - self._begin
            self._messages.log(f"simulated {count:,} steps in {wall:.2f} s")
        elif phase is Phase.CANCELLED:
            self._runs.finish()
            if self._session.document is job.document:
                self._drop_foreign(job)
                self._messages.log("simulation stopped")
        elif phase is Phase.FAILED:
            self._runs.finish()
            self._drop_foreign(job)
            if job.error is not None:
                self._fail(job.error)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, ScenarioErrors):
            self._session.set_problems(error.problems)
            text = "\n".join(problem.text() for problem in error.problems)
            self._messages.show(text, Severity.ERROR)
        elif isinstance(error, SimcoreError):
            self._session.set_problems(_named_fields(error))
            self._messages.show(str(error), Severity.ERROR)
        else:
            details = "".join(traceback.format_exception(error))
            kept = "The last good run stays. " if self._runs.current is not None else ""
            self._messages.log(details, Severity.ERROR)
            self._messages.show(
                f"The simulator failed: {type(error).__name__}: {error}. "
                f"{kept}The log has the details.",
                Severity.ERROR,
            )
