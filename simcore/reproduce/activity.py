"""Properties of the drawn activations themselves: similarity, concentration, drift.

Definitions, since the papers give none:

- similarity: share of neurons, zeros included, that are in the same state at two tokens.
- hot compute share: share of all activations made by the hottest neurons of the model, by the
  offline profile.
- hot drift: share of the initially hot neurons (hottest fifth of each layer by the offline
  profile, which decides what starts on the GPU) that are outside the hottest fifth of their layer
  at some point of 128 tokens, by their true firing probability; looked at every eighth token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from simcore.activations import make_source
from simcore.activations.source import ActivationSource, Frequencies
from simcore.activations.space import NeuronSpace
from simcore.reproduce.cases import RunCase

FAR_DISTANCES = (11, 16, 24, 32, 48, 64)
_TOKENS = 128
_LOOK = 8
_LONG_PROMPT = 1_000_000  # makes the sampling error of the prompt's frequencies vanish


def _source(model: str, prompt_tokens: int = 128) -> ActivationSource:
    return make_source(RunCase("hermes", model, prompt_tokens=prompt_tokens).scenario())


def _columns(space: NeuronSpace) -> NDArray[np.int64]:
    """Columns of real neurons, without padding."""
    return np.concatenate(
        [np.arange(b.first_column, b.first_column + b.neurons) for b in space.blocks]
    )


def similarity(model: str, distance: float) -> float:
    """Mean agreement of tokens at a distance; below 0: at the `FAR_DISTANCES`."""
    distances = FAR_DISTANCES if distance < 0 else (max(1, int(distance)),)
    source = _source(model)
    planes = [source.draw()[0] for _ in range(max(distances) + 16)]
    neurons = source.space.neurons
    shares = [
        1 - int(np.bitwise_count(planes[at] ^ planes[at + d]).sum(dtype=np.int64)) / neurons
        for d in distances
        for at in range(0, len(planes) - d, 4)
    ]
    return float(np.mean(shares))


def hot_compute_share(model: str, fraction: float) -> float:
    """Share of all activations made by the hottest `fraction` of the neurons."""
    source = _source(model)
    frequency = source.profile()[:, _columns(source.space)].astype(np.float64).reshape(-1)
    frequency[::-1].sort()
    count = min(len(frequency), round(fraction * len(frequency)))
    return float(frequency[:count].sum() / frequency.sum())


def _hot(frequency: Frequencies, columns: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """The hottest share of each layer."""
    mine = frequency[:, columns]
    at = mine.shape[1] - max(1, int(share * mine.shape[1]))
    hottest: NDArray[np.bool_] = mine >= np.partition(mine, at, axis=1)[:, at, None]
    return hottest


def hot_drift(model: str, share: float) -> float:
    """Share of the initially hot neurons that cool down during a run."""
    source = _source(model, _LONG_PROMPT)
    columns = _columns(source.space)
    first = _hot(source.profile(), columns, share)
    left = ~_hot(source.prompt_frequency(), columns, share)
    for token in range(1, _TOKENS + 1):
        source.draw()
        if token % _LOOK == 0:
            left |= ~_hot(source.prompt_frequency(), columns, share)
    return float((first & left).sum() / first.sum())


QUANTITIES: Mapping[str, Callable[[str, float], float]] = {
    "similarity": similarity,
    "hot_compute_share": hot_compute_share,
    "hot_drift": hot_drift,
}
"""Name to function of a model's preset id and one parameter."""
