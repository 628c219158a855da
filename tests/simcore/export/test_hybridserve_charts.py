"""The ratio curve and the block map: data that agree with the run, drawings, other systems."""

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
from tests.simcore.systems.hybridserve.scenarios import with_gpu

LOAD = FixedWorkload(batch=6, prompt_tokens=30, output_tokens=12)


def small_run(system, **policy):
    scenario = hermes(system=system, workload=LOAD, policy=policy)
    return simulate(with_gpu(scenario, memory_GiB=0.0034))


@pytest.fixture(scope="module")
def run():
    return small_run("hybridserve", act_share=0.4)


def test_ratio(run):
    data = chart_data(run, "ratio", 3, 4)
    chosen = data["chosen"] > 0
    assert data["share"][chosen].tolist() == pytest.approx([40.0])
    assert data["fits"][chosen].all()
    assert (data["step"] >= np.maximum(data["link"], data["GPU"])).all()
    assert data["step"][chosen][0] == pytest.approx(run.value("duration_ps", 3) / 1e9, rel=1e-9)
    first, prefill = chart_data(run, "ratio", 1, 2), chart_data(run, "ratio", 0, 1)
    assert np.array_equal(first["step"], prefill["step"]), "the prefill shows the first token's"


def test_ratio_of_recomputation_is_called_so():
    other = small_run("hybridserve-recompute", cache="recompute")
    assert "computed again" in chart_data(other, "ratio", 1, 2).title


def test_blocks(run):
    data = chart_data(run, "blocks", 3, 4)
    assert len(data) == 6 * 9, "33 tokens in blocks of 4"
    held = run.value("held_tokens", 3)
    counts = [(data["holds"] == kind).sum() for kind in range(4)]
    assert [count > 0 for count in counts] == [tokens > 0 for tokens in held]
    for kind in range(4):
        numbers = np.sort(data["number"][data["holds"] == kind])
        assert np.array_equal(numbers, np.arange(counts[kind]))
    later = chart_data(run, "blocks", 12, 13)
    assert len(later) == 6 * 11


@pytest.mark.parametrize("chart", ["ratio", "blocks"])
@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_drawn(run, tmp_path, chart, suffix):
    path = tmp_path / f"{chart}{suffix}"
    export_chart(run, chart, path, dpi=120)
    check_drawn(pixels(path))


def test_csv(run, tmp_path):
    heads = {}
    for chart in ("ratio", "blocks"):
        export_chart(run, chart, tmp_path / "a.csv")
        with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
            heads[chart] = next(csv.reader(file))
    assert heads["ratio"][:4] == ["share (%)", "link (ms)", "GPU (ms)", "step (ms)"]
    assert heads["blocks"] == ["request", "block", "holds", "number"]


@pytest.mark.parametrize("chart", ["ratio", "blocks"])
def test_other_systems_have_none(tmp_path, chart):
    with pytest.raises(UserError, match="one of HybridServe"):
        export_chart(fake_run(3), chart, tmp_path / "a.svg")
