"""Swaps and remaps against slow, literal versions of the paper's rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.activations.space import Block
from simcore.placement.adjustment import choose_swaps
from simcore.placement.remap import count_firing, counter, load, rebalance
from simcore.placement.states import count_below, rows
from tests.simcore.placement.literal import literal_loads, literal_remap, literal_swaps

SEEDS = st.integers(0, 2**32 - 1)


def chosen(gpu, valid, state, hot, room, blocks):
    """Who comes, who goes and how many, as `choose_swaps` writes them layer by layer."""
    planes = np.array(bp.write_counter(state, 4))
    on, real = bp.pack(gpu), bp.pack(valid[None])[0]
    come, go = np.full_like(on, 7), np.full_like(on, 7)  # whatever was there before
    moved = np.full((len(on), len(blocks)), 7, np.int32)
    places = np.array([(b.start, b.stop, b.neuron_bytes) for b in blocks])
    for layer in range(len(on)):
        to_write = come[layer], go[layer], moved[layer]
        choose_swaps(on[layer], real, rows(planes, layer), hot, room[layer], places, *to_write)
    return bp.unpack(come), bp.unpack(go), moved


def loads(dimms, cold, window):
    """Activity of each DIMM, (layers, DIMMs)."""
    layers, words = cold.shape
    each = [
        [load(home[layer], cold[layer], counter(window, layer, 0, words)) for home in dimms]
        for layer in range(layers)
    ]
    return np.array(each)


@given(SEEDS, st.floats(0, 1))
def test_states_are_counted_by_how_high_they_are(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    state, among = rng.integers(0, 16, (1, 192)).astype(np.uint8), rng.random((1, 192)) < density
    out = np.full(17, 7)
    count_below(rows(np.array(bp.write_counter(state, 4)), 0), bp.pack(among)[0], out)
    assert out.tolist() == [int((state[among] < value).sum()) for value in range(17)]


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
    incoming, outgoing, moved = chosen(gpu, valid, state, hot, room, [one])
    for layer, (come, go) in enumerate(literal_swaps(gpu, valid, state, hot, room)):
        assert set(np.flatnonzero(incoming[layer])) == come
        assert set(np.flatnonzero(outgoing[layer])) == go
        assert moved[layer, 0] == len(come)


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
    valid = rng.random(256) < 0.95
    gpu = bp.pack(~cold & (rng.random((3, 256)) < 0.9))
    cold = ~bp.unpack(gpu).astype(bool) & valid
    before = loads(planes, bp.pack(cold), window)
    assert np.array_equal(before, literal_loads(home, cold, activity, dimms))
    # Two blocks of two words, each with a room of its own.
    blocks, rooms = np.array([[0, 2, 5], [2, 4, 3]]), np.array([room, room // 2])
    moved = np.full((3, 2, dimms // 2), 7, np.int32)
    rebalance(planes, gpu, bp.pack(valid[None])[0], window, rooms, blocks, 7, moved)
    expected = np.empty_like(home)
    for block, columns in enumerate((slice(0, 128), slice(128, 256))):
        arrays = (each[:, columns] for each in (home, cold, activity))
        expected[:, columns], counts = literal_remap(*arrays, dimms, [rooms[block]] * 3)
        assert moved[:, block].tolist() == counts
    for j in range(dimms):
        assert np.array_equal(bp.unpack(planes[j]).astype(bool), expected == j)
    after = loads(planes, bp.pack(cold), window)
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
    incoming, _, moved = chosen(gpu, valid, state, 10, room, blocks)
    left = room
    for index in (1, 0):
        columns, size = slice(128 * index, 128 * index + 128), blocks[index].neuron_bytes
        expected = literal_swaps(
            gpu[:, columns], valid[columns], state[:, columns], 10, left // size
        )
        come = incoming[:, columns]
        assert [set(np.flatnonzero(row)) for row in come] == [come for come, _ in expected]
        left = left - size * moved[:, index]
    assert (left >= 0).all()


@given(SEEDS)
def test_the_window_counts_up_to_seven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fired = rng.random((10, 3, 128)) < rng.random()
    window = np.zeros((3, 3, 2), np.uint64)
    for token in fired:
        for layer, fired_now in enumerate(bp.pack(token)):
            count_firing(counter(window, layer, 0, 2), fired_now)
    assert np.array_equal(bp.read_counter(list(window)), np.minimum(fired.sum(axis=0), 7))
