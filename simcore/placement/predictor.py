"""The neuron predictor of Hermes (IV-C1): a 4-bit state per neuron and two correlated parents."""

from __future__ import annotations

import numpy as np

from simcore.activations.bitplanes import (
    Plane,
    add_saturating,
    at_least,
    pack,
    subtract_one,
)
from simcore.activations.source import Frequencies

STATE_BITS = 4
STATE_MAX = 15
LOW_FREQUENCY = 0.02
HIGH_FREQUENCY = 0.90


def initial_states(frequency: Frequencies) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
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
    """State table of all neurons, as four bit planes, least significant first.

    Attributes:
        state: the planes.
    """

    def __init__(self, states: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        self.state: list[Plane] = [
            pack(((states >> bit) & 1).astype(np.bool_)) for bit in range(STATE_BITS)
        ]

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
        need = [threshold - weight * active + (0 if inclusive else 1) for active in (0, 1, 2)]
        first, second = parents
        result = at_least(self.state, need[2])
        np.bitwise_and(result, first & second, out=result)
        if need[1] <= STATE_MAX:
            result |= at_least(self.state, need[1]) & (first ^ second)
        if need[0] <= STATE_MAX:
            result |= at_least(self.state, need[0]) & ~(first | second)
        return result

    def update(self, active: Plane, up: int) -> None:
        """Learn from what really fired: +up for active neurons, -1 for the others, 0 to 15."""
        quiet = ~active
        subtract_one(self.state, quiet)
        add_saturating(self.state, active, up)


def below(active: Plane, last_layer_before: Plane) -> Plane:
    """Activity of the layer below each row; row 0 sees the last layer of the token before."""
    result = np.empty_like(active)
    result[1:] = active[:-1]
    result[0] = last_layer_before
    return result
