"""The scenario being worked on: its file, its edits, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.commands.bus import EditBus
from simcore.errors import Problem, UserError
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario


class Session(QObject):
    """The open scenario.

    Attributes:
        bus: history of the document; every change goes through it.
        saved: the document as it is in its file.
        path: the file; None for a document that has none.
        scenario: last scenario that resolved without a problem.
        problems: what is wrong with the document as it is now.
    """

    document_changed = Signal()
    opened = Signal()
    file_changed = Signal()
    resolved = Signal()
    problems_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.bus = EditBus()
        self.saved: Document | None = None
        self.path: Path | None = None
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
        return document is not None and (saved is None or document.text() != saved.text())

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
        """Make a document the open one, with a new history."""
        self.saved = document
        self.path = path
        self.scenario = None
        self.problems = ()
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
        self.saved = self.document
        self.path = target
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
