"""A time canvas with a scroll bar for its lanes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollBar, QWidget

from app.widgets.time_canvas import TimeCanvas


class ScrolledCanvas(QWidget):
    """Puts a scroll bar beside a canvas; it is hidden while all lanes fit."""

    def __init__(self, canvas: TimeCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setAccessibleName("Scroll lanes")
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that all canvases have the same width
        self._bar.setSizePolicy(policy)
        self._bar.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(canvas, 1)
        layout.addWidget(self._bar)
        canvas.scroll_range_changed.connect(self._on_range_changed)
        canvas.scrolled.connect(self._bar.setValue)
        self._bar.valueChanged.connect(canvas.scroll_to)

    def bar_width(self) -> int:
        """Width of the scroll bar, which is kept free while it is hidden."""
        return self._bar.sizeHint().width()

    def _on_range_changed(self, room: int, page: int) -> None:
        self._bar.setRange(0, room)
        self._bar.setPageStep(page)
        self._bar.setSingleStep(20)
        self._bar.setVisible(room > 0)
