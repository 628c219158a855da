"""Small scenarios of this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simcore.scenario.schema import Scenario


def with_gpu(scenario: Scenario, **values: Any) -> Scenario:
    """The same with another GPU."""
    return _with(scenario, "gpu", values)


def with_host(scenario: Scenario, **values: Any) -> Scenario:
    """The same with another host."""
    return _with(scenario, "host", values)


def _with(scenario: Scenario, part: str, values: dict[str, Any]) -> Scenario:
    changed = replace(getattr(scenario.hardware, part), **values)
    return replace(scenario, hardware=replace(scenario.hardware, **{part: changed}))
