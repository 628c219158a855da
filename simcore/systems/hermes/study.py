"""How good the predictor is, beside two that cost nothing.

- Hermes: state and parents (IV-C1), or what the policy chose.
- none fires: right for every silent neuron, which at these densities is most of them.
- as before: what fired for the last token fires again.

With counts of neurons (tp found, fp false alarms, fn missed): accuracy = 1 - (fp + fn) / neurons,
recall = tp / (tp + fn), precision = tp / (tp + fp). The paper prints an accuracy of 98 % without a
definition; recall decides what is dropped, precision what is computed in vain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import KIND_PREFILL, Run
from simcore.systems.hermes.plan import HermesPlan

Floats = NDArray[np.float64]

PREDICTORS = ("Hermes", "as before", "none fires")
MEASURES = ("accuracy", "recall", "precision")


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of one predictor along tokens or layers.

    Attributes:
        accuracy, recall, precision: shares; recall is 0 where nothing fired and precision 0 where
            nothing was predicted.
    """

    accuracy: Floats
    recall: Floats
    precision: Floats


@dataclass(frozen=True, slots=True)
class Study:
    """The predictors of a range of steps.

    Attributes:
        steps: index of each decode step, (tokens,). The first decode step has no token before it
            and is left out, so that all predictors are judged on the same tokens.
        over_time: by predictor, arrays of (tokens,), all layers together.
        by_layer: by predictor, arrays of (layers,), all tokens together.
    """

    steps: NDArray[np.int64]
    over_time: Mapping[str, Quality]
    by_layer: Mapping[str, Quality]


def _share(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _quality(active: Floats, predicted: Floats, hits: Floats, neurons: float) -> Quality:
    wrong = active + predicted - 2 * hits
    return Quality(1.0 - wrong / neurons, _share(hits, active), _share(hits, predicted))


def predictor_study(plan: HermesPlan, run: Run, start: int = 0, stop: int | None = None) -> Study:
    """Judge the predictors on the decode steps of a range.

    Args:
        plan, run: a run of Hermes or of a variant.
        start, stop: steps; all recorded ones by default.
    """
    stop = len(run) if stop is None else stop
    kinds = run.column("kind", 0, stop)
    decode = np.flatnonzero(kinds != KIND_PREFILL)
    steps = decode[1:][decode[1:] >= start]

    def counts(name: str, at: NDArray[np.int64]) -> Floats:
        """(steps, layers), both blocks together."""
        values = run.column(name, 0, stop)[at] if len(at) else np.zeros((0, plan.space.layers, 1))
        return values.sum(axis=2, dtype=np.float64)

    active, predicted = counts("active", steps), counts("predicted", steps)
    hits, repeats = counts("hits", steps), counts("repeats", steps)
    before = counts("active", steps - 1)
    nothing = np.zeros_like(active)
    found = {
        "Hermes": (predicted, hits),
        "as before": (before, repeats),
        "none fires": (nothing, nothing),
    }
    neurons, layers = float(plan.space.neurons), plan.space.layers
    over_time, by_layer = {}, {}
    for name, (guess, right) in found.items():
        over_time[name] = _quality(active.sum(1), guess.sum(1), right.sum(1), neurons)
        tokens = max(1, len(steps))
        by_layer[name] = _quality(
            active.sum(0), guess.sum(0), right.sum(0), neurons / layers * tokens
        )
    return Study(steps.astype(np.int64), over_time, by_layer)
