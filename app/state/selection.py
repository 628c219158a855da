"""What is selected: a span of a step, an item of the placement grid, a device or a link."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True, slots=True)
class SpanRef:
    """One span: its step, its index in the step's spans and its lane."""

    step: int
    span: int
    lane: int


@dataclass(frozen=True, slots=True)
class ItemRef:
    """One item of the placement grid."""

    row: int
    column: int


class Selection(QObject):
    """The one selection of all views."""

    changed = Signal()
    device_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.span: SpanRef | None = None
        self.item: ItemRef | None = None
        self.device = ""

    def select_span(self, span: SpanRef | None) -> None:
        """Select a span, or nothing."""
        if span != self.span:
            self.span = span
            self.changed.emit()

    def select_item(self, item: ItemRef | None) -> None:
        """Select an item of the placement grid, or nothing."""
        if item != self.item:
            self.item = item
            self.changed.emit()

    def select_device(self, id: str) -> None:
        """Select a device or link of the machine by id; it stays selected from run to run."""
        if id != self.device:
            self.device = id
            self.device_changed.emit(id)

    def clear(self) -> None:
        """Select no span and no item."""
        self.span = self.item = None
        self.changed.emit()
