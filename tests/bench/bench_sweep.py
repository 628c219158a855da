"""Parallel efficiency of a sweep of 1,000 points on all cores, and its serial parts."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from simcore.cores import cores
from simcore.scenario.document import open_document
from simcore.sweep.executors import LocalPool
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.points import listed_points
from simcore.sweep.resolve import PointResolver, scenario_key
from simcore.sweep.runner import run_sweep
from simcore.sweep.spec import SweepSpec
from simcore.sweep.store import Store
from tests.bench.measure import alone, elsewhere, record, tell, timed

POINTS = 1000


def sweep() -> SweepSpec:
    vary = [
        read_vary("workload.batch=16,32,48,64,80,96,112,128,144,160"),
        read_vary("hardware.lpddr.bandwidth_GBps=lin:200:1100:10"),
        read_vary("hardware.hbm.capacity_GB=lin:96:192:10"),
    ]
    return make_spec(open_document("h2m2-llama2-70b"), vary)


@elsewhere
def bench_sweep(benchmark) -> None:
    """H2M2, Llama2-70B, 64 iterations a point, each time in a program of its own.

    All of it on one core against all of it on all cores: resolving, starting workers and loading
    what they need inside the time. The table shows the times on all cores.
    """
    times = {many: [alone(PROGRAM.format(many)) for _ in range(2)] for many in (1, cores())}
    one, all_of_them = (min(each["seconds"] for each in found) for found in times.values())
    stored = min(each["again_s"] for each in times[1])
    tell(benchmark, [each["seconds"] for each in times[cores()]])
    share = one / (cores() * all_of_them)
    record(
        benchmark,
        "sweep",
        efficiency=share,
        points=POINTS,
        cores=cores(),
        seconds=all_of_them,
        point_on_one_core_ms=one / POINTS * 1e3,
        point_ms=all_of_them / POINTS * 1e3,
        stored_point_ms=stored / POINTS * 1e3,
    )


PROGRAM = """
import json
from tests.bench.bench_sweep import measured
if __name__ == "__main__":
    print(json.dumps(measured({})))
"""


def measured(workers: int) -> dict[str, float]:
    """Seconds of the sweep on so many cores, and once more from the store."""
    spec = sweep()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        begin = time.perf_counter()
        pool = LocalPool(workers, POINTS)
        try:
            found = run_sweep(spec, store, pool)
        finally:
            pool.close()
        seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        run_sweep(spec, store, pool)
        again_s = time.perf_counter() - begin
    assert len(found) == POINTS
    assert all(row.outcome.failure is None for row in found)
    return {"seconds": seconds, "again_s": again_s}


def bench_resolving_200_points(benchmark) -> None:
    """From values to a resolved scenario and its key, done by the process that runs the sweep."""
    spec = sweep()
    points = listed_points(spec)[:200]

    def resolve(resolver: PointResolver) -> None:
        for values in points:
            scenario_key(resolver.scenario(values))

    ms = timed(
        benchmark, resolve, 5, setup=lambda: ((PointResolver(spec.document, spec.axes),), {})
    )
    record(benchmark, "resolve a point", ms=ms / len(points))
