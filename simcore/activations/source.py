"""What every source of activations provides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simcore.activations.bitplanes import Plane
from simcore.activations.space import NeuronSpace

Frequencies = NDArray[np.float32]


class ActivationSource(Protocol):
    """Neuron activity, token by token, for a batch of sequences.

    Attributes:
        space: the neurons.
        note: one sentence on what the numbers are, shown with the run.
    """

    space: NeuronSpace
    note: str

    def profile(self) -> Frequencies:
        """Offline activation frequency of every neuron, shape (layers, columns), padding 0."""

    def prompt_frequency(self) -> Frequencies:
        """Frequency over the prompt's tokens, same shape; what prefill records."""

    def draw(self) -> Sequence[Plane]:
        """Active neurons of the next token, one plane a sequence."""

    def parents(self, below: Plane) -> tuple[Plane, Plane]:
        """Activity of each neuron's two parents.

        Args:
            below: activity of the previous layer in each row (row 0: last layer, token before).

        Returns:
            Two planes: whether a neuron's first and second parent are active.
        """
