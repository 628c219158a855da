"""`dimmscope compare`: two scenarios or saved runs side by side."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_edit_arguments, run_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    for name in ("A", "B"):
        parser.add_argument(
            name.lower(), metavar=name, help="a scenario file or name, or a saved run (.npz)"
        )
    add_edit_arguments(parser)
    parser.add_argument("--json", metavar="FILE|-", help="write the comparison as JSON")
    parser.add_argument(
        "--export",
        metavar="FILE",
        help="write the speeds as bars (.svg, .pdf, .png) or as a table (.csv, .parquet)",
    )
    parser.add_argument(
        "--report", metavar="FILE", help="write a report on both (.html, or .md with SVG files)"
    )
    parser.add_argument("--theme", default="paper", help="theme of bars and charts")
    parser.add_argument(
        "--all", action="store_true", help="print also the figures that are the same"
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Summarise both and print what differs."""
    from simcore.results.diff import difference
    from simcore.results.files import check_target
    from simcore.results.summary import plain, summarise

    _check(arguments)
    for path in (arguments.json, arguments.export, arguments.report):
        if path and path != "-":
            check_target(path, arguments.a, arguments.b)
    run_a, run_b = (
        run_of(text, arguments.edits, arguments.tokens, console, items=bool(arguments.report))
        for text in (arguments.a, arguments.b)
    )
    a, b = summarise(run_a), summarise(run_b)
    found = difference(a, b)
    if arguments.export:
        from simcore.export.chart_file import write_chart
        from simcore.export.charts.comparison import two_runs

        write_chart(two_runs(run_a, run_b), arguments.export, theme=arguments.theme)
        console.message(f"wrote {arguments.export}")
    if arguments.report:
        from simcore.export.report import write_comparison

        for path in write_comparison(run_a, run_b, arguments.report, theme=arguments.theme):
            console.message(f"wrote {path}")
    if arguments.json:
        value = plain(found)
        value["figures"] = [{**plain(f), "change": f.change} for f in found.figures]
        console.json({**value, "summaries": {"a": a, "b": b}}, arguments.json)
    if arguments.json != "-":
        from simcore.cli.tables import print_difference

        print_difference(found, console, everything=arguments.all)
    return Exit.DONE


def _check(arguments: argparse.Namespace) -> None:
    """Find wrong endings and themes before the simulation, not after."""
    if arguments.export:
        from simcore.export.chart_file import check_suffix

        check_suffix(arguments.export)
    if arguments.report:
        from simcore.export.report import check_suffix as check_report

        check_report(arguments.report)
    if arguments.export or arguments.report:
        from simcore.export.charts import THEMES

        THEMES.get(arguments.theme)


COMMAND = Command(
    "compare",
    "compare two scenarios or saved runs: settings, speed, lanes, memory, energy",
    configure,
    execute,
    epilog="--set and --tokens apply to both.",
)
