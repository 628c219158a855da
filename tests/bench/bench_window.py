"""The window: lateness, frames, pan and zoom, jumps, edits, start. Nothing is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from simcore.data import cache_folder
from tests.bench.measure import as_installed, record

ROOT = Path(__file__).resolve().parents[2]
LOAD = (
    # What app.main does before it loads the window.
    "import gc, runpy; gc.disable(); "
    "from simcore.remote.parent import WORKERS; WORKERS.warm(); "
    "runpy.run_module('tests.bench.window', run_name='__main__')"
)
FOLDERS = ("CONFIG", "STATE", "CACHE")


def measured(*arguments: str, **environment: str) -> dict[str, float]:
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
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("scenario", ["hermes-llama2-70b", "l3-gpt-175b", "h2m2-gpt3-175b"])
def bench_lateness(scenario: str) -> None:
    record(f"lateness {scenario}", **measured("lateness", scenario))


@pytest.mark.parametrize("size", ["1280x800", "2560x1440"])
def bench_frames(size: str) -> None:
    record(f"frame {size}", **measured("frames", size))


def bench_pan_and_zoom() -> None:
    record("zoom", **measured("zoom"))


def bench_jumps() -> None:
    record("seek", **measured("seeks"))


@pytest.mark.parametrize(
    "scenario", ["hermes-llama2-70b", "l3-gpt-175b", "h2m2-gpt3-175b", "hybridserve-opt-66b"]
)
def bench_edit(scenario: str) -> None:
    record(f"edit {scenario}", **measured("edit", scenario))


def bench_start() -> None:
    """The second start, with files cached by the system."""
    with tempfile.TemporaryDirectory() as folder:
        own = {f"DIMMSCOPE_{name}": str(Path(folder) / name) for name in FOLDERS}
        found = [measured("start", str(time.time()), **own) for _ in range(4)][1:]
    best = sorted(found, key=lambda one: one["run_s"])[1]
    record("start", **best)
