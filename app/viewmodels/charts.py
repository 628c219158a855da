"""Charts of `simcore.export.charts` as pictures for the screen; made to run in the background."""

from __future__ import annotations

import dataclasses
import weakref
from dataclasses import dataclass

from app.state.charts import ChartSteps
from app.theme.tokens import Theme
from simcore.errors import SimcoreError
from simcore.export.chart_file import MM_PER_INCH, chart_data, render
from simcore.export.charts import CHARTS
from simcore.export.charts.style import DARK, PAPER, ChartTheme
from simcore.results.run import Run

POINTS_PER_INCH = 112.0
"""Pixels of the screen that are an inch of the chart: its small print of 6 points is 9 px high."""
LEAST_PX = (480, 240)
"""A smaller pane scrolls over a chart of this size."""
_TALL = {"predictor": 380, "bandwidth": 420, "timeline": 320, "breakdown": 330, "dimm-load": 300}
"""Least height of charts with panels or many rows above each other."""

_COMMON = (
    "timeline",
    "bandwidth",
    "waits",
    "breakdown",
    "dimm-load",
    "placement",
    "memory",
    "step-time",
    "tokens",
)
"""Charts of every system; those of a few systems say more and come first."""
_AT_A_STEP = ("step", "last")


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """What to draw.

    Attributes:
        chart: id, empty for one that suits the system.
        steps: (first, past the last), or None for what the chart shows by itself.
        at: step at the cursor.
        size: width and height in pixels of the screen, before scaling by `ratio`.
        ratio: pixels of the picture a pixel of the screen.
        theme: tokens in force.
    """

    chart: str
    steps: ChartSteps
    visible: tuple[int, int]
    at: int
    size: tuple[int, int]
    ratio: float
    theme: Theme


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """A drawn chart, or why there is none.

    Attributes:
        chart: id of the chart.
        png: the picture, empty if there is none.
        reason: why there is none.
        refusals: reasons by chart id; charts that apply have an empty one.
        first, stop: the steps drawn.
    """

    chart: str
    png: bytes
    reason: str
    refusals: dict[str, str]
    first: int = 0
    stop: int = 0


_REFUSALS: weakref.WeakKeyDictionary[Run, dict[str, str]] = weakref.WeakKeyDictionary()


def refusals(run: Run, length: int) -> dict[str, str]:
    """Why each chart does not apply to a run; empty for those that do. Known for good per run.

    A chart says so itself when asked for a single step.
    """
    known = _REFUSALS.get(run)
    if known is None:
        known = {}
        part = run.until(length)
        for id, chart in CHARTS.items():
            known[id] = ""
            if chart.items:
                if not run.plan.items:
                    known[id] = "the run did not record single items"
                continue
            try:
                chart.data(part, length - 1, length)
            except SimcoreError as error:
                known[id] = str(error)
        _REFUSALS[run] = known
    return known


def suitable(refused: dict[str, str]) -> str:
    """The chart to begin with: one that only few systems have, else the length of the steps."""
    able = [id for id, reason in refused.items() if not reason]
    special = [id for id in able if id not in _COMMON]
    return next(iter([*special, *(i for i in ("step-time",) if i in able), *able]), "")


def least_px(chart_id: str) -> tuple[int, int]:
    """Least size of a chart in pixels of the screen."""
    return LEAST_PX[0], _TALL.get(chart_id, LEAST_PX[1])


def depends_on_step(chart_id: str, steps: ChartSteps) -> bool:
    """Whether another place of the cursor gives another picture."""
    if steps is ChartSteps.STEP:
        return True
    known = chart_id in CHARTS and CHARTS.get(chart_id).default_range in _AT_A_STEP
    return steps is ChartSteps.OWN and known


def range_of(chart_id: str, request: ChartRequest, length: int) -> tuple[int, int]:
    """The steps to draw; a chart of one step shows the one at the cursor."""
    at = min(max(request.at, 0), length - 1)  # -1: asked before it was known to matter
    if depends_on_step(chart_id, request.steps):
        return at, at + 1
    if request.steps is ChartSteps.VISIBLE:
        first = min(max(request.visible[0], 0), length - 1)
        return first, max(first + 1, min(request.visible[1], length))
    return 0, length


def draw_chart(run: Run, length: int, request: ChartRequest) -> ChartPicture:
    """Draw a chart of the first `length` steps of a run."""
    refused = refusals(run, length)
    chart = request.chart if request.chart in CHARTS else suitable(refused)
    if not chart:
        return ChartPicture("", b"", "no chart applies to this run", refused)
    if refused[chart]:
        return ChartPicture(chart, b"", refused[chart], refused)
    first, stop = range_of(chart, request, length)
    width, height = (
        max(least, px) / POINTS_PER_INCH * MM_PER_INCH
        for px, least in zip(request.size, least_px(chart), strict=True)
    )
    try:
        data = chart_data(run.until(length), chart, first, stop)
        png = render(
            data,
            "png",
            theme=chart_theme(request.theme),
            width_mm=width,
            height_mm=height,
            dpi=round(POINTS_PER_INCH * request.ratio),
        )
    except SimcoreError as error:
        return ChartPicture(chart, b"", str(error), refused, first, stop)
    return ChartPicture(chart, png, "", refused, first, stop)


def chart_theme(theme: Theme) -> ChartTheme:
    """The chart theme that belongs to a theme of the window, on the window's ground."""
    return dataclasses.replace(
        DARK if theme.dark else PAPER,
        background=theme.canvas,
        text=theme.text,
        muted=theme.text_dim,
        grid=theme.grid,
    )
