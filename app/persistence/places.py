"""Where things are kept that are not the user's own files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from simcore.cli.crash import report_folder
from simcore.data import data_root
from simcore.errors import SimcoreError


def state_folder() -> Path:
    """DIMMSCOPE_STATE, else the user's state folder; the reports of crashes go there too."""
    return report_folder()


def is_shipped(path: Path) -> bool:
    """Whether a scenario came with the program."""
    try:
        return path.resolve().is_relative_to(data_root().resolve())
    except (SimcoreError, OSError):
        return False


def beside(scenario: Path) -> Path:
    """Where the session of a scenario is kept if possible: ``NAME.view.yaml`` beside it."""
    name = scenario.stem if scenario.suffix == ".yaml" else scenario.name
    return scenario.with_name(f"{name}.view.yaml")


def elsewhere(scenario: Path) -> Path:
    """Where the session is kept if nothing may be written beside the scenario."""
    key = hashlib.sha256(os.fsencode(scenario.resolve())).hexdigest()[:16]
    return state_folder() / "sessions" / f"{scenario.stem[:60]}-{key}.view.yaml"


def can_write_beside(scenario: Path) -> bool:
    """Whether a session may be written into the scenario's folder."""
    return not is_shipped(scenario) and os.access(scenario.parent, os.W_OK)
