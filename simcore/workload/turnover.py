"""Lengths of the sequences of a batch, iteration by iteration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.schema import TurnoverWorkload

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LengthSums:
    """What a system without state of single sequences needs to know, each (iterations,).

    Attributes:
        tokens: tokens all sequences together attend to.
        padded: the same, each sequence rounded up to whole multiples of a width.
        longest: tokens of the longest sequence.
        replaced: requests that took the place of another before the iteration.
    """

    tokens: Int
    padded: Int
    longest: Int
    replaced: Int


def padded(tokens: Int, width: int) -> Int:
    """Lengths rounded up to whole multiples of `width`."""
    rounded: Int = -(-tokens // width) * width
    return rounded


def equal_lengths(batch: int, first: int, iterations: int, width: int) -> LengthSums:
    """Sequences that all start with `first` tokens and grow by one in each iteration."""
    each = first + np.arange(iterations, dtype=np.int64)
    return LengthSums(batch * each, batch * padded(each, width), each, np.zeros_like(each))


def turnover_lengths(workload: TurnoverWorkload, rng: np.random.Generator) -> tuple[Int, Int]:
    """Sequences that end at random or at the longest length, and are replaced at once.

    Args:
        workload: ranges and probability.
        rng: the stream of this purpose.

    Returns:
        tokens each sequence attends to, (iterations, batch), and how many requests took the place
        of another before each iteration, (iterations,).
    """
    steps, batch = workload.output_tokens, workload.batch
    low = min(workload.prompt_tokens, workload.max_tokens)
    high = max(low, min(workload.longest_prompt_tokens, workload.max_tokens))
    fresh = rng.integers(low, high + 1, (steps, batch))
    ends = rng.random((steps, batch)) < workload.end_probability
    tokens = np.empty((steps, batch), np.int64)
    tokens[0] = fresh[0]
    ends[0] = False
    for step in range(1, steps):  # each row needs the one before; a row costs microseconds
        ends[step] |= tokens[step - 1] >= workload.max_tokens
        tokens[step] = np.where(ends[step], fresh[step], tokens[step - 1] + 1)
    return tokens, ends.sum(axis=1, dtype=np.int64)


def turnover_sums(workload: TurnoverWorkload, rng: np.random.Generator, width: int) -> LengthSums:
    """Sums of `turnover_lengths`."""
    tokens, replaced = turnover_lengths(workload, rng)
    return LengthSums(
        tokens.sum(axis=1), padded(tokens, width).sum(axis=1), tokens.max(axis=1), replaced
    )
