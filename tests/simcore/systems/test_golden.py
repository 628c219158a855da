"""Figures of small runs as they were when last looked at; a change must be meant.

After a change that is meant: ``DIMMSCOPE_UPDATE_GOLDEN=1 pytest tests/simcore/systems`` and look
at the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.scenario.schema import FixedWorkload, RecordedActivations
from tests.builders import TINY_MODEL, hermes

FOLDER = Path(__file__).parents[2] / "golden"


def figures(run: Run) -> dict[str, Any]:
    """Whole numbers only: they must come out the same on every machine."""
    time, amount = run.column("lane_op_ps").sum(axis=0), run.column("lane_op_bytes").sum(axis=0)
    ops = {
        f"{lane.id}.{op.id}": [int(time[i, j]), int(amount[i, j])]
        for i, lane in enumerate(run.lanes)
        for j, op in enumerate(run.ops)
        if time[i, j]
    }
    return {"end_ps": run.end_ps, "ops_ps_and_bytes": ops}


def check(name: str, run: Run) -> None:
    path, found = FOLDER / f"{name}.json", figures(run)
    if os.environ.get("DIMMSCOPE_UPDATE_GOLDEN"):
        path.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(path.read_text())


@pytest.mark.parametrize("system_id", tuple(SYSTEMS))
@pytest.mark.parametrize("batch", [1, 3])
def test_small_model(system_id: str, batch: int) -> None:
    variant = SYSTEMS.get(system_id).variant
    scenario = hermes(
        system=system_id,
        policy=dict(variant.policy) if variant else {},
        workload=FixedWorkload(batch=batch, prompt_tokens=16, output_tokens=12),
    )
    check(f"{system_id}.small.b{batch}", simulate(scenario))


def test_recorded_masks() -> None:
    scenario = hermes(
        model=TINY_MODEL,
        activations=RecordedActivations(),
        policy={"gpu_hot_GB": 0.0008},
        workload=FixedWorkload(prompt_tokens=64, output_tokens=20),
    )
    check("hermes.recorded", simulate(scenario))
