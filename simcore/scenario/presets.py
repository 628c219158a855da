"""Presets: named components and models with their sources.

Read from ``assets/presets`` and, behind them, from the user's own folder (`own_presets`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simcore.data import asset
from simcore.errors import DataFileError, Problem, ScenarioErrors, UnknownNameError
from simcore.scenario import own_presets
from simcore.scenario.binding import Problems, bind
from simcore.scenario.fields import Provenance, SourceClass
from simcore.scenario.schema import COMPONENTS, Model
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import Node, Scalar, parse

PRESET_KINDS: Mapping[str, str] = {
    "gpu": "gpus",
    "pcie": "pcie",
    "ndp_dimms": "ndp_dimms",
    "dimm_link": "dimm_links",
    "host": "hosts",
    "hbm": "side_memories",
    "hbm_npu": "npus",
    "lpddr": "side_memories",
    "lpddr_npu": "npus",
    "chip_link": "chip_links",
    "mmu": "mmus",
    "nvlink": "nvlinks",
    "dimm_pim": "dimm_pims",
    "hbm_pim": "hbm_pims",
    "model": "models",
}
"""Component name (or ``model``) to the file of its presets, without suffix."""

_ENTRY_KEYS = ("title", "values", "class", "source", "field_sources", "info")


@dataclass(frozen=True, slots=True)
class Preset:
    """A named component or model.

    Attributes:
        id: name in a scenario.
        component: key of `PRESET_KINDS`.
        title: name as shown.
        values: schema fields, nested like the dataclass.
        provenance: dotted field name to class and citation, for every value.
        info: further facts, such as the published number of parameters.
    """

    id: str
    component: str
    title: str
    values: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    info: Mapping[str, Any]


def presets(component: str) -> Mapping[str, Preset]:
    """All presets of a component (or of ``model``) by id.

    Raises:
        DataFileError: if the preset file is missing or damaged.
    """
    path = asset(f"presets/{PRESET_KINDS[component]}.yaml")
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror}") from error
    shipped = _load(component, path, stamp)
    own = _own(component)[0]
    if not own:
        return shipped
    added = {id: entry for id, entry in own.items() if id not in shipped}
    return MappingProxyType({**shipped, **added})


def own_problems() -> tuple[str, ...]:
    """What is wrong in the user's own preset files, each with file and repair; often empty."""
    kinds = frozenset(PRESET_KINDS.values())
    found = [
        f"{path}: not read; name it as the kind of its presets: {', '.join(sorted(kinds))}.yaml"
        for path in own_presets.strangers(kinds)
    ]
    said: set[str] = set()
    for component, kind in PRESET_KINDS.items():
        own, problem = _own(component)
        if problem and kind not in said:
            found.append(problem)
            said.add(kind)
        shipped = _shipped_ids(component)
        found += [
            f"{own_presets.own_folder() / kind}.yaml: {id}: a shipped preset has this name and "
            "is used; choose another"
            for id in own
            if id in shipped and f"{kind} {id}" not in said
        ]
        said.update(f"{kind} {id}" for id in own)
    return tuple(found)


def _shipped_ids(component: str) -> frozenset[str]:
    path = asset(f"presets/{PRESET_KINDS[component]}.yaml")
    return frozenset(_load(component, path, path.stat().st_mtime_ns))


def _own(component: str) -> tuple[Mapping[str, Preset], str]:
    """The user's presets of a component and what is wrong with their file."""
    path = own_presets.own_file(PRESET_KINDS[component])
    if path is None:
        return MappingProxyType({}), ""
    try:
        stat = path.stat()
    except OSError as error:
        return MappingProxyType({}), f"{path}: cannot be read: {error.strerror}"
    if stat.st_size > own_presets.MAX_FILE_BYTES:
        return MappingProxyType({}), f"{path}: too large; at most 4 MB are read"
    return _load_own(component, path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _load_own(
    component: str, path: Path, stamp: int, size: int
) -> tuple[Mapping[str, Preset], str]:
    del stamp, size  # parts of the cache key
    problems = Problems()
    try:
        tree = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        return MappingProxyType({}), f"{path}: cannot be read as UTF-8 text: {error}"
    except ScenarioErrors as error:
        return MappingProxyType({}), ScenarioErrors(error.problems, str(path)).args[0]
    origin = Provenance(SourceClass.USER, f"own preset, {path}")
    found = {
        id: entry
        for id, node in tree.values.items()
        if (entry := _entry(component, id, node, problems, origin)) is not None
    }
    said = ScenarioErrors(problems.found, str(path)).args[0] if problems.found else ""
    return MappingProxyType(found), said


def preset(component: str, id: str) -> Preset:
    """One preset.

    Raises:
        UnknownNameError: with the closest known id.
        DataFileError: if the preset file is missing or damaged.
    """
    known = presets(component)
    if id not in known:
        raise UnknownNameError(f"{component} preset", id, known)
    return known[id]


@lru_cache(maxsize=32)
def _load(component: str, path: Path, stamp: int) -> Mapping[str, Preset]:
    del stamp  # part of the cache key: an edited file is read again
    problems = Problems()
    try:
        tree = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error
    except ScenarioErrors as error:
        raise DataFileError(ScenarioErrors(error.problems, str(path)).args[0]) from error
    result = {
        id: entry
        for id, node in tree.values.items()
        if (entry := _entry(component, id, node, problems)) is not None
    }
    if problems.found:
        raise DataFileError(ScenarioErrors(problems.found, str(path)).args[0])
    return MappingProxyType(result)


def _entry(
    component: str,
    id: str,
    node: Node,
    problems: Problems,
    origin: Provenance | None = None,
) -> Preset | None:
    """One entry; `origin` is what its values have where it names no class."""
    group = problems.mapping(id, node)
    if group is None:
        problems.found.append(Problem(id, "empty preset", line=node.line))
        return None
    for key in group.values:
        if key not in _ENTRY_KEYS:
            problems.unknown_key(id, key, group, _ENTRY_KEYS)
    cls: type[Any] = Model if component == "model" else COMPONENTS[component]
    values_node = problems.mapping(f"{id}.values", group.values.get("values"))
    before = len(problems.found)
    bind(cls, values_node, f"{id}.values", {}, problems)
    if origin is not None and "class" not in group.values:
        overall: Provenance | None = origin
    else:
        overall = _provenance(group, id, problems)
    if len(problems.found) > before or values_node is None or overall is None:
        return None
    values = _converted(cls, values_node)
    provenance = dict.fromkeys(_leaves(values), overall)
    own = problems.mapping(f"{id}.field_sources", group.values.get("field_sources"))
    for name, source in (own.values if own else {}).items():
        where = f"{id}.field_sources.{name}"
        inner = problems.mapping(where, source)
        if name not in provenance:
            problems.add(where, "no such value in this preset", source)
        elif inner is not None and (found := _provenance(inner, where, problems)) is not None:
            provenance[name] = found
    title = group.values.get("title")
    info = problems.mapping(f"{id}.info", group.values.get("info"))
    return Preset(
        id,
        component,
        str(title.data) if title is not None else id,
        MappingProxyType(values),
        MappingProxyType(provenance),
        MappingProxyType(info.data if info else {}),
    )


def _provenance(node: MappingNode, where: str, problems: Problems) -> Provenance | None:
    kind, source = node.values.get("class"), node.values.get("source")
    allowed = [item.value for item in SourceClass if item is not SourceClass.USER]
    if not isinstance(kind, Scalar) or kind.value not in allowed:
        problems.add(f"{where}.class", "a class is needed", kind, allowed=" | ".join(allowed))
        return None
    if not isinstance(source, Scalar) or not isinstance(source.value, str) or not source.value:
        problems.add(f"{where}.source", "a source is needed", source)
        return None
    return Provenance(SourceClass(str(kind.value)), source.value)


def _converted(cls: type[Any], node: MappingNode) -> dict[str, Any]:
    """The values of a checked node, with the types of the fields."""
    bound, names = bind(cls, node, "", {}, Problems())
    result: dict[str, Any] = {}
    for name in names:
        outer, _, inner = name.partition(".")
        if inner:
            result.setdefault(outer, {})[inner] = getattr(bound[outer], inner)
        else:
            result[outer] = bound[outer]
    return result


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
