"""`dimmscope validate`: every problem of every file."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import load_scenario
from simcore.errors import ScenarioErrors, UserError


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("scenarios", metavar="SCENARIO", nargs="+", help="scenario files or names")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Check all files; 2 if any has a problem."""
    bad = sum(not _valid(text, console) for text in arguments.scenarios)
    if bad:
        total = len(arguments.scenarios)
        console.error(f"{bad} of {total} scenario{'s' if total != 1 else ''} cannot be used")
    return Exit.BAD_INPUT if bad else Exit.DONE


def _valid(text: str, console: Console) -> bool:
    """Whether a scenario can be read, resolved and fits its machine, variants included."""
    from simcore.engine.limits import countable
    from simcore.registry import SYSTEMS
    from simcore.results.variants import variant_scenario

    try:
        scenario = load_scenario(text, [], None)
        with countable():
            SYSTEMS.get(scenario.system).prepare(scenario, items=False)
        for name in scenario.compare:
            variant_scenario(scenario, name)
    except ScenarioErrors as error:
        for problem in error.problems:
            console.message(problem.text(error.file or text))
        return False
    except UserError as error:
        message = str(error)
        console.message(message if message.startswith(text) else f"{text}: {message}")
        return False
    console.out(f"{text}: ok")
    return True


COMMAND = Command(
    "validate",
    "check scenario files; all problems with line, path, allowed values and remedy",
    configure,
    execute,
)
