"""How fast the simulation is: medians, and ratios to a memory copy measured in the same run.

Not a test: nothing is asserted, because a shared machine decides the times. `./dev bench` prints a
line for each measurement.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

import simcore
from simcore.engine.simulator import Simulator, simulate
from simcore.results.run import Run
from simcore.scenario.document import Document

DEFAULT = "hermes-llama2-70b"


def median_ms(work: Callable[[], object], repeats: int = 20) -> float:
    """Median wall time of one call in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def copy_ms(megabytes: float) -> float:
    """Time to copy that much memory, the reference of this run."""
    source = np.ones(int(megabytes * 1e6 / 8))
    target = np.empty_like(source)
    return median_ms(lambda: np.copyto(target, source))


def report(what: str, value_ms: float, reference_mb: float = 32.0) -> None:
    """One line: the median, the rate, and the ratio to copying `reference_mb`."""
    ratio = value_ms / copy_ms(reference_mb)
    print(  # noqa: T201 - a benchmark prints
        f"{what:46s} {value_ms:9.2f} ms  {1e3 / value_ms:8.0f} /s  "
        f"{ratio:6.2f} x a copy of {reference_mb:g} MB"
    )


def document(batch: int = 1) -> Document:
    return simcore.open_document(DEFAULT).with_value("workload.batch", batch)


def started(batch: int = 1, *, items: bool = False, steps: int = 8) -> Simulator:
    simulator = Simulator(document(batch).resolve(), items=items)
    for _ in range(steps):
        simulator.step()
    return simulator


def bench_step_of_single_neurons() -> None:
    """A decode step of LLaMA2-70B: draw, predict, count, learn, swap, remap, account."""
    for batch in (1, 4, 16):
        simulator = started(batch)
        report(f"Hermes step, LLaMA2-70B, batch {batch}", median_ms(simulator.step, 25))


def bench_step_without_neurons() -> None:
    resolved = document().with_value("system", "hermes-base").resolve()
    simulator = Simulator(resolved, items=False)
    report("Hermes-base step, LLaMA2-70B", median_ms(simulator.step, 50))


def bench_views_of_a_step() -> None:
    run: Run = started(items=True).run
    report("spans of a step", median_ms(lambda: run.system.spans(run.plan, run.record(5))))
    for width in (1, 8, 32, 128):
        report(f"placement, {width} neurons a cell", median_ms(lambda w=width: run.placement(5, w)))


def bench_an_edit() -> None:
    """From an edited field to the first decode step, alternating so that nothing is cached."""
    counts = iter(range(10_000))

    def edit() -> None:
        edited = document().with_value("hardware.ndp_dimms.count", 5 + next(counts) % 11)
        simulator = Simulator(edited.resolve())
        simulator.step()
        simulator.step()

    report("edit to the first decode step", median_ms(edit, 12))


def bench_a_whole_run() -> None:
    resolved = document().resolve()

    def whole() -> None:
        simulator = Simulator(resolved)
        while simulator.step():
            pass

    report("whole default run, 129 steps, recorded", median_ms(whole, 3))


def bench_served_requests() -> None:
    """1,000 requests of 12,700 output tokens on average, to the end: aim 10^6 tokens a second."""
    for system in ("l3", "l3-fill-first", "gpu-only"):
        edited = simcore.open_document("l3-gpt-175b").with_value("workload.requests", 1000)
        resolved = edited.with_value("system", system).resolve()
        begin = time.perf_counter()
        run = simulate(resolved, items=False)
        wall = time.perf_counter() - begin
        tokens = int(run.column("tokens").sum())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(  # noqa: T201 - a benchmark prints
            f"{system}, 1,000 requests, {len(run):,} steps: {wall:.2f} s, "
            f"{tokens / wall:,.0f} tokens/s, {peak:.0f} MB"
        )
