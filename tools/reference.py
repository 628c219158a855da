"""Make docs/reference: every field of a scenario, every command, every system, from the code.

Usage: python tools/reference.py [--check]
With --check nothing is written; the exit code is 1 if a page is out of date.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PARTS = ("model", "hardware", "workload", "activations", "policy")
_PYTHON = (3, 11)
"""Version of Python whose layout of help the page of commands shows."""
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference"


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = [
        name
        for name, text in pages().items()
        if not (TARGET / name).is_file() or (TARGET / name).read_text(encoding="utf-8") != text
    ]
    if check:
        if sys.version_info[:2] != _PYTHON and "cli.md" in stale:
            sys.stderr.write("cli.md not compared: other Pythons lay out help differently\n")
            stale.remove("cli.md")
        for name in stale:
            sys.stderr.write(f"docs/reference/{name} is out of date: python tools/reference.py\n")
        return int(bool(stale))
    TARGET.mkdir(exist_ok=True)
    for name, text in pages().items():
        (TARGET / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


def pages() -> dict[str, str]:
    """File name to text."""
    return {
        "scenario.md": "\n".join(_scenario()),
        "cli.md": "\n".join(_commands()),
        "systems.md": "\n".join(_systems()),
    }


def _scenario() -> Iterator[str]:
    import simcore.systems  # noqa: F401 - fills the registry
    from simcore.registry import SYSTEMS
    from simcore.scenario.listing import GROUP_TITLES
    from simcore.scenario.schema import ACTIVATIONS, COMPONENTS, WORKLOADS, Model, Scenario

    yield "# Fields of a scenario"
    yield ""
    yield "A scenario is a YAML file. Only `version`, `system` and `model` are needed; what is not"
    yield "said comes from a preset or has the value below. `dimmscope validate FILE` reports all"
    yield "that is wrong at once; `--set PATH=VALUE` changes a field from the command line."
    yield "Classes of values: `paper` (stated by the paper), `public` (a data sheet or"
    yield "measurement), `derived` (computed from such), `calibrated` (fitted to published)."
    yield ""
    yield from _table("General", "", Scenario, skip=_PARTS)
    yield from _table("`model`", "model", Model)
    for name, kind in COMPONENTS.items():
        yield from _table(f"`hardware.{name}`: {GROUP_TITLES.get(name, name)}", name, kind)
    for name, kind in WORKLOADS.items():
        yield from _table(f"`workload` of kind `{name}`", "workload", kind)
    for name, kind in ACTIVATIONS.items():
        yield from _table(f"`activations` from source `{name}`", "activations", kind)
    users: dict[type[Any], list[str]] = {}
    for name, system in SYSTEMS.items():
        users.setdefault(system.policy_type, []).append(name)
    for kind, names in users.items():
        if kind is not None:
            yield from _table(f"`policy` of {', '.join(f'`{n}`' for n in names)}", "policy", kind)


def _table(title: str, path: str, kind: type[Any], skip: tuple[str, ...] = ()) -> Iterator[str]:
    rows = [row for row in _rows("", kind) if row[0].strip("`").split(".")[0] not in skip]
    if not rows:
        return
    yield f"## {title}"
    yield ""
    yield "| field | value | allowed | what it is | class and source |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _rows(prefix: str, kind: type[Any]) -> Iterator[tuple[str, ...]]:
    from simcore.scenario.binding import field_specs

    defaults = {field.name: field for field in dataclasses.fields(kind)}
    for name, spec in field_specs(kind).items():
        if spec.nested:
            yield from _rows(f"{prefix}{name}.", spec.type)
        elif spec.knob is not None:
            knob, field = spec.knob, defaults[name]
            value = "" if field.default is dataclasses.MISSING else _value(field.default)
            unit = f" {knob.unit}" if knob.unit and value not in ("", "automatic") else ""
            origin = knob.provenance
            source = f"{origin.source_class.value}: {_cell(origin.source)}" if origin else ""
            yield (
                f"`{prefix}{name}`",
                _cell(value + unit),
                _cell(knob.allowed().replace(" | ", ", ")),
                _cell(knob.help),
                source,
            )


def _value(value: object) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    for sign in "\\|<>*_[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _commands() -> Iterator[str]:
    from simcore.cli import COMMAND_NAMES
    from simcore.cli.entry import command_parser

    yield "# Commands"
    yield ""
    yield "`dimmscope` without a command opens the window. Exit codes: 0 done, 1 a check did not"
    yield "hold, 2 bad input, 3 cancelled, 70 a bug (a report is written)."
    yield ""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "96"  # what argparse breaks its lines at
    try:
        for name in COMMAND_NAMES:
            yield f"## dimmscope {name}"
            yield ""
            yield "```text"
            yield command_parser(name).format_help().rstrip()
            yield "```"
            yield ""
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _systems() -> Iterator[str]:
    import simcore.systems  # noqa: F401 - fills the registry
    from simcore.registry import SYSTEMS

    yield "# Systems"
    yield ""
    yield "| system | what it is | paper | hardware it needs | workloads | mixtures of experts |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, system in SYSTEMS.items():
        yield (
            f"| `{name}` | {_cell(system.name)} | {_cell(system.paper)} | "
            f"{', '.join(f'`{part}`' for part in system.components)} | "
            f"{', '.join(f'`{kind}`' for kind in system.workloads)} | "
            f"{'yes' if system.experts else 'no'} |"
        )
    yield ""


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main())
