"""From what the user typed to scenarios and runs; shared by the commands."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from simcore.cli.console import Console
from simcore.errors import StorageError, UserError, did_you_mean

if TYPE_CHECKING:
    from simcore.results.run import Run
    from simcore.scenario.document import Document
    from simcore.scenario.schema import Scenario

_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
_MAX_STDIN = 4 << 20


def add_scenario_arguments(parser: argparse.ArgumentParser, *, saved_run: bool = True) -> None:
    """SCENARIO, --set and --tokens."""
    kinds = "a file, the name of a shipped scenario"
    parser.add_argument(
        "scenario",
        metavar="SCENARIO",
        help=f"{kinds}, or a saved run (.npz)" if saved_run else f"{kinds}",
    )
    add_edit_arguments(parser)


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """--set and --tokens."""
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        dest="edits",
        action="append",
        default=[],
        help="change a value of the scenario, such as hardware.ndp_dimms.count=4; may be repeated",
    )
    parser.add_argument(
        "--tokens", metavar="N", type=_positive, help="tokens to generate for each sequence"
    )


def add_range_argument(parser: argparse.ArgumentParser) -> None:
    """--range."""
    parser.add_argument(
        "--range",
        metavar="A:B",
        default="",
        help="steps A to B-1 (step 0 is the prefill); either side may be left out",
    )


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000000")
    return value


def load_scenario(text: str, edits: list[str], tokens: int | None) -> Scenario:
    """Read a scenario and apply edits.

    Raises:
        ScenarioErrors: with every problem of the file.
        UserError: if there is no such file or an edit cannot be understood.
    """
    import simcore.systems  # noqa: F401 - fills the registry the scenario is checked against

    document = _document(text)
    for edit in edits:
        path, value = parse_edit(edit)
        document = document.with_value(path, value)
    if tokens is not None:
        document = document.with_value("workload.output_tokens", tokens)
    return document.resolve()


def _document(text: str) -> Document:
    from simcore.scenario.document import Document

    if text == "-":
        return Document.from_text(sys.stdin.read(_MAX_STDIN))
    return Document.from_file(find_scenario(text))


def find_scenario(text: str) -> Path:
    """The file of that path, or the shipped scenario of that name.

    Raises:
        UserError: if there is neither; with the closest names.
    """
    path = Path(text)
    try:
        if path.exists():
            return path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{text[:80]!r}: not a name of a file: {reason}") from error
    shipped = shipped_scenarios()
    if text in shipped:
        return shipped[text]
    names = ", ".join(shipped) or "none"
    beside = [entry.name for entry in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    hint = did_you_mean(text, [*shipped, *beside]) or did_you_mean(path.name, beside)
    raise UserError(
        f"no file {text!r} and no shipped scenario of that name; {hint}shipped: {names}"
    )


def shipped_scenarios() -> dict[str, Path]:
    """Name to file of the scenarios that come with the program."""
    from simcore.data import list_scenarios

    return {file.stem: file for file in list_scenarios()}


def parse_edit(edit: str) -> tuple[str, Any]:
    """``PATH=VALUE`` as path and value; the value is read as YAML.

    Raises:
        UserError: if it is no such pair.
    """
    path, equals, text = edit.partition("=")
    path = path.strip()
    if not equals or not path:
        raise UserError(f"--set {edit!r}: write PATH=VALUE, such as workload.batch=4")
    if len(text) > 10_000:
        raise UserError(f"--set {path}: the value is longer than 10000 characters")
    if _FLOAT.fullmatch(text.strip()):  # YAML 1.1 takes 1e3 for a word
        return path, float(text)
    try:
        return path, yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(getattr(error, "problem", None) or error)
        raise UserError(f"--set {path}: {text!r} is not a YAML value: {reason}") from error


def simulate_scenario(
    scenario: Scenario,
    console: Console,
    *,
    items: bool = False,
    title: str = "",
    no_room: Callable[[StorageError], None] | None = None,
) -> Run:
    """Simulate to the end, with a progress bar on a terminal; `no_room` as in `simulate`."""
    from simcore.engine.simulator import simulate

    progress = console.progress(title or scenario.name)
    try:
        return simulate(scenario, items=items, progress=progress, no_room=no_room)
    finally:
        console.end_progress()


def open_run(
    arguments: argparse.Namespace,
    console: Console,
    *,
    items: bool = False,
    before: Callable[[Scenario], None] | None = None,
    no_room: Callable[[StorageError], None] | None = None,
) -> Run:
    """The run a command is about: a saved one, or the scenario simulated."""
    return run_of(
        arguments.scenario,
        arguments.edits,
        arguments.tokens,
        console,
        items=items,
        before=before,
        no_room=no_room,
    )


def run_of(
    text: str,
    edits: list[str],
    tokens: int | None,
    console: Console,
    *,
    items: bool = False,
    before: Callable[[Scenario], None] | None = None,
    no_room: Callable[[StorageError], None] | None = None,
) -> Run:
    """A saved run, or a scenario simulated.

    Args:
        text, edits, tokens: as typed.
        console: shows the progress.
        items: as in `Simulator`.
        before: called with the scenario before it is simulated.
        no_room: as in `simulate`.

    Raises:
        UserError: if the edits are for a saved run.
    """
    from simcore.results.io import is_run_file, load_run

    if text != "-" and is_run_file(text):
        if edits or tokens:
            raise UserError(f"{text} is a saved run; --set and --tokens need a scenario")
        import simcore.systems  # noqa: F401 - fills the registry the run is prepared with

        return load_run(text)
    scenario = load_scenario(text, edits, tokens)
    if before:
        before(scenario)
    return simulate_scenario(scenario, console, items=items, no_room=no_room)
