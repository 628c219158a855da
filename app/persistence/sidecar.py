"""The session file of a scenario: reading, writing, and keeping damaged ones aside."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from app.persistence import places
from simcore.errors import SimcoreError
from simcore.results.files import replacing
from simcore.scenario.document import Document

VERSION = 1
FORMAT = "dimmscope-view"
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_HEAD = "# What DIMMscope remembers of the window for the scenario beside it; may be deleted.\n"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A session as it was read.

    Attributes:
        values: part to plain data.
        found: whether there was one that could be used.
        problem: what to tell the user, empty for nothing.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    found: bool = False
    problem: str = ""


def read(scenario: Path) -> Sidecar:
    """The session of a scenario; a damaged or newer one is copied aside and not used."""
    for path in (places.beside(scenario), places.elsewhere(scenario)):
        try:
            if not path.is_file():
                continue
            data = Document.from_file(path).data()
        except (SimcoreError, OSError) as error:
            return Sidecar(problem=_set_aside(path, f"cannot be read ({_first_line(error)})"))
        if data.get("format") != FORMAT:
            continue  # a file of the user's that happens to have this name
        version, values = data.get("version"), data.get("session")
        if isinstance(version, int) and version > VERSION:
            return Sidecar(problem=_set_aside(path, "is of a newer version of DIMMscope"))
        if version != VERSION or not isinstance(values, dict):
            return Sidecar(problem=_set_aside(path, "is damaged"))
        return Sidecar(values, True)
    return Sidecar()


def write(scenario: Path, text: str) -> Path:
    """Write a session, whole or not at all; returns the file.

    Args:
        scenario: the scenario it is of.
        text: from `text_of`.

    Raises:
        SimcoreError, OSError: if it can be written nowhere.
    """
    target = places.beside(scenario)
    if places.can_write_beside(scenario) and not _foreign(target):
        try:
            return _write(target, text)
        except (SimcoreError, OSError):
            pass  # a full or vanished disk: the other place may still do
    target = places.elsewhere(scenario)
    target.parent.mkdir(parents=True, exist_ok=True)
    return _write(target, text)


def text_of(values: Mapping[str, Any]) -> str:
    """The session file as text; equal sessions give equal texts."""
    data = {"format": FORMAT, "version": VERSION, "session": dict(values)}
    body = yaml.dump(
        data,
        Dumper=_DUMPER,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
    return _HEAD + str(body)


def set_aside_parts(scenario: Path, names: list[str]) -> str:
    """Keep a session aside of which single parts cannot be used; returns what to tell the user."""
    for path in (places.beside(scenario), places.elsewhere(scenario)):
        if path.is_file() and not _foreign(path):
            return _set_aside(path, f"has unusable parts ({', '.join(names)})", "their")
    return ""


def _write(target: Path, text: str) -> Path:
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def _foreign(path: Path) -> bool:
    """Whether a file is readable and yet no session of ours."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if f"\nformat: {FORMAT}\n".encode() in file.read(400):
                return False  # as we write it; a whole parse takes a frame
        return Document.from_file(path).data().get("format") != FORMAT
    except (SimcoreError, OSError):
        return False  # a damaged session, which has been copied aside


def _set_aside(path: Path, what: str, whose: str = "the") -> str:
    text = f"{path.name}: the session {what}; {whose} defaults are used"
    copy = free_name(path)
    try:
        shutil.copyfile(path, copy)
    except OSError as error:
        return f"{text}. No copy could be kept: {error.strerror or error}"
    return f"{text}. A copy is kept as {copy.name}"


def free_name(path: Path) -> Path:
    """``NAME.bak``, or ``NAME.2.bak`` … where that is taken by something else."""
    copy, number = path.with_name(f"{path.name}.bak"), 1
    content = path.read_bytes() if path.is_file() else b""
    while copy.exists() and copy.read_bytes() != content:
        number += 1
        copy = path.with_name(f"{path.name}.{number}.bak")
    return copy


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
