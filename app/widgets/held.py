"""Keeps widgets that change while a run is played from laying out the whole window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_SPACING_PX = 2


class Held(QWidget):
    """As high as the widget in it, and as wide as there is room; it has no layout.

    A label tells its layout of each new text, which asks the tool bar, which asks the window, which
    places all docks again: more work than all the painting of a step. So does one that comes and
    goes, as those behind it do.
    """

    def __init__(
        self,
        inside: QWidget,
        least_px: int,
        parent: QWidget | None = None,
        behind: tuple[QWidget, ...] = (),
    ) -> None:
        """Take widgets in.

        Args:
            inside: gets the room that is left.
            least_px: width at least.
            behind: widgets to the right, those that are not hidden as wide as they want to be.
        """
        super().__init__(parent)
        self._inside, self._behind = inside, behind
        for widget in (inside, *behind):
            widget.setParent(self)
        self.setMinimumWidth(least_px)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        heights = [widget.sizeHint().height() for widget in (self._inside, *self._behind)]
        return QSize(self.minimumWidth(), max(heights))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), self._inside.minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place()  # nobody asks for that while it is hidden

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and self._behind:
            self._place()
        return super().event(event)

    def _place(self) -> None:
        right = self.width()
        for widget in reversed(self._behind):
            if not widget.isHidden():
                size = widget.sizeHint().boundedTo(widget.maximumSize())
                size = size.expandedTo(widget.minimumSize())
                height = min(size.height(), self.height())
                width = min(size.width(), max(0, right))  # the first gives way
                right -= width
                widget.setGeometry(right, (self.height() - height) // 2, width, height)
                right -= _SPACING_PX
        self._inside.setGeometry(0, 0, max(0, right), self.height())
