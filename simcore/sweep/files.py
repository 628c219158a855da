"""Sweep files: which there are, how one is read, and how one is written.

All mistakes are collected, each with its place, the allowed values and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simcore.data import data_root, is_file
from simcore.errors import DataFileError, ScenarioErrors, UnknownNameError, did_you_mean
from simcore.scenario.document import Document, open_document
from simcore.scenario.edit import plain_data, render
from simcore.scenario.tree import Mapping as MappingNode
from simcore.scenario.tree import parse
from simcore.sweep.figures import FIGURES
from simcore.sweep.parse import (
    SAMPLE,
    Noted,
    axis_fields,
    check_points,
    check_whole,
    make_axis,
    read_constraint,
    read_objective,
    read_prices,
)
from simcore.sweep.resolve import with_field
from simcore.sweep.spec import Constraint, Method, Objective, SweepSpec

_KEYS = (
    *("version", "name", "scenario", "set", "vary", "method"),
    *("objectives", "constraints", "prices", "seed"),
)
_VERSION = 1


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
        vary = self._group("vary", f"for example vary: {{{SAMPLE}}}")
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
        check_whole(spec, list(nodes), self.noted, self.root.values.get("vary"))
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
        return method, check_points(method, points, self.noted, node)

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
        return read_prices(group.data, self.noted, group) if group else {}

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
