"""`dimmscope run`: simulate a scenario and show, save or export the outcome."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import (
    add_edit_arguments,
    add_range_argument,
    open_run,
    simulate_scenario,
)
from simcore.errors import DataFileError, UserError

if TYPE_CHECKING:
    from simcore.scenario.schema import Scenario


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "scenario",
        metavar="SCENARIO",
        help="a file, the name of a shipped scenario, a saved run (.npz), or - for stdin",
    )
    add_edit_arguments(parser)
    parser.add_argument("--json", metavar="FILE|-", help="write every figure as JSON")
    parser.add_argument(
        "--export",
        metavar="FILE",
        nargs="+",
        action="extend",
        default=[],
        help="write files; the ending says what: .json(.gz) trace, .npz run, .csv steps, "
        ".spans.csv operations (or .parquet), .html or .md report, CHART.svg|pdf|png, "
        "comparison.svg|pdf|png all systems",
    )
    add_range_argument(parser)
    parser.add_argument("--theme", default="paper", help="theme of exported charts")
    parser.add_argument(
        "--no-compare",
        action="store_true",
        help="do not simulate the systems the scenario compares with",
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate, then write what was asked for."""
    from simcore.export.ranges import parse_range
    from simcore.results.files import check_target
    from simcore.results.summary import summarise

    targets, items = [], False
    if arguments.export:  # wrong endings are found before the simulation, not after
        from simcore.export.charts.style import THEMES
        from simcore.export.registry import exporter_for

        THEMES.get(arguments.theme)
        targets = [(Path(path), exporter_for(path)) for path in arguments.export]
        items = any(exporter.items for _, exporter in targets)
    for path in [*arguments.export, *([arguments.json] if arguments.json else [])]:
        if path != "-":
            check_target(path, arguments.scenario)
    start, stop = parse_range(arguments.range) if arguments.range else (None, None)
    code = Exit.DONE

    def lost(error: Exception) -> None:
        """What is there is still shown, whatever could not be kept or written."""
        nonlocal code
        code = Exit.BAD_INPUT
        console.error(str(error))

    run = open_run(arguments, console, items=items, no_room=lost)
    summary = summarise(run)
    if run.scenario.compare and not arguments.no_compare:
        if code:
            names = ", ".join(run.scenario.compare)
            console.message(f"not compared with {names}: the run is partial")
        else:
            speed = summary["tokens_per_s"]
            summary["compare"] = compare_variants(run.scenario, speed, console)
    for path, exporter in targets:
        from simcore.export.registry import ExportOptions

        options = ExportOptions(start, stop, arguments.theme, summary["compare"])
        try:
            exporter.write(run, path, options)
        except DataFileError as error:
            lost(error)
        else:
            console.message(f"wrote {path} ({exporter.title})")
    if arguments.json:
        try:
            console.json(summary, arguments.json)
        except DataFileError as error:
            lost(error)
    if arguments.json != "-":
        from simcore.cli.tables import print_summary

        print_summary(summary, getattr(run.system, "name", run.system.id), console)
    return code


def compare_variants(
    scenario: Scenario, own_tokens_per_s: float, console: Console
) -> dict[str, Any]:
    """Simulate each system the scenario compares with.

    A system the model does not fit has no tokens/s and says why.
    """
    from simcore.results.totals import totals
    from simcore.results.variants import variant_scenario
    from simcore.units import PS_PER_S

    out: dict[str, Any] = {}
    for name in scenario.compare:
        try:
            other = variant_scenario(scenario, name)
            sums = totals(simulate_scenario(other, console, title=name))
        except UserError as error:
            console.message(f"{name}: {error}")
            out[name] = {"tokens_per_s": None, "speedup": None, "error": str(error)}
            continue
        rate = sums.tokens * PS_PER_S / sums.duration_ps if sums.duration_ps else 0.0
        out[name] = {"tokens_per_s": rate, "speedup": own_tokens_per_s / rate if rate else None}
    return out


COMMAND = Command(
    "run",
    "simulate a scenario; print its figures, or write them as JSON, charts, traces, tables",
    configure,
    execute,
    epilog="example: dimmscope run hermes.yaml --set hardware.ndp_dimms.count=4 --json -",
)
