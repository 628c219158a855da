"""Bars of several systems: speeds, ratios, and what could not run."""

import numpy as np
import pytest

from simcore.errors import UserError
from simcore.export.chart_file import render, write_chart
from simcore.export.charts.comparison import Entry, comparison_data, one_and_others, two_runs
from simcore.export.registry import ExportOptions, exporter_for
from simcore.results.summary import summarise
from tests.fakes import fake_run
from tests.simcore.export.rendering import check_drawn, pixels

OTHERS = {
    "fake-slow": {"tokens_per_s": 5.0, "speedup": 2.0},
    "large": {"tokens_per_s": None, "speedup": None, "error": "does not fit"},
}


def test_speeds_and_ratios_by_hand():
    data = comparison_data([Entry("a", 12.0), Entry("b", 4.0), Entry("c", None, "no room")], "here")
    assert data.columns[0].texts() == ["a", "b", "c"]
    assert data.columns[1].values[:2].tolist() == [12.0, 4.0]
    assert data.columns[2].values[:2].tolist() == [1.0, 3.0]
    assert np.isnan(data.columns[2].values[2])
    assert data.notes == ("c: no room",)


@pytest.mark.parametrize("entries", [[Entry("a", 1.0)], [Entry("a", None), Entry("b", 1.0)]])
def test_nothing_to_compare(entries):
    with pytest.raises(UserError, match="compare list"):
        comparison_data(entries, "")


def test_a_run_and_what_it_is_compared_with():
    run = fake_run()
    data = one_and_others(run, OTHERS)
    assert data.columns[1].values[0] == pytest.approx(summarise(run)["tokens_per_s"])
    assert data.columns[0].labels == ("fake", "fake-slow", "large")


def test_two_runs_can_be_told_apart():
    data = two_runs(fake_run(4), fake_run(4))
    assert data.columns[0].labels[0].startswith("A: ")
    assert data.columns[0].labels[1].startswith("B: ")
    assert data.columns[2].values.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
@pytest.mark.parametrize("theme", ["paper"])
def test_drawn_by_name(tmp_path, suffix, theme):
    path = tmp_path / f"fig-comparison{suffix}"
    exporter_for(path).write(fake_run(), path, ExportOptions(theme=theme, compare=OTHERS))
    check_drawn(pixels(path))


def test_equal_bytes():
    data = one_and_others(fake_run(), OTHERS)
    assert render(data, "svg") == render(one_and_others(fake_run(), OTHERS), "svg")


def test_as_a_table(tmp_path):
    write_chart(one_and_others(fake_run(), OTHERS), tmp_path / "c.csv")
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "system,speed (tokens/s),speedup of fake"
    assert len(lines) == 4
