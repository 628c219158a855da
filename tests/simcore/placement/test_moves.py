"""Swaps and remaps against slow, literal versions of the paper's rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.placement.adjustment import choose_swaps
from simcore.placement.remap import loads, rebalance
from tests.simcore.placement.literal import literal_remap, literal_swaps

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=80)
@given(SEEDS)
def test_swaps_follow_the_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gpu = rng.random((4, 128)) < rng.random()
    valid = np.ones(128, bool)
    valid[120:] = False
    gpu[:, 120:] = False
    state = rng.integers(0, 16, (4, 128)).astype(np.uint8)
    room = rng.integers(0, 40, 4)
    swap = choose_swaps(bp.pack(gpu), bp.pack(valid[None])[0], bp.write_counter(state, 4), 10, room)
    incoming, outgoing = bp.unpack(swap.incoming), bp.unpack(swap.outgoing)
    for layer, (come, go) in enumerate(literal_swaps(gpu, valid, state, 10, room)):
        assert set(np.flatnonzero(incoming[layer])) == come
        assert set(np.flatnonzero(outgoing[layer])) == go
        assert swap.moved[layer] == len(come)


@settings(max_examples=80)
@given(SEEDS, st.sampled_from([2, 3, 4, 8]))
def test_remap_follows_the_algorithm(seed: int, dimms: int) -> None:
    rng = np.random.default_rng(seed)
    home = rng.integers(0, dimms, (3, 256))
    home[0] = np.minimum(home[0], rng.integers(0, dimms, 256))  # a skewed layer
    cold = rng.random((3, 256)) < 0.8
    activity = rng.integers(0, 6, (3, 256)) * (rng.random((3, 256)) < 0.4)
    room = rng.integers(0, 60, 3)
    planes = np.array([bp.pack(home == j) for j in range(dimms)])
    window = bp.write_counter(activity.astype(np.uint8), 3)
    before = loads(planes, bp.pack(cold), window)
    moved = rebalance(planes, bp.pack(cold), window, room)
    expected, counts = literal_remap(home, cold, activity, dimms, room)
    assert moved.tolist() == counts
    for j in range(dimms):
        assert np.array_equal(bp.unpack(planes[j]).astype(bool), expected == j)
    after = loads(planes, bp.pack(cold), window)
    assert (after.max(axis=1) <= before.max(axis=1)).all()
    assert np.array_equal(after.sum(axis=1), before.sum(axis=1))


def test_the_printed_rule_moves_nothing() -> None:
    planes = np.array([bp.pack(np.eye(1, 64, k, dtype=bool)) for k in (0, 1)])
    window = bp.write_counter(np.array([[5] + [0] * 63], np.uint8), 3)
    cold = bp.pack(np.ones((1, 64), bool))
    moved = rebalance(planes, cold, window, np.array([9]), printed_rule=True)
    assert not moved.any()
