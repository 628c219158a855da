"""Simulation of LLM inference on machines with heterogeneous memory.

    >>> import simcore
    >>> run = simcore.simulate(simcore.load_scenario("hermes-llama2-70b"))

- `load_scenario`: a file, or the name of a scenario that comes with the program, resolved.
- `Document`, `open_document`: a scenario file that can be edited value by value.
- `scenario_fields`: every field of a scenario with unit, range, help and source.
- `simulate`, `Simulator`: run a scenario to its end, or step by step.
- `Run`: the steps of a run; spans, totals and placement of any of them.
- `summarise`, `difference`: the figures of a run, and what differs between two.
- `save_run`, `load_run`, `export_chart`, `write_steps`, `write_spans`, `write_trace`,
  `write_report`, `write_comparison`, `write_animation`: files.
- `SYSTEMS`: registry of systems and variants; `presets`: hardware and models.
- `UserError`: root of all errors that the user can repair.

Names are loaded when first used, so that ``import simcore`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simcore.engine.simulator import Simulator, simulate
    from simcore.errors import UserError
    from simcore.export.animation import write_animation
    from simcore.export.chart_file import export_chart
    from simcore.export.chrome_trace import write_trace
    from simcore.export.report import write_comparison, write_report
    from simcore.export.run_tables import write_spans, write_steps
    from simcore.registry import SYSTEMS
    from simcore.results.diff import difference
    from simcore.results.io import load_run, save_run
    from simcore.results.run import Run
    from simcore.results.summary import summarise
    from simcore.scenario.document import Document, open_document, scenario_fields
    from simcore.scenario.presets import presets
    from simcore.scenario.schema import Scenario

__all__ = [
    "Document",
    "Run",
    "SYSTEMS",
    "Scenario",
    "Simulator",
    "UserError",
    "load_scenario",
    "open_document",
    "presets",
    "scenario_fields",
    "simulate",
    "summarise",
    "difference",
    "save_run",
    "load_run",
    "export_chart",
    "write_trace",
    "write_steps",
    "write_spans",
    "write_report",
    "write_comparison",
    "write_animation",
]

_HOMES = {
    "Document": "simcore.scenario.document",
    "Run": "simcore.results.run",
    "Scenario": "simcore.scenario.schema",
    "Simulator": "simcore.engine.simulator",
    "UserError": "simcore.errors",
    "open_document": "simcore.scenario.document",
    "presets": "simcore.scenario.presets",
    "scenario_fields": "simcore.scenario.document",
    "simulate": "simcore.engine.simulator",
    "summarise": "simcore.results.summary",
    "difference": "simcore.results.diff",
    "save_run": "simcore.results.io",
    "load_run": "simcore.results.io",
    "export_chart": "simcore.export.chart_file",
    "write_trace": "simcore.export.chrome_trace",
    "write_steps": "simcore.export.run_tables",
    "write_spans": "simcore.export.run_tables",
    "write_report": "simcore.export.report",
    "write_comparison": "simcore.export.report",
    "write_animation": "simcore.export.animation",
}


def load_scenario(source: Path | str) -> Scenario:
    """The scenario of a file, or of a scenario that comes with the program by its name.

    Raises:
        ScenarioErrors: with every problem of the file.
        UserError: if there is no such file or name, or it cannot be read.
    """
    from simcore.scenario.document import open_document as open_

    return open_(source).resolve()


def __getattr__(name: str) -> Any:
    if name == "SYSTEMS":
        importlib.import_module("simcore.systems")  # fills the registry
        return importlib.import_module("simcore.registry").SYSTEMS
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
