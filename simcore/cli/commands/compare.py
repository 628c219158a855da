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
        "--all", action="store_true", help="print also the figures that are the same"
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Summarise both and print what differs."""
    from simcore.results.diff import difference
    from simcore.results.files import check_target
    from simcore.results.summary import plain, summarise

    if arguments.json and arguments.json != "-":
        check_target(arguments.json, arguments.a, arguments.b)
    a, b = (
        summarise(run_of(text, arguments.edits, arguments.tokens, console))
        for text in (arguments.a, arguments.b)
    )
    found = difference(a, b)
    if arguments.json:
        value = plain(found)
        value["figures"] = [{**plain(f), "change": f.change} for f in found.figures]
        console.json({**value, "summaries": {"a": a, "b": b}}, arguments.json)
    if arguments.json != "-":
        from simcore.cli.tables import print_difference

        print_difference(found, console, everything=arguments.all)
    return Exit.DONE


COMMAND = Command(
    "compare",
    "compare two scenarios or saved runs: settings, speed, lanes, memory, energy",
    configure,
    execute,
    epilog="--set and --tokens apply to both.",
)
