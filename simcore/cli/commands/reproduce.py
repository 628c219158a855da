"""`dimmscope reproduce`: published numbers against simulated ones."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.errors import UnknownNameError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simcore.reproduce.table import Row

_MAX_WORKERS = 64


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "systems",
        metavar="SYSTEM",
        nargs="*",
        help="hermes, l3, h2m2 or hybridserve: whose published numbers; all if none is named",
    )
    parser.add_argument(
        "--targets", metavar="FILE", help="published numbers to compare with (those shipped)"
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        default="",
        help="only ids that contain this, or match it when it has * or ?",
    )
    parser.add_argument("--json", metavar="FILE|-", help="write the comparison as JSON")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a number is missed, and list them"
    )
    parser.add_argument(
        "--write-docs", metavar="FILE", help="write the comparison as a page in Markdown"
    )
    parser.add_argument(
        "--workers", metavar="N", type=_workers, default=2, help="processes to simulate in (2)"
    )


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= _MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MAX_WORKERS}")
    return int(text)


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate what the numbers belong to, then write what was asked for."""
    from simcore.reproduce.page import fidelity_page
    from simcore.reproduce.table import choose, document, missed, reproduce
    from simcore.reproduce.targets import FAMILIES, load_targets, shipped_file
    from simcore.results.files import check_target, replacing

    for name in arguments.systems:
        if name not in FAMILIES:
            raise UnknownNameError("system with published numbers", name, FAMILIES)
    file = arguments.targets or shipped_file()
    for path in (arguments.json, arguments.write_docs):
        if path and path != "-":
            check_target(path, str(file))
    known = load_targets(file)
    targets = choose(known, arguments.systems, arguments.only)
    if not targets:
        wanted = " ".join(arguments.systems) or "any system"
        raise UserError(f"{file}: no target of {wanted} matches {arguments.only or '*'!r}")
    try:
        rows = reproduce(
            targets,
            known=known,
            workers=arguments.workers,
            progress=console.progress("reproduce", "simulations"),
        )
    finally:
        console.end_progress()
    comparison = document(rows)
    if arguments.json:
        console.json(comparison, arguments.json)
    if arguments.write_docs:
        with replacing(arguments.write_docs) as temporary:
            temporary.write_text(fidelity_page(rows), encoding="utf-8")
        console.message(f"wrote {arguments.write_docs}")
    if arguments.json != "-":
        _print(rows, comparison["summary"], console)
    if not arguments.check:
        return Exit.DONE
    wrong = missed(rows)
    for row in wrong:
        console.message(f"missed: {row.target.id} ({row.use}): {_comparison(row)}")
    return Exit.CHECK_FAILED if wrong else Exit.DONE


def _comparison(row: Row) -> str:
    return (
        f"published {_number(row.target.value)}, simulated {_number(row.simulated)}, "
        f"tolerance {row.target.tolerance}"
    )


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f} %"


def _print(rows: Sequence[Row], summary: dict[str, Any], console: Console) -> None:
    """Rows with a value as a table, the others by reason, and the summary."""
    there = [row for row in rows if row.simulated is not None]
    if there:
        console.table(
            ("target", "published", "simulated", "error", "class", "use", "tolerance", "verdict"),
            [
                (
                    row.target.id,
                    _number(row.target.value),
                    _number(row.simulated),
                    _percent(row.error),
                    row.target.cls,
                    row.use,
                    row.target.tolerance,
                    row.verdict.value,
                )
                for row in there
            ],
        )
        console.out()
    for row in there:
        if row.target.parts[-1] != "tokps" and row.reason:
            console.out(f"{row.target.id}: {row.reason}")
    _print_unresolved(rows, console)
    console.out()
    counts = ", ".join(f"{count} {name}" for name, count in summary["verdicts"].items())
    console.out(f"{summary['targets']} targets: {counts}")
    for use, part in summary["by_use"].items():
        counts = ", ".join(f"{count} {name}" for name, count in part["verdicts"].items())
        median = part["median_abs_error"]
        shown = "" if median is None else f"; median error {100 * median:.1f} %"
        console.out(f"  {use}: {counts}{shown}")


def _print_unresolved(rows: Sequence[Row], console: Console) -> None:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.simulated is None:
            reasons.setdefault(row.reason, []).append(row.target.id)
    for reason, ids in reasons.items():
        shown = ", ".join(ids) if len(ids) <= 4 else f"{ids[0]} ... {ids[-1]}, {len(ids)} targets"
        console.out(f"unresolved: {shown}: {reason}")


COMMAND = Command(
    "reproduce",
    "compare published numbers with simulated ones, target by target",
    configure,
    execute,
    epilog="example: dimmscope reproduce hermes --only 70b --check\n"
    "A target is fitted when it was used to set a constant, else checked.",
)
