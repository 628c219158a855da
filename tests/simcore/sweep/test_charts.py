"""Charts of a sweep show what is in the table, and are files other programs can read."""

import numpy as np
import pytest

from simcore.errors import UnknownNameError, UserError
from simcore.sweep.analysis import pareto
from simcore.sweep.charts import (
    SWEEP_CHARTS,
    chart_of_name,
    render_sweep,
    sweep_chart_data,
    write_sweep_chart,
)
from simcore.sweep.runner import run_sweep
from simcore.sweep.spec import Method
from tests.simcore.export.rendering import check_drawn, pixels
from tests.simcore.sweep.test_runner import Here

VARY = (
    "hardware.lpddr.bandwidth_GBps=log:100:800:4",
    "workload.batch=1,4,16,64",
    "system=h2m2,lpddr-only",
)
BOTH = ["tokens_per_s", "energy_J_per_token"]


@pytest.fixture
def swept(make, store):
    def build(*vary, **options):
        spec = make(*vary, **options)
        return spec, run_sweep(spec, store, Here())

    return build


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
@pytest.mark.parametrize("chart", SWEEP_CHARTS)
def test_every_chart_is_drawn(swept, tmp_path, chart, suffix):
    spec, rows = swept(*VARY, objectives=BOTH, constraints=["tokens_per_s >= 100"])
    path = tmp_path / f"mine-{chart}.{suffix}"
    write_sweep_chart(chart_of_name(path), spec, rows, path)
    check_drawn(pixels(path))
    first = path.read_bytes()
    write_sweep_chart(chart, spec, rows, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("method", [Method.GRID, Method.LATIN_HYPERCUBE])
@pytest.mark.parametrize("chart", SWEEP_CHARTS)
def test_places_of_points_are_on_the_picture(swept, chart, method):
    count = None if method is Method.GRID else 20
    spec, rows = swept(*VARY, objectives=BOTH, method=method, points=count)
    data = sweep_chart_data(chart, spec, rows)
    picture, places = render_sweep(data, "png", theme="dark", dpi=100)
    assert picture.startswith(b"\x89PNG")
    if chart == "sensitivity":
        assert len(places.rows) == 0
        return
    assert len(places.at) == len(places.rows) > 0
    assert ((places.at > 0) & (places.at < 1)).all()
    assert set(places.rows.tolist()) <= {row.index for row in rows}


def test_places_are_where_the_values_are(swept):
    spec, rows = swept("workload.batch=1,4,16", "hardware.lpddr.bandwidth_GBps=100,800")
    data = sweep_chart_data("curves", spec, rows, x="hardware.lpddr.bandwidth_GBps")
    _, places = render_sweep(data, "png", dpi=100)
    at = dict(zip(places.rows.tolist(), places.at, strict=True))
    slow = [at[row.index] for row in rows if row.values[1] == 100]
    fast = [at[row.index] for row in rows if row.values[1] == 800]
    assert max(x for x, _ in slow) < min(x for x, _ in fast)
    heights = [(row.figures["tokens_per_s"], -at[row.index][1]) for row in rows]
    assert [i for _, i in sorted(heights)] == sorted(i for _, i in heights)


def test_curves(swept):
    spec, rows = swept(*VARY)
    data = sweep_chart_data("curves", spec, rows)
    assert data.meta["x"] == "lpddr.bandwidth_GBps"
    assert data.meta["log"]
    assert len(data.columns[2].labels) == 8
    assert data["tokens_per_s"].tolist() == [row.figures["tokens_per_s"] for row in rows]
    data = sweep_chart_data("curves", spec, rows, "energy_J_per_token", "system")
    assert data.columns[1].labels == ("h2m2", "lpddr-only")
    assert len(data.columns[2].labels) == 12
    assert any("12 of 16 curves" in note for note in data.notes)


def test_a_heat_map_shows_the_best_over_what_is_left(swept):
    spec, rows = swept(*VARY)
    for figure, best in (("tokens_per_s", max), ("energy_J_per_token", min)):
        data = sweep_chart_data("heatmap", spec, rows, figure)
        assert len(data) == 16
        for bandwidth, batch, value in zip(*(c.values for c in data.columns[1:4]), strict=True):
            mine = [r.figures[figure] for r in rows if r.values[:2] == (bandwidth, batch)]
            assert value == best(mine)
    with pytest.raises(UserError, match="needs two axes"):
        sweep_chart_data("heatmap", *swept("seed=1,2"))


def test_failures_are_marked(swept):
    spec, rows = swept(
        "hardware.hbm.capacity_GB=0.000001,96", "hardware.lpddr.capacity_GB=0.000001,512"
    )
    data = sweep_chart_data("heatmap", spec, rows)
    failed = [row.outcome.failure is not None for row in rows]
    assert [text == "does not fit" for text in data.columns[4].texts()] == failed
    count = sum(failed)
    assert 1 <= count <= 3
    assert f"{count} of 4 points have no such figure." in data.notes
    assert len(sweep_chart_data("parallel", spec, rows)) == 4 - count


def test_a_front_needs_two_objectives(swept):
    spec, rows = swept(*VARY, objectives=BOTH)
    data = sweep_chart_data("pareto", spec, rows)
    assert np.array_equal(data["front"], pareto(rows, spec.objectives))
    with pytest.raises(UserError, match="needs two objectives"):
        sweep_chart_data("pareto", *swept(*VARY))


def test_what_cannot_be_drawn_says_why(swept, tmp_path):
    spec, rows = swept("hardware.hbm.capacity_GB=0.000001", "hardware.lpddr.capacity_GB=0.000001")
    with pytest.raises(UserError, match="no point has figures"):
        sweep_chart_data("curves", spec, rows)
    spec, rows = swept("seed=1,2", objectives=["tokens_per_s_per_USD"])
    with pytest.raises(UserError, match=r"no point has a tokens_per_s_per_USD: .*prices\.hbm"):
        sweep_chart_data("curves", spec, rows)
    with pytest.raises(UnknownNameError, match="did you mean 'pareto'"):
        sweep_chart_data("parero", spec, rows)
    with pytest.raises(UserError, match="which chart"):
        chart_of_name("mine.svg")
    with pytest.raises(UserError, match=r"\.svg, \.pdf, \.png"):
        write_sweep_chart("curves", spec, rows, tmp_path / "c.gif")
