"""Simulating many cases, each once, in this process or in several."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ProcessPoolExecutor, as_completed

from simcore.reproduce.cases import Case, Outcome, RunCase, measure
from simcore.reproduce.serving_case import ServingCase

Progress = Callable[[int, int], None]


def measure_all(
    cases: Mapping[Case, Set[str]], *, workers: int = 1, progress: Progress | None = None
) -> dict[Case, Outcome]:
    """Outcome of every case; the same whatever the number of workers.

    Args:
        cases: each with the names of the figures wanted of it.
        workers: processes; 1 stays in this one.
        progress: called with (cases done, cases in all) after each.
    """
    order = sorted(cases, key=_size, reverse=True)  # long ones first, to end together
    workers = min(workers, len(order))
    if workers <= 1:
        found: dict[Case, Outcome] = {}
        for case in order:
            found[case] = measure(case, cases[case])
            if progress:
                progress(len(found), len(order))
        return found
    return _in_processes({case: cases[case] for case in order}, workers, progress)


def _size(case: Case) -> tuple[int, int]:
    if isinstance(case, ServingCase):
        return (2, int(not case.system.startswith("l3")))
    return (1, case.batch * case.output_tokens) if isinstance(case, RunCase) else (0, 0)


def _in_processes(
    cases: Mapping[Case, Set[str]], workers: int, progress: Progress | None
) -> dict[Case, Outcome]:
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=_ignore_interrupts)
    found: dict[Case, Outcome] = {}
    try:
        futures = {executor.submit(measure, case, names): case for case, names in cases.items()}
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            if progress:
                progress(len(found), len(cases))
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    executor.shutdown()
    return found


def _ignore_interrupts() -> None:
    """Ctrl-C is for the parent, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
