"""Exporting a chart or a trace of the run on screen, in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from app.state.app_state import AppState
from app.state.messages import Severity
from app.workers.loader import LatestLoader
from simcore.errors import SimcoreError
from simcore.export.chart_file import SUFFIXES, export_chart
from simcore.export.charts import CHARTS, THEMES
from simcore.export.chrome_trace import write_trace

TRACE_FILTER = "Chrome trace (*.json *.json.gz)"


class ChartDialog(QDialog):
    """Chart, format, theme, range of steps and size."""

    def __init__(self, steps: int, first: int, last: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export chart")
        self.chart = QComboBox(self)
        for id, chart in CHARTS.items():
            self.chart.addItem(getattr(chart, "title", id), id)
        self.format = QComboBox(self)
        for suffix in SUFFIXES:
            self.format.addItem(suffix[1:].upper(), suffix)
        self.theme = QComboBox(self)
        self.theme.addItems(list(THEMES))
        self.start = self._spin(0, steps - 1, first)
        self.stop = self._spin(1, steps, last)
        self.width_mm = self._spin(40, 2000, 180)
        self.width_mm.setSuffix(" mm")
        self.height_mm = self._spin(30, 2000, 90)
        self.height_mm.setSuffix(" mm")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        for label, widget in (
            ("Chart", self.chart),
            ("Format", self.format),
            ("Theme", self.theme),
            ("From step", self.start),
            ("Up to, not including", self.stop),
            ("Width", self.width_mm),
            ("Height", self.height_mm),
        ):
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        form.addRow(buttons)

    def _spin(self, low: int, high: int, value: int) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, max(low, high))
        box.setValue(value)
        return box

    def settings(self) -> dict[str, Any]:
        """Arguments for `export_chart`."""
        return {
            "start": self.start.value(),
            "stop": max(self.stop.value(), self.start.value() + 1),
            "theme": self.theme.currentText(),
            "width_mm": float(self.width_mm.value()),
            "height_mm": float(self.height_mm.value()),
        }


class ExportActions:
    """What the export commands do."""

    def __init__(self, state: AppState, window: QWidget) -> None:
        self._state = state
        self._window = window
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_done)
        self._loader.failed.connect(lambda error: state.messages.show(f"export failed: {error}"))

    def chart(self, chart: str = "", steps: tuple[int, int] | None = None) -> None:
        """Ask what to export and where to, then write it.

        Args:
            chart: what the dialog proposes; empty for its first chart.
            steps: (first, past the last) it proposes, by default those visible in the timeline.
        """
        run, length = self._state.runs.current, self._state.runs.length
        if run is None or not length:
            return
        first = min(run.step_at(int(max(0.0, self._state.window.start_ps))), length - 1)
        last = min(run.step_at(int(max(0.0, self._state.window.end_ps))), length - 1)
        first, stop = steps or (first, last + 1)
        dialog = ChartDialog(length, first, stop, self._window)
        if chart:
            dialog.chart.setCurrentIndex(dialog.chart.findData(chart))
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        chosen, suffix = str(dialog.chart.currentData()), str(dialog.format.currentData())
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Export chart", f"{chosen}{suffix}", f"{suffix[1:].upper()} (*{suffix})"
        )
        if name:
            path = _with_suffix(Path(name), suffix)
            settings = dialog.settings()
            self.write(path, lambda: export_chart(run, chosen, path, **settings))

    def trace(self) -> None:
        """Ask where to, then write the trace of the whole run."""
        run = self._state.runs.current
        if run is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Export trace", "trace.json.gz", TRACE_FILTER
        )
        if name:
            path = Path(name) if ".json" in name else Path(f"{name}.json.gz")
            self.write(path, lambda: write_trace(run, path))

    def write(self, path: Path, work: Callable[[], object]) -> None:
        """Write a file in the background and say how it went."""

        def guarded() -> SimcoreError | OSError | None:
            try:
                work()
            except (SimcoreError, OSError) as error:
                return error
            return None

        self._state.messages.log(f"exporting {path}")
        self._loader.request(path, lambda: (guarded(),))

    def shut_down(self) -> None:
        """Wait for an export under way."""
        self._loader.shut_down()

    def _on_done(self, path: Path, result: tuple[SimcoreError | OSError | None]) -> None:
        if result[0] is None:
            self._state.messages.show(f"exported {path}", Severity.INFO)
        else:
            self._state.messages.show(f"{path}: {result[0]}", Severity.ERROR)


def _with_suffix(path: Path, suffix: str) -> Path:
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)
