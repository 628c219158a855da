"""From a point to a resolved scenario, and the key under which its result is stored."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from simcore.data import asset, is_file
from simcore.results.summary import scenario_dict, version
from simcore.scenario.document import Document
from simcore.scenario.schema import COMPONENTS, Scenario
from simcore.sweep.points import Values
from simcore.sweep.spec import Axis
from simcore.systems.plugins import plugin_files

_FORMAT = 1
_FIRST = ("system", "workload.kind", "activations.source")
_NOT_SIMULATED = ("version", "name", "compare")
_OUTSIDE = ("cli", "export", "reproduce", "sweep")


def is_preset_path(path: str) -> bool:
    """Whether a path chooses a preset rather than a value."""
    return path == "model" or path.removeprefix("hardware.") in COMPONENTS


def point_document(base: Document, axes: tuple[Axis, ...], values: Values) -> Document:
    """The scenario of a point as a document that can be opened, edited and saved.

    Raises:
        ScenarioErrors: if the base document cannot be read.
    """
    pairs = list(zip((axis.path for axis in axes), values, strict=True))
    # A system or kind drops settings of the one before, a preset those it names: they go first.
    pairs.sort(key=lambda pair: (pair[0] not in _FIRST, not is_preset_path(pair[0])))
    for path, value in pairs:
        base = with_field(base, path, value)
    return base


class PointResolver:
    """Resolves point after point of a sweep; the scenario is the one of `point_document`."""

    def __init__(self, base: Document, axes: tuple[Axis, ...]) -> None:
        self._base = base
        self._axes = axes
        self._template: Document | None = None
        self._places: list[str] = []
        self._slow = any(axis.path in _FIRST for axis in axes)

    def scenario(self, values: Values) -> Scenario:
        """The scenario of a point.

        Raises:
            ScenarioErrors: with everything that is wrong with it.
        """
        if self._slow:  # these change which fields there are
            return point_document(self._base, self._axes, values).resolve()
        if self._template is None:
            self._template = point_document(self._base, self._axes, values)
            self._places = [
                f"{axis.path}.preset"
                if isinstance(self._template.get(axis.path), dict)
                else axis.path
                for axis in self._axes
            ]
        return self._template.resolve_with(dict(zip(self._places, values, strict=True)))


def with_field(document: Document, path: str, value: Any) -> Document:
    """A document with a field of the form set; settings beside a preset stay.

    Raises:
        ScenarioErrors: if the document cannot be read.
    """
    if is_preset_path(path) and isinstance(document.get(path), dict):
        path = f"{path}.preset"
    return document.with_value(path, value)


def scenario_key(scenario: Scenario) -> str:
    """Content hash of everything a result depends on: scenario, its files, the program.

    Name, comparison list and schema version of a scenario are left out.
    """
    content = {k: v for k, v in scenario_dict(scenario).items() if k not in _NOT_SIMULATED}
    files = {path: _digest_file(path) for path in _files(scenario)}
    text = json.dumps(
        [_FORMAT, code_version(), content, files],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


@cache
def code_version() -> str:
    """Version of the program with a digest of the code and presets that decide results.

    The version alone would let a changed model find the results of the one before.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.blake2b(digest_size=6)
    files = [
        path
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).parts[0] not in (*_OUTSIDE, "_data")
    ]
    presets = sorted(asset("presets").glob("*.yaml"))
    for path in [*files, *presets, *plugin_files()]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{version()}+{digest.hexdigest()}"


def _files(scenario: Scenario) -> list[str]:
    """Data files a scenario names."""
    found = [
        getattr(scenario.workload, "trace", "")
        if getattr(scenario.workload, "source", "") == "trace"
        else ""
    ]
    if scenario.activations.source == "recorded":
        found.append(str(getattr(scenario.activations, "file", "")))
    if scenario.activations.source == "live":
        found.append(str(getattr(scenario.activations, "text_file", "")))
    return [path for path in found if path]


def _digest_file(name: str) -> str:
    for path in (Path(name), asset(f"traces/{name}"), asset(f"activations/{name}")):
        if is_file(path):
            stat = path.stat()
            return _digest(str(path.resolve()), stat.st_mtime_ns, stat.st_size)
    return ""


@cache
def _digest(path: str, stamp: int, size: int) -> str:
    del stamp, size  # parts of the cache key
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=20).hexdigest()
