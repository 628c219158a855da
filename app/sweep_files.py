"""What the commands of sweeps do in the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app.views.sweep import SweepView
from simcore.data import data_root
from simcore.errors import ScenarioErrors, SimcoreError
from simcore.scenario.document import Document
from simcore.sweep.files import load_spec

if TYPE_CHECKING:
    from app.window import MainWindow

_FILTER = "Sweeps (*.yaml *.yml);;All files (*)"


class SweepFiles:
    """The view may not be there yet when a command is asked whether it can be done."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @property
    def _view(self) -> SweepView | None:
        docks = getattr(self._window, "docks", {})
        view = docks["sweep"].view if "sweep" in docks else None
        return view if isinstance(view, SweepView) else None

    def show_sweep(self) -> None:
        self._window.show_view("sweep")

    def can_run_sweep(self) -> bool:
        return self._view is not None and self._view.can_run

    def run_sweep(self) -> None:
        if self._view is not None:
            self._view.run()

    def can_open_sweep_point(self) -> bool:
        return self._view is not None and self._view.can_open

    def open_sweep_point(self) -> None:
        if self._view is not None:
            self._view.open_point(self._open_other)

    def _open_other(self, document: Document, title: str) -> None:
        self._window.files.open_unsaved(Document.from_text(document.text()), title)

    def load_sweep(self, path: Path | None) -> None:
        """Open the scenario of a sweep file, make its changes one edit, and show its setup."""
        window, view = self._window, self._view
        if view is None:
            return
        if path is None:
            name, _ = QFileDialog.getOpenFileName(window, "Load sweep", str(_folder()), _FILTER)
            if not name:
                return
            path = Path(name)
        messages = window.state.messages
        try:
            spec = load_spec(path)
        except ScenarioErrors as errors:
            messages.show("\n".join(p.text(str(path)) for p in errors.problems))
            return
        except SimcoreError as error:
            messages.show(str(error))
            return
        if spec.document.path is None:
            return
        title = f"settings of the sweep {path.stem}"
        if window.files.open_changed(spec.document.path, spec.document, title):
            self.show_sweep()
            view.put(spec)

    def save_sweep(self) -> None:
        if self._view is not None:
            self._view.save()

    def export_sweep(self, *, chart: bool) -> None:
        if self._view is not None:
            self._view.export_chart() if chart else self._view.export_table()


def _folder() -> Path:
    try:
        return data_root() / "scenarios" / "sweeps"
    except SimcoreError:
        return Path.home()
