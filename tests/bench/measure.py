"""What all benchmarks share: rounds, references of the same minute, and a file to keep figures in.

Times are taken by pytest-benchmark, whose table shows them. Nothing is asserted: a shared machine
decides the times. With `DIMMSCOPE_BENCH_RESULTS` set to a path every row is kept in that file,
from which `python -m tests.performance` writes the page about speed.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simcore.cores import cores

RESULTS = "DIMMSCOPE_BENCH_RESULTS"
COPIED_MB = 32.0
"""Memory copied by the reference: more than a core's own caches hold, but not more than one that
several cores share. Copying that is what work on some ten megabytes is up against."""
STREAM_MB = 1024.0
"""The same for the speed of memory itself, which takes arrays that no cache holds."""


def timed(
    benchmark: Any,
    work: Callable[..., object],
    rounds: int = 20,
    *,
    setup: Callable[[], object] | None = None,
) -> float:
    """Median wall time of a call in milliseconds, after one call to warm up.

    Args:
        benchmark: the fixture.
        work: what to measure.
        rounds: how many calls.
        setup: called before each of them, outside the time; may give arguments and named ones.
    """
    _refuse_without_times(benchmark)
    benchmark.pedantic(work, setup=setup, rounds=rounds, warmup_rounds=1)
    return float(benchmark.stats.stats.median) * 1e3


class Told:
    """A timer that only goes on by times that were measured elsewhere."""

    __name__ = "told"

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def go_on(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now_s += seconds


_TOLD = Told()
elsewhere = pytest.mark.benchmark(timer=_TOLD)
"""Marks benchmarks that measure in another process or thread and `tell` the times."""


def tell(benchmark: Any, seconds: Sequence[float]) -> float:
    """Give pytest-benchmark times that were measured elsewhere, each as a round; the median in ms.

    So its table shows what was measured and not how long the program took that measured it.

    Raises:
        RuntimeError: if the benchmark is not marked with `elsewhere`.
    """
    _refuse_without_times(benchmark)
    left = iter(seconds)
    benchmark.pedantic(lambda: _TOLD.go_on(next(left)), rounds=len(seconds))
    median = statistics.median(seconds)
    if not math.isclose(benchmark.stats.stats.median, median, rel_tol=1e-3, abs_tol=1e-9):
        raise RuntimeError("times that are told need the mark `elsewhere`")
    return median * 1e3


def _refuse_without_times(benchmark: Any) -> None:
    if benchmark.disabled:
        pytest.skip("there is nothing to do with --benchmark-disable")


def once_s(work: Callable[[], object]) -> float:
    """Wall time of a call, where no fixture is: elsewhere, and for the references."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def times_s(work: Callable[[], object], repeats: int = 20) -> list[float]:
    """Wall time of each call, after one call to warm up."""
    work()
    return [once_s(work) for _ in range(repeats)]


def copying(megabytes: float = COPIED_MB) -> Callable[[], float]:
    """A call copies that much memory and says how many milliseconds it took."""
    source = np.ones(int(megabytes * 1e6 / 8))
    target = np.empty_like(source)

    np.copyto(target, source)  # its pages are there from the second time on
    return lambda: once_s(lambda: np.copyto(target, source)) * 1e3


def copy_ms() -> float:
    """Time to copy 32 MB of memory: the reference for work that memory limits."""
    copy = copying()
    return statistics.median(copy() for _ in range(20))


def kernel_ms() -> float:
    """Time of a fixed kernel of small numpy calls: the reference for work that calls limit."""
    small = np.arange(80 * 60).reshape(80, 60)

    def work() -> None:
        value = small
        for _ in range(200):
            value = np.maximum(value + small, small)

    return statistics.median(times_s(work)) * 1e3


def record(benchmark: Any, row: str, **figures: float) -> None:
    """Keep what was measured under the name of a row, beside the references.

    The figures go to the benchmark's `extra_info`, too, with its median as a multiple of either
    reference.
    """
    median_ms = float(benchmark.stats.stats.median) * 1e3
    values = {name: float(value) for name, value in figures.items()}
    values |= {"copies": copy_ms(), "kernels": kernel_ms()}
    ratios = {f"in_{name}": median_ms / values[name] for name in ("copies", "kernels")}
    benchmark.extra_info.update(row=row, **values, **ratios)
    shown = ", ".join(f"{name} {value:,.4g}" for name, value in {**values, **ratios}.items())
    print(f"{row}: {shown}")  # noqa: T201 - a benchmark prints
    if os.environ.get(RESULTS):
        keep(Path(os.environ[RESULTS]), row, values, machine())


def keep(path: Path, row: str, values: Mapping[str, float], where: Mapping[str, str]) -> None:
    """Put a row into a file of results, in place of the one of its name; others stay."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept["machine"] = dict(where)
    kept.setdefault("rows", {})[row] = dict(values)
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


PEAK = """
def peak_MB():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
"""
"""For programs measured in a process of their own: the largest memory of that process alone (what
`getrusage` says begins with that of the process that started it)."""


def as_installed() -> dict[str, str]:
    """Environment of a process that finds byte code, as that of an installed program does.

    It is kept in a folder of its own: the sources may be where nothing should be written.
    """
    kept = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folder = Path(tempfile.gettempdir()) / f"dimmscope-bench-bytecode-{os.getuid()}"
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def alone(program: str) -> dict[str, float]:
    """What a program prints last, as JSON; it runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK + program],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=as_installed(),
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def machine() -> dict[str, str]:
    """What times were measured on."""
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), cpu)
    return {
        "processor": cpu,
        "cores": str(cores()),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
