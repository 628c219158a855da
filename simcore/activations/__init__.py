"""Which neurons fire: drawn from published statistics, or replayed from recorded masks."""

from __future__ import annotations

from simcore.activations.recorded import RecordedSource
from simcore.activations.source import ActivationSource
from simcore.activations.statistical import StatisticalSource
from simcore.scenario.schema import RecordedActivations, Scenario


def make_source(scenario: Scenario) -> ActivationSource:
    """A fresh source of activations for a scenario.

    Raises:
        DataFileError: if recorded masks cannot be used for the scenario's model.
    """
    workload, settings = scenario.workload, scenario.activations
    if isinstance(settings, RecordedActivations):
        return RecordedSource(scenario.model, settings, workload.batch, workload.prompt_tokens)
    return StatisticalSource(
        scenario.model, settings, workload.batch, workload.prompt_tokens, scenario.seed
    )
