"""A sweep in a process of its own, for a program that has other things to do.

The process talks through a pipe: rows as they come, then how it ended. It stops when it is told to
and when the other end is gone, and keeps what is done in both cases.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path

from simcore.errors import Cancelled, SimcoreError
from simcore.sweep.executors import DaskCluster, LocalPool
from simcore.sweep.runner import Progress, run_sweep
from simcore.sweep.search import check_search
from simcore.sweep.spec import Method, SweepSpec
from simcore.sweep.store import Store
from simcore.sweep.table import Row

_ROWS = 64
"""Rows of a message: few enough to be read between two frames."""


class End(Enum):
    """How a sweep ended."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows that were not there before."""

    rows: tuple[Row, ...]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Ended:
    """The last message: how it ended, and why if it failed."""

    end: End
    text: str = ""


def serve(
    pipe: Connection, spec: SweepSpec, store: Path, workers: int | None, scheduler: str
) -> None:
    """Run a sweep and report through a pipe; the target of the process.

    Args:
        pipe: takes `NewRows` and one `Ended`; anything that comes through it means stop.
        spec: the sweep.
        store: file of results.
        workers: local processes, None for as many as there are cores.
        scheduler: address of a Dask scheduler; empty for this machine.
    """
    stop = threading.Event()
    threading.Thread(target=_listen, args=(pipe, stop), daemon=True).start()

    def on_rows(rows: Sequence[Row], progress: Progress) -> None:
        for first in range(0, len(rows), _ROWS):
            part = tuple(rows[first : first + _ROWS])
            try:
                pipe.send(NewRows(part, progress))
            except OSError:  # nobody listens any more
                stop.set()

    try:
        ended = _run(spec, store, workers, scheduler, on_rows, stop)
    except SimcoreError as error:
        ended = Ended(End.FAILED, str(error))
    except Exception as error:  # the border of the process
        ended = Ended(End.FAILED, f"{type(error).__name__}: {error}")
    try:
        pipe.send(ended)
    except OSError:
        return


def _run(
    spec: SweepSpec,
    store: Path,
    workers: int | None,
    scheduler: str,
    on_rows: object,
    stop: threading.Event,
) -> Ended:
    if spec.method is Method.SEARCH:
        check_search()
    with Store(store) as opened:
        executor = DaskCluster(scheduler) if scheduler else LocalPool(workers, max(1, spec.size))
        try:
            run_sweep(spec, opened, executor, on_rows=on_rows, cancelled=stop.is_set)  # type: ignore[arg-type]
        except Cancelled:
            return Ended(End.STOPPED)
        finally:
            executor.close()
    return Ended(End.DONE)


def _listen(pipe: Connection, stop: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    stop.set()
