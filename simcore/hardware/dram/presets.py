"""DRAM presets: timing, energy and their sources, read from ``assets/presets/dram.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simcore.data import asset
from simcore.errors import DataFileError, Problem, ScenarioErrors, UnknownNameError
from simcore.hardware.dram.timing import DramTiming, problems, timing_fields
from simcore.scenario.binding import Problems, bind
from simcore.scenario.fields import Provenance, SourceClass, knob
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import Scalar, parse

_ENTRY_KEYS = ("title", "values", "class", "source", "field_sources", "energy", "info")
_META = ("class", "source", "field_sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class DramEnergy:
    """Energy of commands; None where no sourced figure is known.

    `activate_nJ` is of a whole rank; where only a mean per bit is published it is
    `activate_pJ_per_bit`. `read_pJ_per_bit` and `write_pJ_per_bit` are the array and the way to
    the pins, `io_pJ_per_bit` the interface, `bank_pJ_per_bit` all of a read by a unit in the bank.
    """

    activate_nJ: float | None = knob(None, help="activate and precharge", unit="nJ", ge=0)
    activate_pJ_per_bit: float | None = knob(None, help="mean activate", unit="pJ/bit", ge=0)
    read_pJ_per_bit: float | None = knob(None, help="read burst", unit="pJ/bit", ge=0)
    write_pJ_per_bit: float | None = knob(None, help="write burst", unit="pJ/bit", ge=0)
    io_pJ_per_bit: float | None = knob(None, help="interface", unit="pJ/bit", ge=0)
    bank_pJ_per_bit: float | None = knob(None, help="read to the bank's unit", unit="pJ/bit", ge=0)
    background_W_per_rank: float | None = knob(None, help="standby, rows open", unit="W", ge=0)


@dataclass(frozen=True, slots=True)
class DramPreset:
    """A named DRAM channel.

    Attributes:
        id: as typed.
        title: as shown.
        timing: one channel.
        provenance: timing and energy field to class and citation, for every value given.
        energy: energies of the commands; None if no sourced figure is known.
        info: facts that are not used.
    """

    id: str
    title: str
    timing: DramTiming
    provenance: Mapping[str, Provenance]
    energy: DramEnergy | None
    info: Mapping[str, Any]


def dram_presets() -> Mapping[str, DramPreset]:
    """Every DRAM preset by id.

    Raises:
        DataFileError: if the preset file is missing or damaged.
    """
    path = asset("presets/dram.yaml")
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror}") from error
    return _load(path, stamp)


def dram_preset(id: str) -> DramPreset:
    """One DRAM preset.

    Raises:
        UnknownNameError: with the closest known id.
        DataFileError: if the preset file is missing or damaged.
    """
    known = dram_presets()
    if id not in known:
        raise UnknownNameError("DRAM preset", id, known)
    return known[id]


@lru_cache(maxsize=8)
def _load(path: Path, stamp: int) -> Mapping[str, DramPreset]:
    del stamp  # part of the cache key: an edited file is read again
    try:
        tree = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error
    except ScenarioErrors as error:
        raise DataFileError(ScenarioErrors(error.problems, str(path)).args[0]) from error
    noted = Problems()
    found: dict[str, DramPreset] = {}
    for id, node in tree.values.items():
        entry = noted.mapping(id, node)
        if entry is not None and (made := _entry(id, entry, noted)) is not None:
            found[id] = made
    if noted.found:
        raise DataFileError(ScenarioErrors(noted.found, str(path)).args[0])
    return MappingProxyType(found)


def _entry(id: str, group: MappingNode, noted: Problems) -> DramPreset | None:
    before = len(noted.found)
    for key in group.values:
        if key not in _ENTRY_KEYS:
            noted.unknown_key(id, key, group, _ENTRY_KEYS)
    values, names = bind(
        DramTiming, noted.mapping(id, group.values.get("values")), f"{id}.values", {}, noted
    )
    provenance = _sources(id, group, [name.rpartition(".")[2] for name in names], noted)
    energy = None
    given = noted.mapping(f"{id}.energy", group.values.get("energy"))
    if given is not None:
        plain = {key: node for key, node in given.values.items() if key not in _META}
        data = {key: node.data for key, node in plain.items()}
        for key in plain:
            if key not in DramEnergy.__dataclass_fields__:
                noted.unknown_key(f"{id}.energy", key, given, DramEnergy.__dataclass_fields__)
        provenance |= _sources(f"{id}.energy", given, list(data), noted)
        if len(noted.found) == before:
            energy = DramEnergy(**data)
    if len(noted.found) > before:
        return None
    wrong = problems({name: spec.default for name, spec in timing_fields().items()} | values)
    if wrong:
        noted.found += [Problem(f"{id}.values.{p.path}", p.message, p.allowed) for p in wrong]
        return None
    title, info = group.values.get("title"), noted.mapping(f"{id}.info", group.values.get("info"))
    return DramPreset(
        id,
        str(title.data) if title is not None else id,
        DramTiming(**values),
        MappingProxyType(provenance),
        energy,
        MappingProxyType(info.data if info else {}),
    )


def _sources(
    path: str, group: MappingNode, names: list[str], noted: Problems
) -> dict[str, Provenance]:
    """Class and citation of every value of a group."""
    overall = _provenance(path, group, noted)
    found = {name: overall for name in names if overall is not None}
    own = noted.mapping(f"{path}.field_sources", group.values.get("field_sources"))
    for name, node in (own.values if own else {}).items():
        where = f"{path}.field_sources.{name}"
        inner = noted.mapping(where, node)
        if name not in names:
            noted.add(where, "no such value in this preset", node)
        elif inner is not None and (one := _provenance(where, inner, noted)) is not None:
            found[name] = one
    return found


def _provenance(path: str, node: MappingNode, noted: Problems) -> Provenance | None:
    kind, source = node.values.get("class"), node.values.get("source")
    allowed = [item.value for item in SourceClass if item is not SourceClass.USER]
    if not isinstance(kind, Scalar) or kind.value not in allowed:
        noted.add(f"{path}.class", "a class is needed", kind, allowed=" | ".join(allowed))
        return None
    if not isinstance(source, Scalar) or not isinstance(source.value, str) or not source.value:
        noted.add(f"{path}.source", "a source is needed", source)
        return None
    return Provenance(SourceClass(str(kind.value)), source.value)
