"""Draws inside compiled loops against numpy's own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations.random_words import below, fill, shuffle, uniform
from simcore.activations.streams import state_words, stream

LIMITS = (
    st.integers(1, 3000) | st.integers(2**31 - 2, 2**31 + 2) | st.integers(2**32 - 9, 2**32 - 1)
)


@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 3), LIMITS), max_size=20))
def test_every_draw_is_that_of_numpy(seed: int, draws: list[tuple[int, int]]) -> None:
    """In any order: half a word left over by one draw is the next one's."""
    numpy = stream(seed, "words")
    state = state_words(numpy.bit_generator.state)
    for kind, limit in draws:
        size = limit % 3001
        if kind == 0:
            words = np.empty(size, np.uint64)
            fill(state, words)
            assert np.array_equal(words, numpy.bit_generator.random_raw(size))
        elif kind == 1:
            assert uniform(state) == numpy.random()
        elif kind == 2:
            assert [below(state, limit) for _ in range(5)] == numpy.integers(0, limit, 5).tolist()
        else:
            values = np.arange(size)
            shuffle(state, values)
            assert np.array_equal(values, numpy.permutation(np.arange(size)))
        assert np.array_equal(state, state_words(numpy.bit_generator.state))
