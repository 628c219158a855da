"""Where the data that comes with the program is: presets, traces, masks, fonts, scenarios.

`data_root` looks in this order: the folder named by the environment variable ``DIMMSCOPE_DATA``,
the installed package (``simcore/_data``), the checkout. Each has ``assets/`` and ``scenarios/``.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from simcore.errors import DataFileError, UnknownNameError

ENVIRONMENT_VARIABLE = "DIMMSCOPE_DATA"


def _is_root(folder: Path) -> bool:
    return (folder / "assets").is_dir() and (folder / "scenarios").is_dir()


def data_root() -> Path:
    """The folder that holds ``assets/`` and ``scenarios/``.

    Raises:
        DataFileError: if there is none, or the environment variable names a wrong one.
    """
    override = os.environ.get(ENVIRONMENT_VARIABLE)
    if override:
        if not _is_root(Path(override)):
            raise DataFileError(
                f"{ENVIRONMENT_VARIABLE}={override}: no folder with assets/ and scenarios/ in it"
            )
        return Path(override)
    return _beside_the_code(__file__)


@cache  # asked for at every preset of every scenario
def _beside_the_code(file: str) -> Path:
    here = Path(file).resolve().parent
    for folder in (here / "_data", here.parent):
        if _is_root(folder):
            return folder
    raise DataFileError(
        "assets/ and scenarios/ not found beside the package; reinstall, or set "
        f"{ENVIRONMENT_VARIABLE} to the folder that holds them"
    )


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name no file can have is one of none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a character that is not allowed
        return False


def asset(path: str) -> Path:
    """Path of a data file under ``assets/``; whether it exists is for the reader to find out."""
    return data_root() / "assets" / path


def list_scenarios() -> tuple[Path, ...]:
    """Scenario files that come with the program, in order of name."""
    return tuple(sorted((data_root() / "scenarios").glob("*.yaml")))


def scenario_file(name: str) -> Path:
    """The scenario file of that name (without suffix) that comes with the program.

    Raises:
        UnknownNameError: with the closest known name.
    """
    known = {path.stem: path for path in list_scenarios()}
    if name not in known:
        raise UnknownNameError("scenario", name, known)
    return known[name]


def cache_folder() -> Path:
    """Where what can be made again is kept: ``$DIMMSCOPE_CACHE``, else the user's cache folder."""
    own = os.environ.get("DIMMSCOPE_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dimmscope"
