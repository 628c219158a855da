"""Messages to the user: one list that the log pane and the message strip show."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

_LIMIT = 2000


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        severity: how bad it is.
        text: what happened and what to do; may have several lines.
        wall_time: when, in seconds of the wall clock.
    """

    severity: Severity
    text: str
    wall_time: float


class Messages(QObject):
    """The list of messages and what the strip shows now."""

    added = Signal(object)
    strip_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Message] = []
        self.strip: Message | None = None

    def log(self, text: str, severity: Severity = Severity.INFO) -> Message:
        """Add to the list only."""
        message = Message(severity, text, time.time())
        self.entries.append(message)
        del self.entries[:-_LIMIT]
        self.added.emit(message)
        return message

    def show(self, text: str, severity: Severity = Severity.ERROR) -> None:
        """Add to the list and show in the strip until it is cleared."""
        if self.strip and (self.strip.text, self.strip.severity) == (text, severity):
            return
        self.strip = self.log(text, severity)
        self.strip_changed.emit()

    def clear_strip(self) -> None:
        """Show nothing in the strip."""
        if self.strip is not None:
            self.strip = None
            self.strip_changed.emit()
