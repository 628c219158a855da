"""Where the points of a sweep are simulated: processes of this machine, or a Dask cluster.

Both hand out `concurrent.futures` and run the same function, so they cannot give other results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from simcore.cores import cores
from simcore.errors import UserError
from simcore.scenario.schema import Scenario
from simcore.sweep.evaluate import LOOPS_AFTER, Report, evaluate_many, start_worker
from simcore.sweep.resolve import code_version

CONNECT_S = 15
_INSTALL = 'pip install "dimmscope[cluster]"'


class Executor(Protocol):
    """Something that evaluates tasks of scenarios."""

    @property
    def slots(self) -> int:
        """How many tasks run at the same time."""

    def ready(self) -> bool:
        """Whether a task can be begun without waiting; prepares for the first when first asked."""

    def submit(self, scenarios: Sequence[Scenario]) -> Future[Report]:
        """Begin a task."""

    def died(self, error: BaseException) -> bool:
        """Whether an error of a task means that its worker died; it can then be tried again."""

    def renew(self) -> None:
        """Make new workers for dead ones, if that takes anything."""

    def cancel(self) -> None:
        """Let running tasks return what they have; must not wait."""

    def close(self) -> None:
        """Give everything back."""


class LocalPool:
    """Worker processes of this machine, which load the simulator once."""

    def __init__(self, workers: int | None = None, points: int = 0) -> None:
        """Prepare; processes are started by the first tasks.

        Args:
            workers: how many at most, None for as many as there are cores.
            points: how many points may come, 0 if that is not known.
        """
        most = workers or cores()
        self._workers = min(most, points) if points else most
        self._context = _context(points >= LONG * self._workers)
        self._cancel: Any = self._context.Event()
        self._pool = self._make()
        self._starter: threading.Thread | None = None

    def _make(self) -> ProcessPoolExecutor:
        with _one_thread_each():
            return ProcessPoolExecutor(
                self._workers, self._context, initializer=start_worker, initargs=(self._cancel,)
            )

    @property
    def slots(self) -> int:
        return self._workers

    def ready(self) -> bool:
        # To start the first process waits until the one it is forked from has loaded everything.
        if self._starter is None:
            starter = threading.Thread(target=self._start, daemon=True)
            starter.start()
            self._starter = starter
        return not self._starter.is_alive()

    def _start(self) -> None:
        with contextlib.suppress(Exception):  # comes again with the first task
            self.submit(())

    def submit(self, scenarios: Sequence[Scenario]) -> Future[Report]:
        try:
            with _one_thread_each():  # processes are started by the first tasks
                return self._pool.submit(evaluate_many, scenarios)
        except (EOFError, ConnectionError):
            raise UserError(
                "no worker can be started: the process they are forked from ends at once; what it "
                "says is above"
            ) from None

    def died(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def renew(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._make()

    def cancel(self) -> None:
        self._cancel.set()

    def close(self) -> None:
        self._cancel.set()
        try:
            if self._starter is not None:
                self._starter.join()
        finally:  # also where a second Ctrl-C has ended the waiting: workers would outlive the pool
            self._pool.shutdown(wait=True, cancel_futures=True)


LONG = 4 * LOOPS_AFTER
"""Points of a worker from which on compiled loops are loaded before it begins."""


def _context(long: bool) -> Any:
    """How processes are started. Threads and Qt survive no fork of this process.

    Workers are forked from a clean process that has loaded the simulator, in a `long` sweep with
    its compiled loops, where there is such a thing; elsewhere each loads it for itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    loops = ["simcore.sweep.with_loops"] if long else []
    context.set_forkserver_preload(["simcore.sweep.fork_server", *loops])
    return context


@contextlib.contextmanager
def _one_thread_each() -> Any:
    """Workers are as many as cores; each must not start as many threads again."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: "1" for name in names if before[name] is None})
    try:
        yield
    finally:
        for name in names:
            if before[name] is None:
                os.environ.pop(name, None)


def worker_version() -> str:
    """What a worker has installed."""
    return code_version()


class DaskCluster:
    """Workers of an existing Dask distributed cluster; simcore must be installed there."""

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            UserError: if Dask is not installed, nobody answers, or the workers have another
                version of the program.
        """
        try:
            import distributed
        except ImportError:
            raise UserError(
                f"--scheduler needs Dask distributed, which is not installed: {_INSTALL}"
            ) from None
        self._address = address
        self._dask: Any = distributed
        try:
            self._client: Any = self._dask.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UserError(
                f"no Dask scheduler answers at {address}: {error}; give its address such as "
                "tcp://host:8786"
            ) from None
        try:
            self._check()
            self._executor = self._client.get_executor(pure=False)
        except BaseException:
            self._client.close()
            raise

    def _check(self) -> None:
        if not self._client.scheduler_info()["workers"]:
            raise UserError(f"the scheduler at {self._address} has no workers; start some")
        mine = code_version()
        try:
            theirs = self._client.run(worker_version)
        except Exception as error:  # whatever the workers raise
            raise UserError(
                f"workers at {self._address} cannot load simcore ({type(error).__name__}: "
                f"{error}); install this version of dimmscope there"
            ) from None
        other = sorted({version for version in theirs.values() if version != mine})
        if other:
            raise UserError(
                f"workers at {self._address} run simcore {', '.join(other)}, this is {mine}; "
                "install the same version everywhere"
            )

    @property
    def slots(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def ready(self) -> bool:
        return True

    def submit(self, scenarios: Sequence[Scenario]) -> Future[Report]:
        future: Future[Report] = self._executor.submit(evaluate_many, scenarios)
        return future

    def died(self, error: BaseException) -> bool:
        if isinstance(error, self._dask.KilledWorker):
            return True
        if isinstance(error, (OSError, CancelledError, self._dask.comm.CommClosedError)):
            raise UserError(
                f"the connection to the scheduler at {self._address} was lost: {error}; what is "
                "done is kept, run the sweep again to go on"
            ) from None
        return False

    def renew(self) -> None:
        """Dask moves the tasks of dead workers by itself."""

    def cancel(self) -> None:
        """Running tasks cannot be told; they end unheard."""

    def close(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()
