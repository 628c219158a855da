"""The loops of a Hermes step against plain numpy; whole steps have a plain twin of their own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.engine.simulator import simulate
from simcore.scenario.schema import FixedWorkload
from simcore.systems.hermes.loops import number_homes, weigh_homes
from simcore.systems.hermes.tally import count_common, count_placed, count_uses
from tests.builders import hermes

SEEDS = st.integers(0, 2**32 - 1)
BLOCKS = np.array([[0, 1, 3], [1, 4, 5]])
COLUMNS = (slice(0, 64), slice(64, 256))


@given(SEEDS, st.integers(2, 18))
def test_sequences_that_use_a_neuron_are_counted(seed: int, sequences: int) -> None:
    rng = np.random.default_rng(seed)
    each = rng.random((sequences, 3, 128)) < rng.random()
    planes = np.stack([bp.pack(one) for one in each])
    uses = np.full((sequences.bit_length(), 3, 2), 7, np.uint64)  # whatever was there before
    active = np.full((3, 2), 7, np.uint64)
    count_uses(planes, uses, active)
    assert np.array_equal(bp.read_counter(list(uses)), each.sum(axis=0))
    assert np.array_equal(bp.unpack(active), each.any(axis=0))


@given(SEEDS, st.integers(1, 9))
def test_neurons_are_counted_by_block_and_place(seed: int, factor: int) -> None:
    rng = np.random.default_rng(seed)
    pool, gpu = rng.random((2, 256)) < 0.5
    home = rng.integers(0, 3, (2, 256))
    dimms = np.stack([bp.pack(home == unit) for unit in range(3)])
    found = np.ones((2, 4), np.int32)
    mine, on = bp.pack(pool[None])[0], bp.pack(gpu[None])[0]
    count_placed(mine, on, dimms, 1, BLOCKS, factor, found)
    places = [gpu, *(~gpu & (home[1] == unit) for unit in range(3))]
    expected = [[1 + factor * (pool & p)[c].sum() for p in places] for c in COLUMNS]
    assert found.tolist() == expected
    both = np.zeros(2, np.int32)
    count_common(bp.pack(pool[None])[0], on, BLOCKS, both)
    assert both.tolist() == [(pool & gpu)[c].sum() for c in COLUMNS]


@given(SEEDS, st.integers(1, 9))
def test_homes_are_weighed_and_numbered(seed: int, units: int) -> None:
    home = np.random.default_rng(seed).integers(0, units, (3, 256))
    dimms = np.stack([bp.pack(home == unit) for unit in range(units)])
    weights = np.full(units, 7)
    weigh_homes(dimms, BLOCKS, weights)
    by_column = np.repeat(BLOCKS[:, 2], [64, 192])
    assert weights.tolist() == [int(((home == u) * by_column).sum()) for u in range(units)]
    number = np.full((4, 3, 4), 7, np.uint64)
    number_homes(dimms, number)
    assert np.array_equal(bp.read_counter(list(number)), home)


def test_the_printed_rule_moves_nothing() -> None:
    workload = FixedWorkload(prompt_tokens=16, output_tokens=12)
    for rule, moves in (("printed", False), ("corrected", True)):
        run = simulate(hermes(workload=workload, policy={"remap_rule": rule}), items=False)
        assert run.column("remap").any() == moves
