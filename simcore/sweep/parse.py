"""Reads a sweep: from a YAML file, or from the words of the command line or the window.

All mistakes are collected, each with its place, the allowed values and what to do.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simcore.data import data_root, is_file
from simcore.errors import DataFileError, Problem, ScenarioErrors, UnknownNameError, did_you_mean
from simcore.scenario.binding import FieldSpec, names, shown
from simcore.scenario.document import Document, open_document
from simcore.scenario.edit import plain_data, render
from simcore.scenario.listing import FieldInfo, scenario_fields
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import Node, parse, plain_value
from simcore.sweep.figures import FIGURES, PRICED, figure_problem, maximised
from simcore.sweep.resolve import with_field
from simcore.sweep.spec import (
    MAX_AXES,
    MAX_POINTS,
    MAX_VALUES,
    RELATIONS,
    Axis,
    Constraint,
    Method,
    Objective,
    Range,
    Scale,
    SweepSpec,
)

_KEYS = (
    *("version", "name", "scenario", "set", "vary", "method"),
    *("objectives", "constraints", "prices", "seed"),
)
_VERSION = 1
_SAMPLE = "hardware.ndp_dimms.count: [2, 4, 8]"
_FORMS = "[a, b, c] | {from, to, points, scale: linear or log} | {presets: all or a pattern}"
_DIRECTIONS = {"max": True, "min": False}
_CONSTRAINT = re.compile(
    rf"\s*([\w.\-]+)\s*(?:({'|'.join(RELATIONS)})\s*(\S+)\s*)?", re.ASCII | re.DOTALL
)
_SCALES = {"lin": Scale.LINEAR, "log": Scale.LOG}


class Noted:
    """Problems as they are found, with the place in the file if there is one."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(
        self,
        path: str,
        message: str,
        allowed: str = "",
        *,
        hint: str = "",
        value: Any = None,
        node: Node | None = None,
    ) -> None:
        """Note a problem."""
        got = "" if value is None else shown(value)
        line, column = (node.line, node.column) if node is not None else (0, 0)
        self.problems.append(Problem(path, message, allowed, hint, line, column, got))

    def extend(self, problems: Iterable[Problem], node: Node | None = None) -> None:
        """Note problems found elsewhere, at a place."""
        for p in problems:
            line, column = (node.line, node.column) if node is not None else (p.line, p.column)
            self.problems.append(
                Problem(p.path, p.message, p.allowed, p.hint, line, column, p.value)
            )

    def check(self, file: str = "") -> None:
        """Raise everything that was noted.

        Raises:
            ScenarioErrors: if there is anything.
        """
        if self.problems:
            raise ScenarioErrors(sorted(self.problems, key=lambda p: (p.line, p.column)), file)


# Axes.


def axis_fields(document: Document) -> Mapping[str, FieldInfo]:
    """The fields of a scenario that can be varied, by path.

    Raises:
        ScenarioErrors: if the document is no good scenario.
    """
    return {info.path: info for info in scenario_fields(document.resolve()) if info.path != "name"}


def make_axis(
    path: str,
    given: Any,
    fields: Mapping[str, FieldInfo],
    noted: Noted,
    node: Node | None = None,
    where: str = "vary",
) -> Axis | None:
    """An axis of plain data: a list, or a mapping with ``from`` and ``to`` or with ``presets``.

    Args:
        path: field to vary.
        given: list or mapping.
        fields: what can be varied.
        noted: takes what is wrong; the result is then None.
        node: place in a file.
        where: what the problems are put under.
    """
    at = f"{where}.{path}" if where else path
    info = fields.get(path)
    if info is None:
        hint = did_you_mean(path, fields).strip()
        near = [name for name in fields if name.startswith(path.rpartition(".")[0] + ".")]
        noted.add(
            at,
            "no such field in this scenario",
            names(near or fields),
            hint=hint,
            node=node,
        )
        return None
    before = len(noted.problems)
    if isinstance(given, Mapping) and "presets" in given:
        axis = _preset_axis(at, path, given, info, noted, node)
    elif isinstance(given, Mapping):
        axis = _range_axis(at, path, given, info, noted, node)
    else:
        values = list(given) if isinstance(given, (list, tuple)) else [given]
        axis = _list_axis(at, path, values, info, noted, node)
    return axis if len(noted.problems) == before else None


def _spec(info: FieldInfo) -> FieldSpec:
    return FieldSpec(info.path, info.type, info.knob.optional, info.knob, info.value)


def _list_axis(
    at: str, path: str, values: Sequence[Any], info: FieldInfo, noted: Noted, node: Node | None
) -> Axis | None:
    spec = _spec(info)
    good: list[Any] = []
    if not 1 <= len(values) <= MAX_VALUES:
        noted.add(at, "a list of values is needed", f"1 to {MAX_VALUES} values", node=node)
        return None
    for value in values:
        if isinstance(value, (list, tuple, Mapping)):
            noted.add(at, "a single value is needed", spec.allowed, value=value, node=node)
            continue
        result, wrong, hint = spec.convert(value)
        if wrong:
            noted.add(at, wrong, spec.allowed, hint=hint, value=value, node=node)
        elif any(result is other or result == other for other in good):
            noted.add(at, "stands twice", hint="remove it", value=value, node=node)
        else:
            good.append(result)
    return Axis(path, tuple(good), unit=info.knob.unit)


def _range_axis(
    at: str, path: str, given: Mapping[Any, Any], info: FieldInfo, noted: Noted, node: Node | None
) -> Axis | None:
    known = ("from", "to", "points", "scale")
    for key in given:
        if key not in known:
            hint = did_you_mean(str(key), [*known, "presets"]).strip()
            noted.add(f"{at}.{key}", "unknown key", _FORMS, hint=hint, node=node)
    if info.type not in (int, float) or info.knob.choices:
        noted.add(at, "a range needs a field of numbers", "a list", value=info.value, node=node)
        return None
    spec, ends = _spec(info), []
    for key in ("from", "to"):
        if given.get(key) is None:
            noted.add(f"{at}.{key}", "a value is needed", spec.allowed, node=node)
            continue
        result, wrong, hint = spec.convert(given[key])
        if wrong:
            noted.add(f"{at}.{key}", wrong, spec.allowed, hint=hint, value=given[key], node=node)
        else:
            ends.append(result)
    points = given.get("points", 5)
    if isinstance(points, bool) or not isinstance(points, int) or not 2 <= points <= MAX_VALUES:
        noted.add(
            f"{at}.points", "a whole number is needed", f"2 to {MAX_VALUES}", value=points,
            node=node,
        )  # fmt: skip
    word = given.get("scale", Scale.LINEAR.value)
    scale = _SCALES.get(str(word)) or (Scale(word) if word in list(Scale) else None)
    if scale is None:
        noted.add(f"{at}.scale", "no such scale", " | ".join(Scale), value=word, node=node)
    if len(ends) < 2:
        return None
    if ends[0] >= ends[1]:
        noted.add(f"{at}.to", "must be more than from", value=ends[1], node=node)
    elif scale is Scale.LOG and ends[0] <= 0:
        noted.add(f"{at}.from", "a logarithmic range begins above 0", value=ends[0], node=node)
    if noted.problems or scale is None:
        return None
    return Axis(
        path,
        range=Range(float(ends[0]), float(ends[1]), points, scale),
        integer=info.type is int,
        unit=info.knob.unit,
    )


def _preset_axis(
    at: str, path: str, given: Mapping[Any, Any], info: FieldInfo, noted: Noted, node: Node | None
) -> Axis | None:
    for key in given:
        if key != "presets":
            noted.add(f"{at}.{key}", "unknown key beside presets", _FORMS, node=node)
    choices = [choice for choice in info.knob.choices if choice]
    if not choices:
        noted.add(at, "only fields with a list of names have presets", _FORMS, node=node)
        return None
    wanted = given["presets"]
    if isinstance(wanted, (list, tuple)):
        return _list_axis(at, path, wanted, info, noted, node)
    pattern = "*" if wanted == "all" else str(wanted)
    found = tuple(choice for choice in choices if fnmatch.fnmatchcase(choice, pattern))
    if not found:
        noted.add(at, "no preset of that pattern", names(choices), value=wanted, node=node)
    return Axis(path, found)


# Command line and window.


def read_vary(text: str) -> tuple[str, Any]:
    """``PATH=SPEC`` as path and plain data for `make_axis`.

    SPEC is ``1,2,4`` or ``lin:1:10:5``, ``log:1:64:4``, ``1:10:5`` or ``presets:rtx-*``.

    Raises:
        ScenarioErrors: if it is none of these.
    """
    path, equals, spec = text.partition("=")
    path, spec = path.strip(), spec.strip()
    if not equals or not path or not spec:
        raise ScenarioErrors(
            [
                Problem(
                    "--vary",
                    "write PATH=VALUES",
                    "PATH=1,2,4 | PATH=lin:1:10:5 | PATH=log:1:64:4 | PATH=presets:rtx-*",
                    "such as hardware.ndp_dimms.count=2,4,8",
                    value=repr(text[:60]),
                )
            ],
            "sweep",
        )
    return path, read_values(spec)


def read_values(text: str) -> Any:
    """Values as typed, as plain data for `make_axis`."""
    head, colon, rest = text.partition(":")
    if colon and head.strip() == "presets":
        listed = [part.strip() for part in rest.split(",")]
        return {"presets": listed if len(listed) > 1 else listed[0]}
    parts = [part.strip() for part in text.split(":")]
    scale = _SCALES.get(parts[0])
    if scale is not None:
        parts = parts[1:]
    if scale is not None or (len(parts) == 3 and all(_is_number(part) for part in parts)):
        values = [plain_value(part) if part else None for part in (*parts, "", "")][:3]
        given = dict(zip(("from", "to", "points"), values, strict=True))
        if given["points"] is None:
            del given["points"]
        if len(parts) > 3:
            given["points"] = ":".join(parts[2:])  # refused with what was typed
        return {**given, "scale": (scale or Scale.LINEAR).value}
    return [plain_value(part.strip()) for part in text.split(",") if part.strip()]


def _is_number(text: str) -> bool:
    value = plain_value(text)
    return isinstance(value, (int, float)) and math.isfinite(value)


def values_text(axis: Axis) -> str:
    """The values of an axis as they can be typed; the reverse of `read_values`."""
    if axis.range is None:
        return ", ".join(render(value) for value in axis.values)
    word = "log" if axis.range.scale is Scale.LOG else "lin"
    return f"{word}:{axis.range.low:.12g}:{axis.range.high:.12g}:{axis.range.points}"


def read_objective(text: str, where: str, noted: Noted, node: Node | None = None) -> Objective:
    """``FIGURE``, ``FIGURE:max`` or ``FIGURE:min``."""
    figure, colon, word = (part.strip() for part in str(text).partition(":"))
    if colon and word not in _DIRECTIONS:
        noted.add(where, "no such direction", "max | min", value=word, node=node)
    if problem := figure_problem(figure, where):
        noted.extend([problem], node)
    return Objective(figure, _DIRECTIONS.get(word, maximised(figure)))


def read_constraint(
    text: str, where: str, noted: Noted, node: Node | None = None
) -> Constraint | None:
    """``FIGURE RELATION NUMBER``, or ``fits`` alone."""
    match = _CONSTRAINT.fullmatch(str(text))
    limit = plain_value(match[3]) if match and match[3] else None
    if match and match[1] == "fits" and not match[2]:
        return Constraint("fits", "==", 1)
    if not match or isinstance(limit, bool) or not isinstance(limit, (int, float)):
        noted.add(
            where,
            "not a constraint",
            f"FIGURE {' or '.join(RELATIONS)} NUMBER, or fits",
            hint="such as tokens_per_s >= 10",
            value=text,
            node=node,
        )
        return None
    if problem := figure_problem(match[1], where):
        noted.extend([problem], node)
    return Constraint(match[1], match[2], float(limit))


def make_spec(
    document: Document,
    vary: Sequence[tuple[str, Any]],
    *,
    name: str = "",
    scenario: str = "",
    method: Method = Method.GRID,
    points: int | None = None,
    objectives: Sequence[str] = (),
    constraints: Sequence[str] = (),
    prices: Mapping[str, float] | None = None,
    seed: int = 1,
) -> SweepSpec:
    """A sweep of the words of the command line or the window.

    Raises:
        ScenarioErrors: with everything that is wrong.
    """
    noted = Noted()
    fields = axis_fields(document)
    axes = [make_axis(path, given, fields, noted, where="vary") for path, given in vary]
    spec = SweepSpec(
        name=name or document.resolve().name,
        scenario=scenario,
        document=document,
        axes=tuple(axis for axis in axes if axis is not None),
        method=method,
        points=_points(method, points, noted),
        objectives=_objectives(objectives, noted),
        constraints=tuple(
            found
            for text in constraints
            if (found := read_constraint(text, "constraints", noted)) is not None
        ),
        prices=_prices(prices or {}, noted),
        seed=seed,
    )
    _check_whole(spec, [path for path, _ in vary], noted)
    noted.check("sweep")
    return spec


def _points(method: Method, points: Any, noted: Noted, node: Node | None = None) -> int:
    if method is Method.GRID:
        if points is not None:
            noted.add(
                "method.points",
                "a grid has as many points as its values make",
                hint="choose random, lhs or search",
                value=points,
                node=node,
            )
        return 0
    count = 100 if points is None else points
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_POINTS:
        noted.add(
            "method.points", "a whole number is needed", f"1 to {MAX_POINTS}", value=count,
            node=node,
        )  # fmt: skip
        return 1
    return count


def _objectives(texts: Sequence[str], noted: Noted) -> tuple[Objective, ...]:
    found = [read_objective(text, "objectives", noted) for text in texts]
    return tuple(found) or (Objective("tokens_per_s"),)


def _prices(given: Mapping[str, Any], noted: Noted, node: Node | None = None) -> dict[str, float]:
    prices = {}
    for name, value in given.items():
        if name not in PRICED:
            hint = did_you_mean(str(name), PRICED).strip()
            noted.add(f"prices.{name}", "no such component", ", ".join(PRICED), hint=hint,
                      node=node)  # fmt: skip
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
            noted.add(f"prices.{name}", "a price is needed", "0 to 1e9 USD", value=value, node=node)
        else:
            prices[name] = float(value)
    return prices


def _check_whole(
    spec: SweepSpec, paths: Sequence[str], noted: Noted, node: Node | None = None
) -> None:
    """What only shows when all is together."""
    if not 1 <= len(paths) <= MAX_AXES:
        noted.add(
            "vary", f"{len(paths)} fields", f"1 to {MAX_AXES} fields", hint=f"such as {_SAMPLE}",
            node=node,
        )  # fmt: skip
    for path in sorted({path for path in paths if list(paths).count(path) > 1}):
        noted.add(f"vary.{path}", "stands twice", hint="join the values", node=node)
    if len({o.figure for o in spec.objectives}) < len(spec.objectives):
        noted.add("objectives", "a figure stands twice", hint="remove one", node=node)
    if not noted.problems and spec.size > MAX_POINTS:
        noted.add(
            "vary",
            f"{spec.size:,} points",
            f"at most {MAX_POINTS:,}",
            hint="use fewer values, or method random or lhs with a number of points",
            node=node,
        )


# Files.


def list_sweeps() -> tuple[Path, ...]:
    """Sweep files that come with the program, in order of name."""
    return tuple(sorted((data_root() / "scenarios" / "sweeps").glob("*.yaml")))


def find_sweep(text: str) -> Path:
    """The sweep file of that path, or the shipped one of that name.

    Raises:
        UnknownNameError: if there is neither.
    """
    path = Path(text)
    if is_file(path):
        return path
    shipped = {file.stem: file for file in list_sweeps()}
    if text not in shipped:
        raise UnknownNameError("sweep", text, shipped)
    return shipped[text]


def is_sweep_file(path: Path) -> bool:
    """Whether a file is a sweep rather than a scenario: it says what to vary."""
    try:
        return "vary" in Document.from_file(path).data()
    except (ScenarioErrors, DataFileError):
        return False


def load_spec(path: Path, edits: Sequence[tuple[str, Any]] = ()) -> SweepSpec:
    """The sweep of a file.

    Args:
        path: the file.
        edits: changes of its scenario, on top of those of the file.

    Raises:
        ScenarioErrors: with everything that is wrong in the sweep or its scenario.
        DataFileError: if the file cannot be read.
    """
    file = Document.from_file(path)
    try:
        root = parse(file.text())
    except ScenarioErrors as error:
        raise ScenarioErrors(error.problems, str(path)) from None
    return _File(path, root).spec(edits)


class _File:
    """One sweep file being read."""

    def __init__(self, path: Path, root: MappingNode) -> None:
        self.path = path
        self.root = root
        self.noted = Noted()

    def spec(self, edits: Sequence[tuple[str, Any]]) -> SweepSpec:
        for key, at in self.root.keys.items():
            if key not in _KEYS:
                hint = did_you_mean(key, _KEYS).strip() or "remove it"
                self.noted.add(key, "unknown key", ", ".join(_KEYS), hint=hint, node=at)
        version = self._data("version", _VERSION)
        if version != _VERSION or isinstance(version, bool):
            self._add("version", "not a version of sweep files", str(_VERSION))
        document = self._document(edits)
        if document is None or document.problems():  # nothing else can be checked without one
            self.noted.check(str(self.path))
        assert document is not None
        vary = self._group("vary", f"for example vary: {{{_SAMPLE}}}")
        fields = axis_fields(document)
        nodes = vary.values if vary else {}
        axes = [
            make_axis(path, node.data, fields, self.noted, node) for path, node in nodes.items()
        ]
        method, points = self._method()
        spec = SweepSpec(
            name=str(self._data("name", self.path.stem)),
            scenario=str(self._data("scenario", "")),
            document=document,
            axes=tuple(axis for axis in axes if axis is not None),
            method=method,
            points=points,
            objectives=self._objectives(),
            constraints=self._constraints(),
            prices=self._read_prices(),
            seed=self._seed(),
        )
        _check_whole(spec, list(nodes), self.noted, self.root.values.get("vary"))
        self.noted.check(str(self.path))
        return spec

    def _data(self, key: str, default: Any) -> Any:
        node = self.root.values.get(key)
        return default if node is None or node.data is None else node.data

    def _add(self, key: str, message: str, allowed: str = "", hint: str = "") -> None:
        node = self.root.values.get(key)
        value = None if node is None else node.data
        self.noted.add(key, message, allowed, hint=hint, value=value, node=node)

    def _group(self, key: str, hint: str = "") -> MappingNode | None:
        node = self.root.values.get(key)
        if isinstance(node, MappingNode):
            return node
        if node is not None and node.data is not None:
            self._add(key, "keys with values are expected", hint=hint)
        return None

    def _document(self, edits: Sequence[tuple[str, Any]]) -> Document | None:
        given = self._data("scenario", None)
        if not isinstance(given, str) or not given:
            self._add("scenario", "a scenario is needed", "a file, or the name of a shipped one")
            return None
        beside = self.path.parent / given
        try:
            document = Document.from_file(beside) if is_file(beside) else open_document(given)
        except (UnknownNameError, DataFileError) as error:
            self._add("scenario", str(error))
            return None
        fixed = self._group("set")
        pairs = [(path, node.data) for path, node in (fixed.values if fixed else {}).items()]
        for path, value in [*pairs, *edits]:
            try:
                document = with_field(document, path, plain_data(value))
            except ScenarioErrors as error:
                self.noted.extend(error.problems, self.root.values.get("set"))
        for problem in document.problems():
            at = next((n for p, n in (fixed.values if fixed else {}).items() if p == problem.path),
                      self.root.values.get("scenario"))  # fmt: skip
            self.noted.extend([problem], at)
        return document

    def _method(self) -> tuple[Method, int]:
        node = self.root.values.get("method")
        data = self._data("method", Method.GRID.value)
        kind, points = data, None
        if isinstance(data, dict):
            kind, points = data.get("kind"), data.get("points")
            for key in data:
                if key not in ("kind", "points"):
                    self._add(f"method.{key}", "unknown key", "kind, points")
        if kind not in list(Method):
            hint = did_you_mean(str(kind), [m.value for m in Method]).strip()
            self.noted.add(
                "method", "no such method", " | ".join(Method), hint=hint, value=kind, node=node
            )
            return Method.GRID, 0
        method = Method(kind)
        return method, _points(method, points, self.noted, node)

    def _objectives(self) -> tuple[Objective, ...]:
        node = self.root.values.get("objectives")
        data = self._data("objectives", ["tokens_per_s"])
        if isinstance(data, dict):
            texts = [f"{figure}:{word}" for figure, word in data.items()]
        elif isinstance(data, list) and data:
            texts = [str(item) for item in data]
        else:
            self._add("objectives", "figures are expected", "{FIGURE: max or min}",
                      f"such as {next(iter(FIGURES))}: max")  # fmt: skip
            return ()
        return tuple(read_objective(text, "objectives", self.noted, node) for text in texts)

    def _constraints(self) -> tuple[Constraint, ...]:
        node = self.root.values.get("constraints")
        data = self._data("constraints", [])
        texts = data if isinstance(data, list) else [data]
        found = [read_constraint(text, "constraints", self.noted, node) for text in texts]
        return tuple(one for one in found if one is not None)

    def _read_prices(self) -> dict[str, float]:
        group = self._group("prices", "for example prices: {ndp_dimms: 120}")
        return _prices(group.data, self.noted, group) if group else {}

    def _seed(self) -> int:
        seed = self._data("seed", 1)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            self._add("seed", "a whole number is needed", "0 to 2^63 - 1")
            return 1
        return seed


def spec_text(spec: SweepSpec) -> str:
    """A sweep as a file that `load_spec` reads.

    Its fixed changes of the scenario are not in it: `spec.scenario` must have them.
    """
    lines = [f"version: {_VERSION}", f"name: {render(spec.name)}"]
    lines.append(f"scenario: {render(spec.scenario)}")
    lines.append("vary:")
    for axis in spec.axes:
        if axis.range is None:
            given: Any = list(axis.values)
        else:
            r = axis.range
            ends = (round(r.low), round(r.high)) if axis.integer else (r.low, r.high)
            given = {"from": ends[0], "to": ends[1], "points": r.points, "scale": r.scale.value}
        lines.append(f"  {axis.path}: {render(given)}")
    if spec.method is not Method.GRID:
        lines.append(f"method: {{kind: {spec.method.value}, points: {spec.points}}}")
    lines.append(
        "objectives: " + render({o.figure: "max" if o.maximise else "min" for o in spec.objectives})
    )
    if spec.constraints:
        lines.append(f"constraints: {render([c.text for c in spec.constraints])}")
    if spec.prices:
        lines.append(f"prices: {render(dict(spec.prices))}")
    lines.append(f"seed: {spec.seed}")
    return "\n".join(lines) + "\n"
