"""`dimmscope run`: simulate a scenario and show, save or export the outcome."""

from __future__ import annotations

import argparse
from pathlib import Path

from simcore.cli.command import Command, Exit
from simcore.cli.comparing import Beside
from simcore.cli.console import Console
from simcore.cli.loading import add_edit_arguments, add_range_argument, open_run
from simcore.errors import DataFileError


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
    with Beside(arguments.scenario, wanted=not arguments.no_compare) as others:
        return _execute(arguments, console, others)


def _execute(arguments: argparse.Namespace, console: Console, others: Beside) -> int:
    from simcore.results.files import check_target

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
    start = stop = None
    if arguments.range:
        from simcore.export.ranges import parse_range

        start, stop = parse_range(arguments.range)
    code = Exit.DONE

    def lost(error: Exception) -> None:
        """What is there is still shown, whatever could not be kept or written."""
        nonlocal code
        code = Exit.BAD_INPUT
        console.error(str(error))

    run = open_run(arguments, console, items=items, before=others.begin, no_room=lost)
    from simcore.results.summary import summarise  # after the others have begun

    summary = summarise(run)
    if run.scenario.compare and not arguments.no_compare:
        if code:
            names = ", ".join(run.scenario.compare)
            console.message(f"not compared with {names}: the run is partial")
        else:
            summary["compare"] = others.compare(run.scenario, summary["tokens_per_s"], console)
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


COMMAND = Command(
    "run",
    "simulate a scenario; print its figures, or write them as JSON, charts, traces, tables",
    configure,
    execute,
    epilog="example: dimmscope run hermes.yaml --set hardware.ndp_dimms.count=4 --json -",
)
