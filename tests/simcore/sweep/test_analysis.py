"""Pareto front and sensitivity against what can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.scenario.document import Document
from simcore.sweep.analysis import pareto, sensitivity
from simcore.sweep.evaluate import Failure, Outcome, failed
from simcore.sweep.parse import make_spec, read_vary
from simcore.sweep.points import listed_points
from simcore.sweep.spec import Method, Objective
from simcore.sweep.table import Row
from tests.simcore.sweep.conftest import SMALL

UP_DOWN = (Objective("gain"), Objective("cost", maximise=False))


def row(index, values=(), *, feasible=True, **figures):
    return Row(index, tuple(values), "", Outcome(figures), figures, feasible)


def rows_of(spec, function):
    return [row(n, v, y=function(*v)) for n, v in enumerate(listed_points(spec))]


def test_a_front():
    rows = [
        row(0, gain=1.0, cost=1.0),
        row(1, gain=2.0, cost=2.0),
        row(2, gain=2.0, cost=3.0),  # 1 is as good for less
        row(3, gain=2.0, cost=2.0),  # equal to 1
        row(4, gain=9.0, cost=0.0, feasible=False),
        row(5, gain=None, cost=0.0),
        row(6, gain=0.5, cost=1.5),
    ]
    assert pareto(rows, UP_DOWN).tolist() == [True, True, False, True, False, False, False]
    assert pareto(rows, UP_DOWN[:1]).tolist() == [False, True, True, True, False, False, False]
    assert pareto([], UP_DOWN).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), max_size=40))
def test_a_front_is_what_nothing_beats(points):
    objectives = (Objective("a"), Objective("b", maximise=False), Objective("c"))
    rows = [row(n, a=a, b=b, c=c) for n, (a, b, c) in enumerate(points)]

    def beats(x, y):
        one, other = (x[0], -x[1], x[2]), (y[0], -y[1], y[2])
        return all(p >= q for p, q in zip(one, other)) and one != other

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert pareto(rows, objectives).tolist() == expected


def spec_of(*vary, **options):
    document = Document.from_text(SMALL)
    return make_spec(document, [read_vary(text) for text in vary], **options)


def test_main_effects_of_a_grid_are_exact():
    """y = 3a + b + ab on -1, 1: variances 9, 1 and, only together, 1."""
    spec = spec_of("workload.batch=1,2", "seed=1,2", "model.hidden=256,512")
    rows = rows_of(spec, lambda a, b, _: 3 * (2 * a - 3) + (2 * b - 3) + (2 * a - 3) * (2 * b - 3))
    batch, seed, hidden = sensitivity(spec, rows, "y")
    assert batch.share == pytest.approx(9 / 11)
    assert seed.share == pytest.approx(1 / 11)
    assert hidden.share == pytest.approx(0, abs=1e-12)
    assert (batch.lowest, batch.highest) == (-3, 3)


def test_main_effects_of_a_sample():
    """y = 2a + b of uniform a, b: 4/5 and 1/5; an axis without effect gets next to nothing."""
    spec = spec_of(
        "hardware.hbm.bandwidth_GBps=lin:1:2:2",
        "hardware.lpddr.bandwidth_GBps=lin:1:2:2",
        "hardware.lpddr.capacity_GB=lin:1:2:2",
        method=Method.LATIN_HYPERCUBE,
        points=400,
    )
    found = sensitivity(spec, rows_of(spec, lambda a, b, _: 2 * a + b), "y")
    assert [one.share for one in found] == pytest.approx([0.8, 0.2, 0.0], abs=0.05)
    noise = np.random.default_rng(1).random(400)
    rows = [row(n, v, y=noise[n]) for n, v in enumerate(listed_points(spec))]
    assert max(one.share for one in sensitivity(spec, rows, "y")) < 0.05


def test_failed_and_constant_points():
    spec = spec_of("workload.batch=1,2")
    broken = failed(Failure.CAPACITY, "no room")
    rows = [row(0, (1,), y=4.0), Row(1, (2,), "", broken, {}, False)]
    assert np.isnan(sensitivity(spec, rows, "y")[0].share)
    rows = [row(0, (1,), y=4.0), row(1, (2,), y=4.0)]
    assert sensitivity(spec, rows, "y")[0].share == 0
    assert np.isnan(sensitivity(spec, [], "y")[0].share)
