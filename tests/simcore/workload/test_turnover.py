"""Lengths of sequences that grow, end and are replaced."""

from __future__ import annotations

import numpy as np

from simcore.scenario.schema import TurnoverWorkload
from simcore.workload.turnover import (
    equal_lengths,
    padded,
    turnover_lengths,
    turnover_sums,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def test_equal_lengths_by_hand() -> None:
    sums = equal_lengths(3, 127, 3, 128)
    assert sums.tokens.tolist() == [381, 384, 387]
    assert sums.padded.tolist() == [384, 384, 768]
    assert sums.longest.tolist() == [127, 128, 129]
    assert not sums.replaced.any()


def test_every_sequence_grows_by_one_or_is_replaced() -> None:
    workload = TurnoverWorkload(batch=16, output_tokens=200, end_probability=0.05)
    tokens, replaced = turnover_lengths(workload, rng())
    assert tokens.shape == (200, 16)
    grown = tokens[1:] == tokens[:-1] + 1
    assert ((~grown).sum(axis=1) <= replaced[1:]).all()
    fresh = tokens[1:][~grown]
    assert fresh.min() >= workload.prompt_tokens
    assert fresh.max() <= workload.longest_prompt_tokens
    assert tokens.max() <= workload.max_tokens
    assert 100 < replaced.sum() < 220  # 16 x 199 x 0.05 = 159 are expected
    assert replaced[0] == 0


def test_nobody_ends_without_a_reason() -> None:
    workload = TurnoverWorkload(batch=4, output_tokens=50, end_probability=0.0)
    tokens, replaced = turnover_lengths(workload, rng())
    assert replaced.sum() == 0
    assert (np.diff(tokens, axis=0) == 1).all()


def test_the_longest_length_ends_a_request() -> None:
    workload = TurnoverWorkload(
        batch=2,
        output_tokens=30,
        prompt_tokens=10,
        longest_prompt_tokens=10,
        max_tokens=14,
        end_probability=0.0,
    )
    tokens, replaced = turnover_lengths(workload, rng())
    assert tokens[:6, 0].tolist() == [10, 11, 12, 13, 14, 10]
    assert replaced[5] == 2


def test_sums_and_seed() -> None:
    workload = TurnoverWorkload(batch=5, output_tokens=9)
    tokens, replaced = turnover_lengths(workload, rng(7))
    sums = turnover_sums(workload, rng(7), 128)
    assert np.array_equal(sums.tokens, tokens.sum(axis=1))
    assert np.array_equal(sums.padded, padded(tokens, 128).sum(axis=1))
    assert np.array_equal(sums.replaced, replaced)
    assert not np.array_equal(sums.tokens, turnover_sums(workload, rng(8), 128).tokens)
