"""What every source of activations provides."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.activations.space import NeuronSpace

Frequencies = NDArray[np.float32]
Words = NDArray[np.uint64]
Planes = NDArray[np.uint64]


class ActivationSource(Protocol):
    """Neuron activity, token by token, for a batch of sequences.

    Attributes:
        space: the neurons.
        note: one sentence on what the numbers are, shown with the run.
        paired: whether a neuron's parents are the two columns of its pair (c, c + 64 of each 128)
            in the layer below, so that a loop need not be told them.
    """

    space: NeuronSpace
    note: str
    paired: bool

    def profile(self) -> Frequencies:
        """Offline activation frequency of every neuron, shape (layers, columns), padding 0."""

    def prompt_frequency(self) -> Frequencies:
        """Frequency over the prompt's tokens, same shape; what prefill records."""

    def draw(self) -> Planes:
        """Active neurons of the next token, one plane a sequence: (sequences, layers, words)."""

    def parents(self, active: Plane, last: Words) -> tuple[Plane, Plane]:
        """Activity of each neuron's two parents, which are in the layer below.

        Args:
            active: activity at a token.
            last: the last layer at the token before, which is below the first, (words,).

        Returns:
            Two planes: whether a neuron's first and second parent are active.
        """


def below(active: Plane, last: Words) -> Plane:
    """Activity of the layer below each row, as `ActivationSource.parents` is given it."""
    result = np.empty_like(active)
    result[1:] = active[:-1]
    result[0] = last
    return result
