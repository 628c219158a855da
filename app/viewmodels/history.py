"""The history of edits in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.commands.bus import Edit, EditBus
from simcore.errors import ScenarioErrors
from simcore.scenario.document import Document

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the history.

    Attributes:
        text: what was done, in a line.
        details: every value that changed, for the tip.
        done: whether it is done or taken back.
        current: whether this is where the document stands.
    """

    text: str
    details: str
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs: dotted path, what the file says, what the document says."""

    path: str
    in_file: str
    now: str


class History:
    """Rows of the history; words of an edit are made once."""

    def __init__(self, bus: EditBus) -> None:
        self._bus = bus
        self._words: dict[Edit, tuple[str, str]] = {}

    def steps(self, opened: str) -> list[Step]:
        """The state after opening, then every edit; `opened` names the former."""
        edits, position = self._bus.edits, self._bus.position
        self._words = {edit: self._words.get(edit) or describe(edit) for edit in edits}
        rows = [Step(opened, "Everything taken back", True, position == 0)]
        for number, edit in enumerate(edits, start=1):
            text, details = self._words[edit]
            rows.append(Step(text, details, number <= position, number == position))
        return rows


def describe(edit: Edit) -> tuple[str, str]:
    """An edit in a line, and all its changes, one a line."""
    title = edit.title[:1].upper() + edit.title[1:]
    if edit.redo is not None or edit.before is None or edit.after is None:
        return title, title
    found = changes(edit.before, edit.after)
    if not found:
        return title, title
    lines = [f"{item.path}: {item.in_file} → {item.now}" for item in found]
    first = found[0]
    if len(found) > 1:
        return f"{title} ({len(found)} values)", "\n".join([title, *lines])
    text = f"{words(first.path)}: {first.in_file} → {first.now}"
    if not edit.merge_key or edit.merge_key == "yaml":
        text = f"{title}: {text}"  # the values alone would not say how they came about
    return text, "\n".join([title, *lines])


def changes(before: Document, after: Document) -> tuple[Change, ...]:
    """Values that differ; none where one of the documents cannot be read."""
    try:
        found = before.changes(after)
    except ScenarioErrors:
        return ()
    return tuple(Change(path, _said(old), _said(new)) for path, old, new in found)


def words(path: str) -> str:
    """``hardware.ndp_dimms.count`` as ``ndp dimms · count``."""
    return path.removeprefix("hardware.").replace("_", " ").replace(".", " · ")


def _said(value: Any) -> str:
    if value is None:
        return "not given"
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
