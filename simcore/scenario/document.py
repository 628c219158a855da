"""A scenario file as the user wrote it: immutable text that can be edited value by value."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from simcore.data import is_file, scenario_file
from simcore.errors import DataFileError, Problem, ScenarioErrors
from simcore.scenario import edit, tree
from simcore.scenario.binding import field_specs
from simcore.scenario.listing import FieldInfo, scenario_fields
from simcore.scenario.load import known_systems, resolve
from simcore.scenario.migrate import migrate
from simcore.scenario.schema import ACTIVATIONS, COMPONENTS, WORKLOADS, Scenario

__all__ = ["Document", "FieldInfo", "open_document", "scenario_fields"]

_UNSAVED = "unsaved scenario"


class Document:
    """The text of a scenario, its values by dotted path, and what it resolves to.

    A document may be wrong in any way: it then has `problems`. Every change gives a new document;
    comments, order of keys and quoting outside the changed value stay as they are.

    Attributes:
        path: the file it was read from; None if there is none.
    """

    def __init__(self, text: str, path: Path | None = None) -> None:
        self._text = text.removeprefix("\ufeff")
        self.path = path

    def __reduce__(self) -> tuple[type, tuple[str, Path | None]]:
        return (type(self), (self._text, self.path))

    @classmethod
    def from_text(cls, text: str, path: Path | str | None = None) -> Document:
        """A document of a text; any text will do."""
        return cls(text, Path(path) if path is not None else None)

    @classmethod
    def from_file(cls, path: Path | str) -> Document:
        """A document of a file.

        Raises:
            DataFileError: if the file cannot be read, is too large or is not UTF-8.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                raw = file.read(tree.MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataFileError(f"{path}: cannot be read: {reason}") from error
        if len(raw) > tree.MAX_BYTES:
            raise DataFileError(f"{path}: too large for a scenario (more than 1 MiB)")
        try:
            return cls(raw.decode("utf-8"), path)
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise DataFileError(f"{path}:{line}: not UTF-8 text: {error.reason}") from error

    def __repr__(self) -> str:
        return f"Document({str(self.path or _UNSAVED)!r}, {len(self._text)} characters)"

    def text(self) -> str:
        """The document as it would be saved."""
        return self._text

    def data(self) -> dict[str, Any]:
        """Everything the document says, as plain data.

        Raises:
            ScenarioErrors: if the text cannot be read.
        """
        return self._root.data

    def get(self, path: str, default: Any = None) -> Any:
        """The value the document gives at a dotted path; `default` if it gives none.

        ``hardware.gpu.preset`` also finds the short form ``gpu: rtx-4090``.
        """
        try:
            node: tree.Node = self._root
        except ScenarioErrors:
            return default
        keys = path.split(".")
        for depth, key in enumerate(keys):
            if isinstance(node, tree.Mapping) and key in node.values:
                node = node.values[key]
            elif isinstance(node, tree.Sequence) and key.isdecimal() and int(key) < len(node.items):
                node = node.items[int(key)]
            elif key == "preset" and depth == len(keys) - 1 and isinstance(node.data, str):
                return node.data
            else:
                return default
        return node.data

    def with_value(self, path: str, value: Any) -> Document:
        """A document with the value at a dotted path replaced or added.

        Setting a field of a component that is written in short form (``gpu: rtx-4090``) keeps its
        preset. Choosing another kind of workload, source of activations or system drops the
        settings that mean nothing to the new one.

        Raises:
            ScenarioErrors: if the document cannot be read or cannot hold the value.
        """
        keys = _keys(path)
        value = edit.plain_data(value)
        document = self
        for stale in self._stale(path, value):
            document = document.without(stale)
        if keys[-1] == "preset" and isinstance(document.get(".".join(keys[:-1])), str):
            keys = keys[:-1]
        text = edit.set_value(document.text(), document._root, keys, value)
        result = Document(text, self.path)
        result._root  # noqa: B018 - raises if the value cannot be written
        return result

    def without(self, path: str) -> Document:
        """A document without the value at a dotted path; itself if there is none.

        Raises:
            ScenarioErrors: if the document cannot be read.
        """
        text = edit.remove(self._text, self._root, _keys(path))
        return self if text == self._text else Document(text, self.path)

    def problems(self) -> tuple[Problem, ...]:
        """What keeps the document from being simulated; empty if nothing does."""
        return self._resolved[1]

    def resolve(self) -> Scenario:
        """The scenario the document describes.

        Raises:
            ScenarioErrors: with all problems.
            DataFileError: if the presets cannot be read.
        """
        scenario, problems = self._resolved
        if scenario is None:
            raise ScenarioErrors(problems, str(self.path) if self.path else "")
        return scenario

    def resolve_with(self, values: Mapping[str, Any]) -> Scenario:
        """The scenario with single values replaced, three times as fast as by way of a text.

        Args:
            values: by dotted path; the document must give a single value at each of them, and none
                may pick another set of fields (system, kind of workload).

        Raises:
            ScenarioErrors: with all problems.
            KeyError: if the document gives no single value at a path.
        """
        root = self._root
        for path, value in values.items():
            root = _replaced(root, path.split("."), edit.plain_data(value))
        scenario, problems = resolve(root, self.path.name if self.path else _UNSAVED)
        if scenario is None:
            raise ScenarioErrors(problems, str(self.path) if self.path else "")
        return scenario

    def changes(self, other: Document) -> tuple[tuple[str, Any, Any], ...]:
        """What differs from this document to another: (path, value here, value there).

        None stands for a value that is not given; the short form ``gpu: rtx-4090`` counts as
        ``gpu: {preset: rtx-4090}``.
        """
        mine, theirs = _flat(_long_form(self.data())), _flat(_long_form(other.data()))
        paths = [*mine, *(path for path in theirs if path not in mine)]
        return tuple(
            (path, mine.get(path), theirs.get(path))
            for path in paths
            if path not in mine or path not in theirs or not edit.same(mine[path], theirs[path])
        )

    def save(self, path: Path | str | None = None) -> None:
        """Write the document to a file, whole or not at all.

        Args:
            path: the file; the one the document was read from if not given.

        Raises:
            OSError: if the file cannot be written.
            ValueError: if there is no path.
        """
        target = Path(path) if path is not None else self.path
        if target is None:
            raise ValueError("a document without a file needs a path to be saved to")
        _replace_file(target.resolve(), self._text.encode("utf-8"))

    @cached_property
    def _root(self) -> tree.Mapping:
        try:
            return tree.parse(self._text)
        except ScenarioErrors as error:
            file = str(self.path) if self.path else ""
            raise ScenarioErrors(error.problems, file) from None

    @cached_property
    def _resolved(self) -> tuple[Scenario | None, tuple[Problem, ...]]:
        try:
            current: Document = migrate(self)
            return resolve(current._root, self.path.name if self.path else _UNSAVED)
        except ScenarioErrors as error:
            return None, error.problems

    def _stale(self, path: str, value: Any) -> list[str]:
        """Paths that would become unknown keys when a word picks another set of fields."""
        if not isinstance(value, str):
            return []
        allowed: type[Any] | None = None
        group = path.partition(".")[0]
        if path == "workload.kind":
            allowed = WORKLOADS.get(value)
        elif path == "activations.source":
            allowed = ACTIVATIONS.get(value)
        elif path == "system":
            group = "policy"
            system = known_systems().get(value)
            allowed = system.policy_type if system is not None else None
        given = self.get(group)
        if allowed is None or not isinstance(given, dict):
            return []
        known: Mapping[str, Any] = field_specs(allowed)
        return [f"{group}.{key}" for key in given if key not in known]


def open_document(source: Path | str) -> Document:
    """A document of a file, or of a scenario that comes with the program by its name.

    Raises:
        DataFileError: if the file cannot be read.
        UnknownNameError: if there is neither such a file nor such a name.
    """
    path = Path(source)
    if isinstance(source, str) and not path.suffix and path.name == source and not is_file(path):
        path = scenario_file(source)
    return Document.from_file(path)


def _long_form(data: dict[str, Any]) -> dict[str, Any]:
    """The data with presets spelled out."""

    def spell_out(value: Any) -> Any:
        return {"preset": value} if isinstance(value, str) else value

    result = {key: spell_out(value) if key == "model" else value for key, value in data.items()}
    hardware = result.get("hardware")
    if isinstance(hardware, dict):
        result["hardware"] = {
            key: spell_out(value) if key in COMPONENTS else value for key, value in hardware.items()
        }
    return result


def _replaced(group: tree.Mapping, keys: list[str], value: Any) -> tree.Mapping:
    """A mapping with a single value replaced; the mappings on the way are copied, not changed."""
    node: tree.Node = group.values[keys[0]]
    if len(keys) > 1:
        if not isinstance(node, tree.Mapping):
            raise KeyError(keys[0])
        node = _replaced(node, keys[1:], value)
    elif isinstance(node, tree.Scalar):
        node = dataclasses.replace(node, value=value)
    else:
        raise KeyError(keys[0])
    return dataclasses.replace(group, values={**group.values, keys[0]: node})


def _keys(path: str) -> list[str]:
    keys = path.split(".")
    if not all(keys):
        raise ScenarioErrors([Problem(path, "not a path", allowed="keys joined by dots")])
    return keys


def _flat(data: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(data, dict) or not data:
        return {prefix: data} if prefix else {}
    result: dict[str, Any] = {}
    for key, value in data.items():
        result.update(_flat(value, f"{prefix}.{key}" if prefix else key))
    return result


def _replace_file(target: Path, content: bytes) -> None:
    """Write beside the target, then rename; an existing file keeps its permissions."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            mode = target.stat().st_mode & 0o7777
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
