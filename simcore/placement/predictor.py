"""The neuron predictor of Hermes (IV-C1): a 4-bit state per neuron and two correlated parents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import write_counter
from simcore.activations.source import Frequencies
from simcore.compiled import compiled
from simcore.placement.states import Rows, Words, bit_masks, reaches

Needs = tuple[int, int, int]

STATE_BITS = 4
STATE_MAX = 15
NEVER = STATE_MAX + 1
"""A state that no neuron reaches."""
LOW_FREQUENCY = 0.02
HIGH_FREQUENCY = 0.90


def initial_states(frequency: Frequencies) -> NDArray[np.uint8]:
    """State of every neuron after prefill, from its firing frequency over the prompt.

    Above 90 % gives 15, below 2 % gives 0 (Hermes, IV-C1); the boundaries between are not printed
    and taken as 14 equal steps.
    """
    states = np.empty(frequency.shape, np.uint8)
    _quantise(frequency, states)
    return states


_STEP = (HIGH_FREQUENCY - LOW_FREQUENCY) / (STATE_MAX - 1)
_FIRST, _WIDTH = np.float32(LOW_FREQUENCY - _STEP), np.float32(_STEP)
_HIGH = np.float32(HIGH_FREQUENCY)


@compiled
def _quantise(frequency: Frequencies, states: NDArray[np.uint8]) -> None:
    for layer in range(len(states)):
        often, out = frequency[layer], states[layer]
        for neuron in range(out.size):
            # Rounded down: 1 to 14 between the boundaries.
            level = np.float32((often[neuron] - _FIRST) / _WIDTH)
            out[neuron] = min(max(level, np.float32(0)), np.float32(STATE_MAX - 1))
            if often[neuron] > _HIGH:
                out[neuron] = STATE_MAX


def state_planes(states: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """States as bit planes, least significant first, (4, layers, words)."""
    return np.array(write_counter(states, STATE_BITS))


def needed_states(weight: int, threshold: int, *, inclusive: bool) -> Needs:
    """The state from which on state + weight * (active parents) is above the threshold.

    Args:
        weight: lambda of the paper.
        threshold: T of the paper.
        inclusive: whether reaching the threshold is enough.

    Returns:
        It for no, one and two active parents; 16 is never reached.
    """
    alone, one, both = (
        min(max(0, threshold - weight * firing + (not inclusive)), NEVER) for firing in (0, 1, 2)
    )
    return alone, one, both


@compiled
def predict_row(
    state: Rows, first: Words, second: Words, needs: Needs, valid: Words, out: Words
) -> None:
    """Write to `out` the real neurons of a layer whose state is what it must be.

    Args:
        state: states of the layer.
        first, second: activity of each neuron's two parents.
        needs: the least state, by how many parents fired.
        valid: real neurons.
        out: (words,).
    """
    a, b, c, d = state
    need_0, need_1, need_2 = bit_masks(needs[0]), bit_masks(needs[1]), bit_masks(needs[2])
    for word in range(out.size):
        values = (a[word], b[word], c[word], d[word])
        both, any_of = first[word] & second[word], first[word] | second[word]
        out[word] = valid[word] & (
            (both & reaches(values, need_2))
            | (any_of & ~both & reaches(values, need_1))
            | (~any_of & reaches(values, need_0))
        )


@compiled
def learn_row(state: Rows, fired: Words, up: int) -> None:
    """Add `up`, at most 15, to active neurons, take one from the others, 0 to 15, in place."""
    by_1, by_2, by_4, by_8, _ = bit_masks(up)
    a, b, c, d = state
    for word in range(fired.size):
        on = fired[word]
        p, q, r, s = a[word], b[word], c[word], d[word]
        # Quiet ones above zero lose one: a borrow goes up as long as it meets zeros.
        borrow = ~on & (p | q | r | s)
        p, borrow = p ^ borrow, borrow & ~p
        q, borrow = q ^ borrow, borrow & ~q
        r, borrow = r ^ borrow, borrow & ~r
        s ^= borrow
        # Active ones gain: a full adder a bit; what is carried out at the top stays at 15.
        add = on & by_1
        p, carry = p ^ add, p & add
        add = on & by_2
        q, carry = q ^ add ^ carry, (q & add) | (carry & (q ^ add))
        add = on & by_4
        r, carry = r ^ add ^ carry, (r & add) | (carry & (r ^ add))
        add = on & by_8
        s, carry = s ^ add ^ carry, (s & add) | (carry & (s ^ add))
        a[word], b[word], c[word], d[word] = p | carry, q | carry, r | carry, s | carry
