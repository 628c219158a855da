"""How fast H2M2 is: a step, a mapping by each solver, the views of a step. Nothing is asserted."""

from __future__ import annotations

import numpy as np

import simcore
from simcore.engine.simulator import Simulator
from simcore.systems.h2m2 import mapping as solve
from simcore.systems.h2m2.causes import problem_of
from simcore.systems.h2m2.curves import mapping_curve
from simcore.systems.h2m2.kernels import Kernels
from tests.bench.measure import median_ms, record, report

SCENARIO = "h2m2-gpt3-175b"
STEPS, ROWS = 1000, 64


def started(system: str = "h2m2", steps: int = 1) -> Simulator:
    document = simcore.open_document(SCENARIO).with_value("system", system)
    simulator = Simulator(document.with_value("workload.output_tokens", STEPS).resolve())
    for _ in range(steps):
        simulator.step()
    return simulator


def bench_runs() -> None:
    """A run of 1000 steps; the time is the mean of one, preparation inside."""
    for system in ("h2m2", "h2m2-oracle", "lpddr-only", "hierarchical", "8-hbm"):
        each = median_ms(lambda s=system: started(s, STEPS), 3) / STEPS
        report(f"{system} step, GPT3-175B", each)
        if system == "h2m2":
            record("h2m2 step", ms=each)


def bench_mapping() -> None:
    """One mapping by Algorithm 1 and by looking at all 97^3 options; 64 by the sorted search."""
    plan = started().run.plan
    kernels = Kernels(plan)
    one = slice(0, 1)
    single = problem_of(kernels, plan.lengths.tokens[one], plan.lengths.padded[one])
    many = problem_of(kernels, plan.lengths.tokens[:ROWS], plan.lengths.padded[:ROWS])
    greedy = median_ms(lambda: solve.greedy(single), 50)
    exhaustive = median_ms(lambda: solve.exhaustive(single), 10)
    record("h2m2 mapping", greedy_ms=greedy, exhaustive_ms=exhaustive)
    optimum = solve.Optimum(many)
    report("best mapping by sorting, each of 64", median_ms(lambda: optimum.solve(many)) / ROWS)
    again = np.array_equal(optimum.solve(single)[0], solve.exhaustive(single))
    print(f"sorted and exhaustive search agree: {again}")  # noqa: T201 - a benchmark prints


def bench_views_of_a_step() -> None:
    run = started(steps=8).run
    report("spans of a step", median_ms(lambda: run.system.spans(run.plan, run.record(5))))
    report("placement", median_ms(lambda: run.placement(5, 1)))
    report("mapping curve", median_ms(lambda: mapping_curve(run.plan, run.record(5), "fc")))
