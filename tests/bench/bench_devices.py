"""How long an edit in the inspector and a step of the machine view take; the budget is 16 ms."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from app.viewmodels.inspector import figures, inspect
from simcore.data import list_scenarios
from simcore.engine.simulator import Simulator
from simcore.hardware.devices import machine
from simcore.hardware.traffic import step_traffic
from simcore.results.run import Run
from simcore.scenario.document import Document
from tests.bench.measure import record, timed

of_devices = pytest.mark.parametrize(
    ("name", "device", "timing"),
    [
        ("hermes-llama2-70b", "dimm0", "nRFC"),
        ("l3-gpt-175b", "rankset0", "nFAW"),
        ("h2m2-gpt3-175b", "lpddr", "nRFC"),
    ],
)


def simulated(name: str) -> tuple[Run, Any]:
    """A run of a few steps and its machine."""
    path = next(file for file in list_scenarios() if file.stem == name)
    simulator = Simulator(Document.from_file(path).resolve(), items=False)
    simulator.advance(8)
    return simulator.run, machine(simulator.run.plan)


@of_devices
def bench_what_if(benchmark, name: str, device: str, timing: str) -> None:
    run, made = simulated(name)
    value = itertools.count(300)

    def edit() -> None:
        inspect(run.scenario, made, device, {timing: next(value)}, 8192)

    record(benchmark, f"what-if of {timing} of {device}, {name}", ms=timed(benchmark, edit))


@of_devices
def bench_figures_of_a_device(benchmark, name: str, device: str, timing: str) -> None:
    run, made = simulated(name)
    what = made.device(device)
    assert what is not None
    ms = timed(benchmark, lambda: figures(run.scenario, what))
    record(benchmark, f"figures of {device}, {name}", ms=ms)


@of_devices
def bench_traffic_of_a_step(benchmark, name: str, device: str, timing: str) -> None:
    run, made = simulated(name)
    ms = timed(benchmark, lambda: step_traffic(run, made, len(run) - 1))
    record(benchmark, f"traffic of a step, {name}", ms=ms)
