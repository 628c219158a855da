"""One scenario to its figures: what worker processes do. Only this module is loaded there.

A point that cannot be simulated is an outcome like any other; nothing here ends a sweep but the
wish to cancel it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import simcore.systems  # noqa: F401 - fills the registry scenarios are run with
from simcore.engine.rows import load_loops
from simcore.engine.simulator import simulate
from simcore.errors import Cancelled, CapacityError, UserError
from simcore.scenario.schema import Scenario
from simcore.sweep.figures import figures_of
from simcore.sweep.resolve import code_version


class Failure(StrEnum):
    """Why a point has no figures."""

    CAPACITY = "does not fit"
    INPUT = "cannot be simulated"
    MEMORY = "out of memory"
    CRASH = "worker died"
    BUG = "simulator failed"

    @property
    def lasting(self) -> bool:
        """Whether trying again would give the same; other failures are tried again."""
        return self in (Failure.CAPACITY, Failure.INPUT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a point.

    Attributes:
        figures: its figures; empty if it failed, but for ``fits``.
        failure: why there are none; None if there are.
        error: the message.
        wall_s: time it took; no part of the result.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    error: str = ""
    wall_s: float = field(default=0.0, compare=False)


def failed(failure: Failure, error: str, wall_s: float = 0.0) -> Outcome:
    """The outcome of a point without figures."""
    figures = {"fits": False} if failure is Failure.CAPACITY else {}
    return Outcome(figures, failure, error, wall_s)


def evaluate(scenario: Scenario, cancelled: Callable[[], bool] | None = None) -> Outcome:
    """Simulate a scenario to its end.

    Raises:
        Cancelled: if `cancelled` said so.
    """
    begin = time.perf_counter()
    try:
        figures = figures_of(simulate(scenario, items=False, cancelled=cancelled))
        return Outcome(figures, wall_s=time.perf_counter() - begin)
    except Cancelled:
        raise
    except CapacityError as error:
        failure, text = Failure.CAPACITY, str(error)
    except UserError as error:
        failure, text = Failure.INPUT, str(error)
    except MemoryError:
        failure, text = Failure.MEMORY, "not enough memory for this point"
    except Exception as error:  # a bug at one point must not take the others with it
        failure, text = Failure.BUG, f"{type(error).__name__}: {error}"
    return failed(failure, text, time.perf_counter() - begin)


@dataclass(frozen=True, slots=True)
class Report:
    """Answer to a task: outcomes of its scenarios from the first on, fewer if cancelled."""

    code: str
    outcomes: tuple[Outcome, ...]


LOOPS_AFTER = 60
"""Points after which a worker loads the compiled loops: that takes 0.4 s, and each of a thousand
points of H2M2 takes 6 ms less with them (measured)."""

_evaluated = 0


def evaluate_many(scenarios: Sequence[Scenario]) -> Report:
    """Evaluate the scenarios of a task one after the other."""
    global _evaluated
    outcomes: list[Outcome] = []
    for scenario in scenarios:
        if _evaluated == LOOPS_AFTER:
            with contextlib.suppress(Exception):  # said by the systems that need them
                load_loops()
        _evaluated += 1
        try:
            outcomes.append(evaluate(scenario, _is_cancelled))
        except Cancelled:
            break
    return Report(code_version(), tuple(outcomes))


# In a worker of the local pool.

_cancel: Any = None


def _is_cancelled() -> bool:
    return _cancel is not None and bool(_cancel.is_set())


def start_worker(cancel: Any) -> None:
    """Prepare a process of the local pool.

    Ctrl-C is for the process that started it, and a worker whose parent was killed leaves.
    """
    global _cancel
    _cancel = cancel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, name="leave with parent", daemon=True).start()


def _leave_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
