"""`dimmscope report`: tables, charts and sources in one document."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.comparing import Beside
from simcore.cli.console import Console
from simcore.cli.loading import add_edit_arguments, run_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "scenario", metavar="SCENARIO", help="a scenario file or name, or a saved run (.npz)"
    )
    add_edit_arguments(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        required=True,
        help=".html (one file) or .md (charts as SVG files beside it)",
    )
    parser.add_argument("--theme", default="paper", help="theme of the charts")
    parser.add_argument(
        "--no-compare", action="store_true", help="leave the comparison of systems out"
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate and write the report."""
    from pathlib import Path

    from simcore.errors import UserError
    from simcore.export.charts import THEMES
    from simcore.export.report import SUFFIXES, write_report
    from simcore.results.files import check_target
    from simcore.results.totals import tokens_per_s

    if Path(arguments.out).suffix.lower() not in SUFFIXES:
        raise UserError(f"{arguments.out}: a report is written to {' or '.join(SUFFIXES)}")
    THEMES.get(arguments.theme)
    check_target(arguments.out, arguments.scenario)
    with Beside(arguments.scenario, wanted=not arguments.no_compare) as others:
        run = run_of(
            arguments.scenario,
            arguments.edits,
            arguments.tokens,
            console,
            items=True,
            before=others.begin,
        )
        compare = {}
        if not arguments.no_compare:
            compare = others.compare(run.scenario, tokens_per_s(run), console)
    for path in write_report(run, arguments.out, theme=arguments.theme, compare=compare):
        console.message(f"wrote {path}")
    return Exit.DONE


COMMAND = Command(
    "report",
    "write a report with tables, charts and the source of every constant",
    configure,
    execute,
)
