"""The one way to change the scenario: edits that can be undone, redone and merged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from simcore.scenario.document import Document

_DEPTH = 250
_ACTIONS = 8  # actions may keep whole runs alive
_MERGE_S = 1.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the document.

    Attributes:
        title: as shown in the Edit menu, ``Set hardware.ndp_dimms.count to 4``.
        before, after: the document around the change.
        merge_key: consecutive edits with the same key become one; empty for never.
        redo, undo: what to call for an action that leaves the document alone; None for edits.
        light: the action keeps nothing large alive.
    """

    title: str
    before: Document
    after: Document
    merge_key: str = ""
    redo: Callable[[], None] | None = None
    undo: Callable[[], None] | None = None
    light: bool = False


class EditBus(QObject):
    """History of the document.

    Attributes:
        document: the document after all edits that are done.
    """

    document_changed = Signal()
    history_changed = Signal()

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.document: Document | None = None
        self._clock = clock
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._last = 0.0

    def reset(self, document: Document) -> None:
        """Start a new history with a document."""
        self.document = document
        self._done.clear()
        self._undone.clear()
        self.document_changed.emit()
        self.history_changed.emit()

    def do(self, title: str, after: Document, merge_key: str = "") -> None:
        """Make a change."""
        assert self.document is not None
        if after.text() == self.document.text():
            return
        now = self._clock()
        edit = Edit(title, self.document, after, merge_key)
        last = self._done[-1] if self._done else None
        if last and merge_key and last.merge_key == merge_key and now - self._last <= _MERGE_S:
            self._done[-1] = Edit(title, last.before, after, merge_key)
        else:
            self._done.append(edit)
            del self._done[:-_DEPTH]
        self._last = now
        self._undone.clear()
        self._set(after)

    def act(
        self,
        title: str,
        redo: Callable[[], None],
        undo: Callable[[], None],
        *,
        light: bool = False,
    ) -> None:
        """Do something that can be undone and leaves the document alone.

        Args:
            light: it keeps nothing large alive, so that as many are remembered as of edits.
        """
        assert self.document is not None
        document = self.document
        self._done.append(Edit(title, document, document, redo=redo, undo=undo, light=light))
        actions = [edit for edit in self._done if edit.redo is not None and not edit.light]
        if len(actions) > _ACTIONS:
            self._done.remove(actions[0])
        del self._done[:-_DEPTH]
        self._undone.clear()
        redo()
        self.history_changed.emit()

    def undo(self) -> None:
        """Take back the last change."""
        if self._done:
            edit = self._done.pop()
            self._undone.append(edit)
            self._last = 0.0
            self._take(edit.before, edit.undo)

    def redo(self) -> None:
        """Make the change taken back last again."""
        if self._undone:
            edit = self._undone.pop()
            self._done.append(edit)
            self._last = 0.0
            self._take(edit.after, edit.redo)

    @property
    def undo_title(self) -> str:
        """What `undo` would take back; empty for nothing."""
        return self._done[-1].title if self._done else ""

    @property
    def redo_title(self) -> str:
        """What `redo` would make again; empty for nothing."""
        return self._undone[-1].title if self._undone else ""

    def _take(self, document: Document, action: Callable[[], None] | None) -> None:
        if action is None:
            self._set(document)
        else:
            action()
            self.history_changed.emit()

    def _set(self, document: Document) -> None:
        self.document = document
        self.document_changed.emit()
        self.history_changed.emit()
