"""The neuron predictor of Hermes (IV-C1): a 4-bit state per neuron and two correlated parents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane, write_counter
from simcore.activations.source import Frequencies
from simcore.compiled import compiled
from simcore.placement.states import bit_masks, reaches

STATE_BITS = 4
STATE_MAX = 15
LOW_FREQUENCY = 0.02
HIGH_FREQUENCY = 0.90


def initial_states(frequency: Frequencies) -> NDArray[np.uint8]:
    """State of every neuron after prefill, from its firing frequency over the prompt.

    Above 90 % gives 15, below 2 % gives 0 (Hermes, IV-C1); the boundaries between are not printed
    and taken as 14 equal steps.
    """
    step = (HIGH_FREQUENCY - LOW_FREQUENCY) / (STATE_MAX - 1)
    states = np.clip((frequency - np.float32(LOW_FREQUENCY - step)) / np.float32(step), 0, 14)
    result = states.astype(np.uint8)  # rounds down: 1 to 14 between the boundaries
    result[frequency > HIGH_FREQUENCY] = STATE_MAX
    return result


class Predictor:
    """State table of all neurons, as four bit planes.

    Attributes:
        state: the planes, least significant first, (bits, layers, words).
    """

    def __init__(self, states: NDArray[np.uint8]) -> None:
        self.state = np.array(write_counter(states, STATE_BITS))

    def predict(
        self,
        parents: tuple[Plane, Plane],
        *,
        weight: int,
        threshold: int,
        inclusive: bool,
    ) -> Plane:
        """Neurons with state + weight * (active parents) above the threshold.

        Args:
            parents: activity of each neuron's two parents.
            weight: lambda of the paper.
            threshold: T of the paper.
            inclusive: whether reaching the threshold is enough.
        """
        alone, one, both = (
            min(max(0, threshold - weight * firing + (not inclusive)), STATE_MAX + 1)
            for firing in (0, 1, 2)
        )
        result = np.empty_like(self.state[0])
        _predict(self.state, *parents, alone, one, both, result)
        return result

    def update(self, active: Plane, up: int) -> None:
        """Learn from what really fired: +up for active neurons, -1 for the others, 0 to 15."""
        _learn(self.state, active, min(up, STATE_MAX))


@compiled
def _predict(
    state: NDArray[np.uint64],
    first: Plane,
    second: Plane,
    alone: int,
    with_one: int,
    with_both: int,
    result: Plane,
) -> None:
    """Neurons whose state reaches what it must, by how many parents fired; 16 is never reached."""
    for layer in range(len(result)):
        out, one, other = result[layer], first[layer], second[layer]
        a, b, c, d = state[0, layer], state[1, layer], state[2, layer], state[3, layer]
        need_0, need_1, need_2 = bit_masks(alone), bit_masks(with_one), bit_masks(with_both)
        for word in range(out.size):
            values = (a[word], b[word], c[word], d[word])
            both, any_of = one[word] & other[word], one[word] | other[word]
            out[word] = (
                (both & reaches(values, need_2))
                | (any_of & ~both & reaches(values, need_1))
                | (~any_of & reaches(values, need_0))
            )


@compiled
def _learn(state: NDArray[np.uint64], active: Plane, up: int) -> None:
    """Add `up` to the states of active neurons and take one from the others, 0 to 15, in place."""
    by_1, by_2, by_4, by_8, _ = bit_masks(up)
    for layer in range(len(active)):
        fired = active[layer]
        a, b, c, d = state[0, layer], state[1, layer], state[2, layer], state[3, layer]
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


def below(active: Plane, last_layer_before: Plane) -> Plane:
    """Activity of the layer below each row; row 0 sees the last layer of the token before."""
    result = np.empty_like(active)
    result[1:] = active[:-1]
    result[0] = last_layer_before
    return result
