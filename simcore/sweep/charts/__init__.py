"""Charts of a sweep: curves, heat map, Pareto front, parallel coordinates, sensitivity.

Like the charts of a run they are data as columns and a drawing of these data, and are written by
the same code; besides, a drawing says where its points are, so that the window can open them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simcore.errors import UserError, did_you_mean
from simcore.export.chart_file import PICTURES, render
from simcore.export.charts import ChartData, ChartTheme
from simcore.registry import Registry
from simcore.results.files import replacing
from simcore.sweep.charts.curves import CHART as CURVES
from simcore.sweep.charts.heatmap import CHART as HEATMAP
from simcore.sweep.charts.kinds import Hit, Places, SweepChart
from simcore.sweep.charts.parallel import CHART as PARALLEL
from simcore.sweep.charts.pareto import CHART as PARETO
from simcore.sweep.charts.sensitivity import CHART as SENSITIVITY
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row, column

SWEEP_CHARTS: Registry[SweepChart] = Registry("chart of a sweep")
"""Charts of sweeps by id."""


def sweep_chart_data(
    chart: str, spec: SweepSpec, rows: Sequence[Row], figure: str = "", x: str = ""
) -> ChartData:
    """Data of a chart; of the first objective if no figure is named.

    Raises:
        UnknownNameError: if there is no such chart.
        UserError: if the sweep lacks what the chart needs.
    """
    kind = SWEEP_CHARTS.get(chart)
    figure = figure or spec.objectives[0].figure
    if not any(row.outcome.failure is None for row in rows):
        raise UserError("no point has figures yet; there is nothing to draw")
    if not np.isfinite(column(rows, figure)).any():
        notes = dict.fromkeys(row.note for row in rows if row.note)
        why = f": {next(iter(notes))}" if notes else ""
        raise UserError(f"no point has a {figure}{why}")
    return kind.data(spec, rows, figure, x)


def render_sweep(
    data: ChartData, kind: str, *, theme: str | ChartTheme = "paper", **size: Any
) -> tuple[bytes, Places]:
    """A drawing as the bytes of a file, and where its points are.

    Args:
        data: of `sweep_chart_data`.
        kind: ``svg``, ``pdf`` or ``png``.
        theme: theme or its name.
        size: ``width_mm``, ``height_mm`` and ``dpi`` as of `simcore.export.chart_file.render`.
    """
    hits: list[Hit] = []
    kept: list[Any] = []

    def draw(figure: Any, shown: ChartData, look: ChartTheme) -> None:
        kept.append(figure)
        hits.extend(SWEEP_CHARTS.get(data.chart).draw(figure, shown, look))

    picture = render(data, kind, theme=theme, draw=draw, **size)
    return picture, _places(kept[0], hits)


def _places(figure: Any, hits: Sequence[Hit]) -> Places:
    if not hits:
        return Places(np.empty((0, 2)), np.empty(0, np.int64))
    at = np.vstack([ax.transData.transform(points) for ax, points, _ in hits])
    at /= (figure.bbox.width, figure.bbox.height)
    at[:, 1] = 1 - at[:, 1]
    rows = np.concatenate([rows for _, _, rows in hits])
    shown = np.isfinite(at).all(axis=1)
    return Places(at[shown], rows[shown])


def write_sweep_chart(
    chart: str,
    spec: SweepSpec,
    rows: Sequence[Row],
    path: str | Path,
    *,
    figure: str = "",
    x: str = "",
    theme: str = "paper",
    width_mm: float = 180,
    height_mm: float = 100,
    dpi: int = 300,
) -> None:
    """Write a chart of a sweep to a ``.svg``, ``.pdf`` or ``.png`` file.

    Raises:
        UserError: if there is no such chart or kind of file, or the sweep lacks what it needs.
        DataFileError: if the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURES:
        raise UserError(f"{path}: a chart is written to {', '.join(PICTURES)}")
    data = sweep_chart_data(chart, spec, rows, figure, x)
    picture, _ = render_sweep(
        data, suffix[1:], theme=theme, width_mm=width_mm, height_mm=height_mm, dpi=dpi
    )
    with replacing(path) as temporary:
        temporary.write_bytes(picture)


def chart_of_name(path: str | Path) -> str:
    """The chart a file's name asks for: ``dimms-pareto.svg`` is the Pareto front.

    Raises:
        UserError: if the name holds no chart of a sweep.
    """
    stem = Path(path).stem.lower().replace("_", "-")
    named = [chart for chart in SWEEP_CHARTS if stem == chart or stem.endswith(f"-{chart}")]
    if named:
        return named[0]
    raise UserError(
        f"{path}: which chart? {did_you_mean(stem, SWEEP_CHARTS)}name the file after one of "
        f"{', '.join(SWEEP_CHARTS)}, such as mine-{next(iter(SWEEP_CHARTS))}.svg"
    )


for _chart in (CURVES, HEATMAP, PARETO, PARALLEL, SENSITIVITY):
    SWEEP_CHARTS.add(_chart.id, _chart)
