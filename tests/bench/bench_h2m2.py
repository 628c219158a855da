"""How fast H2M2 is: a step, a mapping by each solver, the views of a step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import simcore
from simcore.engine.rows import load_loops
from simcore.engine.simulator import Simulator
from simcore.results.run import Run
from simcore.systems.h2m2 import mapping as solve
from simcore.systems.h2m2.causes import problem_of
from simcore.systems.h2m2.curves import mapping_curve
from simcore.systems.h2m2.kernels import Kernels
from tests.bench.measure import record, timed

SCENARIO = "h2m2-gpt3-175b"
STEPS, ROWS = 1000, 64


@pytest.fixture(autouse=True)
def _loops():
    """The compiled pass is loaded, as in the processes of the window, whatever ran before."""
    load_loops()


def started(system: str = "h2m2", steps: int = 1) -> Simulator:
    document = simcore.open_document(SCENARIO).with_value("system", system)
    simulator = Simulator(document.with_value("workload.output_tokens", STEPS).resolve())
    for _ in range(steps):
        simulator.step()
    return simulator


@pytest.mark.parametrize("system", ["h2m2", "h2m2-oracle", "lpddr-only", "hierarchical", "8-hbm"])
def bench_thousand_steps(benchmark, system: str) -> None:
    """A run of 1000 steps, preparation inside; the row has the mean of a step."""
    ms = timed(benchmark, lambda: started(system, STEPS), 3)
    record(benchmark, f"{system} step", ms=ms / STEPS)


def problems(rows: int) -> solve.Problem:
    """The mapping of the first tokens of a run."""
    plan = started().run.plan
    some = slice(0, rows)
    return problem_of(Kernels(plan), plan.lengths.tokens[some], plan.lengths.padded[some])


def bench_greedy_mapping(benchmark) -> None:
    """One mapping by Algorithm 1."""
    single = problems(1)
    record(benchmark, "h2m2 greedy mapping", ms=timed(benchmark, lambda: solve.greedy(single), 50))


def bench_exhaustive_mapping(benchmark) -> None:
    """One mapping by looking at all 97^3 options."""
    single = problems(1)
    ms = timed(benchmark, lambda: solve.exhaustive(single), 10)
    record(benchmark, "h2m2 exhaustive mapping", ms=ms)


def bench_sorted_mapping(benchmark) -> None:
    """64 mappings by the sorted search; the row has one."""
    many, single = problems(ROWS), problems(1)
    optimum = solve.Optimum(many)
    ms = timed(benchmark, lambda: optimum.solve(many))
    agree = np.array_equal(optimum.solve(single)[0], solve.exhaustive(single))
    record(benchmark, "h2m2 sorted mapping", ms=ms / ROWS, as_exhaustive=agree)


VIEWS: dict[str, Callable[[Run], object]] = {
    "spans": lambda run: run.system.spans(run.plan, run.record(5)),
    "placement": lambda run: run.placement(5, 1),
    "mapping curve": lambda run: mapping_curve(run.plan, run.record(5), "fc"),
}


@pytest.mark.parametrize("view", VIEWS)
def bench_view_of_a_step(benchmark, view: str) -> None:
    run = started(steps=8).run
    record(benchmark, f"h2m2 {view}", ms=timed(benchmark, lambda: VIEWS[view](run)))
