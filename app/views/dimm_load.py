"""Load of alike devices: who is busy how long in this step, and how that went over the run."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.load_canvas import LoadCanvas
from app.widgets.view import Context, View, register_view


@register_view(
    "load",
    "Load",
    "Busy time of each DIMM, rankset or chip in this step with the mean, and the busy share of "
    "every step below.",
)
class DimmLoadView(View):
    """The load canvas."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = LoadCanvas(context, self)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)

    def on_theme_changed(self) -> None:
        self.canvas.refresh_colours()
