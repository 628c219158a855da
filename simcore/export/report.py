"""A report of a run: figures, charts and the source of every constant, as HTML or Markdown.

The HTML file stands alone (charts inside, no links to elsewhere); Markdown gets its charts as SVG
files beside it. Equal runs give equal reports, so wall times are left out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from simcore.errors import UserError
from simcore.export.chart_file import chart_data, render
from simcore.export.charts import CHARTS
from simcore.results.files import replacing
from simcore.results.run import Run
from simcore.results.summary import scenario_dict, summarise, version
from simcore.results.terms import facts

SUFFIXES = (".html", ".md")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; `note` follows in small print."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG."""

    id: str
    title: str
    help: str
    svg: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what belongs to it."""

    title: str
    parts: tuple[Table | Picture, ...]


def write_report(
    run: Run,
    path: str | Path,
    *,
    theme: str = "paper",
    compare: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write a report; returns the files written, the report first.

    Args:
        run: the run.
        path: ``.html`` or ``.md`` file.
        theme: theme of the charts.
        compare: other systems: name to ``tokens_per_s`` and ``speedup``.

    Raises:
        UserError: if the ending is neither.
        DataFileError: if a file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path}: a report is written to {' or '.join(SUFFIXES)}")
    if not len(run):
        raise UserError("the run has no steps; there is nothing to report")
    summary = summarise(run)
    summary["compare"] = dict(compare or {})
    sections = _sections(run, summary, theme)
    subtitle = _subtitle(run)
    if suffix == ".html":
        _write(target, _html(run.scenario.name, subtitle, sections))
        return [target]
    written = [target]
    names = {}
    for section in sections:
        for part in section.parts:
            if isinstance(part, Picture):
                beside = target.with_name(f"{target.stem}-{part.id}.svg")
                _write(beside, part.svg)
                names[part.id] = beside.name
                written.append(beside)
    _write(target, _markdown(run.scenario.name, subtitle, sections, names))
    return written


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _subtitle(run: Run) -> str:
    system = cast(Any, run.system)
    title = getattr(system, "name", system.id)
    paper = getattr(system, "paper", "")
    return (
        f"{title}{f' ({paper})' if paper else ''} · {len(run)} steps · seed {run.scenario.seed} · "
        f"DIMMscope {version()}"
    )


def _sections(run: Run, summary: Mapping[str, Any], theme: str) -> list[Section]:
    sections = [Section("Speed", (_speed(summary),))]
    if summary["compare"]:
        sections.append(Section("Compared with", (_compare(summary),)))
    sections += [
        Section("Charts", tuple(_pictures(run, theme))),
        Section("Lanes", (_lanes(summary),)),
        Section("Memory", (_memory(summary),)),
    ]
    if summary["placement"]:
        rows = tuple(_facts(run, summary["placement"]))
        sections.append(Section("Placement", (Table(("figure", "value"), rows),)))
    sections.append(Section("Energy", _energy(summary)))
    sections.append(Section("Values and their sources", (_sources(run),)))
    return sections


def _pictures(run: Run, theme: str) -> list[Picture]:
    out = []
    for name, chart in CHARTS.items():
        if chart.items and not run.plan.items:
            continue
        try:
            data = chart_data(run, name)
        except UserError:  # a system without, say, a group of DIMMs has no such chart
            continue
        svg = render(data, "svg", theme=theme).decode("utf-8")
        out.append(Picture(name, chart.title, chart.help, svg))
    return out


def _speed(summary: Mapping[str, Any]) -> Table:
    step = summary["step_ms"]
    return Table(
        ("figure", "value", "unit"),
        (
            ("end to end, prefill inside", _number(summary["tokens_per_s"]), "tokens/s"),
            ("decode", _number(summary["decode_tokens_per_s"]), "tokens/s"),
            ("prefill", _number(summary["prefill_s"]), "s"),
            ("decode step, mean", _number(step["mean"]), "ms"),
            ("decode step, median", _number(step["p50"]), "ms"),
            ("decode step, 95th percentile", _number(step["p95"]), "ms"),
            ("decode step, longest", _number(step["max"]), "ms"),
            ("output tokens", str(summary["tokens"]), ""),
        ),
    )


def _compare(summary: Mapping[str, Any]) -> Table:
    rows = [(str(summary["system"]), _number(summary["tokens_per_s"]), "1")]
    rows += [
        (name, _number(other["tokens_per_s"]), other.get("error") or _number(other["speedup"]))
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
            _number(lane["GBps"]),
            _number(lane["busy_GBps"]),
            _number(lane["peak_GBps"]) if lane["peak_GBps"] else "–",
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
        (name.replace("_", " "), _number(value)) for name, value in summary["energy_J"].items()
    )
    constants = tuple(
        (c["title"], _number(c["value"]), c["unit"], c["source_class"], c["source"], c["note"])
        for c in basis["constants"].values()
    )
    table = summary["energy"]
    by_part = tuple(
        (
            name.replace("_", " "),
            part,
            _number(value),
            _number(table["per_token"].get(name, {}).get(part, 0.0)),
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
            "not set" if value is None else _value(value),
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


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        shown = ", ".join(_value(item) for item in value[:16])
        return shown + (f", … ({len(value)} in all)" if len(value) > 16 else "")
    return str(value)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.5g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if value else "–"


_STYLE = """
:root{--ink:#1b1f24;--muted:#5d6570;--line:#d9dde2;--ground:#fff;--band:#f5f7f9}
body{font:15px/1.5 Inter,system-ui,sans-serif;color:var(--ink);background:var(--ground);
max-width:1080px;margin:2rem auto;padding:0 1.25rem}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
.sub,.note,figcaption{color:var(--muted);font-size:.85rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;min-width:30%}
th,td{padding:.28rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{background:var(--band);font-weight:600}td.n{text-align:right;white-space:nowrap}
figure{margin:1.4rem 0}figure svg{width:100%;height:auto;border:1px solid var(--line)}
@media print{body{margin:0;max-width:none}figure,tr{break-inside:avoid}}
""".strip()
_NUMBER = re.compile(r"[+-]?\d[\d.]*(e[+-]?\d+)?( %)?|–")


def _html(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    body = [f"<h1>{html.escape(title)}</h1>", f'<p class="sub">{html.escape(subtitle)}</p>']
    for section in sections:
        body.append(f"<h2>{html.escape(section.title)}</h2>")
        for part in section.parts:
            body.append(_html_table(part) if isinstance(part, Table) else _html_picture(part))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)} – DIMMscope</title>",
            f"<style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _html_table(table: Table) -> str:
    numeric = [
        bool(table.rows) and all(_NUMBER.fullmatch(row[at]) for row in table.rows)
        for at in range(len(table.header))
    ]
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in table.header)
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' if number else ''}>{html.escape(cell)}</td>"
            for cell, number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{html.escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>'
        f"</div>{note}"
    )


def _html_picture(picture: Picture) -> str:
    svg = picture.svg[picture.svg.index("<svg") :]
    # Ids are unique in a page, and every drawing numbers its own from one.
    svg = re.sub(r'(\bid=")', rf"\g<1>{picture.id}-", svg)
    svg = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{picture.id}-", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(picture.title)}"', 1)
    caption = f"{html.escape(picture.title)}. {html.escape(picture.help)}"
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _markdown(
    title: str, subtitle: str, sections: Sequence[Section], names: Mapping[str, str]
) -> str:
    lines = [f"# {_md(title)}", "", _md(subtitle), ""]
    for section in sections:
        lines += [f"## {_md(section.title)}", ""]
        for part in section.parts:
            if isinstance(part, Picture):
                name = names[part.id].replace(" ", "%20")
                lines += [f"![{_md(part.title)}]({name})", "", _md(part.help), ""]
                continue
            lines += [
                "| " + " | ".join(_md(cell) for cell in part.header) + " |",
                "|" + " --- |" * len(part.header),
                *("| " + " | ".join(_md(cell) for cell in row) + " |" for row in part.rows),
                "",
            ]
            if part.note:
                lines += [_md(part.note), ""]
    return "\n".join(lines)


def _md(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text).replace("\n", " ")
