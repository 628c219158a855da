"""Token blocks of two types: counted, laid out in a table, kept from step to step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.placement.blocks import (
    KV,
    LIGHT,
    ON_GPU,
    ON_HOST,
    block_table,
    block_tokens,
    even_quota,
    light_blocks,
    offsets,
)


def test_light_blocks_by_hand():
    """Two requests, offsets 1/4 and 3/4: half of 3 blocks makes 1.75 and 2.25 with them."""
    assert offsets(2).tolist() == [0.25, 0.75]
    assert light_blocks(0.5, np.array([3, 3]), 2).tolist() == [1, 2]
    assert light_blocks(0.0, np.array([7, 7]), 2).tolist() == [0, 0]
    assert light_blocks(1.0, np.array([7, 7]), 2).tolist() == [7, 7]


def test_tokens_by_hand():
    """One request (offset 1/2), half light, blocks of 4: light are blocks 0, 2, 4 of 18 tokens.

    floor(j/2 + 1/2) for j = 1..5 is 1 1 2 2 3. Blocks 1 and 3 are KV, block 4 holds two tokens. One
    block of each type may lie on the GPU: block 0 and block 1.
    """
    found = block_tokens(np.array([[18]]), np.array([[0.5]]), 1, 1, 4)
    assert (found.light_gpu.item(), found.light_host.item()) == (4, 4 + 2)
    assert (found.kv_gpu.item(), found.kv_host.item()) == (4, 4)
    assert found.newest_light.item()
    assert found.newest_host.item()
    table = block_table([18], [10], 0.5, 1, 1, 4, width=6)
    assert table.type.tolist() == [[LIGHT, KV, LIGHT, KV, LIGHT, -1]]
    assert table.place.tolist() == [[ON_GPU, ON_GPU, ON_HOST, ON_HOST, ON_HOST, -1]]
    assert table.number.tolist() == [[0, 0, 0, 0, 1, -1]]


def test_blocks_computed_again_come_first():
    """Half of five blocks, offset 1/2: the first three; the others, 6 tokens, are KV."""
    found = block_tokens(np.array([[18]]), np.array([[0.5]]), 0, 0, 4, prefix=True)
    assert (found.light.item(), found.kv_host.item()) == (12, 6)
    assert not found.newest_light.item()
    table = block_table([18], [18], 0.5, 0, 0, 4, prefix=True)
    assert table.type.tolist() == [[LIGHT, LIGHT, LIGHT, KV, KV]]


def test_numbers_are_given_in_order_of_making():
    """Prompts request by request, then what later tokens open, token by token."""
    table = block_table([9, 6], [4, 5], 0.0, 0, 0, 4)
    # Request 0: one block from its prompt, one at its first token, one at its fifth.
    # Request 1: two blocks from its prompt.
    assert table.number.tolist() == [[0, 3, 4], [1, 2, -1]]


CASES = {
    "contexts": st.lists(st.integers(1, 300), min_size=1, max_size=9),
    "share": st.integers(0, 64).map(lambda n: n / 64),
    "light": st.integers(0, 9),
    "kv": st.integers(0, 9),
    "block": st.sampled_from([1, 4, 16]),
    "prefix": st.booleans(),
}


@given(**CASES)
def test_table_and_counts_agree(contexts, share, light, kv, block, prefix):
    n = np.array(contexts)
    if prefix:
        light = 0
    counted = block_tokens(n[None], np.array([[share]]), light, kv, block, prefix=prefix)
    table = block_table(n, n, share, light, kv, block, prefix=prefix)
    columns = table.type.shape[1]
    tokens = np.clip(n[:, None] - np.arange(columns) * block, 0, block)
    for kind, place, found in (
        (KV, ON_HOST, counted.kv_host),
        (KV, ON_GPU, counted.kv_gpu),
        (LIGHT, ON_HOST, counted.light_host),
        (LIGHT, ON_GPU, counted.light_gpu),
    ):
        mine = (table.type == kind) & (table.place == place)
        assert np.array_equal((tokens * mine).sum(axis=1), found[0])
        numbers = np.sort(table.number[mine])
        assert np.array_equal(numbers, np.arange(mine.sum()))
    last = -(-n // block) - 1
    rows = np.arange(len(n))
    assert np.array_equal(table.type[rows, last] == LIGHT, counted.newest_light[0])
    assert np.array_equal(table.place[rows, last] == ON_HOST, counted.newest_host[0])


@given(
    prompts=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    steps=st.integers(0, 40),
    more=st.integers(0, 40),
    share=CASES["share"],
    light=CASES["light"],
    kv=CASES["kv"],
)
def test_a_table_is_the_beginning_of_every_later_one(prompts, steps, more, share, light, kv):
    first = np.array(prompts)
    width = -(-(int(first.max()) + steps + more) // 4)
    early, late = (
        block_table(first + add, first, share, light, kv, 4, width=width)
        for add in (steps, steps + more)
    )
    there = early.type >= 0
    for name in ("type", "place", "number"):
        assert np.array_equal(getattr(early, name)[there], getattr(late, name)[there])


@given(share=CASES["share"], blocks=st.integers(0, 200), requests=st.integers(1, 40))
def test_shares_are_met_over_all_requests(share, blocks, requests):
    found = light_blocks(share, np.full(requests, blocks), requests)
    assert abs(found.mean() - share * blocks) <= 0.5 + 1e-9
    assert (found >= 0).all()
    assert (found <= blocks).all()
    assert int(found.max() - found.min()) <= 1


def test_quotas_by_hand():
    """Requests of 2, 5 and 9 blocks: three each take 2 + 3 + 3 = 8 of 9, four would take 10."""
    blocks = [[2, 5, 9]] * 4
    assert even_quota(blocks, [9, 0, 2, 99]).tolist() == [3, 0, 0, 9]


def test_width_keeps_columns_free():
    assert block_table([3], [3], 0.0, 0, 0, 4, width=3).type.tolist() == [[KV, -1, -1]]
    with pytest.raises(ValueError, match="broadcast"):
        block_table([3, 4], [3, 4], 0.0, np.zeros(3), 0, 4)
