"""The predictor beside two that cost nothing: counts by hand, the chart, the summary."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.engine.simulator import simulate
from simcore.errors import UserError
from simcore.export.chart_file import chart_data, export_chart
from simcore.results.run import Run
from simcore.scenario.schema import FixedWorkload, StatisticalActivations
from tests.builders import hermes
from tests.fakes import fake_run
from tests.simcore.export.rendering import check_drawn, pixels


@pytest.fixture(scope="module")
def run() -> Run:
    work = FixedWorkload(batch=2, prompt_tokens=16, output_tokens=9)
    return simulate(hermes(workload=work, activations=StatisticalActivations()))


def planes(run: Run, name: str) -> np.ndarray:
    """(decode steps, layers, columns) of bits."""
    return np.stack([bp.unpack(run.value(name, i)) for i in range(1, len(run))]).astype(bool)


def test_counts_against_the_bits(run: Run) -> None:
    study = run.system.predictor_study(run.plan, run)
    active, predicted = planes(run, "active_bits"), planes(run, "predicted_bits")
    now, before = active[1:], active[:-1]
    assert study.steps.tolist() == list(range(2, 10))
    guesses = {"Hermes": predicted[1:], "as before": before, "none fires": np.zeros_like(now)}
    for name, guess in guesses.items():
        hits = (now & guess).sum(axis=(1, 2))
        over = study.over_time[name]
        wrong = (now != guess).sum(axis=(1, 2))
        assert over.accuracy == pytest.approx(1 - wrong / run.plan.space.neurons)
        assert over.recall == pytest.approx(hits / now.sum(axis=(1, 2)))
        assert over.precision * guess.sum(axis=(1, 2)) == pytest.approx(hits)
        layer = study.by_layer[name]
        assert layer.recall == pytest.approx((now & guess).sum((0, 2)) / now.sum((0, 2)))
        assert layer.accuracy.mean() == pytest.approx(over.accuracy.mean())


def test_what_the_trivial_predictors_are_worth(run: Run) -> None:
    study = run.system.predictor_study(run.plan, run)
    none, before = study.over_time["none fires"], study.over_time["as before"]
    assert (none.recall == 0).all()
    assert none.accuracy.mean() > 0.6
    assert before.recall.mean() > 0.5


def test_the_summary_says_the_same(run: Run) -> None:
    study = run.system.predictor_study(run.plan, run)
    said = run.system.summary(run.plan, run)["predictors"]
    assert list(said) == ["Hermes", "as before", "none fires"]
    assert said["Hermes"]["recall"] == pytest.approx(study.over_time["Hermes"].recall.mean())
    assert len(said["as before"]["by_layer"]["accuracy"]) == run.plan.space.layers


@pytest.mark.parametrize("output_tokens", [1, 2])
def test_short_runs(output_tokens: int) -> None:
    short = simulate(hermes(workload=FixedWorkload(output_tokens=output_tokens)))
    study = short.system.predictor_study(short.plan, short)
    assert len(study.steps) == output_tokens - 1
    assert len(short.system.summary(short.plan, short)["predictors"]) == (
        3 if study.steps.size else 0
    )


def test_a_range_of_steps(run: Run) -> None:
    whole = run.system.predictor_study(run.plan, run)
    part = run.system.predictor_study(run.plan, run, 4, 7)
    assert part.steps.tolist() == [4, 5, 6]
    assert part.over_time["as before"].recall == pytest.approx(
        whole.over_time["as before"].recall[2:5]
    )


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_chart(run: Run, tmp_path, suffix: str) -> None:
    path = tmp_path / f"predictor{suffix}"
    export_chart(run, "predictor", path, dpi=120)
    check_drawn(pixels(path))


def test_chart_data(run: Run, tmp_path) -> None:
    data = chart_data(run, "predictor")
    assert len(data) == 3 * (8 + run.plan.space.layers)
    path = tmp_path / "predictor.csv"
    export_chart(run, "predictor", path)
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0] == ["along", "place", "predictor", "accuracy", "recall", "precision"]
    assert {row[0] for row in table[1:]} == {"step", "layer"}


def test_other_systems_predict_nothing(tmp_path) -> None:
    with pytest.raises(UserError, match="predicts no neurons"):
        export_chart(fake_run(3), "predictor", tmp_path / "a.svg")
