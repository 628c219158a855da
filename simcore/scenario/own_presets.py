"""Presets of the user's own: files like those in ``assets/presets`` in the configuration folder.

They are merged behind the shipped ones. What is wrong with them is a report, never the end of the
program: a bad entry is left out, the others of its file are used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

MAX_FILE_BYTES = 4 << 20
"""Larger files are not read."""


def own_folder() -> Path:
    """``DIMMSCOPE_CONFIG/presets``, else ``dimmscope/presets`` in the platform's folder."""
    override = os.environ.get("DIMMSCOPE_CONFIG")
    if override:
        return Path(override) / "presets"
    if sys.platform == "darwin":
        base = Path("~/Library/Preferences")
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    else:
        wanted = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(wanted) if Path(wanted).is_absolute() else Path("~/.config")
    try:
        return base.expanduser() / "dimmscope" / "presets"
    except RuntimeError:  # no home folder
        return base / "dimmscope" / "presets"


def own_file(kind: str) -> Path | None:
    """The user's file of a kind (``gpus``), if there is one."""
    path = own_folder() / f"{kind}.yaml"
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def strangers(kinds: frozenset[str]) -> list[Path]:
    """Files of the folder that no kind of preset reads, most likely misnamed."""
    try:
        found = sorted(own_folder().iterdir())
    except (OSError, ValueError):
        return []
    return [
        path
        for path in found
        if path.suffix in (".yaml", ".yml") and not (path.suffix == ".yaml" and path.stem in kinds)
    ]
