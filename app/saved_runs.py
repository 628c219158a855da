"""Opening saved runs to compare with, in the background."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.state.app_state import AppState
from app.state.messages import Severity
from app.viewmodels.composition import composition_of
from app.workers.loader import LatestLoader
from simcore.errors import SimcoreError, UserError
from simcore.results.io import is_run_file, load_run
from simcore.results.run import Run

FILTER = "Saved runs (*.npz);;All files (*)"


class SavedRuns:
    """Keeps a saved run as A."""

    def __init__(self, state: AppState, window: QWidget) -> None:
        self._state = state
        self._window = window
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)

    def _on_failed(self, error: Exception) -> None:
        self._state.messages.show(f"the saved run cannot be opened: {error}")

    def ask(self) -> None:
        """Ask for a file and keep its run as A."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a saved run as A", "", FILTER)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Read a file and keep its run as A; the run on screen is left alone."""
        self._state.messages.log(f"opening {path} as A")
        self._loader.request(path, lambda: (_read(path),))

    def shut_down(self) -> None:
        """Wait for a file being read."""
        self._loader.shut_down()

    def _on_loaded(self, path: Path, result: tuple[Run | SimcoreError]) -> None:
        found = result[0]
        if not isinstance(found, Run):
            self._state.messages.show(str(found))
        elif self._state.session.document is None:
            self._state.messages.show(f"{path.name}: open a scenario first, to compare it with")
        else:
            self._state.comparison.keep(found, f"open {path.name} as A")
            self._state.messages.show(f"{path.name} is run A", Severity.INFO)


def _read(path: Path) -> Run | SimcoreError:
    try:
        if not is_run_file(path):
            raise UserError(
                f"{path.name}: no saved run; `dimmscope run --export FILE.npz` makes one"
            )
        run = load_run(path)
        if not len(run):
            raise UserError(f"{path.name} has no steps")
        composition_of(run).extend(len(run))  # not on the GUI thread
    except SimcoreError as error:
        return error
    except OSError as error:
        return UserError(f"{path}: cannot be opened: {error.strerror or error}")
    return run
