"""`dimmscope list`: what there is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console


def _systems() -> list[dict[str, Any]]:
    import simcore.systems  # noqa: F401 - fills the registry
    from simcore.registry import SYSTEMS

    return [
        {
            "id": name,
            "title": system.name,
            "paper": system.paper,
            "variant_of": type(system).title if system.variant else "",
            "needs": list(system.components),
        }
        for name, system in SYSTEMS.items()
    ]


def _charts() -> list[dict[str, Any]]:
    from simcore.export.charts import CHARTS

    return [
        {"id": name, "title": chart.title, "x": chart.x, "y": chart.y, "help": chart.help}
        for name, chart in CHARTS.items()
    ]


def _scenarios() -> list[dict[str, Any]]:
    from simcore.cli.loading import shipped_scenarios

    return [
        {"id": name, "shows": _comment(file), "file": str(file)}
        for name, file in shipped_scenarios().items()
    ]


def _sweeps() -> list[dict[str, Any]]:
    from simcore.sweep.files import list_sweeps, load_spec

    return [
        {
            "id": file.stem,
            "points": load_spec(file).size,
            "shows": _comment(file),
            "file": str(file),
        }
        for file in list_sweeps()
    ]


def _comment(file: Path) -> str:
    """The first lines of comment of a file, joined."""
    words: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# ").strip())
    return " ".join(word for word in words if word)


def _models() -> list[dict[str, Any]]:
    from simcore.cli.presets import model_rows

    return model_rows()


def _hardware() -> list[dict[str, Any]]:
    from simcore.cli.presets import hardware_rows

    return hardware_rows()


KINDS: Mapping[str, tuple[Callable[[], list[dict[str, Any]]], tuple[str, ...]]] = {
    "systems": (_systems, ("id", "title", "variant_of", "paper")),
    "models": (_models, ("id", "title", "layers", "hidden", "ffn", "experts", "weights_GB")),
    "hardware": (_hardware, ("component", "id", "title", "figures")),
    "charts": (_charts, ("id", "title", "x", "y")),
    "scenarios": (_scenarios, ("id", "shows")),
    "sweeps": (_sweeps, ("id", "points", "shows")),
}
"""Kind of thing to how it is listed and which columns a terminal shows."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("kind", metavar="|".join(KINDS), choices=tuple(KINDS))
    parser.add_argument("--json", action="store_true", help="print JSON with every field")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Print the list."""
    if arguments.kind in ("models", "hardware"):
        from simcore.scenario.presets import own_problems

        for problem in own_problems():
            console.message(f"own presets: {problem}")
    if arguments.kind == "systems":
        from simcore.systems.plugins import plugin_problems

        for problem in plugin_problems():
            console.message(f"installed systems: {problem}")
    rows_of, shown = KINDS[arguments.kind]
    rows = rows_of()
    if arguments.json:
        console.json(rows, "-")
    elif not rows:
        console.message(f"there are no {arguments.kind}")
    else:
        header = [name.replace("_", " ") for name in shown]
        console.table(header, [[_cell(row.get(name)) for name in shown] for row in rows])
    return Exit.DONE


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


COMMAND = Command("list", "list systems, models, hardware, charts or scenarios", configure, execute)
