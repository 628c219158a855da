"""Keeps a widget whose text changes at every step from laying out the whole window."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Held(QWidget):
    """As high as the widget in it, and as wide as there is room; it has no layout.

    A label tells its layout of each new text, which asks the tool bar, which asks the window, which
    places all docks again: more work than all the painting of a step.
    """

    def __init__(self, inside: QWidget, least_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inside = inside
        inside.setParent(self)
        self.setMinimumWidth(least_px)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), self._inside.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), self._inside.minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._inside.setGeometry(self.rect())
