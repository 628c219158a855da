"""Turns the tree of a scenario file into a `Scenario`: presets, overrides, defaults, checks.

Order of precedence for every value: the file, the preset it names (or the system's own), the
schema's default. All problems are collected; nothing stops at the first.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from simcore.errors import Problem, did_you_mean
from simcore.registry import SYSTEMS
from simcore.scenario.binding import Problems, bind, field_specs, make, names
from simcore.scenario.fields import Provenance, SourceClass
from simcore.scenario.presets import Preset, own_problems, presets
from simcore.scenario.schema import (
    ACTIVATIONS,
    COMPONENTS,
    SCHEMA_VERSION,
    WORKLOADS,
    Hardware,
    Model,
    Scenario,
)
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import Node, Scalar
from simcore.scenario.tree import Sequence as SequenceNode

TOP_LEVEL = (
    "version",
    "name",
    "system",
    "hardware",
    "model",
    "workload",
    "activations",
    "policy",
    "compare",
    "seed",
)
_MAX_COMPARE = 32


def _left_out() -> tuple[str, ...]:
    """Why systems of installed packages are not there; by name, for the same reason."""
    found: tuple[str, ...] = importlib.import_module("simcore.systems.plugins").plugin_problems()
    return found


class _Known(Mapping[str, Any]):
    """The registry as a mapping: a system's module is imported when its value is asked for."""

    def __getitem__(self, id: str) -> Any:
        if id not in SYSTEMS:
            raise KeyError(id)
        return SYSTEMS.get(id)

    def __contains__(self, id: object) -> bool:
        return id in SYSTEMS

    def __iter__(self) -> Iterator[str]:
        return iter(SYSTEMS)

    def __len__(self) -> int:
        return len(SYSTEMS)


def known_systems() -> Mapping[str, Any]:
    """Every registered system and variant by id."""
    # By name: the scenario package stands below the systems and must not depend on them.
    importlib.import_module("simcore.systems")
    return _Known()


def resolve(root: MappingNode, source: str) -> tuple[Scenario | None, tuple[Problem, ...]]:
    """The scenario a tree describes, or None, and what is wrong with it.

    Args:
        root: the document.
        source: name of the file, cited as the source of the values it sets.
    """
    resolver = _Resolver(root, source)
    scenario = resolver.scenario()
    problems = tuple(sorted(resolver.problems.found, key=lambda p: (p.line, p.column)))
    return (None if problems else scenario), problems


class _Resolver:
    """One resolution: collects values, problems and provenance on the way."""

    def __init__(self, root: MappingNode, source: str) -> None:
        self.root = root
        self.problems = Problems()
        self.provenance: dict[str, Provenance] = {}
        self._user = Provenance(SourceClass.USER, source)

    def scenario(self) -> Scenario | None:
        if not self._version():
            return None
        for key in self.root.values:
            if key not in TOP_LEVEL:
                self.problems.unknown_key("", key, self.root, TOP_LEVEL)
        plain = self._plain()
        system = self._system(plain.get("system", "hermes"))
        parts = {
            "hardware": self._hardware(system),
            "model": self._model(system),
            "workload": self._workload(system),
            "activations": self._kind("activations", "source", ACTIVATIONS),
            "policy": self._policy(system),
            "compare": self._compare(),
        }
        if self.problems.found:
            return None
        return Scenario(**plain, **parts, provenance=self.provenance)

    def _version(self) -> bool:
        node = self.root.values.get("version")
        if node is None:
            return True
        value = node.data
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.problems.add(
                "version", "a whole number is expected", node, allowed=f"1 to {SCHEMA_VERSION}"
            )
        elif value > SCHEMA_VERSION:
            self.problems.add(
                "version",
                "written for a newer version of the program",
                node,
                allowed=f"1 to {SCHEMA_VERSION}",
                hint="update the program to open it",
            )
        return not self.problems.found

    def _plain(self) -> dict[str, Any]:
        """Name, system and seed."""
        specs = field_specs(Scenario)
        values: dict[str, Any] = {}
        for name in ("name", "system", "seed"):
            spec, node = specs[name], self.root.values.get(name)
            if node is None:
                self._default(name, spec.knob.provenance if spec.knob else None)
                continue
            value, wrong, hint = spec.convert(node.data)
            if wrong:
                self.problems.add(name, wrong, node, allowed=spec.allowed, hint=hint)
            else:
                values[name] = value
                self.provenance[name] = self._user
        return values

    def _system(self, id: str) -> Any:
        known = known_systems()
        if id not in known:
            self.problems.add(
                "system",
                "no such system",
                self.root.values.get("system"),
                allowed=names(known),
                hint=" ".join((did_you_mean(id, known).strip(), *_left_out())).strip(),
            )
        return known.get(id)

    def _hardware(self, system: Any) -> Hardware:
        node = self.problems.mapping("hardware", self.root.values.get("hardware"))
        given = node.values if node else {}
        for key in given:
            if key not in COMPONENTS and node is not None:
                self.problems.unknown_key("hardware", key, node, COMPONENTS)
        needed = system.components if system else ()
        parts: dict[str, Any] = {}
        for name, cls in COMPONENTS.items():
            item = given.get(name)
            absent = item is None or (isinstance(item, Scalar) and item.value is None)
            if absent and name not in needed:
                continue
            fallback = system.presets.get(name, "") if system else ""
            parts[name] = self._from_preset(f"hardware.{name}", name, cls, item, fallback)
        return Hardware(**parts)

    def _model(self, system: Any) -> Any:
        node = self.root.values.get("model")
        if node is None or node.data is None:
            self.problems.add(
                "model", "a model is needed", node, hint="for example model: relullama2-70b"
            )
            return None
        model = self._from_preset("model", "model", Model, node, "")
        if model is not None and model.heads % model.kv_heads:
            self.problems.add(
                "model.kv_heads",
                f"{model.heads} query heads cannot share {model.kv_heads} key/value heads evenly",
                self._node_at("model", "kv_heads") or self._node_at("model", "heads") or node,
                allowed=f"a divisor of {model.heads}",
            )
        if model is not None and model.experts_per_token > model.experts:
            self.problems.add(
                "model.experts_per_token",
                f"a token cannot pick {model.experts_per_token} of {model.experts} experts",
                self._node_at("model", "experts_per_token")
                or self._node_at("model", "experts")
                or node,
                allowed=f"1 to {model.experts}",
            )
        elif model is not None and model.experts > 1 and system and not system.experts:
            known = known_systems()
            able = [id for id, one in known.items() if one.experts and one.variant is None]
            self.problems.add(
                "model",
                f"{system.name} does not run mixtures of experts: {system.no_experts}",
                node,
                hint=f"choose a dense model, or one of the systems that run it: {', '.join(able)}",
            )
        return model

    def _node_at(self, *keys: str) -> Node | None:
        node: Node | None = self.root
        for key in keys:
            node = node.values.get(key) if isinstance(node, MappingNode) else None
        return node

    def _from_preset(
        self, path: str, component: str, cls: type[Any], node: Node | None, fallback: str
    ) -> Any:
        """A component or the model: preset values under the overrides of the document."""
        named: Node | None = None
        group: MappingNode | None = None
        if isinstance(node, MappingNode):
            group, named = node, node.values.get("preset")
        elif isinstance(node, Scalar) and node.value is not None:
            named = node
        elif node is not None:
            self.problems.mapping(path, node)
        base_preset = self._preset(component, path, named, fallback)
        base: dict[str, Any] = {}
        if base_preset is not None:
            base = {**base_preset.values, "title": base_preset.title, "preset": base_preset.id}
        # Values that an unknown preset would have given are no problems of their own.
        complete = base_preset is not None or named is None or named.data == ""
        values, user_set = bind(cls, group, path, base, self.problems, complete=complete)
        self._note(cls, path, base_preset, user_set)
        return make(cls, values)

    def _preset(self, component: str, path: str, node: Node | None, fallback: str) -> Preset | None:
        known = presets(component)
        id = fallback if node is None else node.data
        if isinstance(id, str) and (id in known or not id):
            return known.get(id)
        self.problems.add(
            path,
            f"no such preset{'' if node is not None else f': {id}'}",
            node,
            allowed=names(known),
            hint=" ".join((did_you_mean(str(id), known).strip(), *own_problems())).strip(),
        )
        return None

    def _kind(self, path: str, key: str, kinds: Mapping[str, type[Any]]) -> Any:
        """A group whose `key` word picks its dataclass."""
        default = next(iter(kinds))
        group = self.problems.mapping(
            path, self.root.values.get(path), hint=f"for example {path}: {{{key}: {default}}}"
        )
        word = group.values.get(key) if group else None
        kind = word.data if word is not None else default
        if not isinstance(kind, str) or kind not in kinds:
            self.problems.add(
                f"{path}.{key}",
                f"no such {key}",
                word,
                allowed=" | ".join(kinds),
                hint=did_you_mean(str(kind), kinds).strip(),
            )
            return None
        values, user_set = bind(kinds[kind], group, path, {}, self.problems)
        self._note(kinds[kind], path, None, user_set)
        return make(kinds[kind], values)

    def _workload(self, system: Any) -> Any:
        """The workload, of a kind the system can run."""
        workload = self._kind("workload", "kind", WORKLOADS)
        if workload is not None and system is not None and workload.kind not in system.workloads:
            self.problems.add(
                "workload.kind",
                f"{system.name} does not take workloads of this kind",
                self._node_at("workload", "kind"),
                allowed=" | ".join(system.workloads),
                hint="use another kind or another system",
            )
            return None
        return workload

    def _policy(self, system: Any) -> Any:
        group = self.problems.mapping("policy", self.root.values.get("policy"))
        if system is None:
            return None
        cls = system.policy_type
        base = dict(system.variant.policy) if system.variant else {}
        values, user_set = bind(cls, group, "policy", base, self.problems)
        self._note(cls, "policy", None, user_set)
        for name in base:
            if f"policy.{name}" not in user_set:
                source = f"{system.name}, a variant of {system.title}: {system.paper}"
                self.provenance[f"policy.{name}"] = Provenance(SourceClass.PAPER, source)
        return make(cls, values)

    def _compare(self) -> tuple[str, ...]:
        node = self.root.values.get("compare")
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        if not isinstance(node, SequenceNode):
            self.problems.add("compare", "a list of systems is expected", node, hint="write [a, b]")
            return ()
        if len(node.items) > _MAX_COMPARE:
            self.problems.add("compare", "too many systems", node, allowed=f"{_MAX_COMPARE}")
        known = known_systems()
        result: list[str] = []
        for index, item in enumerate(node.items):
            id = item.data
            if not isinstance(id, str) or id not in known:
                self.problems.add(
                    f"compare.{index}",
                    "no such system",
                    item,
                    allowed=names(known),
                    hint=did_you_mean(str(id), known).strip(),
                )
            elif id in result:
                self.problems.add(f"compare.{index}", "stands twice", item, hint="remove it")
            else:
                result.append(id)
        self.provenance["compare"] = self._user
        return tuple(result)

    def _note(self, cls: type[Any], path: str, base: Preset | None, user_set: list[str]) -> None:
        """Record where each value of a group comes from."""
        from_preset = base.provenance if base is not None else {}
        for name, spec in _leaves(cls):
            where = f"{path}.{name}"
            if where in user_set:
                self.provenance[where] = self._user
            else:
                self._default(where, from_preset.get(name) or spec)

    def _default(self, where: str, provenance: Provenance | None) -> None:
        if provenance is not None:
            self.provenance[where] = provenance


def _leaves(cls: type[Any], prefix: str = "") -> list[tuple[str, Provenance | None]]:
    """Dotted names of the described fields of a dataclass with the source of their defaults."""
    found: list[tuple[str, Provenance | None]] = []
    for name, spec in field_specs(cls).items():
        if spec.nested:
            found += _leaves(spec.type, f"{prefix}{name}.")
        elif spec.knob is not None:
            found.append((f"{prefix}{name}", spec.knob.provenance))
    return found
