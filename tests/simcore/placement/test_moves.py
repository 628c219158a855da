"""Swaps and remaps against slow, literal versions of the paper's rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.activations.space import Block
from simcore.placement.adjustment import choose_swaps
from simcore.placement.remap import count_firing, loads, rebalance
from tests.simcore.placement.literal import literal_remap, literal_swaps

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=80)
@given(SEEDS, st.integers(0, 15))
def test_swaps_follow_the_rule(seed: int, hot: int) -> None:
    rng = np.random.default_rng(seed)
    gpu = rng.random((4, 128)) < rng.random()
    valid = np.ones(128, bool)
    valid[120:] = False
    gpu[:, 120:] = False
    state = rng.integers(0, 16, (4, 128)).astype(np.uint8)
    room = rng.integers(0, 40, 4)
    one = Block("mlp", "all neurons", 128, 0, 2, neuron_bytes=1, neuron_macs=1)
    planes = np.array(bp.write_counter(state, 4))
    swap = choose_swaps(bp.pack(gpu), bp.pack(valid[None])[0], planes, hot, room, [one])
    incoming, outgoing = bp.unpack(swap.incoming), bp.unpack(swap.outgoing)
    for layer, (come, go) in enumerate(literal_swaps(gpu, valid, state, hot, room)):
        assert set(np.flatnonzero(incoming[layer])) == come
        assert set(np.flatnonzero(outgoing[layer])) == go
        assert swap.moved[layer, 0] == len(come)


@settings(max_examples=80)
@given(SEEDS, st.sampled_from([2, 3, 4, 8]))
def test_remap_follows_the_algorithm(seed: int, dimms: int) -> None:
    rng = np.random.default_rng(seed)
    home = rng.integers(0, dimms, (3, 256))
    home[0] = np.minimum(home[0], rng.integers(0, dimms, 256))  # a skewed layer
    cold = rng.random((3, 256)) < 0.8
    activity = rng.integers(0, 6, (3, 256)) * (rng.random((3, 256)) < 0.4)
    room = int(rng.integers(0, 60))
    planes = np.array([bp.pack(home == j) for j in range(dimms)])
    window = np.array(bp.write_counter(activity.astype(np.uint8), 3))
    before = loads(planes, bp.pack(cold), window)
    moved = rebalance(planes, bp.pack(cold), window, room, slice(0, 4))
    expected, counts = literal_remap(home, cold, activity, dimms, [room] * 3)
    assert moved.tolist() == counts
    for j in range(dimms):
        assert np.array_equal(bp.unpack(planes[j]).astype(bool), expected == j)
    after = loads(planes, bp.pack(cold), window)
    assert (after.max(axis=1) <= before.max(axis=1)).all()
    assert np.array_equal(after.sum(axis=1), before.sum(axis=1))


@given(SEEDS)
def test_two_blocks_share_the_room_and_the_last_comes_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gpu, valid = rng.random((3, 256)) < 0.5, np.ones(256, bool)
    state = rng.integers(0, 16, (3, 256)).astype(np.uint8)
    room = rng.integers(0, 300, 3)
    blocks = [
        Block("qkv", "first", 128, 0, 2, neuron_bytes=3, neuron_macs=1),
        Block("mlp", "second", 128, 2, 4, neuron_bytes=5, neuron_macs=1),
    ]
    planes = np.array(bp.write_counter(state, 4))
    swap = choose_swaps(bp.pack(gpu), bp.pack(valid[None])[0], planes, 10, room, blocks)
    left = room
    for index in (1, 0):
        columns, size = slice(128 * index, 128 * index + 128), blocks[index].neuron_bytes
        expected = literal_swaps(
            gpu[:, columns], valid[columns], state[:, columns], 10, left // size
        )
        come = bp.unpack(swap.incoming)[:, columns]
        assert [set(np.flatnonzero(row)) for row in come] == [come for come, _ in expected]
        left = left - size * swap.moved[:, index]
    assert (left >= 0).all()


@given(SEEDS)
def test_the_window_counts_up_to_seven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fired = rng.random((10, 3, 128)) < rng.random()
    window = np.zeros((3, 3, 2), np.uint64)
    for token in fired:
        count_firing(window, bp.pack(token))
    assert np.array_equal(bp.read_counter(list(window)), np.minimum(fired.sum(axis=0), 7))


def test_the_printed_rule_moves_nothing() -> None:
    planes = np.array([bp.pack(np.eye(1, 64, k, dtype=bool)) for k in (0, 1)])
    window = np.array(bp.write_counter(np.array([[5] + [0] * 63], np.uint8), 3))
    cold = bp.pack(np.ones((1, 64), bool))
    moved = rebalance(planes, cold, window, 9, slice(0, 1), printed_rule=True)
    assert not moved.any()
