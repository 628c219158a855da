"""Mapping: greedy against exhaustive, what fits, who is served first, eviction order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.systems.h2m2 import mapping as solve
from simcore.systems.h2m2.causes import Decider
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import ATTENTION, FC, QKV
from simcore.systems.h2m2.mapping import Optimum
from tests.simcore.systems.h2m2.cases import CELLS, plan, problem, random_problem

SEEDS = st.integers(0, 2**31)


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 9), st.integers(1, 4))
def test_greedy_is_never_better_than_exhaustive(seed: int, units: int, rows: int) -> None:
    made = random_problem(np.random.default_rng(seed), units, rows)
    quick = solve.greedy(made)
    for row in range(rows):
        best = solve.exhaustive(made, row)
        one = made.row(row)
        if quick[row, 0] >= 0:
            assert one.fits(quick[row : row + 1]).all()
            assert one.total_ps(quick[row : row + 1])[0] >= one.total_ps(best[None])[0]
        if best[0] >= 0:
            assert one.fits(best[None]).all()
        else:
            assert quick[row, 0] < 0


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 9), st.integers(1, 4))
def test_the_sorted_search_finds_the_same_time(seed: int, units: int, rows: int) -> None:
    made = random_problem(np.random.default_rng(seed), units, rows)
    found = Optimum(made).solve(made)
    for row in range(rows):
        best, one = solve.exhaustive(made, row), made.row(row)
        assert (found[row, 0] < 0) == (best[0] < 0)
        if best[0] >= 0:
            assert one.fits(found[row : row + 1]).all()
            assert one.total_ps(found[row : row + 1])[0] == one.total_ps(best[None])[0]


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6), st.sampled_from([QKV, ATTENTION, FC]), st.booleans())
def test_major_searches_everything_else(seed: int, units: int, first: int, fill: bool) -> None:
    made = random_problem(np.random.default_rng(seed), units, 1)
    n = int(solve.first_choice(made, first, fill=fill)[0])
    times = []
    for q in range(units + 1):
        for a in range(units + 1):
            for f in range(units + 1):
                option = np.array([[q, a, f]])
                if option[0, first] == n and made.fits(option).all():
                    times.append(int(made.total_ps(option)[0]))
    found = solve.major(made, first, fill=fill)
    if times:
        assert found[0, first] == n
        assert int(made.total_ps(found)[0]) == min(times)
    else:
        assert found[0, 0] < 0


@pytest.mark.parametrize("model", CELLS)
@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_the_sorted_search_on_the_paper_models(model: str, factor: int) -> None:
    made = problem(plan(model=model, length=CELLS[model][1] * factor, paging=False))
    best = solve.exhaustive(made)
    assert made.total_ps(Optimum(made).solve(made))[0] == made.total_ps(best[None])[0]


def test_filling_first_takes_all_that_fits() -> None:
    """GPT3's QKV is 43.5 GB, so HBM takes all of it; of FC's 130 GB it takes 70 parts of 96."""
    made = problem(plan())
    assert solve.first_choice(made, QKV, fill=True)[0] == 96
    assert solve.first_choice(made, FC, fill=True)[0] == 70
    assert solve.first_choice(made, QKV, fill=False)[0] == 48


def test_growing_sequences_evict_fc_then_qkv_then_attention() -> None:
    """Heads on the HBM side of GPT3 as the context grows, by Algorithm 1."""
    lengths = [256, 512, 768, 1024, 1280, 1536, 1792]
    found = np.array([Decider(Kernels(plan(length=s))).decide(*_at(s))[0] for s in lengths])
    fc, qkv, attention = found[:, FC], found[:, QKV], found[:, ATTENTION]
    assert (np.diff(found, axis=0) <= 0).all()
    assert (qkv[fc > 0] == qkv[0]).all()  # FC has left before QKV begins to
    assert (attention[qkv > 0] == attention[0]).all()  # and QKV before attention
    assert fc[0] > fc[3] > 0 == fc[4]
    assert qkv[0] > qkv[4] > 0 == qkv[5]
    assert attention[0] > attention[5] > attention[6]


def _at(length: int) -> tuple[np.ndarray, np.ndarray]:
    lengths = plan(length=length).lengths
    return lengths.tokens, lengths.padded


def test_a_row_without_room_is_marked() -> None:
    made = random_problem(np.random.default_rng(0), 4, 1)
    tiny = solve.Footprints(made.feet.hbm, made.feet.lpddr, -1, -1)
    full = solve.Problem(made.hbm_ps, made.lpddr_ps, tiny)
    for found in (solve.greedy(full)[0], solve.exhaustive(full), Optimum(full).solve(full)[0]):
        assert found.tolist() == [-1, -1, -1]
    assert solve.major(full, QKV, fill=True)[0, 0] == -1


def test_flexgen_takes_the_same_share_of_everything() -> None:
    """Half of 200 bytes fits; more than 3000 / 3544 would unbalance the sides."""
    assert solve.static_split(96, 150, 50, 100, 3000.0, 544.0) == (48, 48)
    assert solve.static_split(96, 10, 10, 100, 3000.0, 544.0) == (81, 81)
    assert solve.static_split(96, 150, 50, 0, 3000.0, 544.0) == (0, 0)
