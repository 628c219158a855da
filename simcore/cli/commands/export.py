"""`dimmscope export`: one chart as a picture or a table."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_range_argument, add_scenario_arguments, open_run


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--chart", metavar="ID", required=True, help="chart; `dimmscope list charts` shows all"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        required=True,
        help="file ending in .svg, .pdf, .png, .csv or .parquet",
    )
    add_range_argument(parser)
    parser.add_argument(
        "--layers",
        metavar="A:B",
        default="",
        help="timeline: only the time layers A to B-1 of one step take",
    )
    parser.add_argument("--theme", default="paper", help="paper (default), dark or screen")
    parser.add_argument("--width", metavar="MM", type=float, default=180, help="width in mm (180)")
    parser.add_argument("--height", metavar="MM", type=float, default=90, help="height in mm (90)")
    parser.add_argument("--dpi", metavar="N", type=int, default=300, help="dots per inch (300)")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate and draw."""
    from pathlib import Path

    from simcore.errors import UserError
    from simcore.export.chart_file import SUFFIXES, export_chart
    from simcore.export.charts import CHARTS, THEMES
    from simcore.export.ranges import parse_range
    from simcore.results.files import check_target

    chart = CHARTS.get(arguments.chart)
    THEMES.get(arguments.theme)
    if Path(arguments.out).suffix.lower() not in SUFFIXES:
        raise UserError(f"{arguments.out}: a chart is written to {', '.join(SUFFIXES)}")
    check_target(arguments.out, arguments.scenario)
    start, stop = parse_range(arguments.range) if arguments.range else (None, None)
    layers = None
    if arguments.layers:
        first, last = parse_range(arguments.layers)
        layers = (first or 0, 10**9 if last is None else last)
    run = open_run(arguments, console, items=chart.items)
    export_chart(
        run,
        chart.id,
        arguments.out,
        start=start,
        stop=stop,
        layers=layers,
        theme=arguments.theme,
        width_mm=arguments.width,
        height_mm=arguments.height,
        dpi=arguments.dpi,
    )
    console.message(f"wrote {arguments.out}")
    return Exit.DONE


COMMAND = Command(
    "export",
    "write one chart as SVG, PDF or PNG, or its data as CSV or Parquet",
    configure,
    execute,
    epilog="example: dimmscope export hermes.yaml --chart timeline --range 5:6 --out fig2.pdf",
)
