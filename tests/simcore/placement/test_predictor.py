"""The predictor, on the paper's own examples (Hermes, IV-C, Figs. 7 and 8)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.activations import bitplanes as bp
from simcore.placement.adjustment import choose_swaps
from simcore.placement.predictor import (
    NEVER,
    initial_states,
    learn_row,
    needed_states,
    predict_row,
    state_planes,
)
from simcore.placement.states import rows

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


def learned(values: np.ndarray, active: np.ndarray, up: int) -> np.ndarray:
    """States after a token."""
    planes = state_planes(values)
    for layer, fired in enumerate(active):
        learn_row(rows(planes, layer), fired, up)
    return bp.read_counter(list(planes))


def predicted(
    values: np.ndarray, first: np.ndarray, second: np.ndarray, *needs: int, inclusive: bool = False
) -> np.ndarray:
    """Who is predicted, (layers, neurons), with a weight and a threshold; all neurons are real."""
    planes, out = state_planes(values), np.full_like(first, 7)
    least = needed_states(*needs, inclusive=inclusive)
    valid = np.full(first.shape[1], 2**64 - 1, np.uint64)
    for layer in range(len(out)):
        predict_row(rows(planes, layer), first[layer], second[layer], least, valid, out[layer])
    return bp.unpack(out).astype(bool)


def test_state_update_of_figure_7() -> None:
    assert learned(states(BEFORE), row({3, 6, 9}), 4)[0, :12].tolist() == AFTER


def test_hot_set_and_swap_of_figure_8() -> None:
    gpu, valid = row({3, 5, 9})[0], row(set(range(12)))[0]
    state, blocks = rows(state_planes(states(AFTER)), 0), np.array([[0, 1, 1]])
    come, go, moved = np.zeros(1, np.uint64), np.zeros(1, np.uint64), np.zeros(1, np.int32)
    choose_swaps(gpu, valid, state, 10, 100, blocks, come, go, moved)
    assert moved.tolist() == [1]
    assert np.array_equal(come, row({6})[0])
    assert np.array_equal(go, row({5})[0])


@pytest.mark.parametrize(
    ("state", "parents", "expected"),
    [(15, 0, False), (9, 1, False), (10, 1, True), (3, 2, False), (4, 2, True)],
)
def test_decision_as_printed(state: int, parents: int, expected: bool) -> None:
    first, second = row({0} if parents >= 1 else set()), row({0} if parents == 2 else set())
    assert bool(predicted(states([state]), first, second, 6, 15)[0, 0]) is expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(-1, 40), st.booleans())
def test_every_decision_is_that_of_plain_sums(
    seed: int, weight: int, threshold: int, inclusive: bool
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (3, 128)).astype(np.uint8)
    first, second = rng.random((2, 3, 128)) < 0.5
    parents = bp.pack(first), bp.pack(second)
    found = predicted(values, *parents, weight, threshold, inclusive=inclusive)
    score = values + weight * (first.astype(int) + second)
    expected = score >= threshold if inclusive else score > threshold
    assert np.array_equal(found, expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 15))
def test_states_never_leave_their_range(seed: int, up: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (3, 128)).astype(np.uint8)
    active = rng.random((3, 128)) < 0.5
    expected = np.clip(values + np.where(active, up, -1), 0, 15)
    assert np.array_equal(learned(values, bp.pack(active), up), expected)


def test_inclusive_reading_lets_a_full_state_predict_alone() -> None:
    nothing = row(set())
    result = predicted(states([15, 14]), nothing, nothing, 6, 15, inclusive=True)
    assert result[0, :2].tolist() == [True, False]


def test_only_real_neurons_are_predicted_and_no_state_reaches_what_none_can() -> None:
    everyone = row(set(range(64)))[0]
    planes, out = rows(state_planes(states([15] * 64)), 0), np.zeros(1, np.uint64)
    for needs, expected in (((0, 0, 0), {1, 5}), ((NEVER, NEVER, 0), {1, 5}), ((0, 0, NEVER), {})):
        predict_row(planes, everyone, everyone, needs, row({1, 5})[0], out)
        assert np.array_equal(out, row(set(expected))[0])


def test_initial_states_at_the_printed_boundaries() -> None:
    frequency = np.array([[0.0, 0.019, 0.021, 0.46, 0.899, 0.901, 1.0]], np.float32)
    assert initial_states(frequency)[0].tolist() == [0, 0, 1, 8, 14, 15, 15]


def test_state_table_of_llama_7b_is_232_KiB() -> None:
    """32 layers of 14.5 K neurons at 4 bits (IV-C1), as the predictor really holds them."""
    assert state_planes(np.zeros((32, 14_848), np.uint8)).nbytes == 232 * 1024
