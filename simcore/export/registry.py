"""Every kind of file a run can be written to; adding one is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simcore.errors import UserError, did_you_mean
from simcore.export.chart_file import PICTURES, export_chart, write_chart
from simcore.export.charts import CHARTS
from simcore.export.charts.comparison import one_and_others
from simcore.export.chrome_trace import TraceOptions, write_trace
from simcore.export.report import write_report
from simcore.export.run_tables import write_spans, write_steps
from simcore.registry import Registry
from simcore.results.io import save_run
from simcore.results.run import Run


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What all exporters understand.

    Attributes:
        start, stop: steps; None for the exporter's own choice.
        theme: theme of drawings.
        compare: other systems: name to ``tokens_per_s`` and ``speedup``, for the comparison.
    """

    start: int | None = None
    stop: int | None = None
    theme: str = "paper"
    compare: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exporter:
    """One kind of file.

    Attributes:
        id, title: stable id and name as shown.
        suffixes: endings of file names, the longest match wins.
        write: writes the file.
        items: whether the run should have recorded single items.
    """

    id: str
    title: str
    suffixes: tuple[str, ...]
    write: Callable[[Run, Path, ExportOptions], object]
    items: bool = False


EXPORTERS: Registry[Exporter] = Registry("kind of export")
"""Kinds of files, by id."""


COMPARISON = "comparison"
"""Chart of several systems, named like those of one run."""


def _write_chart(run: Run, path: Path, options: ExportOptions) -> None:
    chart = chart_of(path)
    if chart == COMPARISON:
        write_chart(one_and_others(run, options.compare), path, theme=options.theme)
        return
    export_chart(run, chart, path, start=options.start, stop=options.stop, theme=options.theme)


def _add(exporter: Exporter) -> None:
    EXPORTERS.add(exporter.id, exporter)


_add(
    Exporter(
        "trace",
        "Chrome trace for Perfetto",
        (".json", ".json.gz"),
        lambda run, path, o: write_trace(run, path, TraceOptions(o.start, o.stop)),
    )
)
_add(
    Exporter(
        "steps",
        "table of the steps",
        (".csv", ".steps.csv", ".parquet", ".steps.parquet"),
        lambda run, path, o: write_steps(run, path, o.start, o.stop),
    )
)
_add(
    Exporter(
        "spans",
        "table of all operations and waits",
        (".spans.csv", ".spans.parquet"),
        lambda run, path, o: write_spans(run, path, o.start, o.stop),
    )
)
_add(
    Exporter(
        "run",
        "saved run, to open again",
        (".npz",),
        lambda run, path, o: save_run(run, path),
        items=True,
    )
)
_add(
    Exporter(
        "report",
        "report with tables and charts",
        (".html", ".md"),
        lambda run, path, o: write_report(run, path, theme=o.theme, compare=o.compare),
        items=True,
    )
)
_add(
    Exporter(
        "chart",
        "chart named by the file, such as timeline.svg",
        PICTURES,
        lambda run, path, o: _write_chart(run, path, o),
        items=True,
    )
)


def chart_of(path: Path) -> str:
    """The chart a picture's name asks for: ``fig3-timeline.svg`` is the timeline.

    Raises:
        UserError: if the name holds no chart id.
    """
    stem = path.stem.lower().replace("_", "-")
    known = (*CHARTS, COMPARISON)
    named = [chart for chart in known if stem == chart or stem.endswith(f"-{chart}")]
    if named:
        return max(named, key=len)
    raise UserError(
        f"{path}: which chart? {did_you_mean(stem, known)}name the file after one of "
        f"{', '.join(known)}, or use `dimmscope export --chart`"
    )


def exporter_for(path: str | Path) -> Exporter:
    """The exporter for a file name.

    Raises:
        UserError: if no exporter writes files of that ending.
    """
    name = Path(path).name.lower()
    found = [
        (len(suffix), exporter)
        for _, exporter in EXPORTERS.items()
        for suffix in exporter.suffixes
        if name.endswith(suffix)
    ]
    if found:
        exporter = max(found, key=lambda pair: pair[0])[1]
        if exporter.id == "chart":
            chart_of(Path(path))
        return exporter
    endings = ", ".join(s for _, exporter in EXPORTERS.items() for s in exporter.suffixes)
    raise UserError(f"cannot tell what to write to {path}; use one of the endings {endings}")
