"""Offline placement: capacity, completeness, balance."""

from __future__ import annotations

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations.space import neuron_space
from simcore.placement.partition import (
    Placement,
    UnitCosts,
    deal,
    greedy_counts,
    random_partition,
    rank_neurons,
)
from tests.builders import SMALL_MODEL

SPACE = neuron_space(SMALL_MODEL)
COSTS = [UnitCosts(10.0, 80.0, 20.0, 0.0), UnitCosts(10.0, 80.0, 20.0, 0.0)]
ROOM = 400_000


def frequencies(seed: int = 0) -> np.ndarray:
    f = np.random.default_rng(seed).random((SPACE.layers, SPACE.columns)).astype(np.float32) ** 3
    valid = bp.unpack(SPACE.valid()[None])[0]
    return f * valid


def greedy(f: np.ndarray, room: int, costs: list[UnitCosts], batch: int = 1) -> Placement:
    rankings = rank_neurons(SPACE, f, batch)
    return deal(SPACE, rankings, greedy_counts(SPACE, rankings, room, costs, 4), 4)


def both() -> list[Placement]:
    return [
        greedy(frequencies(), ROOM, COSTS),
        random_partition(SPACE, ROOM, 4, np.random.default_rng(1)),
    ]


@pytest.mark.parametrize("placement", both(), ids=["greedy", "random"])
def test_every_neuron_has_one_home_and_the_gpu_is_not_overfull(placement: Placement) -> None:
    homes = sum(bp.unpack(home).astype(int) for home in placement.dimms)
    assert np.array_equal(homes, np.broadcast_to(bp.unpack(SPACE.valid()[None])[0], homes.shape))
    assert SPACE.weigh(placement.gpu) <= ROOM
    assert SPACE.weigh(placement.gpu) > 0.9 * ROOM


def test_greedy_takes_the_hottest() -> None:
    f = frequencies()
    placement = greedy(f, ROOM, COSTS)
    hot = bp.unpack(placement.gpu).astype(bool)
    for block in SPACE.blocks:
        part = slice(block.first_column, block.first_column + block.neurons)
        assert f[:, part][hot[:, part]].min() >= np.quantile(f[:, part][~hot[:, part]], 0.999)


def test_cold_load_is_balanced() -> None:
    f = frequencies()
    placement = greedy(f, ROOM, COSTS)
    cold = ~placement.gpu
    mlp = SPACE.blocks[1]
    part = slice(mlp.first_column, mlp.first_column + mlp.neurons)
    load = np.array([(f * bp.unpack(home & cold))[:, part].sum(axis=1) for home in placement.dimms])
    assert (load.max(axis=0) / load.mean(axis=0)).max() < 1.02


def test_a_layer_takes_no_more_than_its_balance_point() -> None:
    """With a GPU as slow as the DIMMs together, half of the work goes to either side."""
    costs = [UnitCosts(100.0, 400.0, 0.0, 0.0)] * 2
    f = frequencies()
    placement = greedy(f, 10**12, costs)
    hot = (f * bp.unpack(placement.gpu)).sum() / f.sum()
    assert hot == pytest.approx(0.5, abs=0.02)


def test_a_batch_moves_the_balance_to_the_gpu() -> None:
    """The DIMMs multiply for every sequence, the GPU hides that behind reading."""
    f = frequencies()
    costs = [UnitCosts(100.0, 300.0, 100.0, 0.0)] * 2
    one, many = (greedy(f, 10**12, costs, batch) for batch in (1, 8))
    assert SPACE.weigh(many.gpu) > 1.2 * SPACE.weigh(one.gpu)
