"""Which chart the chart view shows, and over which steps."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QObject, Signal


class ChartSteps(StrEnum):
    """The steps a chart is drawn over."""

    OWN = "as the chart has it"
    ALL = "whole run"
    STEP = "step at the cursor"
    VISIBLE = "visible range"


class ChartChoice(QObject):
    """The choice; the view and the commands change it.

    Attributes:
        chart: id of the chart; empty for one that suits the run's system.
        shown: id of the chart on screen, empty before the first.
        steps: what it is drawn over.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chart = ""
        self.shown = ""
        self.steps = ChartSteps.OWN

    def choose(self, chart: str) -> None:
        """Show a chart."""
        if chart != self.chart:
            self.chart = chart
            self.changed.emit()

    def set_steps(self, steps: ChartSteps) -> None:
        """Draw it over other steps."""
        if steps is not self.steps:
            self.steps = steps
            self.changed.emit()
