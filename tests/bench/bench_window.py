"""The window: lateness, frames, pan and zoom, jumps, edits, start."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from simcore.data import cache_folder
from tests.bench.measure import as_installed, elsewhere, record, tell

ROOT = Path(__file__).resolve().parents[2]
LOAD = (
    # What app.main does before it loads the window.
    "import gc, runpy; gc.disable(); "
    "from simcore.remote.heap import keep_freed_memory; keep_freed_memory(); "
    "from simcore.remote.priority import raise_thread; raise_thread(); "
    "from simcore.remote.parent import WORKERS; WORKERS.warm(); "
    "runpy.run_module('tests.bench.window', run_name='__main__')"
)
FOLDERS = ("CONFIG", "STATE", "CACHE")


pytestmark = elsewhere


def measured(*arguments: str, **environment: str) -> dict[str, Any]:
    """What `tests.bench.window` finds in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        own = {f"DIMMSCOPE_{name}": str(Path(folder) / name) for name in FOLDERS}
        own |= {"QT_QPA_PLATFORM": "offscreen", "OPENBLAS_NUM_THREADS": "1"}
        own["NUMBA_CACHE_DIR"] = str(cache_folder())  # nothing is compiled anew
        done = subprocess.run(
            [sys.executable, "-c", LOAD, *arguments],
            cwd=ROOT,
            env={**as_installed(), **own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def bench(benchmark, row: str, *arguments: str) -> None:
    """Measure it, show its times in the table, and keep its figures."""
    found = measured(*arguments)
    tell(benchmark, [ms / 1e3 for ms in found.pop("times_ms")])
    record(benchmark, row, **found)


@pytest.mark.parametrize("scenario", ["hermes-llama2-70b", "l3-gpt-175b", "h2m2-gpt3-175b"])
def bench_lateness(benchmark, scenario: str) -> None:
    """Three times, since a busy moment of the machine decides what 1 % of eight seconds are."""
    found = [measured("lateness", scenario) for _ in range(3)]
    tell(benchmark, [ms / 1e3 for one in found for ms in one.pop("times_ms")])
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    record(benchmark, f"lateness {scenario}", **{**middle, "max": max(one["max"] for one in found)})


@pytest.mark.parametrize("size", ["1280x800", "2560x1440"])
def bench_frames(benchmark, size: str) -> None:
    bench(benchmark, f"frame {size}", "frames", size)


def bench_pan_and_zoom(benchmark) -> None:
    bench(benchmark, "zoom", "zoom")


def bench_jumps(benchmark) -> None:
    bench(benchmark, "seek", "seeks")


@pytest.mark.parametrize(
    "scenario", ["hermes-llama2-70b", "l3-gpt-175b", "h2m2-gpt3-175b", "hybridserve-opt-66b"]
)
def bench_edit(benchmark, scenario: str) -> None:
    bench(benchmark, f"edit {scenario}", "edit", scenario)


def bench_start(benchmark) -> None:
    """The second start, with files cached by the system."""
    with tempfile.TemporaryDirectory() as folder:
        own = {f"DIMMSCOPE_{name}": str(Path(folder) / name) for name in FOLDERS}
        found = [measured("start", str(time.time()), **own) for _ in range(4)][1:]
    tell(benchmark, [one["run_s"] for one in found])
    middle = sorted(found, key=lambda one: one["run_s"])[1]
    record(benchmark, "start", **middle)
