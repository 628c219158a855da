"""Entry point: parse, execute, and turn every outcome into an exit code and a message."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.errors import Cancelled, ScenarioErrors, UserError, did_you_mean

COMMAND_NAMES = (
    *("run", "compare", "export", "animate", "trace", "report", "explain", "sweep"),
    *("reproduce", "devices", "dram", "validate", "list"),
)
"""Every command, in the order of the help; each is a module of `simcore.cli.commands`."""

_COLLECT = (100_000, 50, 100)
"""When Python looks for cycles: a command makes few and ends soon, and to look a hundred times
while modules load is an eighth of a short one."""

_DESCRIPTION = (
    "See where every weight, KV block and microsecond goes when a large language model runs on a "
    "GPU with near-data memory."
)


class _Parser(argparse.ArgumentParser):
    """A parser that suggests what was meant."""

    def error(self, message: str) -> NoReturn:
        name, found, rest = message.partition("invalid choice: ")
        if found and rest.startswith("'"):
            given = rest[1:].split("'", 1)[0]
            hint = did_you_mean(given, COMMAND_NAMES) if "COMMAND" in name else ""
            message = f"{message}; {hint.rstrip('? ')}?" if hint else message
        self.print_usage(sys.stderr)
        self.exit(Exit.BAD_INPUT, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; never raises and never shows a traceback for what the user can repair.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        0 done, 1 a check did not hold, 2 bad input, 3 cancelled, 70 a bug (a report is written).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _tolerant_streams()
    console = Console()
    try:
        with _terminable():
            code = _dispatch(arguments, console)
            console.flush()
        return int(code)
    except SystemExit as stop:  # argparse: help, version, usage errors
        return stop.code if isinstance(stop.code, int) else int(Exit.DONE)
    except BrokenPipeError:
        _silence_stdout()
        return int(Exit.DONE)
    except (Cancelled, KeyboardInterrupt):
        console.error("cancelled")
        return int(Exit.CANCELLED)
    except ScenarioErrors as error:
        for problem in error.problems:
            console.message(problem.text(error.file))
        count = len(error.problems)
        console.error(
            f"{count} problem{'s' if count != 1 else ''} in {error.file or 'the scenario'}"
        )
        return int(Exit.BAD_INPUT)
    except UserError as error:
        console.error(str(error))
        return int(Exit.BAD_INPUT)
    except MemoryError:
        console.error("not enough memory; use fewer tokens, a smaller range or a larger machine")
        return int(Exit.BAD_INPUT)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        console.error(f"{where}{error.strerror or error}")
        if error.filename is None:
            _silence_stdout()
        return int(Exit.BAD_INPUT)
    except Exception as error:  # the border: everything else is a bug of ours
        return _bug(error, arguments, console)


def process(arguments: Sequence[str]) -> int:
    """`main` for a process that ends with it.

    A command loads a hundred thousand objects that stay to the end. The collector would go through
    them thirty times while they are loaded and once more when the interpreter ends: a fifth of the
    time of a short run.
    """
    gc.set_threshold(*_COLLECT)
    try:
        return main(arguments)
    finally:
        gc.freeze()


def _dispatch(arguments: list[str], console: Console) -> int:
    # Only the command that is asked for is imported, unless the help lists them all.
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    names = (wanted,) if wanted in COMMAND_NAMES else COMMAND_NAMES
    parser = _parser([_load(name) for name in names])
    if not arguments:
        parser.print_help(sys.stderr)
        return Exit.BAD_INPUT
    parsed = parser.parse_args(arguments)
    command: Command = parsed.command_object
    return command.execute(parsed, console)


def _load(name: str) -> Command:
    module = importlib.import_module(f"simcore.cli.commands.{name}")
    command: Command = module.COMMAND
    return command


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, for its help."""
    for action in _parser([_load(name)])._actions:
        if isinstance(action, argparse._SubParsersAction):
            parser: argparse.ArgumentParser = action.choices[name]
            return parser
    raise AssertionError("a parser of commands has a choice of commands")


def _parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dimmscope",
        description=_DESCRIPTION,
        allow_abbrev=False,
        epilog="`dimmscope SCENARIO` without a command opens the application; with `--safe` it "
        "starts without settings, session, saved layout and installed systems.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    parts = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands:
        part = parts.add_parser(
            command.name,
            help=command.help,
            description=command.help,
            epilog=command.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.configure(part)
        part.set_defaults(command_object=command)
    return parser


class _Version(argparse.Action):
    """Prints the version; looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from simcore.results.summary import version

        sys.stdout.write(f"DIMMscope {version()}\n")
        parser.exit()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a command like Ctrl-C does, so that no half-written file stays behind."""

    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tolerant_streams() -> None:
    """A terminal that cannot show a character gets an escape, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            with contextlib.suppress(Exception):
                reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Point stdout to nowhere, or the interpreter complains about the closed pipe at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _bug(error: Exception, arguments: list[str], console: Console) -> int:
    from simcore.cli.crash import write_report

    console.end_progress()
    try:
        path = write_report(error, arguments)
        console.error(f"a bug: {type(error).__name__}: {error}\nA report was written to {path}")
    except OSError as problem:
        console.error(f"a bug: {type(error).__name__}: {error}\nNo report: {problem.strerror}")
    return int(Exit.BUG)
