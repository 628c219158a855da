"""Questions that wait for an answer without being in the way: a text and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.state.messages import Severity


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: the text of its button, what it does in a sentence, the function."""

    title: str
    tip: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Notice:
    """A question.

    Attributes:
        id: another notice of the same id takes its place.
        text: what happened.
        choices: the answers; the first one is what most people want.
        severity: colour of the strip.
    """

    id: str
    text: str
    choices: tuple[Choice, ...]
    severity: Severity = Severity.INFO


class Notices(QObject):
    """The questions that wait, oldest first."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, Notice] = {}

    @property
    def waiting(self) -> tuple[Notice, ...]:
        """All of them."""
        return tuple(self._waiting.values())

    def get(self, id: str) -> Notice | None:
        """The notice of that id, if it waits."""
        return self._waiting.get(id)

    def ask(self, notice: Notice) -> None:
        """Show a question, in place of an older one of the same id."""
        self._waiting[notice.id] = notice
        self.changed.emit()

    def tell(self, id: str, text: str, severity: Severity = Severity.WARNING) -> None:
        """Show a text until it is dismissed; a new run does not take it away."""
        self.ask(
            Notice(id, text, (Choice("Dismiss", "Take this message away", _nothing),), severity)
        )

    def withdraw(self, id: str) -> None:
        """Take a question back, if it waits."""
        if self._waiting.pop(id, None) is not None:
            self.changed.emit()

    def answer(self, id: str, index: int) -> None:
        """Take the question away and do what an answer says."""
        notice = self._waiting.pop(id, None)
        if notice is not None:
            self.changed.emit()
            notice.choices[index].run()


def _nothing() -> None:
    pass
