"""DRAM of a scenario's component: a preset, with what the scenario sets in its place."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from simcore.errors import Problem, ScenarioErrors
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming


def adopted(preset: str, path: str, *, tCK_ns: float, **values: int) -> DramTiming:
    """The timing of a preset with some values replaced; unset ones keep their cycles.

    Args:
        preset: id of the DRAM preset.
        path: where in the scenario the values come from, for messages.
        tCK_ns: length of a clock cycle, rounded to whole picoseconds.
        values: fields of `DramTiming`.

    Raises:
        ScenarioErrors: if the values contradict each other or the preset, by scenario path.
        DataFileError: if the preset file is missing or damaged.
    """
    return _adopted(dram_preset(preset).timing, path, tCK_ns, tuple(values.items()))


@lru_cache(maxsize=64)
def _adopted(
    timing: DramTiming, path: str, tCK_ns: float, values: tuple[tuple[str, int], ...]
) -> DramTiming:
    given: dict[str, Any] = {"tCK_ps": round(1e3 * tCK_ns), **dict(values)}
    try:
        return timing.with_values(given)
    except ScenarioErrors as errors:
        found = [_at(problem, path, given) for problem in errors.problems]
        raise ScenarioErrors(found, "DRAM timing") from None


def _at(problem: Problem, path: str, given: dict[str, Any]) -> Problem:
    """The problem at its scenario path; timings that are no fields are named as they are."""
    if problem.path == "tCK_ps":
        return replace(problem, path=f"{path}.tCK_ns", allowed=f"{problem.allowed} (in ps)")
    where = f"{path}.{problem.path}" if problem.path in given else path
    return replace(problem, path=where, message=f"{problem.path} {problem.message}")
