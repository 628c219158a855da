"""The real window without a display, for the tools that take pictures of it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.window import MainWindow
    from simcore.results.run import Run

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Studio:
    """A window that is shown, and the event loop behind it."""

    app: Any
    window: MainWindow

    def wait(self, done: Callable[[], bool]) -> None:
        """Let the window work until something is done, at most `LIMIT_S`."""
        from PySide6.QtCore import QEventLoop

        end = time.monotonic() + LIMIT_S
        while not done() and time.monotonic() < end:
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            time.sleep(0.005)

    def pause(self, seconds: float) -> None:
        """Let the window work for a while."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def run_of(self, scenario: Path) -> Run | None:
        """Open a scenario and simulate all of it; None, and why, if that did not work."""
        if not self.window.open_path(scenario):
            sys.stderr.write(f"{scenario} does not open\n")
            return None
        runs = self.window.state.runs
        self.wait(lambda: runs.length > 0 and not self.window.controller.busy)
        if runs.current is None or not runs.current.status.finished:
            sys.stderr.write(f"{scenario} did not finish\n")
            return None
        return runs.current

    def save(self, path: Path) -> None:
        """Save a picture of the window as it is."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.window.catch_up()
        self.window.grab().save(str(path))


@contextmanager
def studio(theme: str, size: str) -> Iterator[Studio]:
    """A window with settings of its own; size as ``1280x800``."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as config:
        os.environ["DIMMSCOPE_CONFIG"] = os.environ["DIMMSCOPE_STATE"] = config
        from PySide6.QtWidgets import QApplication

        from app.bootstrap import make_window, prepare

        app = QApplication([])
        prepare(app)
        window = make_window()
        window.themes.set_mode(theme)
        width, height = (int(part) for part in size.split("x"))
        window.resize(width, height)
        window.show()
        yield Studio(app, window)
        window.close()
