"""The shipped scenarios as the welcome page shows them: name, a sentence, a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.theme.tokens import Theme
from simcore.data import data_root, list_scenarios
from simcore.errors import SimcoreError
from simcore.registry import SYSTEMS

PICTURE_PX = (232, 124)
"""Size of a picture on the screen."""

FIRST = "hermes-llama2-70b"
"""The scenario to begin with; it is also what a start without a file opens."""

_SENTENCE = re.compile(r"(.+?[.!?])(?=\s+[A-Z]|\s*$)")
_NAME = re.compile(r"^name:\s*(.+?)\s*$", re.MULTILINE)
_SYSTEM = re.compile(r"^system:\s*([\w-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A scenario that comes with the program.

    Attributes:
        path: its file.
        name, system: as the file says.
        sentence: first sentence of its opening comment.
        about: the whole opening comment.
    """

    path: Path
    name: str
    system: str
    sentence: str
    about: str

    def picture(self, theme: Theme) -> Path | None:
        """Its picture for a theme, if it comes with one."""
        path = data_root() / "assets" / "gallery" / f"{self.path.stem}.{theme.name}.png"
        return path if path.is_file() else None


def examples() -> tuple[Example, ...]:
    """All shipped scenarios by system; none if the program's data are missing."""
    try:
        found = [_read(path) for path in list_scenarios()]
    except (SimcoreError, OSError):
        return ()
    order = {id: number for number, id in enumerate(SYSTEMS)}

    def place(example: Example) -> tuple[int, bool]:
        return order.get(example.system, len(order)), example.path.stem != FIRST

    return tuple(sorted(found, key=place))


def _read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    about = " ".join(lines)
    name, system = _NAME.search(text), _SYSTEM.search(text)
    return Example(
        path,
        name.group(1).strip("\"'") if name else path.stem,
        system.group(1) if system else "",
        first_sentence(about),
        about,
    )


def first_sentence(text: str) -> str:
    """Up to the first full stop that a new sentence or nothing follows."""
    found = _SENTENCE.match(text)
    return found.group(1) if found else text
