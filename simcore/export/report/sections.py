"""What a report says of a run: speed, charts, lanes, memory, what bounds what, sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from simcore.errors import UserError
from simcore.export.chart_file import chart_data, render
from simcore.export.charts import CHARTS, ChartData
from simcore.export.charts.comparison import one_and_others
from simcore.export.report.document import Picture, Section, Table
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.summary import scenario_dict, version
from simcore.results.terms import facts, prefill_title
from simcore.units import PS_PER_MS

_MOST_BOUNDS = 14


def subtitle(run: Run) -> str:
    """System, length, seed and version in one line."""
    system = cast(Any, run.system)
    title = getattr(system, "name", system.id)
    paper = getattr(system, "paper", "")
    return (
        f"{title}{f' ({paper})' if paper else ''} · {len(run)} steps · seed {run.scenario.seed} · "
        f"DIMMscope {version()}"
    )


def run_sections(run: Run, summary: Mapping[str, Any], theme: str) -> list[Section]:
    """Everything there is to say of a run."""
    sections = [Section("Speed", (_speed(summary),))]
    if summary["compare"]:
        picture = bars(one_and_others(run, summary["compare"]), theme)
        sections.append(Section("Compared with", (_compare(summary), picture)))
    sections += [
        Section("Charts", tuple(pictures(run, theme))),
        Section("What bounds what", (_bounds(run),)),
        Section("Lanes", (_lanes(summary),)),
        Section("Memory", (_memory(summary),)),
    ]
    if summary["placement"]:
        rows = tuple(_facts(run, summary["placement"]))
        sections.append(Section("Placement", (Table(("figure", "value"), rows),)))
    sections.append(Section("Energy", _energy(summary)))
    sections.append(Section("Values and their sources", (_sources(run),)))
    return sections


def pictures(run: Run, theme: str, prefix: str = "", title: str = "") -> list[Picture]:
    """Every chart the run has; ids and titles start with `prefix` and `title`."""
    out = []
    for name, chart in CHARTS.items():
        if chart.items and not run.plan.items:
            continue
        try:
            data = chart_data(run, name)
        except UserError:  # a system without, say, a group of DIMMs has no such chart
            continue
        svg = render(data, "svg", theme=theme).decode("utf-8")
        out.append(Picture(f"{prefix}{name}", f"{title}{chart.title}", chart.help, svg))
    return out


def bars(data: ChartData, theme: str) -> Picture:
    """Speeds of several runs side by side."""
    svg = render(data, "svg", theme=theme, height_mm=max(45, 24 + 8 * len(data)))
    return Picture(data.chart, "Comparison", "Speed of each, end to end.", svg.decode("utf-8"))


def _bounds(run: Run) -> Table:
    """What the longest operations of a usual step are bound by.

    The step is the decode step of median length; an operation that several alike lanes do at the
    same time is told once, by the longest of its spans.
    """
    length = run.column("duration_ps")
    decode = np.flatnonzero(run.column("kind") != KIND_PREFILL)
    steps = decode if len(decode) else np.arange(len(run))
    step = int(steps[np.argsort(length[steps], kind="stable")[len(steps) // 2]])
    spans = run.spans(step)
    work = np.flatnonzero(~np.array([op.is_wait for op in run.ops])[spans.op])
    groups = list(dict.fromkeys(lane.group for lane in run.lanes))
    group = np.array([groups.index(lane.group) for lane in run.lanes])[spans.lane[work]]
    key = group * len(run.ops) + spans.op[work]
    rows = []
    for kind in np.unique(key).tolist():
        here = work[key == kind]
        lanes = len(np.unique(spans.lane[here]))
        longest = int(here[np.argmax(spans.duration_ps[here])])
        mean_ps = int(spans.duration_ps[here].sum()) / lanes
        told = run.explain(step, longest)
        rows.append(
            (
                mean_ps,
                (
                    groups[kind // len(run.ops)] + (f" ({lanes} lanes)" if lanes > 1 else ""),
                    run.ops[kind % len(run.ops)].title,
                    str(round(len(here) / lanes)),
                    number(mean_ps / PS_PER_MS),
                    _percent(mean_ps / max(1, int(length[step]))),
                    told.bound or "–",
                    f"{told.formula} = {told.result}" if told.formula else told.result,
                ),
            )
        )
    rows.sort(key=lambda row: -row[0])
    word = getattr(run.system, "step_word", "token")
    return Table(
        ("device", "operation", "times", "ms", "of the step", "bound by", "longest of them"),
        tuple(row for _, row in rows[:_MOST_BOUNDS]),
        f"In {word} {step}, the one of median length ({length[step] / PS_PER_MS:.5g} ms); time is "
        "the mean over the lanes. Lanes work at the same time, so shares do not add up to 100 %."
        + (f" {len(rows) - _MOST_BOUNDS} shorter ones are left out." * (len(rows) > _MOST_BOUNDS)),
    )


def _speed(summary: Mapping[str, Any]) -> Table:
    step, prompts = summary["step_ms"], prefill_title(summary["step_word"])
    inside = ", prefill inside" if summary["prefill_s"] else ""
    return Table(
        ("figure", "value", "unit"),
        (
            (f"end to end{inside}", number(summary["tokens_per_s"]), "tokens/s"),
            ("decode", number(summary["decode_tokens_per_s"]), "tokens/s"),
            *([(prompts, number(summary["prefill_s"]), "s")] if inside else []),
            ("decode step, mean", number(step["mean"]), "ms"),
            ("decode step, median", number(step["p50"]), "ms"),
            ("decode step, 95th percentile", number(step["p95"]), "ms"),
            ("decode step, longest", number(step["max"]), "ms"),
            ("output tokens", str(summary["tokens"]), ""),
        ),
    )


def _compare(summary: Mapping[str, Any]) -> Table:
    rows = [(str(summary["system"]), number(summary["tokens_per_s"]), "1")]
    rows += [
        (name, number(other["tokens_per_s"]), other.get("error") or number(other["speedup"]))
        for name, other in summary["compare"].items()
    ]
    return Table(("system", "tokens/s", f"speedup of {summary['system']}"), tuple(rows))


def _lanes(summary: Mapping[str, Any]) -> Table:
    lanes = summary["lanes"].values()
    reasons = [
        reason
        for reason in (next(iter(lanes))["wait"] if lanes else {})
        if any(lane["wait"][reason] for lane in lanes)
    ]
    rows = tuple(
        (
            lane["title"],
            _percent(lane["busy"]),
            *(_percent(lane["wait"][reason]) for reason in reasons),
            f"{lane['bytes'] / 1e9:.2f}",
            number(lane["GBps"]),
            number(lane["busy_GBps"]),
            number(lane["peak_GBps"]) if lane["peak_GBps"] else "–",
        )
        for lane in lanes
    )
    header = ("lane", "busy", *(f"wait: {reason}" for reason in reasons))
    return Table(
        (*header, "GB moved", "GB/s", "GB/s while busy", "peak GB/s"),
        rows,
        "Busy and waits add up to 100 % of the run. GB is 10⁹ bytes.",
    )


def _memory(summary: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            device["title"],
            f"{device['used_bytes'] / 1e9:.2f}",
            f"{device['peak_bytes'] / 1e9:.2f}",
            f"{device['capacity_bytes'] / 1e9:.2f}",
            ", ".join(
                f"{kind} {size / 1e9:.2f}" for kind, size in device["by_kind"].items() if size
            ),
        )
        for device in summary["memory"].values()
    )
    return Table(("memory", "used, GB", "peak, GB", "capacity, GB", "by kind, GB"), rows)


def _energy(summary: Mapping[str, Any]) -> tuple[Table, ...]:
    basis = summary["energy_basis"]
    joules = tuple(
        (name.replace("_", " "), number(value)) for name, value in summary["energy_J"].items()
    )
    constants = tuple(
        (c["title"], number(c["value"]), c["unit"], c["source_class"], c["source"], c["note"])
        for c in basis["constants"].values()
    )
    table = summary["energy"]
    by_part = tuple(
        (
            name.replace("_", " "),
            part,
            number(value),
            number(table["per_token"].get(name, {}).get(part, 0.0)),
        )
        for name, parts in table["joules"].items()
        for part, value in parts.items()
    )
    missing = ", ".join(name.replace("_", " ") for name in table["missing"])
    left_out = f"No sourced background power of {missing}." if missing else ""
    return (
        Table(("component", "J"), joules, " ".join(basis["notes"])),
        Table(("component", "part", "J", "J a token"), by_part, left_out),
        Table(("constant", "value", "unit", "class", "source", "note"), constants),
    )


def _sources(run: Run) -> Table:
    values = dict(_leaves(scenario_dict(run.scenario)))
    provenance = run.scenario.provenance
    rows = tuple(
        (
            path,
            "not set" if value is None else value_text(value),
            provenance[path].source_class.value if path in provenance else "",
            provenance[path].source if path in provenance else "",
        )
        for path, value in values.items()
    )
    return Table(("path", "value", "class", "source"), rows)


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        return [
            leaf
            for key, item in value.items()
            for leaf in _leaves(item, f"{path}.{key}" if path else str(key))
        ]
    return [(path, value)]


def _facts(run: Run, placement: Mapping[str, Any]) -> list[tuple[str, str]]:
    terms = getattr(run.system, "terms", {})
    return [(fact.title, fact.text) for fact in facts(terms, placement)]


def value_text(value: Any) -> str:
    """A value of a scenario as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        shown = ", ".join(value_text(item) for item in value[:16])
        return shown + (f", … ({len(value)} in all)" if len(value) > 16 else "")
    return str(value)


def number(value: float | None) -> str:
    """Five significant digits; a dash for no value."""
    return "–" if value is None else f"{value:.5g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if value else "–"
