"""The comparison as a page to read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from simcore.registry import SYSTEMS
from simcore.reproduce.figures import HOST_PATH_GBps
from simcore.reproduce.fitted import ASSUMED, CHECKED_USE, FITTED, FITTED_USE
from simcore.reproduce.table import Row, summarise
from simcore.reproduce.targets import FAMILIES
from simcore.scenario.binding import field_specs
from simcore.scenario.fields import SourceClass
from simcore.scenario.presets import PRESET_KINDS, presets
from simcore.scenario.schema import ACTIVATIONS, COMPONENTS, ActivationStats
from simcore.systems.l3.energy import CONSTANTS

_ANALYSES = Path(__file__).parent / "analysis"

_HEAD = """\
# Published numbers against simulated ones

Written by `dimmscope reproduce --write-docs docs/fidelity.md`; do not edit, write it again (with
names of systems, a page of these alone is written). The analysis sections are written by hand, in
`simcore/reproduce/analysis`.

## How to read this page

Each row is a number a paper publishes (`assets/papers/targets.yaml`, with its source) and what a
simulation of that configuration gives. No model, batch or variant is special-cased.

- **error**: simulated / published - 1.
- **class**: where the published number comes from: `paper` (stated in it), `report` (known through
  secondary reports only), `public` (other public data), `derived` (arithmetic on the others).
- **use**: `fitted` if a constant of the simulator was set with this number, so that meeting it is
  no evidence; else `checked`. An average or a ratio made of fitted speeds is `checked` by this
  rule, but is not independent of them either.
- **verdict**: `met` or `missed` by the stated tolerance; `info` is printed and not judged;
  `unresolved` could not be simulated, the reason is given. Tolerances: `rel x` and `abs x` of the
  published number, `max` and `min` when it is an upper or lower bound, `exact`.

Medians are of the size of the error, over the rows judged by closeness; bounds, `info` and
`unresolved` are left out.

Where a paper gives an average of ratios without saying which, arithmetic and geometric mean are
both computed, and the nearer one is judged.
"""


def fidelity_page(rows: Sequence[Row]) -> str:
    """The comparison in Markdown; the same rows give the same text."""
    parts = [_HEAD, _overview(rows)]
    for system, title in FAMILIES.items():
        mine = [row for row in rows if row.target.system == system]
        if mine:
            parts.append(_system(system, title, mine))
    parts.append(_constants({row.target.system for row in rows}))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _overview(rows: Sequence[Row]) -> str:
    """Counts of verdicts by system and use."""
    lines = []
    for system, title in FAMILIES.items():
        for use in (FITTED_USE, CHECKED_USE):
            mine = [row for row in rows if row.target.system == system and row.use == use]
            if not mine:
                continue
            found = summarise(mine)
            counts = found["verdicts"]
            median = found["by_use"][use]["median_abs_error"]
            lines.append((title, use, len(mine), *counts.values(), _percent(median, sign=False)))
    header = ("system", "use", "targets", "met", "missed", "info", "unresolved", "median error")
    return "## Overview\n\n" + _table(header, lines)


def _system(system: str, title: str, rows: Sequence[Row]) -> str:
    """One paper: table, medians, reasons, analysis."""
    there = [row for row in rows if row.simulated is not None]
    away = [row for row in rows if row.simulated is None]
    out = [f"## {title}\n"]
    if there:
        out.append(_table(_HEADER, [_cells(row) for row in there]))
        out.append("### Medians of the size of the error\n")
        out.append(_medians(system, there))
        out.append("### How the values came about\n")
        out.append("Speeds are those of one run each. All others:\n")
        out += [
            f"- `{row.target.id}`: {_text(row.reason)}"
            for row in there
            if row.target.parts[-1] != "tokps"
        ]
        out.append("")
    if away:
        out.append("### Not simulated\n")
        reasons: dict[str, list[str]] = {}
        for row in away:
            reasons.setdefault(row.reason, []).append(row.target.id)
        for reason, ids in reasons.items():
            shown = f"{len(ids)} targets" if len(ids) > 8 else ", ".join(f"`{id}`" for id in ids)
            out.append(f"- {_text(reason)} ({shown})")
        out.append("")
    analysis = _ANALYSES / f"{system}.md"
    if analysis.is_file():
        out.append(analysis.read_text(encoding="utf-8"))
    return "\n".join(out)


_HEADER = ("target", "published", "simulated", "error", "class", "use", "tolerance", "verdict")


def _cells(row: Row) -> tuple[Any, ...]:
    return (
        f"`{row.target.id}`",
        _number(row.target.value),
        _number(row.simulated),
        _percent(row.error),
        row.target.cls,
        row.use,
        row.target.tolerance,
        f"**{row.verdict.value}**" if row.verdict.value == "missed" else row.verdict.value,
    )


def _medians(system: str, rows: Sequence[Row]) -> str:
    found = summarise(rows)["by_variant"].get(system, {})
    lines = [
        (
            "averages, shares, others" if variant == "-" else variant,
            use,
            part["targets"],
            _percent(part["median_abs_error"], sign=False),
        )
        for variant, uses in found.items()
        for use, part in uses.items()
    ]
    return _table(("variant", "use", "judged", "median"), lines)


def _constants(systems: Collection[str]) -> str:
    """What was calibrated for the systems of the page, on what, and what was merely assumed."""
    values = constant_values()
    mine = [fit for fit in FITTED if fit.targets[0].partition(".")[0] in systems]
    out = [
        "## Calibrated constants\n",
        "Every constant has a class and a source in the scenario schema. These are the ones of",
        "class `calibrated`, with the published numbers they were set with.\n",
    ]
    fits = [
        (f"`{constant}`", values.get(constant, "-"), ", ".join(f"`{t}`" for t in fit.targets))
        for fit in mine
        for constant in fit.constants
    ]
    out.append(_table(("constant", "value", "fitted on"), fits))
    out += [f"- `{fit.constants[0]}`: {fit.how}" for fit in mine]
    out.append("\nSet by order of magnitude or by default, with no target in view:\n")
    assumed = [(f"`{name}`", values.get(name, "-"), why) for name, why in ASSUMED.items()]
    out.append(_table(("constant", "value", "rests on"), assumed))
    return "\n".join(out)


def constant_values() -> dict[str, str]:
    """Default of every constant of hardware, activations, statistics and policies, by its name."""
    places: list[tuple[str, type[Any]]] = [
        *((f"hardware.{name}", cls) for name, cls in COMPONENTS.items()),
        *(("activations", cls) for cls in ACTIVATIONS.values()),
        ("model.stats", ActivationStats),
        *((f"{name}.policy", system.policy_type) for name, system in SYSTEMS.items()),
    ]
    out = {
        f"{path}.{name}": f"{spec.default} {spec.knob.unit}".strip()
        for path, cls in places
        for name, spec in field_specs(cls).items()
        if spec.knob is not None
    }
    for component in PRESET_KINDS:
        cls = COMPONENTS.get(component)
        for preset in presets(component).values() if cls else ():
            for name, found in preset.provenance.items():
                if found.source_class is SourceClass.CALIBRATED and cls is not None:
                    knob = field_specs(cls)[name].knob
                    value = f"{preset.values[name]} {knob.unit if knob else ''}".strip()
                    out[f"preset {preset.id}.{name}"] = value
    out |= {f"l3.energy.{name}": f"{item.value} {item.unit}" for name, item in CONSTANTS.items()}
    out["reproduce.host_path_GBps"] = f"{HOST_PATH_GBps:.3f} GB/s"
    return out


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [" | ".join(_text(str(cell)) for cell in row) for row in rows]
    rule = "|".join("---" for _ in header)
    return "\n".join([f"| {' | '.join(header)} |", f"|{rule}|", *(f"| {x} |" for x in lines), ""])


def _text(text: str) -> str:
    """Text that cannot break a table or start another element."""
    return " ".join(text.replace("|", "/").split())


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"


def _percent(value: float | None, *, sign: bool = True) -> str:
    if value is None:
        return "-"
    return f"{100 * value:{'+' if sign else ''}.1f} %"
