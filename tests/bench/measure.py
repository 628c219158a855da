"""Medians, ratios to a reference of the same run, and a file to keep them in.

Nothing is asserted: a shared machine decides the times. With `DIMMSCOPE_BENCH_RESULTS` set to a
path every measurement is added to that file, from which `python -m tests.performance` writes the
page about speed.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

RESULTS = "DIMMSCOPE_BENCH_RESULTS"
COPIED_MB = 32.0
"""Memory copied by the reference: more than a processor's own caches hold."""


def times_ms(work: Callable[[], object], repeats: int = 20) -> list[float]:
    """Wall time of each call in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def median_ms(work: Callable[[], object], repeats: int = 20) -> float:
    """Median wall time of one call in milliseconds, after one call to warm up."""
    return statistics.median(times_ms(work, repeats))


def copy_ms(megabytes: float = COPIED_MB) -> float:
    """Time to copy that much memory: the reference for work that memory limits."""
    source = np.ones(int(megabytes * 1e6 / 8))
    target = np.empty_like(source)
    return median_ms(lambda: np.copyto(target, source))


def kernel_ms() -> float:
    """Time of a fixed kernel of small numpy calls: the reference for work that calls limit."""
    small = np.arange(80 * 60).reshape(80, 60)

    def work() -> None:
        value = small
        for _ in range(200):
            value = np.maximum(value + small, small)

    return median_ms(work)


def report(what: str, value_ms: float) -> None:
    """One line: the median, the rate, and the ratio to copying memory."""
    ratio = value_ms / copy_ms()
    print(  # noqa: T201 - a benchmark prints
        f"{what:46s} {value_ms:9.2f} ms  {1e3 / value_ms:8.0f} /s  "
        f"{ratio:6.2f} x a copy of {COPIED_MB:g} MB"
    )


def record(row: str, **values: float) -> None:
    """Keep a measurement: its row in the table of budgets, and numbers by name."""
    values["copies"] = copy_ms()
    values["kernels"] = kernel_ms()
    shown = ", ".join(f"{name} {value:,.4g}" for name, value in values.items())
    print(f"{row}: {shown}")  # noqa: T201 - a benchmark prints
    if not os.environ.get(RESULTS):
        return
    path = Path(os.environ[RESULTS])
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept["machine"] = _machine()
    kept.setdefault("rows", {})[row] = {name: float(value) for name, value in values.items()}
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


def _machine() -> dict[str, str]:
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), cpu)
    return {
        "processor": cpu,
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
