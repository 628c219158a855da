"""Bandwidth lanes: GB/s over time against the peak of each memory and link."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.bandwidth_canvas import BandwidthCanvas
from app.widgets.lane_titles import LaneHint
from app.widgets.scrolled import ScrolledCanvas
from app.widgets.view import Context, View, register_view


@register_view(
    "bandwidth",
    "Bandwidth",
    "GB/s of every memory and link with its peak, run A as a thin line; the time axis is the "
    "timeline's.",
)
class BandwidthView(View):
    """Canvas and scroll bar."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = BandwidthCanvas(context, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(ScrolledCanvas(self.canvas, self), 1)
        self.hint = LaneHint(context, self)
        layout.addWidget(self.hint)
