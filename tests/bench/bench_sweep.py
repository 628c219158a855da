"""Parallel efficiency of a sweep of 1,000 points on all cores, and its serial parts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from simcore.engine import rows
from simcore.scenario.document import open_document
from simcore.sweep.evaluate import evaluate
from simcore.sweep.executors import LocalPool, cores
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.points import listed_points
from simcore.sweep.resolve import PointResolver, scenario_key
from simcore.sweep.runner import run_sweep
from simcore.sweep.spec import SweepSpec
from simcore.sweep.store import Store
from tests.bench.measure import record, report

EVERY = 10
"""The serial time is that of every tenth point, times ten."""


def sweep() -> SweepSpec:
    vary = [
        read_vary("workload.batch=16,32,48,64,80,96,112,128,144,160"),
        read_vary("hardware.lpddr.bandwidth_GBps=lin:200:1100:10"),
        read_vary("hardware.hbm.capacity_GB=lin:96:192:10"),
    ]
    return make_spec(open_document("h2m2-llama2-70b"), vary)


def bench_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """H2M2, Llama2-70B, 64 iterations a point; the pool is started inside the time."""
    monkeypatch.setattr(rows, "_loops", None)  # as in a process of its own
    spec = sweep()
    points = listed_points(spec)
    evaluate(spec.document.resolve())
    resolver = PointResolver(spec.document, spec.axes)
    begin = time.perf_counter()
    for values in points[::EVERY]:
        evaluate(resolver.scenario(values))
    serial_s = (time.perf_counter() - begin) * EVERY
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        begin = time.perf_counter()
        pool = LocalPool()
        try:
            found = run_sweep(spec, store, pool)
        finally:
            pool.close()
        parallel_s = time.perf_counter() - begin
        begin = time.perf_counter()
        run_sweep(spec, store, pool)
        again_s = time.perf_counter() - begin
    assert all(row.outcome.failure is None for row in found)
    report("a point, serially", serial_s / len(points) * 1e3)
    report("a point, on the pool", parallel_s / len(points) * 1e3)
    report("a point that is stored", again_s / len(points) * 1e3)
    share = serial_s / (cores() * parallel_s)
    record("sweep", efficiency=share, points=len(points), cores=cores())


def bench_resolving() -> None:
    """From values to a resolved scenario and its key, done by the process that runs the sweep."""
    spec = sweep()
    resolver = PointResolver(spec.document, spec.axes)
    points = listed_points(spec)[:200]
    begin = time.perf_counter()
    for values in points:
        scenario_key(resolver.scenario(values))
    report("resolve a point and make its key", (time.perf_counter() - begin) / len(points) * 1e3)
