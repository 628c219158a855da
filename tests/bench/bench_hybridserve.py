"""How fast HybridServe is: the search, a run, the views of a step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simcore.engine.rows import load_loops
from simcore.engine.simulator import Simulator, simulate
from simcore.reproduce.cases import RunCase
from simcore.results.run import Run
from simcore.scenario.schema import Scenario
from tests.bench.measure import record, timed

SYSTEMS = ("hybridserve", "hybridserve-flexgen", "deepspeed-inference", "vllm-swap")
of_systems = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture(autouse=True)
def _loops():
    """The compiled pass is loaded, as in the processes of the window, whatever ran before."""
    load_loops()


def scenario(system: str) -> Scenario:
    return RunCase(system, "opt-66b", 128, 1024, 128).scenario()


@of_systems
def bench_search(benchmark, system: str) -> None:
    """Choosing ratio and mini-batches, percentages, or a schedule."""
    mine = scenario(system)
    record(benchmark, f"prepare {system}", ms=timed(benchmark, lambda: Simulator(mine), 5))


@of_systems
def bench_run(benchmark, system: str) -> None:
    """A whole run, preparation inside."""
    mine = scenario(system)
    record(benchmark, f"run {system}", ms=timed(benchmark, lambda: simulate(mine), 3))


@of_systems
def bench_all_steps(benchmark, system: str) -> None:
    """All steps of a prepared run; the row has the mean of one."""
    mine = scenario(system)
    lengths = set()

    def steps(simulator: Simulator) -> None:
        while simulator.advance(simulator.block_steps):
            pass
        lengths.add(len(simulator.run))

    ms = timed(benchmark, steps, 4, setup=lambda: ((Simulator(mine),), {}))
    (length,) = lengths
    record(benchmark, f"step {system}", ms=ms / length)


VIEWS: dict[str, Callable[[Run], object]] = {
    "spans": lambda run: run.system.spans(run.plan, run.record(5)),
    "block map": lambda run: run.placement(5, 1),
    "ratio curve": lambda run: run.system.ratio_curve(run.plan, run.record(5)),
}


@pytest.mark.parametrize("view", VIEWS)
def bench_view_of_a_step(benchmark, view: str) -> None:
    run = simulate(scenario("hybridserve"))
    record(benchmark, f"hybridserve {view}", ms=timed(benchmark, lambda: VIEWS[view](run)))
