"""A chart as a file: SVG, PDF or PNG drawn with matplotlib, or its data as CSV or Parquet.

Equal runs give equal bytes: no dates, fixed ids. Text in SVG is drawn as outlines and fonts are
embedded in PDF, so a file looks the same on every machine.
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from simcore.data import data_root
from simcore.errors import UserError
from simcore.export.charts import CHARTS, THEMES, ChartData, ChartTheme
from simcore.export.charts.base import drawing_of
from simcore.export.ranges import step_range
from simcore.export.tables import SUFFIXES as TABLES
from simcore.export.tables import Field, Kind, write_table
from simcore.results.files import replacing
from simcore.results.run import Run

MM_PER_INCH = 25.4
PICTURES = (".svg", ".pdf", ".png")
SUFFIXES = (*PICTURES, *TABLES)

_DRAWING = threading.Lock()  # matplotlib's settings are global


def chart_data(
    run: Run,
    chart_id: str,
    start: int | None = None,
    stop: int | None = None,
    layers: tuple[int, int] | None = None,
) -> ChartData:
    """Data of a chart over steps, by default those the chart shows when none are asked for.

    With `layers` (first, past the last), only the time these layers of the one step take.

    Raises:
        UnknownNameError: if there is no such chart.
        UserError: if the range does not exist or the run lacks what the chart needs.
    """
    chart = CHARTS.get(chart_id)
    if not len(run):
        raise UserError("the run has no steps yet; there is nothing to draw")
    if start is None and stop is None:
        first, last = chart.range_of(run)
    else:
        first, last = step_range(run, start, stop)
    if layers is None:
        return chart.data(run, first, last)
    if chart.layers is None:
        able = ", ".join(name for name, other in CHARTS.items() if other.layers)
        raise UserError(f"{chart_id} cannot be cut to layers; {able} can")
    if last - first != 1:
        raise UserError("layers are shown of one step; give a range such as 10:11")
    return chart.layers(run, first, *layers)


def export_chart(
    run: Run,
    chart_id: str,
    path: str | Path,
    *,
    start: int | None = None,
    stop: int | None = None,
    layers: tuple[int, int] | None = None,
    theme: str = "paper",
    width_mm: float = 180,
    height_mm: float = 90,
    dpi: int = 300,
) -> None:
    """Write a chart to a ``.svg``, ``.pdf``, ``.png``, ``.csv`` or ``.parquet`` file.

    Raises:
        UnknownNameError: if there is no such chart or theme.
        UserError: if the kind of file, the range or the size is not possible.
        DataFileError: if the file cannot be written.
    """
    check_suffix(path)
    data = chart_data(run, chart_id, start, stop, layers)
    write_chart(data, path, theme=theme, width_mm=width_mm, height_mm=height_mm, dpi=dpi)


def write_chart(
    data: ChartData,
    path: str | Path,
    *,
    theme: str = "paper",
    width_mm: float = 180,
    height_mm: float = 90,
    dpi: int = 300,
) -> None:
    """Write data of a chart, of one run or of several, to a file of any of `SUFFIXES`.

    Raises:
        UnknownNameError: if there is no such theme.
        UserError: if the kind of file or the size is not possible.
        DataFileError: if the file cannot be written.
    """
    suffix = check_suffix(path)
    if suffix in TABLES:
        write_chart_table(data, path)
        return
    picture = render(data, suffix[1:], theme=theme, width_mm=width_mm, height_mm=height_mm, dpi=dpi)
    with replacing(path) as temporary:
        temporary.write_bytes(picture)


def check_suffix(path: str | Path) -> str:
    """The ending of a chart's file, in lower case.

    Raises:
        UserError: if no chart is written to such files.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write a chart as {suffix or path!r}; use one of {', '.join(SUFFIXES)}"
        )
    return suffix


def write_chart_table(data: ChartData, path: str | Path) -> None:
    """Write what a chart shows to a ``.csv`` or ``.parquet`` file, units in the header."""
    fields = [
        Field(column.header, Kind.TEXT if column.labels else Kind.ANY) for column in data.columns
    ]
    write_table(path, fields, [[column.texts() for column in data.columns]])


def render(
    data: ChartData,
    kind: str,
    *,
    theme: str | ChartTheme = "paper",
    width_mm: float = 180,
    height_mm: float = 90,
    dpi: int = 300,
    draw: Callable[[Any, ChartData, ChartTheme], object] | None = None,
) -> bytes:
    """A drawing as the bytes of an ``svg``, ``pdf`` or ``png`` file; a theme may be a name.

    With `draw`, the data need not be of a chart of a run.
    """
    look = THEMES.get(theme) if isinstance(theme, str) else theme
    if not (40 <= width_mm <= 2000 and 30 <= height_mm <= 2000 and 30 <= dpi <= 2400):
        raise UserError(
            "a chart is 40 to 2000 mm wide, 30 to 2000 mm high and has 30 to 2400 dots per inch"
        )
    from matplotlib.figure import Figure

    metadata: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Title": f"{data.title} - {data.caption}", "Creator": "DIMMscope"},
        "pdf": {
            "CreationDate": None,
            "Producer": None,
            "Creator": "DIMMscope",
            "Title": data.title,
        },
        "png": {"Software": None, "Title": data.title, "Description": data.caption},
    }
    with drawing():
        figure = Figure(
            figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained"
        )
        (draw or drawing_of(data))(figure, data, look)
        out = io.BytesIO()
        figure.savefig(
            out, format=kind, dpi=dpi, facecolor=look.background, metadata=metadata[kind]
        )
    return out.getvalue()


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """The settings in which charts are drawn; one at a time."""
    import matplotlib

    with _DRAWING, _quiet_fonts(), matplotlib.rc_context(_settings()):
        yield


@contextlib.contextmanager
def _quiet_fonts() -> Iterator[None]:
    """No remarks on fallback fonts that lack a weight: they are for single missing letters."""
    logger = logging.getLogger("matplotlib.font_manager")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _settings() -> Any:
    return {
        "font.family": [*_shipped_fonts(), "DejaVu Sans"],
        "svg.hashsalt": "dimmscope",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "pdf.compression": 6,
        "text.hinting": "no_hinting",  # letters as wide in pictures as in vector files
        "hatch.linewidth": 0.35,
        "axes.unicode_minus": True,
        "axes.formatter.useoffset": False,
        "text.usetex": False,
        "text.parse_math": False,
        "path.simplify": True,
    }


@cache
def _shipped_fonts() -> tuple[str, ...]:
    """Fonts that come with the project, for equal looks everywhere.

    Their outlines are TrueType, which is what PDF files can embed for every reader.
    """
    from matplotlib import font_manager

    families: list[str] = []
    for file in sorted((data_root() / "assets" / "fonts" / "print").glob("*.ttf")):
        with contextlib.suppress(OSError, RuntimeError):
            font_manager.fontManager.addfont(str(file))
            family = font_manager.FontProperties(fname=str(file)).get_name()
            if family not in families:
                families.append(family)
    return tuple(families)
