"""The search finds good points, the same ones wherever they are simulated."""

import sys

import pytest

from simcore.errors import UserError
from simcore.sweep.analysis import pareto
from simcore.sweep.executors import LocalPool
from simcore.sweep.runner import run_sweep
from simcore.sweep.search import Search, population
from simcore.sweep.spec import Method
from simcore.sweep.store import Store
from tests.simcore.sweep.test_runner import Here

VARY = (
    "workload.batch=log:1:512:2",
    "hardware.lpddr.bandwidth_GBps=lin:50:1000:2",
    "model.hidden=256,512",
)


def search(make, points=48, **options):
    options = {
        "objectives": ["tokens_per_s", "energy_J_per_token"],
        "method": Method.SEARCH,
        "points": points,
    } | options
    return make(*VARY, **options)


def test_a_search_is_the_same_everywhere_and_goes_on(make, tmp_path):
    spec = search(make)
    with Store(tmp_path / "one.sqlite") as store:
        rows = run_sweep(spec, store, Here())
        again = run_sweep(spec, store, Here(lambda s: pytest.fail("simulated again")))
    pool = LocalPool(2)
    try:
        with Store(tmp_path / "two.sqlite") as store:
            there = run_sweep(spec, store, pool)
    finally:
        pool.close()
    assert rows == again == there
    assert len(rows) == 48
    assert [row.index for row in rows] == list(range(48))
    for batch, bandwidth, hidden in (row.values for row in rows):
        assert isinstance(batch, int)
        assert 1 <= batch <= 512
        assert 50 <= bandwidth <= 1000
        assert hidden in (256, 512)
    other = search(make, seed=2)
    with Store(tmp_path / "one.sqlite") as store:
        assert [r.values for r in run_sweep(other, store, Here())] != [r.values for r in rows]


def test_a_search_gets_better(make, store):
    """The last generation holds more of the front than the first, which is random."""
    rows = run_sweep(search(make, points=200, objectives=["tokens_per_s"]), store, Here())
    size = population(200)
    first = sum(row.number("tokens_per_s") for row in rows[:size]) / size
    last = sum(row.number("tokens_per_s") for row in rows[-size:]) / size
    assert last > 1.2 * first
    assert pareto(rows, search(make).objectives).any()


def test_constraints_and_failures_steer_it(make, store):
    spec = search(make, points=100, constraints=["energy_J_per_token <= 1e-9"])
    rows = run_sweep(spec, store, Here())
    assert not any(row.feasible for row in rows)
    spec = make(
        "hardware.hbm.capacity_GB=log:0.000001:96:2",
        "hardware.lpddr.capacity_GB=log:0.000001:96:2",
        method=Method.SEARCH,
        points=60,
        constraints=["fits"],
    )
    rows = run_sweep(spec, store, Here())
    failed = [row.outcome.failure is not None for row in rows]
    assert any(failed)
    assert not all(failed)


def test_without_optuna_it_says_what_to_install(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"dimmscope\[sweep\]"):
        Search(search(make))
