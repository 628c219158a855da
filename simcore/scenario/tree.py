"""Reads YAML 1.2 (core schema) into a tree of plain nodes that know where they stand in the text.

Only data comes in: tags are refused, and size, depth, numbers of nodes and aliases are bounded, so
no text can make the reader run away. Keys must be words, and a key may stand only once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from simcore.errors import Problem, ScenarioErrors

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 20_000
MAX_ALIASES = 100
_MAX_NUMBER_LENGTH = 40

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document.

    Attributes:
        start, end: offsets in the text; `end` of a block collection is that of its last child.
        line, column: 1-based place of the start.
        style: how a scalar is quoted: ``""`` (plain), ``'``, ``"``, ``|`` or ``>``.
        anchored: whether the node has an anchor or is an alias.
        size: number of nodes below, aliases expanded.
        height: levels of nodes below, aliases expanded.
    """

    start: int
    end: int
    line: int
    column: int
    style: str = ""
    anchored: bool = False
    size: int = 1
    height: int = 0

    @property
    def data(self) -> Any:
        """The value as plain Python data."""
        raise NotImplementedError


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A number, word, truth value or null."""

    text: str = ""
    value: str | int | float | bool | None = None

    @property
    def data(self) -> Any:
        """The value."""
        return self.value


@dataclass(slots=True, eq=False)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False

    @property
    def data(self) -> list[Any]:
        """The values of the items."""
        return [item.data for item in self.items]


@dataclass(slots=True, eq=False)
class Mapping(Node):
    """Keys and values in the order of the text."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    flow: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """The values by key."""
        return {key: node.data for key, node in self.values.items()}


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means in the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > _MAX_NUMBER_LENGTH:
        return text
    if _INT.fullmatch(text):
        return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    return float("nan") if _NAN.fullmatch(text) else text


def parse(text: str) -> Mapping:
    """The tree of a document, which must be a mapping (an empty text is an empty mapping).

    Raises:
        ScenarioErrors: if the text is not acceptable; later faults may hide behind the first.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ScenarioErrors([Problem("", "the file is too large", allowed="at most 1 MiB")])
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        begun = error.context_mark
        hint = f"begun in line {begun.line + 1}" if begun and begun.line + 1 != line else ""
        problem = Problem("", f"not valid YAML: {what}", hint=hint, line=line, column=column)
    except yaml.reader.ReaderError as error:
        problem = Problem("", f"not readable as text: {error.reason}")
    except (yaml.YAMLError, UnicodeError) as error:
        problem = Problem("", f"not valid YAML: {error}")
    raise ScenarioErrors([problem])


class _Builder:
    """Builds the tree from the parser's events; every limit is checked as nodes arrive."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, Node | None] = {}
        self._aliases = 0
        self._nodes = 0

    def document(self) -> Mapping:
        root: Mapping | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _fault(event, "a second document starts here", hint="keep one")
                node = self._node(next(self._events), 0)
                if isinstance(node, Scalar) and node.value is None and not node.style:
                    node = Mapping(node.start, node.end, node.line, node.column)
                if not isinstance(node, Mapping):
                    raise _fault(event, "a mapping of keys to values is expected")
                root = node
        return root if root is not None else Mapping(0, 0, 1, 1)

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if depth > MAX_DEPTH:
            raise _fault(event, "nested too deeply", allowed=f"at most {MAX_DEPTH} levels")
        self._count(event, 1)
        if event.tag is not None:
            raise _fault(event, f"tag {event.tag!r}: tags are not supported", hint="remove it")
        if event.anchor:
            self._anchors[event.anchor] = None
        mark: Any = event.start_mark
        start, line, column = mark.index, mark.line, mark.column
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            style, text = event.style or "", event.value
            value = text if style else plain_value(text)
            end = _end(event)
            node = Scalar(start, end, line + 1, column + 1, style, text=text, value=value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(start, start, line + 1, column + 1, flow=bool(event.flow_style))
            self._fill_sequence(node, depth)
        else:
            node = Mapping(start, start, line + 1, column + 1, flow=bool(event.flow_style))
            self._fill_mapping(node, depth)
        if event.anchor:
            node.anchored = True
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _fault(event, "too many aliases", allowed=f"at most {MAX_ALIASES}")
        target = self._anchors.get(event.anchor)
        if target is None:
            raise _fault(event, f"alias *{event.anchor} has no finished anchor before it")
        if depth + target.height > MAX_DEPTH:
            raise _fault(event, "nested too deeply", allowed=f"at most {MAX_DEPTH} levels")
        self._count(event, target.size)
        target.anchored = True
        return target

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _fault(event, "too many values", allowed=f"at most {MAX_NODES}")

    def _fill_sequence(self, node: Sequence, depth: int) -> None:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                if node.flow:
                    node.end = _end(event)
                return
            item = self._node(event, depth + 1)
            node.items.append(item)
            node.size += item.size
            node.height = max(node.height, item.height + 1)
            node.end = max(node.end, item.end)

    def _fill_mapping(self, node: Mapping, depth: int) -> None:
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                if node.flow:
                    node.end = _end(event)
                return
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise _fault(event, "a key must be a word")
            if key.text in node.keys:
                first = node.keys[key.text].line
                raise _fault(event, f"key {key.text!r} stands twice", hint=f"first in line {first}")
            value = self._node(next(self._events), depth + 1)
            node.keys[key.text] = key
            node.values[key.text] = value
            node.size += 1 + value.size
            node.height = max(node.height, value.height + 1)
            node.end = max(node.end, key.end, value.end)


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def _fault(event: Any, message: str, allowed: str = "", hint: str = "") -> ScenarioErrors:
    mark = event.start_mark
    return ScenarioErrors(
        [Problem("", message, allowed, hint, line=mark.line + 1, column=mark.column + 1)]
    )
