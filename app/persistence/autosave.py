"""Keeps unsaved edits on disk while the application runs, and finds those of one that crashed.

Every instance has a folder of its own with a lock in it. A folder whose lock can be taken belongs
to nobody who is still running; taking the lock also keeps other instances from offering the same
edits.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer

from app.persistence.places import state_folder
from app.state.messages import Messages, Severity
from app.state.session import Session
from simcore.errors import SimcoreError
from simcore.results.files import replacing
from simcore.scenario.document import Document

DEBOUNCE_MS = 500
_TEXT, _ABOUT, _LOCK = "scenario.yaml", "about.json", "lock"


def autosave_folder() -> Path:
    """Where the folders of all instances are."""
    return state_folder() / "autosave"


@dataclass(frozen=True)
class Orphan:
    """Edits of an instance that did not end in order.

    Attributes:
        folder: its folder, locked by us as long as this object is used.
        path: the scenario file; None for one that was never saved.
        text: the scenario with the edits.
        wall_time: when it was written.
    """

    folder: Path
    path: Path | None
    text: str
    wall_time: float
    lock: QLockFile

    @property
    def title(self) -> str:
        """Name of the scenario's file."""
        return self.path.name if self.path is not None else "a scenario without a file"

    def discard(self) -> None:
        """Delete it."""
        self.lock.unlock()
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> None:
        """Leave it for another time or instance."""
        self.lock.unlock()


class Autosave(QObject):
    """Writes the document whenever it differs from its file, and removes it when it does not."""

    def __init__(self, session: Session, messages: Messages, *, on: bool) -> None:
        super().__init__()
        self._session = session
        self._messages = messages
        self._on = on
        self._folder: Path | None = None
        self._lock: QLockFile | None = None
        self._written = ""
        self._timer = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._timer.timeout.connect(self.write)
        for signal in (session.document_changed, session.file_changed):
            signal.connect(self._timer.start)

    @property
    def folder(self) -> Path | None:
        """The folder of this instance, once there was something to keep."""
        return self._folder

    def set_on(self, on: bool) -> None:
        """Keep unsaved edits from now on, or delete what is kept."""
        self._on = on
        if on:
            self.write()
        else:
            self.stop()

    def write(self) -> None:
        """Bring the file in line with the document now."""
        self._timer.stop()
        document = self._session.document
        if not self._on:
            return
        if document is None or not self._session.dirty:
            self._clear()
            return
        path = self._session.path
        key = f"{path}\n{document.text()}"
        if key == self._written:
            return
        try:
            folder = self._own_folder()
            about = {"path": str(path.resolve()) if path else "", "time": time.time()}
            # The text first: a description without edits would offer nothing.
            for name, text in ((_TEXT, document.text()), (_ABOUT, json.dumps(about))):
                with replacing(folder / name) as temporary:
                    temporary.write_text(text, encoding="utf-8", newline="")
        except (SimcoreError, OSError) as error:
            self._on = False
            self._messages.log(f"unsaved edits are not kept: {error}", Severity.WARNING)
            return
        self._written = key

    def stop(self) -> None:
        """Delete what is kept: the application ends in order."""
        self._timer.stop()
        if self._lock is not None and self._folder is not None:
            self._lock.unlock()
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock, self._folder, self._written = None, None, ""

    def _clear(self) -> None:
        if self._folder is not None and self._written:
            for name in (_ABOUT, _TEXT):
                (self._folder / name).unlink(missing_ok=True)
        self._written = ""

    def _own_folder(self) -> Path:
        if self._folder is None:
            parent = autosave_folder()
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent))
            lock = _lock_of(folder)
            if not lock.tryLock(0):
                raise OSError(0, "the folder of this instance cannot be locked", str(folder))
            self._folder, self._lock = folder, lock
        return self._folder


def orphans() -> list[Orphan]:
    """Edits of instances that are no longer running, newest first; empty folders are removed."""
    found = []
    try:
        folders = [folder for folder in autosave_folder().iterdir() if folder.is_dir()]
    except OSError:
        return []
    for folder in folders:
        if not (folder / _LOCK).exists() and not (folder / _ABOUT).exists():
            continue  # just being made
        lock = _lock_of(folder)
        if not lock.tryLock(0):
            continue  # of an instance that runs
        orphan = _read(folder, lock)
        if orphan is None:
            lock.unlock()
            shutil.rmtree(folder, ignore_errors=True)
        else:
            found.append(orphan)
    return sorted(found, key=lambda orphan: -orphan.wall_time)


def _lock_of(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / _LOCK))
    lock.setStaleLockTime(0)  # only a process that is gone makes it stale, not its age
    return lock


def _read(folder: Path, lock: QLockFile) -> Orphan | None:
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        text = Document.from_file(folder / _TEXT).text()
        path = Path(about["path"]) if about["path"] else None
        return Orphan(folder, path, text, float(about["time"]), lock)
    except (OSError, SimcoreError, ValueError, TypeError, LookupError):
        return None  # killed before the first edit was written whole
