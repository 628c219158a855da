"""Dealing neurons word by word, against dealing them one at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.activations.space import Block, NeuronSpace
from simcore.placement.partition import BlockRanking, deal


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 200), st.integers(1, 130))
def test_neurons_are_dealt_back_and_forth(seed: int, dimms: int, one: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    middle = -(-one // 128) * 2
    space = NeuronSpace(
        3,
        (
            Block("qkv", "first", one, 0, middle, neuron_bytes=1, neuron_macs=1),
            Block("mlp", "second", other, middle, middle + -(-other // 128) * 2, 1, 1),
        ),
    )
    rankings, counts = [], []
    for block in space.blocks:
        rank = rng.permuted(np.tile(np.arange(block.neurons), (3, 1)), axis=1).astype(np.uint32)
        none = np.zeros(rank.shape)
        rankings.append(BlockRanking(rank, none.astype(np.float32), none, none, 1))
        counts.append(rng.integers(0, block.neurons + 1, 3))
    placed = deal(space, rankings, counts, dimms)
    gpu = bp.unpack(placed.gpu)
    homes = np.array([bp.unpack(home) for home in placed.dimms])
    assert homes.sum() == 3 * (one + other)
    for block, ranking, hot in zip(space.blocks, rankings, counts, strict=True):
        for layer in range(3):
            order = np.argsort(ranking.rank[layer])
            for turn, neuron in enumerate([*order[hot[layer] :], *order[: hot[layer]]]):
                lap, position = divmod(turn, dimms)
                unit = (position if lap % 2 == 0 else dimms - 1 - position) + layer
                column = block.first_column + neuron
                assert homes[unit % dimms, layer, column]
                assert bool(gpu[layer, column]) is bool(ranking.rank[layer, neuron] < hot[layer])
    assert gpu.sum() == sum(count.sum() for count in counts)
