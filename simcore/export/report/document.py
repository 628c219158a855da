"""A document of tables and pictures, as one HTML file or as Markdown with SVG files beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simcore.errors import UserError
from simcore.results.files import replacing

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


def check_suffix(path: str | Path) -> None:
    """Raise UserError if no document is written to such files."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UserError(f"{path}: a report is written to {' or '.join(SUFFIXES)}")


def write_document(
    path: str | Path, title: str, subtitle: str, sections: Sequence[Section]
) -> list[Path]:
    """Write a document; returns the files written, the document first.

    Raises:
        UserError: if the ending is neither ``.html`` nor ``.md``.
        DataFileError: if a file cannot be written.
    """
    check_suffix(path)
    target = Path(path)
    if target.suffix.lower() == ".html":
        _write(target, _html(title, subtitle, sections))
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
    _write(target, _markdown(title, subtitle, sections, names))
    return written


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


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
