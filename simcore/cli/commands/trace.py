"""`dimmscope trace`: a Chrome Trace Event file."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_range_argument, add_scenario_arguments, open_run


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--out", metavar="FILE", required=True, help="file ending in .json or .json.gz"
    )
    add_range_argument(parser)
    parser.add_argument("--no-waits", action="store_true", help="leave waits out")
    parser.add_argument("--no-counters", action="store_true", help="leave rates and memory out")
    parser.add_argument("--no-flows", action="store_true", help="leave arrows of transfers out")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate and write the trace."""
    from simcore.errors import UserError
    from simcore.export.chrome_trace import TraceOptions, write_trace
    from simcore.export.ranges import parse_range
    from simcore.results.files import check_target

    if not arguments.out.lower().endswith((".json", ".json.gz")):
        raise UserError(f"{arguments.out}: a trace is written to .json or .json.gz")
    check_target(arguments.out, arguments.scenario)
    start, stop = parse_range(arguments.range) if arguments.range else (None, None)
    options = TraceOptions(
        start,
        stop,
        waits=not arguments.no_waits,
        counters=not arguments.no_counters,
        flows=not arguments.no_flows,
    )
    count = write_trace(open_run(arguments, console), arguments.out, options)
    console.message(f"wrote {arguments.out} ({count} events); open it in ui.perfetto.dev")
    return Exit.DONE


COMMAND = Command(
    "trace",
    "write a Chrome trace of every operation and wait, for Perfetto",
    configure,
    execute,
    epilog="A whole run is large; --range 10:14 writes four steps, .json.gz packs.",
)
