"""The scenario being worked on: its file, its edits, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.commands.bus import EditBus
from simcore.errors import Problem, ScenarioErrors, UserError
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario


class Session(QObject):
    """The open scenario.

    Attributes:
        bus: history of the document; every change goes through it.
        saved: the document as it is in its file.
        path: the file; None for a document that has none.
        missing: the file was deleted since it was read; saving writes it again.
        scenario: last scenario that resolved without a problem.
        problems: what is wrong with the document as it is now.
    """

    document_changed = Signal()
    closing = Signal()
    opened = Signal()
    file_changed = Signal()
    resolved = Signal()
    problems_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.bus = EditBus()
        self.saved: Document | None = None
        self.path: Path | None = None
        self.missing = False
        self.scenario: Scenario | None = None
        self.problems: tuple[Problem, ...] = ()
        self.bus.document_changed.connect(self.document_changed)

    @property
    def document(self) -> Document | None:
        """The document as it is now."""
        return self.bus.document

    @property
    def dirty(self) -> bool:
        """Whether the document differs from its file."""
        document, saved = self.document, self.saved
        if document is None:
            return False
        return self.missing or saved is None or document.text() != saved.text()

    @property
    def title(self) -> str:
        """Name for the window: the scenario's name, else the file's."""
        if self.scenario is not None and self.scenario.name:
            return self.scenario.name
        return self.path.name if self.path else "untitled"

    def open(self, path: Path) -> None:
        """Open a file; the session stays as it was if that fails.

        Raises:
            UserError: if the file cannot be read as a scenario.
        """
        self.adopt(read_document(path), path)

    def adopt(self, document: Document, path: Path | None) -> None:
        """Make a document the open one, with a new history; `closing` comes before."""
        if self.document is not None:
            self.closing.emit()
        self.saved = document
        self.path = path
        self.missing = False
        self.scenario = None
        self.set_problems(())
        self.bus.reset(document)
        self.opened.emit()
        self.file_changed.emit()

    def save(self, path: Path | None = None) -> None:
        """Write the document to its file or to another one.

        Raises:
            UserError: if the file cannot be written.
        """
        target = path or self.path
        if self.document is None or target is None:
            raise UserError("no file to save to; use Save as")
        try:
            self.document.save(target)
        except OSError as error:
            raise UserError(f"{target}: cannot be written: {error.strerror or error}") from error
        self.bus.seal()
        self.saved = self.document
        self.path = target
        self.missing = False
        self.file_changed.emit()

    def reload(self, on_disk: Document, *, keep_edits: bool = False) -> tuple[str, ...]:
        """Take over what the file says now; can be undone like an edit.

        Args:
            on_disk: the file as it is now.
            keep_edits: make the unsaved edits again on top of it.

        Returns:
            Paths of edits that could not be made again.

        Raises:
            ScenarioErrors: if edits shall be kept and one of the texts cannot be read.
        """
        after = on_disk
        lost: tuple[str, ...] = ()
        if keep_edits and self.document is not None and self.saved is not None:
            after, lost = made_again(self.saved, self.document, on_disk)
        self.take_file(on_disk)
        name = self.path.name if self.path else "the file"
        kept = ", keep the edits" if keep_edits else ""
        self.bus.do(f"reload {name}{kept}", after)
        return lost

    def take_file(self, on_disk: Document) -> None:
        """Take note of what the file says now; the document stays as it is."""
        self.saved = on_disk
        self.missing = False
        self.file_changed.emit()

    def set_missing(self, missing: bool) -> None:
        """Take note that the file is gone, or there again."""
        if missing != self.missing:
            self.missing = missing
            self.file_changed.emit()

    def set_value(self, path: str, value: Any) -> None:
        """Change one value; consecutive changes of the same value are one edit.

        A component that is written out (``gpu: {preset: ..., count: 2}``) keeps its settings when
        its preset is chosen.

        Raises:
            ScenarioErrors: if the document cannot be read or cannot hold the value.
        """
        if self.document is None:
            return
        shown = "automatic" if value is None else value
        after = self.document.with_value(_place(self.document, path), value)
        self.bus.do(f"set {path} to {shown}", after, merge_key=path)

    def reset_value(self, path: str) -> None:
        """Put one value back to what the file says.

        Raises:
            ScenarioErrors: if the document cannot be read.
        """
        if self.document is None or self.saved is None:
            return
        before = self.saved.get(path)
        if isinstance(before, dict):
            before = before.get("preset")
        place = _place(self.document, path)
        after = (
            self.document.without(place)
            if before is None
            else self.document.with_value(place, before)
        )
        self.bus.do(f"reset {path}", after)

    def reset_all(self) -> None:
        """Put everything back to what the file says; can be undone."""
        if self.saved is not None:
            self.bus.do("reset to file", self.saved)

    def set_resolved(self, scenario: Scenario) -> None:
        """Take note of a good scenario."""
        self.scenario = scenario
        self.set_problems(())
        self.resolved.emit()

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Take note of what is wrong."""
        if tuple(problems) != self.problems:
            self.problems = tuple(problems)
            self.problems_changed.emit()


def made_again(
    before: Document, after: Document, onto: Document
) -> tuple[Document, tuple[str, ...]]:
    """The edits from `before` to `after` made on another document.

    An edit of a value that `onto` no longer has is left out; a value that was added is added.

    Returns:
        The new document, and the paths that were left out.

    Raises:
        ScenarioErrors: if one of the documents cannot be read.
    """
    lost = []
    onto.data()
    for path, old, new in before.changes(after):
        if onto.get(path) is None and old is not None:
            if new is not None:
                lost.append(path)
            continue
        try:
            onto = onto.without(path) if new is None else onto.with_value(path, new)
        except ScenarioErrors:
            lost.append(path)
    return onto, tuple(lost)


def read_document(path: Path) -> Document:
    """Read a scenario file.

    Raises:
        UserError: if there is no such file or it is not a scenario.
    """
    try:
        return Document.from_file(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be opened: {error.strerror or error}") from error


def _place(document: Document, path: str) -> str:
    """Where a document keeps the value of a field of the form."""
    return f"{path}.preset" if isinstance(document.get(path), dict) else path
