"""Commands of the chart view."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.registry import Command
from app.state.app_state import AppState
from simcore.export.charts import CHARTS

_MENU = "Chart"


def chart_commands(
    state: AppState, show: Callable[[], object], export: Callable[[], object]
) -> tuple[Command, ...]:
    """One command a chart for the palette, and the export of the chart on screen."""

    def go(chart: str) -> Callable[[], None]:
        def run() -> None:
            state.charts.choose(chart)
            show()

        return run

    charts = (
        Command(f"chart.show_{id}", chart.title, go(id), menu=_MENU, section="charts")
        for id, chart in CHARTS.items()
    )
    return (
        *charts,
        Command(
            "chart.export",
            "Export the chart on screen…",
            export,
            menu=_MENU,
            enabled=lambda: bool(state.charts.shown) and state.runs.length > 0,
            section="export",
        ),
    )
