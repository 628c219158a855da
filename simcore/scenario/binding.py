"""Binds values of a document to the fields of the schema's dataclasses, noting every problem.

What a field takes is decided in one place, `FieldSpec.convert`; files, presets, the command line
and the form all go through it.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simcore.errors import Problem, did_you_mean
from simcore.scenario.fields import Knob
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import Node, Scalar

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_MAX_SHOWN = 60
_MAX_NAMES = 24
_MAX_TEXT = 1000
_MAX_INT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a schema dataclass.

    Attributes:
        name: key in the document.
        type: bool, int, float or str; the dataclass itself for a nested group.
        optional: whether null ("automatic") is accepted.
        knob: description; None for names such as `preset` and for nested groups.
        default: value when nothing says otherwise; MISSING if one must be given.
    """

    name: str
    type: type[Any]
    optional: bool
    knob: Knob | None
    default: Any

    @property
    def nested(self) -> bool:
        """Whether the field is a group of fields."""
        return dataclasses.is_dataclass(self.type)

    @property
    def allowed(self) -> str:
        """Accepted values in words."""
        words = (self.knob.allowed() if self.knob else "") or _NAMES.get(self.type, "")
        return f"{words} | null (automatic)" if self.optional else words

    def convert(self, value: Any) -> tuple[Any, str, str]:
        """The value as the field's type, what is wrong with it, and a hint; one of both empty."""
        if value is None:
            return None, "" if self.optional else "a value is needed", ""
        result, hint = _as_type(value, self.type)
        if result is None:
            return None, f"{_NAMES[self.type]} is expected", hint
        if isinstance(result, str):
            if len(result) > _MAX_TEXT:
                return None, "text too long", ""
            if self.knob and self.knob.choices and result not in self.knob.choices:
                return (
                    None,
                    "not one of the allowed words",
                    did_you_mean(result, self.knob.choices).strip(),
                )
            return result, "", ""
        if not isinstance(result, bool) and abs(result) > _MAX_INT and math.isfinite(result):
            return None, "too large", ""
        return result, self.knob.problem(result) if self.knob else "", ""


def _as_type(value: Any, target: type[Any]) -> tuple[Any, str]:
    """The value as `target` (None if it is of another type) and a hint."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if target is float and is_number:
        return (float(value) if abs(value) < 1e300 else math.inf * (1 if value > 0 else -1)), ""
    if target is int and is_number:
        if isinstance(value, int):
            return value, ""
        return (int(value), "") if math.isfinite(value) and value.is_integer() else (None, "")
    if isinstance(value, bool):
        return (value if target is bool else None), ""
    if isinstance(value, target) and not is_number:
        return value, ""
    if target is str and is_number:
        return None, "put it in quotes"
    if isinstance(value, str) and target in (int, float):
        return None, "write the number alone, without quotes or unit"
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        return None, f"write {'true' if value.lower() in ('yes', 'on') else 'false'}"
    return None, ""


_SPECS: dict[type[Any], Mapping[str, FieldSpec]] = {}


def field_specs(cls: type[Any]) -> Mapping[str, FieldSpec]:
    """The fields of a schema dataclass by name."""
    if cls not in _SPECS:
        _SPECS[cls] = types.MappingProxyType(_specs(cls))
    return _SPECS[cls]


def _specs(cls: type[Any]) -> dict[str, FieldSpec]:
    hints = typing.get_type_hints(cls)
    specs = {}
    for item in dataclasses.fields(cls):
        hint = hints[item.name]
        optional = False
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
            options = [option for option in typing.get_args(hint) if option is not type(None)]
            optional = len(options) < len(typing.get_args(hint))
            hint = options[0]
        default = item.default
        if item.default_factory is not dataclasses.MISSING:
            default = item.default_factory()
        knob = item.metadata.get("knob")
        specs[item.name] = FieldSpec(item.name, hint, optional, knob, default)
    return specs


def names(known: Iterable[str]) -> str:
    """Names in a row; of very many only the first."""
    known = list(known)
    more = f", … ({len(known)} in all)" if len(known) > _MAX_NAMES else ""
    return ", ".join(known[:_MAX_NAMES]) + more


def shown(value: Any) -> str:
    """A value as short text for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


@dataclass(slots=True)
class Problems:
    """Collects what is wrong with a document."""

    found: list[Problem] = field(default_factory=list)

    def add(
        self, path: str, message: str, node: Node | None, *, allowed: str = "", hint: str = ""
    ) -> None:
        """Note a problem at a node; without node it is one of the document as a whole."""
        if node is None:
            self.found.append(Problem(path, message, allowed, hint))
            return
        value = shown(node.data)
        self.found.append(Problem(path, message, allowed, hint, node.line, node.column, value))

    def unknown_key(self, path: str, key: str, node: MappingNode, known: Iterable[str]) -> None:
        """Note a key that means nothing here."""
        known = sorted(known)
        at = node.keys[key]
        hint = did_you_mean(key, known).strip() or "remove it"
        where = f"{path}.{key}" if path else key
        self.found.append(Problem(where, "unknown key", names(known), hint, at.line, at.column))

    def mapping(self, path: str, node: Node | None, hint: str = "") -> MappingNode | None:
        """The node if it is a mapping; null and nothing count as an empty one."""
        if isinstance(node, MappingNode):
            return node
        if node is not None and not (isinstance(node, Scalar) and node.value is None):
            self.add(path, "keys with values are expected", node, hint=hint)
        return None


def bind(
    cls: type[Any],
    node: MappingNode | None,
    path: str,
    base: Mapping[str, Any],
    problems: Problems,
    *,
    complete: bool = True,
) -> tuple[dict[str, Any], list[str]]:
    """Values for the fields of a dataclass: those of the document over those of `base`.

    Args:
        cls: the dataclass.
        node: where the document gives values; None if it gives none.
        path: dotted path of the group.
        base: values that hold where the document is silent, nested like the dataclass.
        problems: takes what is wrong; a wrong value is replaced by that of `base`, if any.
        complete: whether a value that is missing everywhere is a problem.

    Returns:
        The values by field name, and the dotted paths the document has set.
    """
    specs = field_specs(cls)
    given = node.values if node is not None else {}
    values: dict[str, Any] = {}
    user_set: list[str] = []
    if node is not None:
        for key in given:
            if key not in specs:
                problems.unknown_key(path, key, node, specs)
    for name, spec in specs.items():
        where = f"{path}.{name}" if path else name
        if spec.nested:
            inner = base.get(name, {})
            group = problems.mapping(where, given.get(name))
            nested, nested_set = bind(spec.type, group, where, inner, problems)
            values[name] = make(spec.type, nested)
            user_set += nested_set
            continue
        if name in base:
            values[name] = base[name]
        if name in given:
            result = _take(spec, given[name], where, problems)
            if result is not dataclasses.MISSING:
                values[name] = result
                user_set.append(where)
        elif complete and name not in values and spec.default is dataclasses.MISSING:
            line, column = (node.line, node.column) if node is not None else (0, 0)
            problems.found.append(
                Problem(where, "a value is needed", spec.allowed, line=line, column=column)
            )
    return values, user_set


def _take(spec: FieldSpec, node: Node, where: str, problems: Problems) -> Any:
    value, wrong, hint = spec.convert(node.data)
    if wrong:
        problems.add(where, wrong, node, allowed=spec.allowed, hint=hint)
        return dataclasses.MISSING
    return value


def make(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """The dataclass, or None while a value it needs is missing (which is a noted problem)."""
    for name, spec in field_specs(cls).items():
        if name not in values and spec.default is dataclasses.MISSING:
            return None
    return cls(**values)
