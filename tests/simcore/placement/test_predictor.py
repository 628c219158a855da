"""The predictor, on the paper's own examples (Hermes, IV-C, Figs. 7 and 8)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.activations.space import Block
from simcore.placement.adjustment import choose_swaps
from simcore.placement.predictor import Predictor, below, initial_states

BEFORE = [3, 0, 2, 10, 5, 10, 7, 7, 0, 12, 5, 2]
AFTER = [2, 0, 1, 14, 4, 9, 11, 6, 0, 15, 4, 1]


def row(values: list[int] | set[int], width: int = 64) -> np.ndarray:
    flags = np.zeros((1, width), bool)
    flags[0, list(values)] = True
    return bp.pack(flags)


def states(values: list[int]) -> np.ndarray:
    out = np.zeros((1, 64), np.uint8)
    out[0, : len(values)] = values
    return out


def test_state_update_of_figure_7() -> None:
    predictor = Predictor(states(BEFORE))
    predictor.update(row({3, 6, 9}), 4)
    assert bp.read_counter(predictor.state)[0, :12].tolist() == AFTER


def test_hot_set_and_swap_of_figure_8() -> None:
    predictor = Predictor(states(AFTER))
    block = Block("mlp", "MLP neurons", 12, 0, 1, neuron_bytes=1, neuron_macs=1)
    room, valid = np.array([100]), row(set(range(12)))[0]
    swap = choose_swaps(row({3, 5, 9}), valid, predictor.state, 10, room, [block])
    assert swap.moved.tolist() == [[1]]
    assert np.array_equal(swap.incoming, row({6}))
    assert np.array_equal(swap.outgoing, row({5}))


@pytest.mark.parametrize(
    ("state", "parents", "expected"),
    [(15, 0, False), (9, 1, False), (10, 1, True), (3, 2, False), (4, 2, True)],
)
def test_decision_as_printed(state: int, parents: int, expected: bool) -> None:
    predictor = Predictor(states([state]))
    first, second = row({0} if parents >= 1 else set()), row({0} if parents == 2 else set())
    result = predictor.predict((first, second), weight=6, threshold=15, inclusive=False)
    assert bool(bp.unpack(result)[0, 0]) is expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(-1, 40), st.booleans())
def test_every_decision_is_that_of_plain_sums(
    seed: int, weight: int, threshold: int, inclusive: bool
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (3, 128)).astype(np.uint8)
    first, second = rng.random((2, 3, 128)) < 0.5
    found = Predictor(values).predict(
        (bp.pack(first), bp.pack(second)), weight=weight, threshold=threshold, inclusive=inclusive
    )
    score = values + weight * (first.astype(int) + second)
    expected = score >= threshold if inclusive else score > threshold
    assert np.array_equal(bp.unpack(found).astype(bool), expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 15))
def test_states_never_leave_their_range(seed: int, up: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (3, 128)).astype(np.uint8)
    active = rng.random((3, 128)) < 0.5
    predictor = Predictor(values)
    predictor.update(bp.pack(active), up)
    expected = np.clip(values + np.where(active, up, -1), 0, 15)
    assert np.array_equal(bp.read_counter(predictor.state), expected)


def test_inclusive_reading_lets_a_full_state_predict_alone() -> None:
    nothing = row(set())
    predictor = Predictor(states([15, 14]))
    result = predictor.predict((nothing, nothing), weight=6, threshold=15, inclusive=True)
    assert bp.unpack(result)[0, :2].tolist() == [1, 0]


def test_initial_states_at_the_printed_boundaries() -> None:
    frequency = np.array([[0.0, 0.019, 0.021, 0.46, 0.899, 0.901, 1.0]], np.float32)
    assert initial_states(frequency)[0].tolist() == [0, 0, 1, 8, 14, 15, 15]


def test_state_table_of_llama_7b_is_232_KiB() -> None:
    """32 layers of 14.5 K neurons at 4 bits (IV-C1), as the predictor really holds them."""
    predictor = Predictor(np.zeros((32, 14_848), np.uint8))
    assert sum(plane.nbytes for plane in predictor.state) == 232 * 1024


def test_the_first_layer_looks_at_the_last_of_the_token_before() -> None:
    active = np.arange(6, dtype=np.uint64).reshape(3, 2)
    last = np.array([77, 78], np.uint64)
    assert below(active, last).tolist() == [[77, 78], [0, 1], [2, 3]]
