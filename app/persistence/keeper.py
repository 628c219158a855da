"""Reads the session when a scenario is opened, and writes it when it is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.persistence import sidecar
from app.settings.store import Settings
from app.state.app_state import AppState
from app.state.messages import Severity
from simcore.errors import SimcoreError

WRITE_MS = 15_000
"""Time between looks whether there is something new to write."""


class SessionKeeper(QObject):
    """Keeps what `AppState.memory` collects in the session file of the open scenario.

    Attributes:
        waiting: parts that are restored once the first run is on screen; None when they are.
    """

    def __init__(self, state: AppState, settings: Settings) -> None:
        super().__init__()
        self._state = state
        self._settings = settings
        self._path: Path | None = None
        self._known = ""
        self._exists = False
        self.waiting: Mapping[str, Any] | None = None
        session = state.session
        session.closing.connect(self.write)
        session.opened.connect(self._on_opened)
        session.file_changed.connect(self._on_file_changed)
        state.runs.settled.connect(self._on_settled)
        self._timer = QTimer(self, interval=WRITE_MS)
        self._timer.timeout.connect(self.write)
        self._timer.start()

    @property
    def on(self) -> bool:
        """Whether sessions are kept."""
        return self._settings.session and not self._settings.safe

    def write(self) -> None:
        """Write the session if there is something new in it."""
        if not self.on or self._path is None:
            return
        values = self._state.memory.collect()
        if self.waiting is not None:  # the run never came: what was to be restored is kept
            late = self._state.memory.names(with_run=True)
            values = {name: value for name, value in values.items() if name not in late}
            values |= {name: value for name, value in self.waiting.items() if name in late}
        if not values and not self._exists:
            return
        text = sidecar.text_of(values)
        if text == self._known:
            return
        try:
            sidecar.write(self._path, text)
        except (SimcoreError, OSError) as error:
            self._state.messages.log(f"the session was not kept: {error}", Severity.WARNING)
            self._path = None
            return
        self._known, self._exists = text, True

    def stop(self) -> None:
        """Write for the last time."""
        self._timer.stop()
        self.write()
        self._path = None

    def _on_opened(self) -> None:
        self._path = self._state.session.path
        self._known, self._exists, self.waiting = "", False, None
        self._state.notices.withdraw("session")
        if self._path is None or not self.on:
            return
        found = sidecar.read(self._path)
        if found.problem:
            self._tell(found.problem)
        if not found.found:
            return
        self._exists, self._known = True, sidecar.text_of(found.values)
        self._complain(self._state.memory.restore(found.values, with_run=False))
        self.waiting = found.values

    def _on_settled(self) -> None:
        values, self.waiting = self.waiting, None
        if values is not None:
            self._complain(self._state.memory.restore(values, with_run=True))

    def _on_file_changed(self) -> None:
        """After Save as the session goes with the new file."""
        path = self._state.session.path
        if path is not None and self._path is not None and path != self._path:
            self._path, self._known, self._exists = path, "", False

    def _complain(self, failed: list[str]) -> None:
        if failed and self._path is not None:
            self._tell(sidecar.set_aside_parts(self._path, failed))
            self._known = ""

    def _tell(self, text: str) -> None:
        self._state.messages.log(text, Severity.WARNING)
        self._state.notices.tell("session", text)
