"""Running a scenario: `advance` is the primitive, everything else is a loop around it.

A block of steps and the same steps one by one give the same records.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from simcore.engine.limits import countable
from simcore.engine.memory import peak_rss_bytes
from simcore.errors import Cancelled, StorageError
from simcore.registry import SYSTEMS
from simcore.results.run import Deriver, Plan, Run
from simcore.scenario.schema import Scenario


class Simulator:
    """A scenario being simulated.

    Attributes:
        run: the growing result; readable at any time from any thread.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        items: bool = True,
        record: Callable[[Plan, Deriver], Run] = Run,
    ) -> None:
        """Prepare a run.

        Args:
            scenario: a resolved scenario.
            items: record single items (neurons) for placement grids; costs memory.
            record: makes the run, for those who do something else with the records than keep them.

        Raises:
            CapacityError: if the model does not fit the machine.
            DataFileError: if a data file cannot be used.
            UserError: if a time or an amount is too large to be counted.
        """
        self._system = SYSTEMS.get(scenario.system)
        with countable():
            self._plan = self._system.prepare(scenario, items=items)
            self.run = record(self._plan, self._system)
            self._state = self._system.start(self._plan, self.run)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; an estimate while an open-ended run is going on."""
        return self.run.total_steps

    @property
    def block_steps(self) -> int:
        """Steps to ask for at once where nobody looks between them."""
        return int(self._system.block_steps)

    def step(self) -> bool:
        """Simulate one step; False when there was none left."""
        return self.advance(1) > 0

    def advance(self, limit: int) -> int:
        """Simulate up to `limit` steps at once; how many there were, 0 when none was left.

        Raises:
            UserError: if a time or an amount is too large to be counted.
        """
        status = self.run.status
        if status.finished:
            return 0
        begin = time.perf_counter()
        with countable():
            columns = self._system.advance_many(self._plan, self._state, self.run, max(1, limit))
            done = 0 if columns is None else self.run.extend(columns)
        status.wall_s += time.perf_counter() - begin
        over = not self._plan.open_ended and len(self.run) >= self._plan.total_steps
        if over or not done:
            status.peak_rss_bytes = peak_rss_bytes()
            status.finished = True
        return done


def simulate(
    scenario: Scenario,
    *,
    items: bool = True,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    no_room: Callable[[StorageError], None] | None = None,
) -> Run:
    """Simulate a scenario to its end.

    Args:
        scenario: a resolved scenario.
        items: record single items (neurons) for placement grids.
        progress: called with (steps done, steps in all) after each block of steps.
        cancelled: polled after each block of steps.
        no_room: called where memory and disk are full; the steps so far are then the run, which is
            not finished.

    Raises:
        Cancelled: if `cancelled` said so.
        StorageError: if memory and disk are full, and there is no step or no `no_room`.
    """
    simulator = Simulator(scenario, items=items)
    while True:
        try:
            if not simulator.advance(simulator.block_steps):
                break
        except StorageError as error:
            if no_room is None or not len(simulator.run):
                raise
            no_room(error)
            break
        if progress:
            progress(len(simulator.run), simulator.total_steps)
        if cancelled and cancelled():
            simulator.run.status.cancelled = True
            raise Cancelled
    return simulator.run
