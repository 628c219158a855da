"""A simulation in a working process, and the run that grows from what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from simcore.engine.simulator import Simulator
from simcore.registry import SYSTEMS
from simcore.remote.task import Say
from simcore.results.run import Deriver, Plan, Run
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the document says, with everything filled in."""

    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Prepared:
    """The run can begin."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps that follow those before.

    Attributes:
        columns: records, each of shape (steps, ...).
        attachments: large arrays that were added, by name.
        wall_s: wall time spent stepping so far.
        peak_rss_bytes: largest memory of the working process.
        finished: they are the last.
    """

    columns: Mapping[str, NDArray[Any]]
    attachments: Mapping[str, list[NDArray[Any]]]
    wall_s: float
    peak_rss_bytes: int
    finished: bool


class _Outbox(Run):
    """A run that hands its records on instead of keeping them."""

    def __init__(self, plan: Plan, system: Deriver) -> None:
        super().__init__(plan, system)
        self._attached: dict[str, int] = {}
        self._new: dict[str, list[NDArray[Any]]] = {}
        self._rows: Mapping[str, NDArray[Any]] = {}

    def attach(self, name: str, array: NDArray[Any]) -> int:
        number = self._attached.get(name, 0)
        self._attached[name] = number + 1
        self._new.setdefault(name, []).append(array)
        return number

    def _keep(self, rows: Mapping[str, NDArray[Any]]) -> None:
        self._rows = rows

    def take(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, list[NDArray[Any]]]]:
        """Columns and attachments since the last time."""
        rows, self._rows = self._rows, {}
        new, self._new = self._new, {}
        return rows, new


@dataclass(frozen=True, slots=True)
class Simulate:
    """Simulate a document or a scenario to its end.

    Says `Resolved`, `Prepared`, and `Steps` again and again.

    Attributes:
        source: what to simulate.
        first_steps: steps to hand over before blocks become as large as suits the system; for
            somebody who waits for them.
    """

    source: Document | Scenario
    first_steps: int = 2

    def work(self, say: Say) -> None:
        """Do it, in the working process."""
        source = self.source
        scenario = source.resolve() if isinstance(source, Document) else source
        say(Resolved(scenario))
        simulator = Simulator(scenario, items=True, record=_Outbox)
        run = simulator.run
        assert isinstance(run, _Outbox)
        say(Prepared(run.plan))
        limit = self.first_steps
        while not run.status.finished:
            simulator.advance(limit)
            columns, new = run.take()
            status = run.status
            say(Steps(columns, new, status.wall_s, status.peak_rss_bytes, status.finished))
            limit = simulator.block_steps


def begun(message: Prepared) -> Run:
    """An empty run of what was prepared."""
    return Run(message.plan, SYSTEMS.get(message.plan.scenario.system))


def grow(run: Run, message: Steps) -> None:
    """Add steps to a run. Only the one writer of the run calls this."""
    for name, arrays in message.attachments.items():
        for array in arrays:
            run.attach(name, array)
    if message.columns:
        run.extend(message.columns)
    status = run.status
    status.wall_s, status.peak_rss_bytes = message.wall_s, message.peak_rss_bytes
    status.finished = message.finished
