"""The chart of the mapping: data that agree with the run, drawings, systems without one."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import UserError
from simcore.export.chart_file import chart_data, export_chart
from simcore.scenario.schema import FixedWorkload
from tests.builders import hermes
from tests.fakes import fake_run
from tests.simcore.export.rendering import check_drawn, pixels


@pytest.fixture(scope="module")
def run():
    load = FixedWorkload(batch=2, prompt_tokens=64, output_tokens=8)
    return simulate(hermes(system="h2m2", workload=load))


def test_data(run):
    data = chart_data(run, "mapping", 3, 4)
    heads = run.plan.model.heads
    assert len(data) == 3 * (heads + 1)
    assert data["chosen"].sum() == data["optimum"].sum() == 3
    chosen = data["n"][data["chosen"] > 0]
    assert np.array_equal(chosen, run.value("mapping", 3))
    assert data["fits"][data["chosen"] > 0].all()
    assert (data["HBM side"][data["n"] == 0] == 0).all()


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_drawn(run, tmp_path, suffix):
    path = tmp_path / f"mapping{suffix}"
    export_chart(run, "mapping", path, dpi=120)
    check_drawn(pixels(path))


def test_csv(run, tmp_path):
    path = tmp_path / "mapping.csv"
    export_chart(run, "mapping", path)
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0][:3] == ["sublayer", "n (heads)", "HBM side (us)"]
    assert {row[0] for row in table[1:]} == {"qkv", "attention", "fc"}


def test_other_systems_have_none(tmp_path):
    with pytest.raises(UserError, match="maps no heads"):
        export_chart(fake_run(3), "mapping", tmp_path / "a.svg")
    one_memory = simulate(
        hermes(system="lpddr-only", policy={"machine": "lpddr_only", "paging": False})
    )
    with pytest.raises(UserError, match="one kind of memory"):
        export_chart(one_memory, "mapping", tmp_path / "a.svg")
