"""Bit planes against plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp

SEEDS = st.integers(0, 2**32 - 1)


def flags(seed: int, density: float = 0.3, layers: int = 5, columns: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).random((layers, columns)) < density


@given(SEEDS)
def test_pack_and_unpack_are_inverse(seed: int) -> None:
    values = flags(seed)
    assert np.array_equal(bp.unpack(bp.pack(values)), values)


@given(SEEDS)
def test_count_and_list_agree_with_nonzero(seed: int) -> None:
    values = flags(seed, 0.05)
    plane = bp.pack(values)
    assert np.array_equal(bp.count(plane), values.sum(axis=1))
    rows, columns = bp.list_bits(plane)
    expected = np.nonzero(values)
    assert np.array_equal(rows, expected[0])
    assert np.array_equal(columns, expected[1])


@given(SEEDS, st.integers(-2, 17))
def test_comparisons_of_bit_sliced_counters(seed: int, value: int) -> None:
    counters = np.random.default_rng(seed).integers(0, 16, (4, 128)).astype(np.uint8)
    planes = bp.write_counter(counters, 4)
    assert np.array_equal(bp.read_counter(planes), counters)
    assert np.array_equal(bp.unpack(bp.at_least(planes, value)), counters >= value)
    if 0 <= value <= 15:
        assert np.array_equal(bp.unpack(bp.equals(planes, value)), counters == value)


@given(SEEDS, st.integers(1, 15))
def test_saturating_arithmetic(seed: int, amount: int) -> None:
    rng = np.random.default_rng(seed)
    counters = rng.integers(0, 16, (3, 128)).astype(np.uint8)
    mask = rng.random((3, 128)) < 0.5
    planes = bp.write_counter(counters, 4)
    bp.subtract_one(planes, bp.pack(~mask))
    bp.add_saturating(planes, bp.pack(mask), amount)
    expected = np.where(
        mask, np.minimum(counters + amount, 15), np.maximum(counters.astype(int) - 1, 0)
    )
    assert np.array_equal(bp.read_counter(planes), expected)


@settings(max_examples=60)
@given(SEEDS, st.floats(0, 1))
def test_first_bits_takes_the_lowest(seed: int, density: float) -> None:
    values = flags(seed, density)
    limit = np.random.default_rng(seed + 1).integers(0, 260, len(values))
    kept = bp.unpack(bp.first_bits(bp.pack(values), limit))
    expected = values & (np.cumsum(values, axis=1) <= limit[:, None])
    assert np.array_equal(kept, expected)


def test_positions_back_to_a_plane() -> None:
    values = flags(3, 0.1)
    rows, columns = np.nonzero(values)
    plane = bp.from_positions(rows, columns, (5, 4))
    assert np.array_equal(bp.unpack(plane), values)


@pytest.mark.parametrize("amount", [1, 4, 7])
def test_adding_never_wraps(amount: int) -> None:
    planes = bp.write_counter(np.full((1, 64), 15, np.uint8), 4)
    bp.add_saturating(planes, bp.pack(np.ones((1, 64), bool)), amount)
    assert (bp.read_counter(planes) == 15).all()


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 17))
def test_a_tally_counts_in_how_many_planes_a_bit_is(seed: int, planes: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((planes, 3, 128)) < rng.random()
    counter = bp.tally([bp.pack(each) for each in values])
    assert np.array_equal(bp.read_counter(counter), values.sum(axis=0))
