"""Files of published numbers: read, checked, every problem reported at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simcore.data import asset
from simcore.errors import DataFileError, Problem, ScenarioErrors, did_you_mean
from simcore.reproduce.tolerance import GRAMMAR, Tolerance
from simcore.scenario import tree

FAMILIES: Mapping[str, str] = {
    "hermes": "Hermes",
    "l3": "L3 (CHIME)",
    "h2m2": "H2M2",
    "hybridserve": "HybridServe",
}
"""`system` of a target to the title of the paper's system."""

CLASSES = ("paper", "report", "public", "derived")
KEYS = (
    "id",
    "system",
    "quantity",
    "unit",
    "config",
    "value",
    "class",
    "source",
    "tolerance",
)
_ID = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)+")


@dataclass(frozen=True, slots=True)
class Target:
    """One published number.

    Attributes:
        id: dotted name; its last parts say what is compared.
        system: key of `FAMILIES`.
        quantity, unit: in words.
        config: what was measured.
        value: the number, or text for an order.
        cls: where the number comes from, one of `CLASSES`.
        source: paper and section, table or figure.
        tolerance: how far the simulation may be off.
    """

    id: str
    system: str
    quantity: str
    unit: str
    config: Mapping[str, Any]
    value: float | str
    cls: str
    source: str
    tolerance: Tolerance

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the id."""
        return tuple(self.id.split("."))


def shipped_file() -> Path:
    """The file of published numbers that comes with the program."""
    return asset("papers/targets.yaml")


def load_targets(path: Path | str) -> tuple[Target, ...]:
    """The targets of a file.

    Raises:
        DataFileError: if the file cannot be read.
        ScenarioErrors: with every problem of the file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(tree.MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}: not UTF-8 text: {error.reason}") from error
    return parse_targets(text, str(path))


def parse_targets(text: str, file: str = "") -> tuple[Target, ...]:
    """The targets of a text.

    Raises:
        ScenarioErrors: with every problem of the text.
    """
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    targets = []
    try:
        entries = _entries(text)
    except ScenarioErrors as error:
        raise ScenarioErrors(error.problems, file) from None
    for number, node in enumerate(entries, 1):
        target = _target(node, number, seen, problems)
        if target is not None:
            targets.append(target)
    if problems:
        raise ScenarioErrors(problems, file)
    if not targets:
        raise ScenarioErrors([Problem("", "no target in it")], file)
    return tuple(targets)


def _entries(text: str) -> Iterable[tree.Node]:
    """The nodes of the list; the reader wants a mapping, so the list is put under a key."""
    lines = text.splitlines()
    first = next((at for at, line in enumerate(lines) if line and not line.startswith("#")), 0)
    if lines and lines[first].strip() == "---":
        lines[first] = ""
    if lines and lines[first].lstrip().startswith(("[", "{")):
        lines[first:] = [f" {line}" for line in lines[first:]]
    try:
        root = tree.parse("targets:\n" + "\n".join(lines) + "\n")
    except ScenarioErrors as error:
        raise ScenarioErrors(
            Problem(p.path, p.message, p.allowed, p.hint, max(0, p.line - 1), p.column, p.value)
            for p in error.problems
        ) from None
    found = root.values["targets"]
    if len(root.values) > 1 or not isinstance(found, tree.Sequence):
        wrong = Problem("", "a list of targets is expected", hint="begin each with '- id: ...'")
        raise ScenarioErrors([wrong])
    return found.items


class _Entry:
    """Reads one entry and notes what is wrong with it."""

    def __init__(self, node: tree.Mapping, name: str, problems: list[Problem]) -> None:
        self.node = node
        self.name = name
        self.problems = problems
        self.good = True

    def wrong(self, key: str, message: str, allowed: str = "", hint: str = "") -> None:
        self.good = False
        at = self.node.values.get(key)
        node = at if at is not None else self.node
        value = str(at.data)[:60] if isinstance(at, tree.Scalar) else ""
        where = f"{self.name}.{key}" if key else self.name
        self.problems.append(
            Problem(where, message, allowed, hint, max(0, node.line - 1), node.column, value)
        )

    def text(self, key: str) -> str:
        """A non-empty text; what is missing was noted before."""
        node = self.node.values.get(key)
        if node is None:
            return ""
        if not isinstance(node, tree.Scalar) or node.value is None or not node.text.strip():
            self.wrong(key, "a text is needed")
            return ""
        return node.text.strip()

    def word(self, key: str, known: Iterable[str]) -> str:
        """One of the known words."""
        known = tuple(known)
        text = self.text(key)
        if text and text not in known:
            self.wrong(key, "not known", " | ".join(known), did_you_mean(text, known).strip())
        return text

    def value(self) -> float | str:
        """The published number or order."""
        node = self.node.values.get("value")
        if node is None:
            return ""
        found = node.value if isinstance(node, tree.Scalar) else None
        if found is None or isinstance(found, bool):
            self.wrong("value", "a number or a text is needed")
            return ""
        if not isinstance(found, str):
            if not math.isfinite(found):
                self.wrong("value", "not a finite number")
                return ""
            return float(found)
        if not found.strip():
            self.wrong("value", "a number or a text is needed")
        return found

    def config(self) -> dict[str, Any]:
        """What was measured: words to words or numbers."""
        node = self.node.values.get("config")
        if node is None:
            return {}
        if not isinstance(node, tree.Mapping):
            self.wrong("config", "a mapping is needed", hint="write {} when there is nothing")
            return {}
        for key, item in node.values.items():
            if not isinstance(item, tree.Scalar) or item.value is None:
                self.wrong("config", f"{key}: a number or a word is needed")
            elif isinstance(item.value, float) and not math.isfinite(item.value):
                self.wrong("config", f"{key}: not a finite number")
        return node.data

    def tolerance(self, value: float | str) -> Tolerance:
        """How far the simulation may be off."""
        text = self.text("tolerance")
        found = Tolerance.parse(text) if text else None
        if text and found is None:
            self.wrong("tolerance", "not a tolerance", allowed=GRAMMAR)
        elif found is not None and isinstance(value, str) and found.kind not in ("exact", "info"):
            self.wrong("tolerance", "a value that is text can only be exact or info")
        return found or Tolerance("info")


def _target(
    node: tree.Node, number: int, seen: dict[str, int], problems: list[Problem]
) -> Target | None:
    line = max(0, node.line - 1)
    if not isinstance(node, tree.Mapping):
        problems.append(Problem(f"target {number}", "a mapping is expected", line=line))
        return None
    given = node.values.get("id")
    name = given.text if isinstance(given, tree.Scalar) and given.text else f"target {number}"
    entry = _Entry(node, name, problems)
    for key in KEYS:
        if key not in node.values:
            entry.wrong("", f"no {key}", hint=f"each target has {', '.join(KEYS)}")
    for key in node.values:
        if key not in KEYS:
            entry.wrong(key, "unknown key", hint=did_you_mean(key, KEYS).strip())
    id = entry.text("id")
    if id and not _ID.fullmatch(id):
        entry.wrong("id", "not an id", allowed="words of letters, digits, - + _ joined by dots")
    elif id in seen:
        entry.wrong("id", "this id stands twice", hint=f"first in line {seen[id]}")
    if id:
        seen.setdefault(id, line)
    value = entry.value()
    target = Target(
        id=id,
        system=entry.word("system", FAMILIES),
        quantity=entry.text("quantity"),
        unit=entry.text("unit"),
        config=entry.config(),
        value=value,
        cls=entry.word("class", CLASSES),
        source=entry.text("source"),
        tolerance=entry.tolerance(value),
    )
    return target if entry.good else None
