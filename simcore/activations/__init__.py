"""Which neurons fire: drawn from statistics, replayed from masks, or of a model that writes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simcore.activations.live import LiveSource
from simcore.activations.recorded import RecordedSource
from simcore.activations.source import ActivationSource
from simcore.activations.statistical import StatisticalSource
from simcore.results.text import TOKEN_COLUMN
from simcore.scenario.schema import LiveActivations, RecordedActivations, Scenario


def make_source(scenario: Scenario) -> ActivationSource:
    """A fresh source of activations for a scenario.

    Raises:
        DataFileError: if recorded masks or the live network cannot be used for the scenario's
            model, or a text cannot be read.
    """
    workload, settings = scenario.workload, scenario.activations
    if isinstance(settings, RecordedActivations):
        return RecordedSource(scenario.model, settings, workload.batch, workload.prompt_tokens)
    if isinstance(settings, LiveActivations):
        return LiveSource(
            scenario.model, settings, workload.batch, workload.prompt_tokens, scenario.seed
        )
    return StatisticalSource(
        scenario.model, settings, workload.batch, workload.prompt_tokens, scenario.seed
    )


def written(source: ActivationSource) -> dict[str, NDArray[np.int32]]:
    """What a step records of a source with real text: column ``token_id``, (sequences,).

    -1 where no token passed the layers yet; empty for a source without text.
    """
    tokens = getattr(source, "tokens", None)
    return {} if tokens is None else {TOKEN_COLUMN: np.asarray(tokens, np.int32)}
