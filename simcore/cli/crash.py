"""The report written when the program itself is at fault."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from simcore.results.summary import version


def report_folder() -> Path:
    """Where reports go: ``DIMMSCOPE_STATE``, the user's state folder, or the temporary folder."""
    wanted = os.environ.get("DIMMSCOPE_STATE")
    if wanted:
        return Path(wanted)
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state and Path(state).is_absolute() else Path("~/.local/state")
    try:
        return base.expanduser() / "dimmscope"
    except RuntimeError:  # no home folder
        return Path(tempfile.gettempdir()) / "dimmscope"


def write_report(error: BaseException, arguments: Sequence[str]) -> Path:
    """Write versions, arguments and the traceback to a new file; returns its path.

    The environment is left out on purpose: it may hold secrets.
    """
    text = "\n".join(
        [
            f"DIMMscope {version()} crash report",
            f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
            f"python: {platform.python_version()} on {platform.platform()}",
            *(f"{name}: {_installed(name)}" for name in ("numpy", "matplotlib", "PyYAML")),
            f"arguments: {list(arguments)!r}",
            "",
            *traceback.format_exception(error),
        ]
    )
    for folder in (report_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="crash-", suffix=".txt", dir=folder)
        except OSError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return Path(name)
    raise OSError(0, f"no writable folder; traceback: {traceback.format_exc()}", sys.argv[0])


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
