"""The systems a scenario compares with: beside its own run where that pays, else after it."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from simcore.cli.console import Console
from simcore.cli.loading import find_scenario, simulate_scenario
from simcore.cores import cores
from simcore.errors import UserError, WorkerLostError

if TYPE_CHECKING:
    from simcore.remote.compare import Comparison
    from simcore.remote.parent import Worker
    from simcore.scenario.schema import Scenario

WORTH_MS = 150.0
"""A second process pays from so much work on: it takes longer than that to load itself."""
# What a step, a neuron in a step and a request take, roughly: class derived, from the rows of
# docs/performance.md on two cores. They only decide where something is simulated.
_STEP_MS = 0.1
_NEURON_MS = 0.7e-6
_REQUEST_MS = 0.5
# What files look like that compare systems of many neurons or many requests.
_COMPARES = re.compile(r"^compare *:", re.MULTILINE)
_LONG = re.compile(r"^activations *:|\bkind *: *serving\b", re.MULTILINE)
_MOST_TEXT = 1 << 16


class Beside(AbstractContextManager["Beside"]):
    """Has the compared systems simulated in another process, from `begin` on.

    There is none if it would not pay, cannot be started or is lost: then they are simulated here.
    """

    def __init__(self, text: str, *, wanted: bool = True) -> None:
        """Start the process at once if the scenario looks like one for which it pays.

        Args:
            text: the scenario as typed.
            wanted: whether anything is compared at all.
        """
        self._wanted = wanted and cores() > 1
        self._worker: Worker | None = None
        self._comparison: Comparison | None = None
        if self._wanted and _looks_long(text):
            self._start()

    def _start(self) -> None:
        from simcore.remote.parent import Worker

        try:
            self._worker = Worker(beside=True)
        except WorkerLostError:
            self._wanted = False

    def begin(self, scenario: Scenario) -> None:
        """Give it the systems of a scenario, whose own run is simulated next."""
        if self._wanted and expected_ms(scenario) >= WORTH_MS:
            if self._worker is None:
                self._start()
            if self._worker is not None:
                from simcore.remote.compare import Comparison

                # What cannot be sent, as a part of somebody else's system, is done here.
                with suppress(Exception):
                    self._comparison = Comparison(self._worker, scenario)

    def compare(
        self, scenario: Scenario, own_tokens_per_s: float, console: Console
    ) -> dict[str, Any]:
        """Speed of each system the scenario compares with.

        A system the model does not fit has no tokens/s and says why.
        """
        out: dict[str, Any] = {}
        for name in scenario.compare:
            try:
                rate = self._rate(scenario, name, console)
            except UserError as error:
                console.message(f"{name}: {error}")
                out[name] = {"tokens_per_s": None, "speedup": None, "error": str(error)}
                continue
            out[name] = {"tokens_per_s": rate, "speedup": own_tokens_per_s / rate if rate else None}
        return out

    def _rate(self, scenario: Scenario, name: str, console: Console) -> float:
        if self._comparison is not None:
            try:
                rate = self._comparison.rate(name, console.progress(name))
            finally:
                console.end_progress()
            if rate is not None:
                return rate
        from simcore.results.totals import tokens_per_s
        from simcore.results.variants import variant_scenario

        other = variant_scenario(scenario, name)
        return tokens_per_s(simulate_scenario(other, console, title=name))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._worker is not None:
            self._worker.kill()
            if self._comparison is not None:
                self._comparison.join()
            self._worker.close()


def _looks_long(text: str) -> bool:
    """Whether the file probably compares large runs; reads nothing that can be read only once."""
    try:
        path = find_scenario(text)
        if path.suffix == ".npz" or not path.is_file():
            return False
        with path.open(encoding="utf-8", errors="replace") as file:
            found = file.read(_MOST_TEXT)
    except (UserError, OSError, ValueError):  # told when the scenario is read
        return False
    return bool(_COMPARES.search(found) and _LONG.search(found))


def expected_ms(scenario: Scenario) -> float:
    """Roughly how long the compared systems take to be simulated."""
    from simcore.registry import SYSTEMS

    model, workload = scenario.model, scenario.workload
    steps = getattr(workload, "output_tokens", 0)
    neurons = model.layers * (model.hidden + model.ffn * model.experts)
    drawn = steps * neurons * getattr(workload, "batch", 1)
    found = 0.0
    for name in scenario.compare:
        found += steps * _STEP_MS + getattr(workload, "requests", 0) * _REQUEST_MS
        if getattr(SYSTEMS.get(name), "stochastic", False) and workload.kind == "fixed":
            found += drawn * _NEURON_MS
    return found
