"""Entry point of everything: the command line for its commands, the application for the rest."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

BAD_INPUT = 2
BUG = 70
SAFE = "--safe"
SWITCH_INTERVAL_S = 1e-4
"""How long a thread may keep the interpreter while another waits for it. The default of 5 ms would
make the window stumble behind a simulation; a tenth of a millisecond costs that nothing."""
DEFAULT_SCENARIO = "hermes-llama2-70b.yaml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command without Qt, or open the application; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if SAFE in arguments[:2] and not _is_command([a for a in arguments if a != SAFE]):
        return _open([a for a in arguments if a != SAFE], safe=True)
    if _is_command(arguments):
        from simcore.cli import main as command_line
        from simcore.cli import process

        return process(arguments) if argv is None else int(command_line(arguments))
    return _open(arguments)


def _is_command(arguments: list[str]) -> bool:
    """Whether the arguments are for the command line: a command, or an option such as --help."""
    if not arguments:
        return False
    first = arguments[0]
    if first.startswith("-"):
        return True
    from simcore.cli import COMMAND_NAMES

    return first in COMMAND_NAMES


def _named_scenario(name: str) -> Path:
    """The file of that path, or else the shipped scenario of that name."""
    path = Path(name)
    if path.is_file():
        return path
    from simcore.data import list_scenarios

    shipped = {scenario.stem: scenario for scenario in list_scenarios()}
    return shipped.get(name, path)


def _open(arguments: list[str], *, safe: bool = False) -> int:
    if len(arguments) > 1:
        return _complain(f"one scenario at most, got {len(arguments)}: {' '.join(arguments)}")
    path = _named_scenario(arguments[0]) if arguments else _default_scenario()
    if path is not None and arguments and not path.is_file():
        from simcore.cli import COMMAND_NAMES
        from simcore.errors import did_you_mean

        hint = did_you_mean(arguments[0], COMMAND_NAMES)
        return _complain(
            f"{path}: no such scenario file; {hint}commands: {', '.join(COMMAND_NAMES)}"
        )
    if not _has_display():
        return _complain(
            "no display: set DISPLAY or WAYLAND_DISPLAY to open the window, or use the commands "
            "that need none (dimmscope --help)"
        )
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if safe:
        os.environ["DIMMSCOPE_PLUGINS"] = "off"  # also for the processes of sweeps
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.disable()  # the window collects by itself; collecting while loading is a sixth of the start
    from simcore.remote.heap import keep_freed_memory
    from simcore.remote.parent import WORKERS
    from simcore.remote.priority import raise_thread

    keep_freed_memory()
    raise_thread()
    WORKERS.warm()  # it loads the simulator while this process loads the window
    try:
        from app.bootstrap import run
    except ImportError as error:
        return _complain(
            f"the window needs Qt, which cannot be loaded: {error}; on Debian or Ubuntu install "
            "libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libxcb-cursor0"
        )
    try:
        return run(path, welcome=not arguments and not safe, safe=safe)
    except Exception as error:  # the border: nothing but a bug of ours comes here
        return _bug(error, safe=safe)


def _bug(error: Exception, *, safe: bool) -> int:
    """The window could not be made: a report instead of a traceback, and a way round."""
    from simcore.cli.crash import write_report

    try:
        told = f"a report was written to {write_report(error, sys.argv[1:])}"
    except OSError as problem:
        told = f"no report: {problem.strerror}"
    _complain(f"the window cannot be opened: {type(error).__name__}: {error}; {told}")
    if not safe:
        _complain(
            "`dimmscope --safe` starts without settings, session, saved layout and "
            "installed systems"
        )
    return BUG


def _default_scenario() -> Path | None:
    from simcore.data import data_root

    path = data_root() / "scenarios" / DEFAULT_SCENARIO
    return path if path.is_file() else None


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform and not platform.startswith(("xcb", "wayland")):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _complain(text: str) -> int:
    sys.stderr.write(f"dimmscope: {text}\n")
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
