"""Runs a sweep in a process of its own and takes its rows in between two frames."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.messages import Messages, Severity
from app.workers.loader import LatestLoader
from simcore.scenario.document import Document
from simcore.sweep.child import End, Ended, NewRows, serve
from simcore.sweep.runner import Progress
from simcore.sweep.spec import SweepSpec
from simcore.sweep.store import default_store
from simcore.sweep.table import Row

POLL_MS = 40
BUDGET_S = 0.006
"""Time for rows in one turn of the event loop."""
PATIENCE_S = 6.0
"""How long a process that was told to stop may take before it is ended."""


class SweepRunner(QObject):
    """The sweep under way, or the last one.

    Attributes:
        spec: what was run last; None before that.
        rows: its rows by point, as far as they are there.
        progress: how far it is.
        source: file of the scenario when it was begun; None for an unsaved one.
        ended: how it ended; None while it is under way or none was run.
        error: why it failed; empty if it did not.
    """

    begun = Signal()
    grew = Signal(list)
    changed = Signal()

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_started)
        self._loader.failed.connect(self._on_failed)
        self._process: Any = None
        self._pipe: Any = None
        self._starting = False
        self._stopping = 0.0
        self.spec: SweepSpec | None = None
        self.rows: dict[int, Row] = {}
        self.progress = Progress(0)
        self.source: Path | None = None
        self.ended: End | None = None
        self.error = ""
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._on_poll)

    @property
    def running(self) -> bool:
        """Whether a sweep is under way."""
        return self._starting or self._process is not None

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop and has not done so yet."""
        return self.running and self._stopping > 0

    def ordered(self) -> list[Row]:
        """The rows there are, by point."""
        return [self.rows[index] for index in sorted(self.rows)]

    def start(
        self,
        spec: SweepSpec,
        source: Path | None,
        *,
        workers: int | None = None,
        scheduler: str = "",
        store: Path | None = None,
    ) -> None:
        """Run a sweep; nothing happens while one is under way."""
        if self.running:
            return
        document = Document.from_text(spec.document.text(), spec.document.path)
        sent = dataclasses.replace(spec, document=document)
        self.spec, self.source = spec, source
        self.rows = {}
        self.progress = Progress(spec.size)
        self.ended, self.error = None, ""
        self._stopping = 0.0
        self._starting = True
        file = store or default_store()
        self._messages.log(f"sweep of {spec.size} points; results are kept in {file}")
        # Starting a process takes longer than a frame.
        self._loader.request(spec, lambda: _start(sent, file, workers, scheduler))
        self.begun.emit()
        self.changed.emit()

    def stop(self) -> None:
        """Ask it to stop; what is done is kept."""
        if not self.running or self._stopping:
            return
        self._stopping = time.monotonic()
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                self._pipe.send("stop")
        self.changed.emit()

    def shut_down(self) -> None:
        """Stop and wait a little; a process that does not listen is ended."""
        self._poll.stop()
        self._loader.shut_down()
        self.stop()
        process, self._process = self._process, None
        if process is not None:
            if self._pipe is not None:
                self._pipe.close()
            process.join(PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()
        self._pipe = None
        self._starting = False

    def _on_started(self, _: object, started: tuple[Any, Any]) -> None:
        self._process, self._pipe = started
        self._starting = False
        if self._stopping:
            self._pipe.send("stop")
        self._poll.start()

    def _on_failed(self, error: Exception) -> None:
        self._starting = False
        self._end(Ended(End.FAILED, f"{type(error).__name__}: {error}"))

    def _on_poll(self) -> None:
        begin = time.perf_counter()
        new: list[Row] = []
        ended: Ended | None = None
        try:
            while ended is None and time.perf_counter() - begin < BUDGET_S and self._pipe.poll():
                message = self._pipe.recv()
                if isinstance(message, Ended):
                    ended = message
                elif isinstance(message, NewRows):
                    new += message.rows
                    self.progress = message.progress
        except (EOFError, OSError):
            text = "its process ended before it was done; what is done is kept"
            ended = Ended(End.FAILED, text)
        if new:
            self.rows.update((row.index, row) for row in new)
            self.grew.emit(new)
        if ended is None and self._stopping and time.monotonic() - self._stopping > PATIENCE_S:
            self._process.terminate()
        if ended is not None:
            self._end(ended)
        elif new:
            self.changed.emit()

    def _end(self, ended: Ended) -> None:
        self._poll.stop()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        if ended.end is End.FAILED and self._stopping:
            ended = Ended(End.STOPPED)
        self.ended, self.error = ended.end, ended.text
        done, total = self.progress.done, self.progress.total
        if ended.end is End.FAILED:
            self._messages.show(f"The sweep failed: {ended.text}", Severity.ERROR)
        else:
            self._messages.log(f"sweep {ended.end.value}: {done} of {total} points")
        self.changed.emit()


def _start(spec: SweepSpec, store: Path, workers: int | None, scheduler: str) -> tuple[Any, Any]:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(
        target=serve, args=(theirs, spec, store, workers, scheduler), name="sweep"
    )
    process.start()
    theirs.close()
    return process, mine
