"""What a report says of two runs: what was set and what came out differently."""

from __future__ import annotations

from simcore.export.charts.comparison import two_runs
from simcore.export.report.document import Section, Table
from simcore.export.report.sections import bars, number, pictures, value_text
from simcore.results.diff import Difference, Figure, difference
from simcore.results.run import Run
from simcore.results.summary import summarise


def comparison_sections(a: Run, b: Run, theme: str) -> list[Section]:
    """Speeds, settings, figures, and the charts of both."""
    found = difference(summarise(a), summarise(b))
    picture = bars(two_runs(a, b), theme)
    return [
        Section("Speed", (picture, _figures(found, headlines=True))),
        Section("Settings that differ", (_settings(found),)),
        Section("Figures that differ", (_figures(found, headlines=False),)),
        Section("Charts of A", tuple(pictures(a, theme, "a-", "A: "))),
        Section("Charts of B", tuple(pictures(b, theme, "b-", "B: "))),
    ]


def _settings(found: Difference) -> Table:
    rows = tuple(
        (setting.path, _setting(setting.a), _setting(setting.b)) for setting in found.settings
    )
    return Table(("path", "A", "B"), rows, "" if rows else "The scenarios are the same.")


def _setting(value: object) -> str:
    return "–" if value is None else value_text(value)


def _figures(found: Difference, *, headlines: bool) -> Table:
    shown = [
        figure
        for figure in found.figures
        if ("." not in figure.path or figure.path.startswith("step_ms")) == headlines
        and (headlines or not figure.same)
    ]
    rows = tuple(
        (figure.title, figure.unit, number(figure.a), number(figure.b), _change(figure))
        for figure in shown
    )
    note = "" if rows else "Every figure is the same."
    return Table(("figure", "unit", "A", "B", "change"), rows, note)


def _change(figure: Figure) -> str:
    return "–" if figure.change is None else f"{100 * figure.change:+.1f} %"
