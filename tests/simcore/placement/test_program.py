"""The integer program of the offline placement."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations.space import neuron_space
from simcore.data import cache_folder
from simcore.placement import program
from simcore.placement.partition import (
    UnitCosts,
    expected_ps,
    greedy_counts,
    rank_neurons,
)
from tests.builders import SMALL_MODEL

TINY = replace(SMALL_MODEL, layers=1, hidden=64, heads=2, kv_heads=2, head_dim=32, ffn=6)
COSTS = (UnitCosts(10.0, 80.0, 20.0, 0.0), UnitCosts(10.0, 80.0, 20.0, 0.0))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMSCOPE_CACHE", str(tmp_path / "cache"))


def ranked(model=SMALL_MODEL, seed: int = 0, batch: int = 1):
    space = neuron_space(model)
    f = np.random.default_rng(seed).random((space.layers, space.columns)).astype(np.float32) ** 3
    return space, rank_neurons(space, f * bp.unpack(space.valid()[None])[0], batch)


def weight(space, counts) -> int:
    pairs = zip(space.blocks, counts, strict=True)
    return sum(int(c.sum()) * block.neuron_bytes for block, c in pairs)


@pytest.mark.parametrize("fixed_ps", [0.0, 2_000.0])
def test_no_choice_of_hot_neurons_is_better(
    monkeypatch: pytest.MonkeyPatch, fixed_ps: float
) -> None:
    """All 7 x 65 ways to give the GPU the hottest of each block, with neurons one to a group."""
    monkeypatch.setattr(program, "GROUP_NEURONS", 1)
    monkeypatch.setattr(program, "RELATIVE_GAP", 1e-9)
    space, rankings = ranked(TINY)
    costs = [replace(cost, gpu_fixed_ps=fixed_ps) for cost in COSTS]
    room = 12 * space.blocks[0].neuron_bytes
    best = min(
        expected_ps(rankings, [np.array([qkv]), np.array([mlp])], costs, 4)
        for qkv, mlp in itertools.product(range(65), range(7))
        if weight(space, [np.array([qkv]), np.array([mlp])]) <= room
    )
    solution = program.solve(space, rankings, room, costs, 4)
    got = expected_ps(rankings, solution.counts, costs, 4)
    assert solution.bound_ps <= best * (1 + 1e-6)
    # Rounding to whole neurons may cost one neuron a block.
    assert got == pytest.approx(best, rel=0.02)
    assert weight(space, solution.counts) <= room


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("room", [0, 100_000, 400_000, 10**9])
def test_the_greedy_placement_is_near_the_programs_bound(batch: int, room: int) -> None:
    space, rankings = ranked(batch=batch)
    solution = program.solve(space, rankings, room, COSTS, 4)
    greedy = greedy_counts(space, rankings, room, COSTS, 4)
    assert weight(space, solution.counts) <= room
    assert solution.gap <= program.RELATIVE_GAP + 1e-3
    assert solution.bound_ps <= solution.objective_ps * (1 + 1e-9)
    assert expected_ps(rankings, greedy, COSTS, 4) <= solution.bound_ps * 1.02
    assert expected_ps(rankings, solution.counts, COSTS, 4) <= solution.bound_ps * 1.02


def test_a_program_solved_before_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    space, rankings = ranked()
    first = program.solve(space, rankings, 300_000, COSTS, 4)
    monkeypatch.setattr(program, "_solve", None)  # must not be called
    again = program.solve(space, rankings, 300_000, COSTS, 4)
    assert not first.cached
    assert again.cached
    assert all(np.array_equal(a, b) for a, b in zip(first.counts, again.counts, strict=True))
    assert (again.objective_ps, again.bound_ps) == (first.objective_ps, first.bound_ps)


def test_another_program_is_not_taken_for_it() -> None:
    space, rankings = ranked()
    program.solve(space, rankings, 300_000, COSTS, 4)
    assert not program.solve(space, rankings, 300_001, COSTS, 4).cached
    assert not program.solve(space, rankings, 300_000, COSTS, 5).cached
    assert not program.solve(space, ranked(seed=1)[1], 300_000, COSTS, 4).cached
    assert not program.solve(space, ranked(batch=2)[1], 300_000, COSTS, 4).cached


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_store_is_solved_again(damage: bytes | None) -> None:
    space, rankings = ranked()
    first = program.solve(space, rankings, 300_000, COSTS, 4)
    (path,) = cache_folder().iterdir()
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    again = program.solve(space, rankings, 300_000, COSTS, 4)
    assert not again.cached
    assert all(np.array_equal(a, b) for a, b in zip(first.counts, again.counts, strict=True))


def test_a_store_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    monkeypatch.setenv("DIMMSCOPE_CACHE", str(file / "cache"))
    space, rankings = ranked()
    assert program.solve(space, rankings, 300_000, COSTS, 4).objective_ps > 0


def test_without_a_solver_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    space, rankings = ranked()
    with pytest.raises(program.SolverError, match="not installed"):
        program.solve(space, rankings, 300_000, COSTS, 4)
