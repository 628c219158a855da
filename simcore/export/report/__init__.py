"""Reports: figures, charts and the source of every constant, as HTML or Markdown.

The HTML file stands alone (charts inside, no links to elsewhere); Markdown gets its charts as SVG
files beside it. Equal runs give equal reports, so wall times are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simcore.errors import UserError
from simcore.export.report.comparison import comparison_sections
from simcore.export.report.document import SUFFIXES, check_suffix, write_document
from simcore.export.report.sections import run_sections, subtitle
from simcore.results.run import Run
from simcore.results.summary import summarise, version

__all__ = ["SUFFIXES", "check_suffix", "write_comparison", "write_report"]


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
    check_suffix(path)
    _check_steps(run)
    summary = summarise(run)
    summary["compare"] = dict(compare or {})
    sections = run_sections(run, summary, theme)
    return write_document(path, run.scenario.name, subtitle(run), sections)


def write_comparison(a: Run, b: Run, path: str | Path, *, theme: str = "paper") -> list[Path]:
    """Write what differs between two runs, with their charts; returns the files written.

    Raises:
        UserError: if the ending is neither ``.html`` nor ``.md``, or a run has no steps.
        DataFileError: if a file cannot be written.
    """
    check_suffix(path)
    for run in (a, b):
        _check_steps(run)
    below = f"A: {subtitle(a)} — B: {subtitle(b)}".replace(f" · DIMMscope {version()}", "", 1)
    title = f"{a.scenario.name} and {b.scenario.name}"
    if a.scenario.name == b.scenario.name:
        title = f"{a.scenario.name}: {a.scenario.system} and {b.scenario.system}"
    return write_document(path, title, below, comparison_sections(a, b, theme))


def _check_steps(run: Run) -> None:
    if not len(run):
        raise UserError("the run has no steps; there is nothing to report")
