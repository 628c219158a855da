"""Charts: data that agree with the run, drawings that other programs show, equal bytes."""

import csv
import dataclasses

import numpy as np
import pytest

from simcore import load_scenario
from simcore.colours import CATEGORY_ORDER
from simcore.engine.simulator import simulate
from simcore.errors import DataFileError, UnknownNameError, UserError
from simcore.export.chart_file import chart_data, export_chart
from simcore.export.charts import CHARTS, THEMES
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.results.totals import totals
from tests.fakes import fake_run, fake_scenario
from tests.simcore.export.rendering import check_drawn, pixels

ALL = ("timeline", "bandwidth", "waits", "breakdown", "dimm-load", "placement", "memory")
ALL += ("step-time", "tokens")
OWN = ("batch", "blocks", "mapping", "pages", "predictor", "ratio", "requests")
"""Charts of single systems, tested with these."""


@pytest.fixture(scope="module")
def run():
    return fake_run(24)


def test_every_chart_is_registered():
    assert tuple(name for name in CHARTS if name not in OWN) == ALL
    assert set(OWN) <= set(CHARTS)
    for name, chart in CHARTS.items():
        assert chart.id == name
        assert chart.x
        assert chart.y
        assert chart.help.endswith(".")


@pytest.mark.parametrize("chart", ALL)
@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_drawn_and_readable_by_other_programs(run, tmp_path, chart, suffix):
    path = tmp_path / f"chart{suffix}"
    export_chart(run, chart, path, dpi=120)
    check_drawn(pixels(path))


@pytest.mark.parametrize("chart", ALL)
def test_dark_theme(run, tmp_path, chart):
    path = tmp_path / "chart.png"
    export_chart(run, chart, path, theme="dark", dpi=80)
    check_drawn(pixels(path), (0x16, 0x18, 0x1D))


@pytest.mark.parametrize("chart", ALL)
@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png", ".csv"])
def test_equal_runs_give_equal_bytes(run, tmp_path, chart, suffix):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    export_chart(run, chart, one, dpi=60)
    export_chart(fake_run(24), chart, other, dpi=60)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("chart", ALL)
def test_csv_has_units_and_every_row(run, tmp_path, chart):
    path = tmp_path / "chart.csv"
    export_chart(run, chart, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    data = chart_data(run, chart)
    assert rows[0] == [column.header for column in data.columns]
    assert len(rows) == len(data) + 1 > 1
    assert all(len(row) == len(rows[0]) for row in rows)


@pytest.mark.parametrize("chart", ALL)
@pytest.mark.parametrize("steps", [1, 2])
def test_shortest_runs(tmp_path, chart, steps):
    export_chart(fake_run(steps), chart, tmp_path / "chart.svg")


@pytest.mark.parametrize("chart", ALL)
def test_no_steps_is_a_message(tmp_path, chart):
    fake_run(1)
    system = SYSTEMS.get("fake")
    with pytest.raises(UserError, match="no steps"):
        export_chart(Run(system.prepare(fake_scenario()), system), chart, tmp_path / "a.svg")


@pytest.mark.parametrize("name", ["$x^2$ & <b> 100 %", "µ ∑ → Ω é", "x" * 300, "a\nb"])
def test_any_name_can_be_drawn(tmp_path, name):
    run = simulate(dataclasses.replace(fake_scenario(3), name=name))
    for suffix in (".svg", ".pdf"):
        path = tmp_path / f"chart{suffix}"
        export_chart(run, "tokens", path)
        check_drawn(pixels(path))


def test_timeline_loses_no_time(run):
    for start, stop in ((0, 24), (5, 6), (1, 24)):
        data = chart_data(run, "timeline", start, stop)
        length_us = (data["end"] - data["start"]) * data["share"]
        lane = np.bincount(data["lane"], weights=length_us)
        assert lane == pytest.approx(totals(run, start, stop).duration_ps / 1e6, rel=1e-6)


def test_timeline_merges_what_is_too_short(run):
    one, whole = chart_data(run, "timeline", 5, 6), chart_data(run, "timeline", 0, 24)
    assert (one["stands_for"] == 1).all()
    assert (one["share"] == 1).all()
    assert not one.notes
    assert (whole["share"] < 1).any()
    assert whole.notes
    assert whole["stands_for"].sum() == sum(len(run.spans(step)) for step in range(24))
    top = whole["share_from"] + whole["share"]
    assert top.max() <= 1 + 1e-9
    assert whole["share_from"].min() >= 0


def test_timeline_of_very_long_runs_uses_totals(run, monkeypatch):
    monkeypatch.setattr("simcore.export.charts.timeline._MAX_STEPS", 4)
    data = chart_data(run, "timeline", 0, 24)
    length_us = (data["end"] - data["start"]) * data["share"]
    assert np.bincount(data["lane"], weights=length_us) == pytest.approx(run.end_ps / 1e6, rel=1e-6)


@pytest.mark.parametrize("most", [4, 4000])
def test_bandwidth_conserves_bytes(run, monkeypatch, most):
    monkeypatch.setattr("simcore.export.charts.bandwidth._MAX_STEPS", most)
    data = chart_data(run, "bandwidth", 0, 24)
    width_s = (data["time"][1] - data["time"][0]) * 1e-6
    for index, lane in enumerate(run.lanes):
        moved = data[lane.id].sum() * 1e9 * width_s
        assert moved == pytest.approx(run.column("lane_op_bytes")[:, index].sum(), rel=1e-6)


def test_lanes_of_a_group_share_a_panel_of_the_bandwidth_only_with_one_peak():
    scenario = load_scenario("h2m2-llama2-70b")
    meta = chart_data(simulate(scenario), "bandwidth", 0, 1).meta
    assert meta["groups"]["HBM"] == ("hbm",)
    assert meta["groups"]["LPDDR"] == ("lpddr",)
    assert meta["peak_GBps"]["HBM"] == 3000
    assert meta["peak_GBps"]["LPDDR"] == 544


def test_waits_add_up_to_the_whole(run):
    data = chart_data(run, "waits")
    assert sum(column.values for column in data.columns[1:]) == pytest.approx(100.0)


def test_load_is_the_busy_time_of_decode_steps(run):
    data = chart_data(run, "dimm-load")
    assert data["step"].tolist() == list(range(1, 24))
    busy = run.column("lane_op_ps")[1:, 2, :6].sum(axis=1) / 1e9
    assert data["dimm0"] == pytest.approx(busy)
    assert (data["imbalance"] >= 1).all()
    assert data.notes


def test_placement_shares_add_up(run):
    data = chart_data(run, "placement")
    shares = [c.values for c in data.columns if c.name.startswith("share on")]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(1.0)
    assert data["moving"].sum() == 1


def test_placement_needs_items(tmp_path):
    fake_run(1)
    run = simulate(fake_scenario(2), items=False)
    with pytest.raises(UserError, match="items"):
        chart_data(run, "placement")


def test_tokens_end_at_the_rate_of_the_summary(run):
    data = chart_data(run, "tokens")
    assert data["tokens"][-1] == 24
    assert data.meta["tokens_per_s"] == pytest.approx(24 * 1e12 / run.end_ps)


def test_unknown_names(run, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'timeline'"):
        export_chart(run, "timelin", tmp_path / "a.svg")
    with pytest.raises(UnknownNameError, match="paper"):
        export_chart(run, "tokens", tmp_path / "a.svg", theme="papr")
    with pytest.raises(UserError, match="svg"):
        export_chart(run, "tokens", tmp_path / "a.gif")
    with pytest.raises(UserError, match="mm"):
        export_chart(run, "tokens", tmp_path / "a.png", width_mm=1e9)
    with pytest.raises(DataFileError, match="cannot write"):
        export_chart(run, "tokens", tmp_path / "none" / "a.svg")
    assert not list(tmp_path.iterdir())


def test_text_needs_no_font_of_the_reader(run, tmp_path):
    export_chart(run, "tokens", tmp_path / "a.svg")
    assert "<text" not in (tmp_path / "a.svg").read_text()
    export_chart(run, "tokens", tmp_path / "a.pdf")
    assert b"FontFile2" in (tmp_path / "a.pdf").read_bytes()


def test_themes_name_every_category():
    for _, theme in THEMES.items():
        colours = [theme.category(key) for key in CATEGORY_ORDER]
        assert len(set(colours)) == len(colours) == 10
        assert theme.category("unheard of") == theme.category("other")


def test_timeline_of_some_layers(run):
    data = chart_data(run, "timeline", 5, 6, layers=(3, 5))
    spans = run.spans(5)
    mine = (spans.layer >= 3) & (spans.layer < 5) & (spans.op < 6)
    length_us = (spans.end_ps[mine].max() - spans.start_ps[mine].min()) / 1e6
    assert data["start"].min() == 0
    lane = np.bincount(data["lane"], weights=(data["end"] - data["start"]) * data["share"])
    assert lane == pytest.approx(length_us)
    assert "layers 3 to 4" in data.caption


def test_layers_that_cannot_be_shown(run):
    with pytest.raises(UserError, match="layers 0 to 9"):
        chart_data(run, "timeline", 5, 6, layers=(40, 50))
    with pytest.raises(UserError, match="one step"):
        chart_data(run, "timeline", 5, 8, layers=(1, 2))
    with pytest.raises(UserError, match="timeline can"):
        chart_data(run, "tokens", layers=(1, 2))


def test_times_of_unlike_lanes_are_not_averaged():
    """HBM and LPDDR are one group of lanes, and so are both directions of PCIe."""
    from dataclasses import replace

    import simcore.systems  # noqa: F401
    from simcore import load_scenario
    from simcore.engine.simulator import simulate
    from simcore.export.charts.shares import alike_lanes, breakdown_data
    from simcore.results.totals import totals

    scenario = load_scenario("h2m2-gpt3-175b")
    scenario = replace(scenario, workload=replace(scenario.workload, output_tokens=3))
    run = simulate(scenario)
    found = alike_lanes(run)
    assert {"HBM", "LPDDR"} <= set(found)
    assert all(len(found[name]) == 1 for name in ("HBM", "LPDDR"))
    data = breakdown_data(run, 0, len(run))
    lanes = dict(zip(data.columns[0].texts(), data["time"].tolist(), strict=False))
    assert "memory" not in lanes
    sums = totals(run, 0, len(run))
    op = run.plan.op_index("read_weights")
    lpddr = float(sums.lane_op_ps[run.plan.lane_index("lpddr"), op]) / len(run) / 1e9
    names, ops = data.columns[0].texts(), data["op"].tolist()
    at = next(i for i, name in enumerate(names) if name == "LPDDR" and ops[i] == op)
    assert data["time"][at] == pytest.approx(lpddr)

    hermes = load_scenario("hermes-llama2-70b")
    hermes = simulate(replace(hermes, workload=replace(hermes.workload, output_tokens=2)))
    found = alike_lanes(hermes)
    assert found["DIMM"] == [hermes.plan.lane_index(f"dimm{k}") for k in range(8)]
    assert {"PCIe to GPU", "PCIe to DIMMs"} <= set(found)


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_a_timeline_of_100_000_spans_is_a_usable_file(long_run, tmp_path, suffix):
    assert sum(len(long_run.spans(at)) for at in range(len(long_run))) > 100_000
    export_chart(long_run, "timeline", tmp_path / f"t{suffix}", start=0, stop=len(long_run))
    assert (tmp_path / f"t{suffix}").stat().st_size < 2_000_000
    notes = " ".join(chart_data(long_run, "timeline", 0, len(long_run)).notes)
    assert "merged" in notes


@pytest.fixture(scope="module")
def long_run():
    return fake_run(700)
