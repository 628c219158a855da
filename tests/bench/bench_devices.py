"""How long an edit in the inspector and a step of the machine view take; the budget is 16 ms."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from app.viewmodels.inspector import figures, inspect
from simcore.data import list_scenarios
from simcore.engine.simulator import Simulator
from simcore.hardware.devices import machine
from simcore.hardware.traffic import step_traffic
from simcore.scenario.document import Document
from tests.bench.measure import median_ms, report


@pytest.mark.parametrize(
    ("name", "device", "timing"),
    [
        ("hermes-llama2-70b", "dimm0", "nRFC"),
        ("l3-gpt-175b", "rankset0", "nFAW"),
        ("h2m2-gpt3-175b", "lpddr", "nRFC"),
    ],
)
def bench_inspector_and_machine(name: str, device: str, timing: str) -> None:
    path = next(file for file in list_scenarios() if file.stem == name)
    simulator = Simulator(Document.from_file(path).resolve(), items=False)
    simulator.advance(8)
    run = simulator.run
    made = machine(run.plan)
    what = made.device(device)
    assert what is not None
    value = itertools.count(300)

    def edit() -> None:
        inspect(run.scenario, made, device, {timing: next(value)}, 8192)

    report(f"{name}: what-if of {timing} of {device}", median_ms(edit))
    report(f"{name}: figures of {device} again", median_ms(partial(figures, run.scenario, what)))
    report(f"{name}: traffic of a step", median_ms(partial(step_traffic, run, made, len(run) - 1)))
