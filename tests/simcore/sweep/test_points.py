"""Points are a pure function of the sweep, and samples cover their axes."""

import numpy as np
import pytest

from simcore.errors import ScenarioErrors
from simcore.scenario.document import Document
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.points import listed_points
from simcore.sweep.resolve import PointResolver, point_document, scenario_key
from simcore.sweep.spec import Method

FOUR = (
    "workload.batch=log:1:1024:3",
    "hardware.lpddr.bandwidth_GBps=lin:100:900:3",
    "model.hidden=256,512",
    "seed=lin:0:99:3",
)


def test_a_grid_has_every_combination_once(make):
    points = listed_points(make(*FOUR))
    assert len(points) == len(set(points)) == 3 * 3 * 2 * 3
    assert points[0] == (1, 100.0, 256, 0)
    assert points[1] == (1, 100.0, 256, 50)  # the last axis runs fastest
    assert points[-1] == (1024, 900.0, 512, 99)


@pytest.mark.parametrize("method", [Method.RANDOM, Method.LATIN_HYPERCUBE])
def test_samples_depend_on_their_seed_alone(make, method):
    spec = make(*FOUR, method=method, points=40)
    points = listed_points(spec)
    assert len(points) == 40
    assert points == listed_points(make(*FOUR, method=method, points=40))
    assert points != listed_points(make(*FOUR, method=method, points=40, seed=2))
    for batch, bandwidth, hidden, seed in points:
        assert isinstance(batch, int)
        assert 1 <= batch <= 1024
        assert 100 <= bandwidth <= 900
        assert hidden in (256, 512)
        assert 0 <= seed <= 99


def test_a_latin_hypercube_has_one_point_in_each_slice(make):
    count = 25
    spec = make(*FOUR, method=Method.LATIN_HYPERCUBE, points=count)
    columns = list(zip(*listed_points(spec), strict=True))
    bandwidth = (np.array(columns[1]) - 100) / 800
    assert sorted((bandwidth * count).astype(int)) == list(range(count))
    assert abs(columns[2].count(256) - columns[2].count(512)) == 1
    assert sorted(np.array(columns[3]) // 4) == list(range(25))  # whole numbers, evenly


def test_every_whole_number_of_a_sample_is_as_likely(make):
    spec = make("workload.batch=lin:1:4:2", method=Method.RANDOM, points=4000)
    counts = np.bincount([value for (value,) in listed_points(spec)])[1:]
    assert counts.min() > 900


def test_a_search_has_no_list(make):
    with pytest.raises(ValueError, match="no list"):
        listed_points(make("seed=1,2", method=Method.SEARCH))


PRESETS = """\
system: hermes
hardware: {gpu: rtx-4090, ndp_dimms: {preset: hermes-ddr4-3200, count: 8}, host: {memory_GiB: 64}}
model: relullama2-70b
workload: {batch: 1}
"""


@pytest.mark.parametrize(
    "vary",
    [
        ("hardware.gpu=rtx-3090,rtx-4090", "hardware.ndp_dimms.count=6,8", "workload.batch=1,2"),
        ("hardware.gpu.memory_GiB=24,48", "hardware.gpu=rtx-3090,rtx-4090"),
        ("hardware.ndp_dimms=hermes-ddr4-3200", "model=opt-13b,opt-30b", "seed=1,2"),
        ("system=hermes,hermes-base", "seed=1,2"),
        ("hardware.host.gather_efficiency=lin:0.1:0.7:3", "policy.window_tokens=1,5"),
    ],
)
def test_the_fast_way_gives_the_scenario_of_the_document(vary):
    document = Document.from_text(PRESETS)
    spec = make_spec(document, [read_vary(text) for text in vary])
    resolver = PointResolver(spec.document, spec.axes)
    for values in listed_points(spec):
        expected = point_document(spec.document, spec.axes, values).resolve()
        assert resolver.scenario(values) == expected
        assert scenario_key(resolver.scenario(values)) == scenario_key(expected)
    assert spec.document.text() == PRESETS
    assert document.resolve().workload.batch == 1


def test_the_fast_way_refuses_what_it_cannot_do():
    document = Document.from_text(PRESETS)
    assert document.resolve_with({"workload.batch": 3}).workload.batch == 3
    for path in ("workload.output_tokens", "workload", "workload.batch.x"):
        with pytest.raises(KeyError):
            document.resolve_with({path: 1})
    with pytest.raises(ScenarioErrors, match="too small"):
        document.resolve_with({"workload.batch": 0})
