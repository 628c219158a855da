"""The loops a draw is made of, against plain Python and numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations.firing import (
    arrange,
    choose_trades,
    copy_groups,
    fire,
    fire_pairs,
    trade,
    twins,
)
from simcore.activations.source import below
from simcore.activations.statistical import _choose_trades, _Segment
from simcore.activations.streams import state_words, stream
from tests.simcore.activations.test_statistical import source

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(0, 65535), st.integers(0, 3), st.booleans())
def test_a_neuron_fires_below_its_threshold(seed: int, lead: int, words: int, pairs: bool) -> None:
    """With the extremes of draws and thresholds among them."""
    rng = np.random.default_rng(seed)
    edges = np.array([0, 1, lead, 65534, 65535])

    def some(count: int) -> np.ndarray:
        values = rng.integers(0, 65536, count)
        return np.where(rng.random(count) < 0.3, rng.choice(edges, count), values).astype(np.uint16)

    words *= 2
    rise, draws = some(64 * words), some(32 * words if pairs else 64 * words)
    before = rng.random(64 * words) < 0.5
    fired = np.packbits(before, bitorder="little").view(np.uint64)
    (fire_pairs if pairs else fire)(draws, rise, np.uint16(lead), fired)
    drawn = np.repeat(draws.reshape(-1, 1, 64), 2, axis=1).ravel() if pairs else draws
    limit = rise + np.where(before & (rise > 0), lead, 0).astype(int)
    bits = np.unpackbits(fired.view(np.uint8), bitorder="little")
    assert np.array_equal(bits.astype(bool), drawn.astype(int) < limit)


@given(SEEDS)
def test_thresholds_are_traded_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rise = rng.integers(0, 65536, 64).astype(np.uint16)
    columns = rng.permutation(64)[: rng.integers(0, 30)]
    partners = np.roll(columns, 1)
    expected = rise.copy()
    expected[columns] = rise[partners]
    trade(rise, columns, partners)
    assert np.array_equal(rise, expected)


@given(SEEDS)
def test_groups_are_arranged_and_copied(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, order = rng.integers(0, 2**63, 8).astype(np.uint64), rng.permutation(4)
    out = np.zeros_like(row)
    arrange(row, order, out)
    assert np.array_equal(out, row.reshape(4, 2)[order].ravel())
    some = order[: rng.integers(0, 5)]
    expected = out.reshape(4, 2).copy()
    expected[some] = row.reshape(4, 2)[some]
    copy_groups(row, some, out)
    assert np.array_equal(out, expected.ravel())


@given(SEEDS)
def test_parents_are_the_pair_of_columns_below(seed: int) -> None:
    rng = np.random.default_rng(seed)
    active, last = (rng.integers(0, 2**63, shape).astype(np.uint64) for shape in ((3, 4), 4))
    first, second = source().parents(active, last)
    under = below(active, last)
    assert np.array_equal(first, under)
    assert np.array_equal(second, under[:, [1, 0, 3, 2]])
    for row, other in zip(first, second, strict=True):
        out = np.zeros_like(row)
        twins(row, out)
        assert np.array_equal(out, other)


@given(SEEDS, st.floats(0, 1), st.lists(st.integers(0, 400), max_size=4))
def test_what_drifts_is_what_numpy_chooses(seed: int, share: float, pairs: list[int]) -> None:
    """From the same stream, again and again."""
    starts = 128 * np.cumsum([0, *pairs])[:-1]
    segments = [_Segment(int(start), n) for start, n in zip(starts, pairs, strict=True)]
    drift = stream(seed, "drift")
    words = state_words(drift.bit_generator.state)
    for _ in range(3):
        expected = _choose_trades(drift, segments, share)
        found = choose_trades(words, starts, np.array(pairs, np.int64), share)
        assert [one.tolist() for one in found] == [one.tolist() for one in expected]
        assert np.array_equal(words, state_words(drift.bit_generator.state))


def test_the_first_layer_looks_at_the_last_of_the_token_before() -> None:
    active = np.arange(6, dtype=np.uint64).reshape(3, 2)
    last = np.array([77, 78], np.uint64)
    assert below(active, last).tolist() == [[77, 78], [0, 1], [2, 3]]
