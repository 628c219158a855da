"""Reads what a sweep varies and looks for, in the words of files, command line and window.

All mistakes are collected, each with its place, the allowed values and what to do.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simcore.errors import Problem, ScenarioErrors, did_you_mean
from simcore.scenario.binding import FieldSpec, names, shown
from simcore.scenario.document import Document
from simcore.scenario.edit import render
from simcore.scenario.listing import FieldInfo, scenario_fields
from simcore.scenario.tree import Node, plain_value
from simcore.sweep.figures import PRICED, figure_problem, maximised
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

SAMPLE = "hardware.ndp_dimms.count: [2, 4, 8]"
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
        points=check_points(method, points, noted),
        objectives=_objectives(objectives, noted),
        constraints=tuple(
            found
            for text in constraints
            if (found := read_constraint(text, "constraints", noted)) is not None
        ),
        prices=read_prices(prices or {}, noted),
        seed=seed,
    )
    check_whole(spec, [path for path, _ in vary], noted)
    noted.check("sweep")
    return spec


def check_points(method: Method, points: Any, noted: Noted, node: Node | None = None) -> int:
    """How many points a method draws or tries, as given; 0 for a grid, which has them all."""
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


def read_prices(
    given: Mapping[str, Any], noted: Noted, node: Node | None = None
) -> dict[str, float]:
    """Prices by name of the part, as far as they are prices of parts."""
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


def check_whole(
    spec: SweepSpec, paths: Sequence[str], noted: Noted, node: Node | None = None
) -> None:
    """What only shows when all is together."""
    if not 1 <= len(paths) <= MAX_AXES:
        noted.add(
            "vary", f"{len(paths)} fields", f"1 to {MAX_AXES} fields", hint=f"such as {SAMPLE}",
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
