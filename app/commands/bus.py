"""The one way to change the scenario: edits that can be undone, redone and merged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from simcore.scenario.document import Document

_DEPTH = 250
_HEAVY = 8  # of these at most: they keep whole runs alive
_MERGE_S = 1.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the document.

    Attributes:
        title: as shown in the Edit menu, ``Set hardware.ndp_dimms.count to 4``.
        before, after: the document around the change; None where none is open.
        merge_key: consecutive edits with the same key become one; empty for never.
        redo, undo: what to call for an action that leaves the document alone; None for edits.
        heavy: whether the action keeps a run alive, so that only a few are remembered.
    """

    title: str
    before: Document | None
    after: Document | None
    merge_key: str = ""
    redo: Callable[[], None] | None = None
    undo: Callable[[], None] | None = None
    heavy: bool = False


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
        self._last = -_MERGE_S

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
        self._add(Edit(title, self.document, after, merge_key))
        self._set(after)

    def act(
        self,
        title: str,
        redo: Callable[[], None],
        undo: Callable[[], None],
        *,
        merge_key: str = "",
        heavy: bool = False,
    ) -> None:
        """Do something that can be undone and leaves the document alone."""
        document = self.document
        self._add(Edit(title, document, document, merge_key, redo, undo, heavy))
        redo()
        self.history_changed.emit()

    def seal(self) -> None:
        """Keep the next change apart from the last one, so that undo stops between them."""
        self._last = self._clock() - 2 * _MERGE_S

    def undo(self) -> None:
        """Take back the last change."""
        self.go(self.position - 1)

    def redo(self) -> None:
        """Make the change taken back last again."""
        self.go(self.position + 1)

    @property
    def position(self) -> int:
        """How many of `edits` are done."""
        return len(self._done)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Every remembered change in order; those from `position` on are taken back."""
        return (*self._done, *reversed(self._undone))

    def go(self, position: int) -> None:
        """Take back or make again until `position` changes are done; stops at the ends."""
        document = self.document
        while self._done and position < len(self._done):
            edit = self._done.pop()
            self._undone.append(edit)
            if edit.undo is not None:
                edit.undo()
            else:
                document = edit.before
        while position > len(self._done) and self._undone:
            edit = self._undone.pop()
            self._done.append(edit)
            if edit.redo is not None:
                edit.redo()
            else:
                document = edit.after
        self.seal()
        if document is not self.document:
            self._set(document)
        else:
            self.history_changed.emit()

    @property
    def undo_title(self) -> str:
        """What `undo` would take back; empty for nothing."""
        return self._done[-1].title if self._done else ""

    @property
    def redo_title(self) -> str:
        """What `redo` would make again; empty for nothing."""
        return self._undone[-1].title if self._undone else ""

    def _add(self, edit: Edit) -> None:
        """Remember a change; it joins the one before if both are parts of one movement."""
        now = self._clock()
        last = self._done[-1] if self._done else None
        if (
            last is not None
            and edit.merge_key
            and last.merge_key == edit.merge_key
            and now - self._last <= _MERGE_S
        ):
            self._done[-1] = replace(edit, before=last.before, undo=last.undo)
        else:
            self._done.append(edit)
        heavy = [edit for edit in self._done if edit.heavy]
        if len(heavy) > _HEAVY:
            self._done.remove(heavy[0])
        del self._done[:-_DEPTH]
        self._last = now
        self._undone.clear()

    def _set(self, document: Document | None) -> None:
        self.document = document
        self.document_changed.emit()
        self.history_changed.emit()
