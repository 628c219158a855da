"""Running a scenario: `step` is the primitive, everything else is a loop around it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

from simcore.errors import Cancelled
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.scenario.schema import Scenario


class Simulator:
    """A scenario being simulated.

    Attributes:
        run: the growing result; readable at any time from any thread.
    """

    def __init__(self, scenario: Scenario, *, items: bool = True) -> None:
        """Prepare a run.

        Args:
            scenario: a resolved scenario.
            items: record single items (neurons) for placement grids; costs memory.

        Raises:
            CapacityError: if the model does not fit the machine.
            DataFileError: if a data file cannot be used.
        """
        self._system = SYSTEMS.get(scenario.system)
        self._plan = self._system.prepare(scenario, items=items)
        self.run = Run(self._plan, self._system)
        self._state = self._system.start(self._plan, self.run)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return int(self._plan.total_steps)

    def step(self) -> bool:
        """Simulate one step; False when there was none left."""
        if len(self.run) >= self._plan.total_steps:
            self.run.status.finished = True
            return False
        begin = time.perf_counter()
        self.run.append(self._system.advance(self._plan, self._state, self.run))
        status = self.run.status
        status.wall_s += time.perf_counter() - begin
        if len(self.run) >= self._plan.total_steps:
            status.peak_rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            status.finished = True
        return True


def simulate(
    scenario: Scenario,
    *,
    items: bool = True,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """Simulate a scenario to its end.

    Args:
        scenario: a resolved scenario.
        items: record single items (neurons) for placement grids.
        progress: called with (steps done, steps in all) after each step.
        cancelled: polled after each step.

    Raises:
        Cancelled: if `cancelled` said so.
    """
    simulator = Simulator(scenario, items=items)
    while simulator.step():
        if progress:
            progress(len(simulator.run), simulator.total_steps)
        if cancelled and cancelled():
            simulator.run.status.cancelled = True
            raise Cancelled
    return simulator.run
