"""Exporting from the run on screen: asks what and where to, writes in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QProgressDialog, QWidget

from app.export.dialog import ExportDialog
from app.export.pages import Job, Subject
from app.state.app_state import AppState
from app.state.messages import Severity
from app.widgets.view import Context
from app.workers.loader import LatestLoader
from simcore.errors import SimcoreError


class ExportActions(QObject):
    """What the export commands do."""

    _told = Signal(int, int)

    def __init__(self, state: AppState, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self._state = state
        self._context = context
        self._window = window
        self._stop = threading.Event()
        self._progress: QProgressDialog | None = None
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_done)
        self._loader.failed.connect(self._on_failed)
        self._told.connect(self._on_told)

    def subject(self, steps: tuple[int, int] | None = None) -> Subject | None:
        """What can be exported now: the steps there are, those visible, the one at the cursor."""
        run, length = self._state.runs.current, self._state.runs.length
        if run is None or not length:
            return None
        window = self._state.window
        first = min(run.step_at(int(max(0.0, window.start_ps))), length - 1)
        last = min(run.step_at(int(max(0.0, window.end_ps))), length - 1)
        first, stop = steps or (first, last + 1)
        path = self._state.session.path
        name = path.stem if path is not None else "run"
        return Subject(run.until(length), first, stop, self._state.cursor.step, name)

    def ask(self, page: str, chart: str = "", steps: tuple[int, int] | None = None) -> None:
        """Show the dialog, turned to a page; then ask for a name and write.

        Args:
            page: title of the page.
            chart: chart it proposes; empty for its first.
            steps: (first, past the last) it proposes, by default those visible on the time axis.
        """
        subject = self.subject(steps)
        if subject is None:
            self._state.messages.show("there is nothing to export yet: no step is simulated")
            return
        dialog = ExportDialog(subject, self._context, self._window)
        dialog.choose(page, chart)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        job = dialog.job()
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Export", job.name, f"*{job.suffix} (*{job.suffix})"
        )
        if name:
            self.start(job, with_suffix(Path(name), job.suffix))

    def start(self, job: Job, path: Path) -> None:
        """Write a job's file in the background, with a bar and a way to stop if it tells."""
        self._stop.clear()

        def told(done: int, total: int) -> bool:
            self._told.emit(done, total)
            return not self._stop.is_set()

        if job.counted:
            bar = QProgressDialog(f"Writing {path.name}", "Stop", 0, 0, self._window)
            bar.setWindowTitle("Export")
            bar.setWindowModality(Qt.WindowModality.NonModal)
            bar.setMinimumDuration(400)
            bar.setAutoClose(False)
            bar.canceled.connect(self._stop.set)
            self._progress = bar
        self.write(path, lambda: job.write(path, told))

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
        """Stop what can be stopped, and wait for an export under way."""
        self._stop.set()
        self._loader.shut_down()

    def _on_told(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress.setMaximum(total)
            self._progress.setValue(done)

    def _on_done(self, path: Path, result: tuple[SimcoreError | OSError | None]) -> None:
        self._close_bar()
        if result[0] is None:
            self._state.messages.show(f"exported {path}", Severity.INFO)
        else:
            self._state.messages.show(f"{path}: {result[0]}", Severity.ERROR)

    def _on_failed(self, error: Exception) -> None:
        self._close_bar()
        self._state.messages.show(f"export failed: {error}")

    def _close_bar(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress.deleteLater()
            self._progress = None


def with_suffix(path: Path, suffix: str) -> Path:
    """The path with that ending, unless it has it."""
    return path if path.name.lower().endswith(suffix) else path.with_name(path.name + suffix)
