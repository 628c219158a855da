"""The systems a scenario compares with, simulated in a working process beside the run itself.

The worker goes through the names from the last to the first, the caller from the first to the
last; whoever comes to a system first simulates it. So nobody waits for a worker that starts
late, and one that is lost has cost nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from simcore.engine.simulator import simulate
from simcore.errors import Cancelled
from simcore.remote.parent import Worker
from simcore.remote.task import Say
from simcore.results.totals import tokens_per_s
from simcore.results.variants import variant_scenario
from simcore.scenario.schema import Scenario

Progress = Callable[[int, int], None]

_EVERY_S = 0.1
"""How often the worker says how far it is."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A system is being simulated; `done` of `total` steps so far."""

    name: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """The speed of a system; None if it could not be simulated, for whatever reason."""

    name: str
    tokens_per_s: float | None


@dataclass(frozen=True, slots=True)
class Compare:
    """Simulate a scenario on other systems. Says `Begun`, then `Rate`, for each.

    Attributes:
        scenario: a resolved scenario.
        names: systems, in the order in which they are simulated.
    """

    scenario: Scenario
    names: tuple[str, ...]

    def work(self, say: Say) -> None:
        """Do it, in the working process."""
        for name in self.names:
            say(Begun(name))
            try:
                rate = self._rate(name, say)
            except Cancelled:
                raise
            except Exception:  # the one who asked meets it as well, and can say what it is
                rate = None
            say(Rate(name, rate))

    def _rate(self, name: str, say: Say) -> float:
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _EVERY_S:
                last = now
                say(Begun(name, done, total))

        scenario = variant_scenario(self.scenario, name)
        return tokens_per_s(simulate(scenario, items=False, progress=tell))


class Comparison:
    """A worker at the systems a scenario compares with."""

    def __init__(self, worker: Worker, scenario: Scenario) -> None:
        """Give it the task.

        Raises:
            WorkerLostError: if the process ended.
        """
        self._said = worker.ask(Compare(scenario, scenario.compare[::-1]))
        self._messages: queue.SimpleQueue[Begun | Rate | None] = queue.SimpleQueue()
        # Only started when it is needed: as long as there is one thread, numba loads faster.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._rates: dict[str, float | None] = {}
        self._at: Begun | None = None
        self._over = False

    def rate(self, name: str, progress: Progress | None = None) -> float | None:
        """Tokens a second of a system, as soon as the worker is done with it.

        Args:
            name: one of the names.
            progress: called with (steps done, steps in all) now and then.

        Returns:
            None if the worker has not begun with it, or never will be done: the caller has to
            simulate it.
        """
        if not self._listener.ident:
            self._listener.start()
            with suppress(queue.Empty):  # what the worker has said so far has to be read first
                while True:
                    self._note(self._messages.get(timeout=0.02))
        while True:
            try:
                while True:
                    self._note(self._messages.get_nowait())
            except queue.Empty:
                pass
            if name in self._rates:
                return self._rates[name]
            if self._over or self._at is None or self._at.name != name:
                return None
            if progress and self._at.total:
                progress(self._at.done, self._at.total)
            with suppress(queue.Empty):  # with a timeout, or Ctrl-C is not heard on Windows
                self._note(self._messages.get(timeout=1.0))

    def _note(self, message: Begun | Rate | None) -> None:
        if message is None:
            self._over = True
        elif isinstance(message, Begun):
            self._at = message
        else:
            self._rates[message.name] = message.tokens_per_s

    def _listen(self) -> None:
        try:
            for message in self._said:
                self._messages.put(message)
        except Exception:  # lost, or broken: what it has not said is simulated by the caller
            pass
        finally:
            self._messages.put(None)

    def join(self) -> None:
        """Wait until nobody listens to the worker any more, which has been ended."""
        if self._listener.ident:
            self._listener.join()
