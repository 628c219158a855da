"""Summaries as text: the tables `run`, `compare` and `validate` print."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from simcore.cli.console import Console, amount
from simcore.registry import SYSTEMS
from simcore.results.diff import Difference, Figure
from simcore.results.terms import facts, prefill_title
from simcore.results.text import printable
from simcore.units import rounded

_MAX_FACTS = 30
_MAX_TEXTS = 4


def _workload(workload: Mapping[str, Any]) -> str:
    """A workload in a few words."""
    if workload.get("kind") == "serving":
        return f"{workload['requests']} requests, {workload[workload['source']]}"
    prompt = workload.get("prompt_tokens", "?")
    if "longest_prompt_tokens" in workload:
        prompt = f"({prompt} to {workload['longest_prompt_tokens']})"
    return (
        f"batch {workload.get('batch', '?')} · "
        f"{prompt} + {workload.get('output_tokens', '?')} tokens"
    )


def print_summary(summary: Mapping[str, Any], system_title: str, console: Console) -> None:
    """The figures of a run as a person reads them."""
    scenario = summary["scenario"]
    workload = scenario["workload"]
    console.out(scenario["name"])
    console.out(
        f"{system_title} ({summary['system']}) · {_model(scenario)} · "
        f"{_workload(workload)} · seed {scenario['seed']}"
    )
    if not summary["simulator"]["finished"]:
        steps = "step" if summary["steps"] == 1 else f"{summary['steps']} steps"
        console.out(f"PARTIAL: the first {steps} of a run that is not finished")
    console.out()
    step = summary["step_ms"]
    whole = f"tokens/s ({summary['tokens']} tokens in {summary['duration_s']:.4g} s)"
    spread = f"median {step['p50']:.4g}, 95 % {step['p95']:.4g}, longest {step['max']:.4g}"
    prompts = prefill_title(summary["step_word"])
    console.table(
        ("", "", ""),
        [
            ("end to end", f"{summary['tokens_per_s']:.4g}", whole),
            ("decode", f"{summary['decode_tokens_per_s']:.4g}", "tokens/s"),
            *([(prompts, f"{summary['prefill_s']:.4g}", "s")] if summary["prefill_s"] else []),
            ("decode step", f"{step['mean']:.4g}", f"ms ({spread})"),
        ],
    )
    console.out()
    _lanes(summary["lanes"], console)
    console.out()
    _memory(summary["memory"], console)
    if summary["placement"]:
        console.out()
        _facts(summary["system"], summary["placement"], console)
    console.out()
    joules = summary["energy_J"]
    parts = ", ".join(
        f"{name.replace('_', ' ')} {amount(value, 'J')}"
        for name, value in joules.items()
        if name != "total"
    )
    console.out(f"energy  {amount(joules['total'], 'J')} (dynamic, estimated from public figures)")
    console.out(f"        {parts}")
    table = summary["energy"]
    whole, tokens = table["total_J"], summary["tokens"]
    watts = sum(table["background_W"].values())
    each = f"{amount(whole / tokens, 'J')} a token" if tokens else "no token yet"
    missing = ", ".join(name.replace("_", " ") for name in table["missing"])
    known = f"with {watts:.4g} W of DDR4 background" if watts else "without background"
    unknown = f" (no sourced figure for that of {missing})" if missing else ""
    console.out(f"        {each} {known}{unknown}")
    for number, text in enumerate(summary.get("text", ())[:_MAX_TEXTS]):
        console.out()
        own = f" of sequence {number}" if len(summary["text"]) > 1 else ""
        console.out(f"text{own}, token by token:")
        console.out(textwrap.fill(printable(text), 96, initial_indent="  ", subsequent_indent="  "))
    if summary["compare"]:
        console.out()
        _compare(summary, console)
    simulator = summary["simulator"]
    if simulator["wall_s"]:
        console.out()
        console.out(
            f"simulated {summary['steps']} steps in {simulator['wall_s']:.2f} s "
            f"({simulator['steps_per_s']:.0f} steps/s), DIMMscope {simulator['version']}"
        )


def _model(scenario: Mapping[str, Any]) -> str:
    model = scenario["model"]
    return str(model.get("preset") or model.get("title") or "model")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if value else "-"


def _lanes(lanes: Mapping[str, Any], console: Console) -> None:
    reasons = [
        reason
        for reason in (next(iter(lanes.values()))["wait"] if lanes else {})
        if any(lane["wait"][reason] for lane in lanes.values())
    ]
    rows = [
        (
            lane["title"],
            _share(lane["busy"]),
            *(_share(lane["wait"][reason]) for reason in reasons),
            amount(lane["bytes"], "B"),
            rounded(lane["GBps"], 4),
            rounded(lane["peak_GBps"], 4) if lane["peak_GBps"] else "-",
        )
        for lane in lanes.values()
    ]
    header = ("lane", "busy", *(f"wait: {r}" for r in reasons), "moved", "GB/s", "peak GB/s")
    console.table(header, rows)


def _memory(memory: Mapping[str, Any], console: Console) -> None:
    rows = [
        (
            device["title"],
            f"{device['used_bytes'] / 1e9:.2f}",
            f"{device['peak_bytes'] / 1e9:.2f}",
            f"{device['capacity_bytes'] / 1e9:.2f}",
            ", ".join(f"{k} {v / 1e9:.2f}" for k, v in device["by_kind"].items() if v),
        )
        for device in memory.values()
    ]
    console.table(("memory", "used GB", "peak GB", "capacity GB", "by kind, GB"), rows)


def _facts(system: str, values: Mapping[str, Any], console: Console) -> None:
    found = facts(SYSTEMS.get(system).terms, values)
    rows = [(fact.title, fact.text) for fact in found[:_MAX_FACTS]]
    if len(found) > _MAX_FACTS:
        rows.append((f"... {len(found) - _MAX_FACTS} more with --json", ""))
    width = max(len(name) for name, _ in rows)
    console.out("placement and policy")
    for name, value in rows:
        console.out(f"  {name.ljust(width)}  {value}".rstrip())


def _compare(summary: Mapping[str, Any], console: Console) -> None:
    own = summary["tokens_per_s"]
    rows = [(summary["system"], f"{own:.4g}", "1.00")]
    rows += [
        (
            name,
            "-" if other["tokens_per_s"] is None else f"{other['tokens_per_s']:.4g}",
            other["error"] if other.get("error") else f"{other['speedup']:.2f}",
        )
        for name, other in summary["compare"].items()
    ]
    console.table(("compared with", "tokens/s", f"speedup of {summary['system']}"), rows)


def print_difference(found: Difference, console: Console, *, everything: bool = False) -> None:
    """Two runs side by side."""
    console.out(f"A  {found.a}")
    console.out(f"B  {found.b}")
    console.out()
    if found.settings:
        rows = [(s.path, _setting(s.a), _setting(s.b)) for s in found.settings]
        console.table(("setting", "A", "B"), rows)
    else:
        console.out("The scenarios are the same.")
    console.out()
    figures = found.figures if everything else [f for f in found.changed() if _headline(f)]
    if figures:
        console.table(("figure", "unit", "A", "B", "change"), [_row(f) for f in figures])
        hidden = len(found.changed()) - len(figures)
        if hidden > 0:
            console.out(f"... {hidden} more figures differ; --all shows every figure")
    else:
        console.out("Every figure is the same.")
    console.out()
    if f"{found.speedup:.4g}" == "1":
        same = "exactly" if found.speedup == 1 else "within 0.05 %"
        console.out(f"A and B make the same tokens/s ({same})")
    else:
        console.out(f"B makes {found.speedup:.4g} times the tokens/s of A")


def _headline(figure: Figure) -> bool:
    """Whether a figure is shown without --all."""
    parts = figure.path.split(".")
    if parts[0] == "groups":
        return False  # every lane is listed
    if parts[0] == "lanes":
        return parts[-1] == "busy"
    if parts[0] == "memory":
        return parts[-1] == "peak_bytes"
    return True


def _setting(value: Any) -> str:
    return "-" if value is None else str(value)


def _row(figure: Figure) -> tuple[str, ...]:
    def cell(value: float | None) -> str:
        if value is None:
            return "-"
        if figure.unit == "share":
            return f"{100 * value:.2f}"
        return amount(value, "B") if figure.unit == "B" else f"{value:.6g}"

    unit = {"share": "%", "B": ""}.get(figure.unit, figure.unit)
    change = "-" if figure.change is None else f"{100 * figure.change:+.1f} %"
    return (figure.title, unit, cell(figure.a), cell(figure.b), change)
