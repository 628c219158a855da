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

_PACKAGES = ("numpy", "matplotlib", "PyYAML")


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


def report_text(
    error: BaseException | None,
    arguments: Sequence[str],
    parts: Sequence[tuple[str, str]] = (),
    packages: Sequence[str] = _PACKAGES,
) -> str:
    """Versions, arguments, the traceback if there is one, and further titled parts.

    The environment is left out on purpose: it may hold secrets.
    """
    what = "crash report" if error is not None else "report"
    lines = [
        f"DIMMscope {version()} {what}",
        f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"python: {platform.python_version()} on {platform.platform()}",
        *(f"{name}: {_installed(name)}" for name in packages),
        f"arguments: {list(arguments)!r}",
        "",
    ]
    if error is not None:
        lines += traceback.format_exception(error)
    for title, text in parts:
        lines += ["", f"== {title} ==", text.rstrip("\n")]
    return "\n".join(lines) + "\n"


def write_report(
    error: BaseException | None,
    arguments: Sequence[str],
    parts: Sequence[tuple[str, str]] = (),
    packages: Sequence[str] = _PACKAGES,
) -> Path:
    """Write `report_text` to a new file; returns its path.

    Raises:
        OSError: if there is no folder that can be written.
    """
    text = report_text(error, arguments, parts, packages)
    prefix = "crash-" if error is not None else "report-"
    for folder in (report_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=prefix, suffix=".txt", dir=folder)
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
