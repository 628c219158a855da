"""Notices when the open file is changed, replaced or deleted by another program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.state.session import Session, read_document
from simcore.errors import UserError
from simcore.scenario.document import Document

SETTLE_MS = 150
"""Editors write a file in several steps; it is read when they have been quiet that long."""


class FileWatch(QObject):
    """Compares contents, so that a touched or identically rewritten file is no change.

    The folder is watched besides the file, because most editors write a new file and rename it.

    Attributes:
        pending: what the file says now, while it differs from what the session knows.
        on: whether anything is noticed at all.
        unreadable: why the file cannot be read although it is there, empty if it can.
    """

    changed = Signal()
    restored = Signal()
    deleted = Signal()
    broken = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.pending: Document | None = None
        self.unreadable = ""
        self.on = True
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.look)
        self._watcher.fileChanged.connect(self._on_stirred)
        self._watcher.directoryChanged.connect(self._on_stirred)
        session.opened.connect(self._on_opened)
        session.file_changed.connect(self._on_file_changed)

    def _on_stirred(self, _: str) -> None:
        self._settle.start()

    def look(self) -> None:
        """Read the file now and say how it differs from what is known."""
        path, saved = self._session.path, self._session.saved
        if path is None or saved is None or not self.on:
            return
        self._follow(path)
        if not path.exists():
            self._gone()
            return
        try:
            found = read_document(path)
        except UserError as error:
            if str(error) != self.unreadable and path.exists():
                self.unreadable, self.pending = str(error), None
                self.broken.emit()
            return
        was_away = self._session.missing or bool(self.unreadable)
        self.unreadable = ""
        if found.text() == saved.text():
            known = self.pending is None
            self.pending = None
            self._session.set_missing(False)
            if was_away or not known:
                self.restored.emit()
        elif self._session.document is not None and found.text() == self._session.document.text():
            self.pending = None  # another program wrote just what is here
            self._session.take_file(found)
            self.restored.emit()
        elif self.pending is None or self.pending.text() != found.text() or was_away:
            self.pending = found
            self._session.set_missing(False)
            self.changed.emit()

    def stop(self) -> None:
        """Watch nothing any more."""
        self._settle.stop()
        self._unwatch()

    def _gone(self) -> None:
        self.pending, self.unreadable = None, ""
        if not self._session.missing:
            self._session.set_missing(True)
            self.deleted.emit()

    def _on_opened(self) -> None:
        self.pending, self.unreadable = None, ""

    def _on_file_changed(self) -> None:
        saved = self._session.saved
        if self.pending is None or saved is None or self.pending.text() == saved.text():
            self.pending = None
        if self._session.path is not None:
            self._follow(self._session.path)
        else:
            self._unwatch()

    def _follow(self, path: Path) -> None:
        """Watch a file and its folder; a file that was replaced has to be watched again."""
        wanted = {str(p) for p in (path, path.parent) if p.exists()}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if watched - wanted:
            self._watcher.removePaths(sorted(watched - wanted))
        if wanted - watched:
            self._watcher.addPaths(sorted(wanted - watched))

    def _unwatch(self) -> None:
        watched = [*self._watcher.files(), *self._watcher.directories()]
        if watched:
            self._watcher.removePaths(watched)
