"""How fast HybridServe is: the search, a run, the views of a step. Nothing is asserted."""

from __future__ import annotations

import statistics
import time

from simcore.engine.simulator import Simulator, simulate
from simcore.reproduce.cases import RunCase
from simcore.scenario.schema import Scenario
from tests.bench.measure import median_ms, record, report

SYSTEMS = ("hybridserve", "hybridserve-flexgen", "deepspeed-inference", "vllm-swap")


def scenario(system: str) -> Scenario:
    return RunCase(system, "opt-66b", 128, 1024, 128).scenario()


def bench_search() -> None:
    """Choosing ratio and mini-batches, percentages, or a schedule."""
    for system in SYSTEMS:
        mine = scenario(system)
        report(f"{system} prepare, OPT-66B", median_ms(lambda s=mine: Simulator(s), 5))


def bench_runs() -> None:
    """A whole run, preparation inside."""
    for system in SYSTEMS:
        mine = scenario(system)
        report(f"{system} run, OPT-66B", median_ms(lambda s=mine: simulate(s), 3))
        prepared = []
        for _ in range(4):
            simulator = Simulator(mine)
            begin = time.perf_counter()
            while simulator.advance(simulator.block_steps):
                pass
            prepared.append((time.perf_counter() - begin) * 1e3 / len(simulator.run))
        record(f"step {system}", ms=statistics.median(prepared))


def bench_views_of_a_step() -> None:
    run = simulate(scenario("hybridserve"))
    system, plan, record = run.system, run.plan, run.record(5)
    report("spans of a step", median_ms(lambda: system.spans(plan, record)))
    report("block map", median_ms(lambda: run.placement(5, 1)))
    report("ratio curve", median_ms(lambda: system.ratio_curve(plan, record)))
