"""The side of a working process that asks: start it, give it tasks, read what it says."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from simcore.errors import Cancelled, WorkerLostError
from simcore.remote.task import Begin, Ended, GiveUp, Outcome, Task
from simcore.remote.wire import receive, send

_PIPE_BYTES = 1 << 20
_LEAVE_S = 2.0
_CLOSE_S = 0.5
_F_SETPIPE_SZ = 1031
PATIENCE_S = 5.0
"""How long a process may be silent after it was told to stop, before it is ended."""
HURRY_S = 0.3
"""The same where somebody waits for it, as the user who closes the window."""
_LESS_URGENT = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
# Ctrl-C is for the window, also while the process still starts.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = {path!r}; "
    "from simcore.remote.child import main; main({beside})"
)


class RemoteTraceback(Exception):  # noqa: N818 - shown as the cause of an error
    """Where an error happened in the working process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Worker:
    """A working process. One thread at a time asks it for something; any thread may give up."""

    def __init__(self, *, beside: bool = False) -> None:
        """Start the process; returns at once, while it still loads what it needs.

        Args:
            beside: it works beside a process that simulates as well and can do without it: it is
                as urgent, loads only what its task needs, and says nothing on the terminal.

        Raises:
            WorkerLostError: if no process can be started.
        """
        # The path of this process, since the working folder must not be on it.
        code = _START.format(path=[entry for entry in sys.path if entry], beside=beside)
        if not sys.executable:  # so it is where another program embeds Python
            raise WorkerLostError("no process can be started: no Python is known to start")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Without a terminal there may be none (pythonw, or closed by a shell).
                stderr=None if sys.__stderr__ and not beside else subprocess.DEVNULL,
                creationflags=0 if beside else _LESS_URGENT,
            )
        except OSError as error:
            raise WorkerLostError(f"no process can be started: {error.strerror}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._out: BinaryIO = self._process.stdout  # type: ignore[assignment]
        _enlarge(self._out)
        self._lock = threading.Lock()  # of writing
        self._number = 0
        self._unwanted = 0
        self._told = 0
        self._clean = True

    @property
    def pid(self) -> int:
        """Number of the process."""
        return int(self._process.pid)

    @property
    def usable(self) -> bool:
        """Whether it runs and no message of an earlier task can still come."""
        return self._clean and self._process.poll() is None

    def work(self, task: Task) -> Iterator[Any]:
        """Have a task done; yields what it says until it ends.

        It can be given up from now on, and begins with the first message that is asked for. A
        caller that stops listening early must close the iterator and not use the worker again.

        Raises:
            Cancelled: if it was given up.
            WorkerLostError: if the process ended instead.
            Exception: what the task raised; where in the code is its cause.
        """
        return self._said(self._begin(task))

    def ask(self, task: Task) -> Iterator[Any]:
        """As `work`, but the process gets the task at once, not when the first message is read.

        Raises:
            WorkerLostError: if the process ended.
        """
        begin = self._begin(task)
        try:
            self._send(begin)
        except OSError:
            raise WorkerLostError(self._how_it_ended()) from None
        return self._said(None)

    def _begin(self, task: Task) -> Begin:
        begin = Begin.with_task(self._number + 1, task)
        self._number += 1
        return begin

    def _send(self, begin: Begin) -> None:
        self._clean = False
        with self._lock:
            send(self._in, begin)
        self._tell()

    def _said(self, begin: Begin | None) -> Iterator[Any]:
        try:
            if begin is not None:
                self._send(begin)
            while True:
                message = receive(self._out)
                if isinstance(message, Ended):
                    break
                yield message
                message = None  # the next ones may be as large
        except (EOFError, OSError):
            raise WorkerLostError(self._how_it_ended()) from None
        self._clean = True
        if message.outcome is Outcome.CANCELLED:
            raise Cancelled
        if message.error is not None:
            if message.details:
                message.error.__cause__ = RemoteTraceback(message.details)
            raise message.error

    def give_up(self) -> None:
        """Stop what it does now; `work` then raises Cancelled, unless it was done before.

        Never waits for another thread.
        """
        self._unwanted = self._number
        self._tell()

    def _tell(self) -> None:
        """Say what is not wanted; if another thread is writing, it does so when it is done."""
        while self._told < self._unwanted and self._lock.acquire(blocking=False):
            try:
                self._told = self._unwanted
                with contextlib.suppress(OSError, ValueError):
                    send(self._in, GiveUp(self._told))
            finally:
                self._lock.release()

    def kill(self) -> None:
        """End a process that does not listen; whoever listens to it is told that it is lost."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """End the process and wait for that."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._in.close()  # it leaves when nothing can come any more
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # nothing of it is wanted any more
            self._process.wait()
        with contextlib.suppress(OSError, ValueError):
            self._out.close()

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            return "the simulating process does not answer any more; run again"
        if code == -9:
            return (
                "the simulating process was ended by signal 9; the system does that when memory "
                "runs out. Run again, with other programs closed or a smaller workload"
            )
        if code < 0:
            return f"the simulating process was ended by signal {-code}; run again"
        return f"the simulating process ended by itself with code {code}; run again"


class Assignment:
    """A task in the hands of a worker, which any thread may give up at any time."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._unwanted = False
        self._patience: threading.Timer | None = None

    @property
    def given_up(self) -> bool:
        """Whether nobody wants it any more."""
        return self._unwanted

    def give_up(self, *, hurry: bool = False) -> None:
        """Stop it as soon as possible, or before it begins. Never waits for anything.

        Args:
            hurry: somebody waits, so a process that does not listen is ended soon; also where it
                was given up before.
        """
        with self._lock:
            again, self._unwanted = self._unwanted, True
            worker = self._worker
            if worker is None or (again and not hurry):
                return
            if not again:
                worker.give_up()
            if self._patience is not None:
                self._patience.cancel()
            patience_s = HURRY_S if hurry else PATIENCE_S
            self._patience = threading.Timer(patience_s, self._lose_patience)
            self._patience.daemon = True
            self._patience.start()

    def _lose_patience(self) -> None:
        with self._lock:
            if self._worker is not None:
                self._worker.kill()

    def messages(self, worker: Worker) -> Iterator[Any]:
        """Have it done; yields what the worker says until the task ends.

        Raises:
            Cancelled: if it was given up; a worker that did not listen is lost then.
            WorkerLostError: if the process ended.
            Exception: what the task raised.
        """
        said = worker.work(self._task)
        with self._lock:
            if self._unwanted:
                raise Cancelled
            self._worker = worker
        try:
            for message in said:
                if not self._unwanted:
                    yield message
                message = None
        except WorkerLostError:
            if self._unwanted:
                raise Cancelled from None
            raise
        finally:
            with self._lock:
                self._worker = None
                if self._patience is not None:
                    self._patience.cancel()


def _enlarge(file: BinaryIO) -> None:
    """Make a pipe hold a block of steps, where that can be asked for."""
    if sys.platform.startswith("linux"):
        import fcntl

        with contextlib.suppress(OSError):  # an administrator may allow less
            fcntl.fcntl(file, _F_SETPIPE_SZ, _PIPE_BYTES)


class WorkerPool:
    """Idle workers, which have everything loaded and keep what they computed before."""

    def __init__(self, most_idle: int = 2) -> None:
        self._most_idle = most_idle
        self._lock = threading.Lock()
        self._idle: list[Worker] = []

    def warm(self) -> None:
        """Start a worker that will be wanted soon, unless one is idle."""
        with self._lock, contextlib.suppress(WorkerLostError):  # told when it is wanted
            if not self._idle:
                self._idle.append(Worker())

    def take(self) -> Worker:
        """A worker for the caller alone.

        Raises:
            WorkerLostError: if no process can be started.
        """
        while True:
            with self._lock:
                if not self._idle:
                    break
                worker = self._idle.pop()
            if worker.usable:
                return worker
            worker.close()
        return Worker()

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for the next one, or end it."""
        with self._lock:
            if worker.usable and len(self._idle) < self._most_idle:
                self._idle.append(worker)
                return
        worker.close()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Worker]:
        """A worker for the length of a block.

        Raises:
            WorkerLostError: if no process can be started.
        """
        worker = self.take()
        try:
            yield worker
        finally:
            self.give_back(worker)

    def forget(self) -> None:
        """In a forked copy of this process, which has the pipes too: leave them alone."""
        self._lock = threading.Lock()  # a thread that is not there any more may have held it
        self._idle = []

    def close(self) -> None:
        """End all idle workers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()


WORKERS = WorkerPool()
atexit.register(WORKERS.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WORKERS.forget)
