"""Bit planes against plain arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
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
def test_count_agrees_with_a_sum(seed: int) -> None:
    values = flags(seed, 0.05)
    assert np.array_equal(bp.count(bp.pack(values)), values.sum(axis=1))


@given(SEEDS)
def test_counters_are_written_and_read(seed: int) -> None:
    counters = np.random.default_rng(seed).integers(0, 16, (4, 128)).astype(np.uint8)
    assert np.array_equal(bp.read_counter(bp.write_counter(counters, 4)), counters)
