"""The timeline: lanes of ops and named waits, from the whole run down to one op."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.state.comparison import run_title
from app.theme.tokens import CATEGORY_TITLES, COLOUR_KEYS, WAIT_KEYS
from app.viewmodels.keys import key_of_op
from app.widgets.lane_titles import LaneHint
from app.widgets.legend import Legend
from app.widgets.minimap import HEIGHT, LOW_HEIGHT, Minimap
from app.widgets.range_bar import RangeBar
from app.widgets.scrolled import ScrolledCanvas
from app.widgets.search_bar import SearchBar
from app.widgets.timeline_canvas import TimelineCanvas
from app.widgets.view import Context, View, register_view

ROOMY_PX = 320
"""Views lower than this get a lower overview."""


@register_view(
    "timeline",
    "Timeline",
    "What every lane does and why it waits. Wheel zooms, drag pans, click selects a span.",
)
class TimelineView(View):
    """Canvas, scroll bar and legend."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = TimelineCanvas(context, self)
        self._legend = Legend(checkable=False, parent=self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(2)
        self.minimap = Minimap(context, self)
        scrolled = ScrolledCanvas(self.canvas, self)
        self.search_bar = SearchBar(context, self)
        self.search_bar.closed.connect(self.canvas.setFocus)
        self.state.search.opened.connect(self.search_bar.open)
        layout.addWidget(self.search_bar)
        top = QHBoxLayout()
        top.addWidget(self.minimap, 1)
        top.addSpacing(scrolled.bar_width())  # so that it ends where the lanes do
        layout.addLayout(top)
        layout.addWidget(scrolled, 1)
        self.hint = LaneHint(context, self)
        layout.addWidget(self.hint)
        self.range_bar = RangeBar(context, self)
        layout.addWidget(self.range_bar)
        layout.addWidget(self._legend)
        self.canvas.span_clicked.connect(self.state.selection.select_span)
        self.state.comparison.changed.connect(self._show_legend)
        self.state.runs.replaced.connect(lambda _: self._show_legend())
        self.state.runs.cleared.connect(lambda: self._legend.set_entries([], ""))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.minimap.setFixedHeight(HEIGHT if self.height() >= ROOMY_PX else LOW_HEIGHT)

    def on_theme_changed(self) -> None:
        self._show_legend()

    def reveal(self, what: str) -> None:
        """Scroll to the first lane whose id begins so; to the top for an empty text."""
        run = self.state.runs.current
        for row in range(self.canvas.lane_count() if run is not None else 0):
            lane = self.canvas.lane_of_row(row)
            if run is not None and lane >= 0 and run.lanes[lane].id.startswith(what):
                self.canvas.scroll_to(int(row * self.canvas.row_height()))
                return

    def _show_legend(self) -> None:
        run = self.state.runs.current
        if run is None:
            return
        theme = self.context.theme
        used = {COLOUR_KEYS[key] for key in key_of_op(run)}
        entries = [
            (CATEGORY_TITLES[key], theme.colour(key), _tip(key))
            for key in COLOUR_KEYS
            if key in used
        ]
        if self.state.comparison.reference() is not None:
            run_a = self.state.comparison.frozen
            tip = f"Work of run A: {run_title(run_a)}" if run_a is not None else ""
            entries.append(("Outline: A", theme.canvas, tip))
        self._legend.set_entries(entries, theme.border)


def _tip(key: str) -> str:
    if key in WAIT_KEYS:
        return "The lane does nothing; the reason is named."
    return f"Operations of the category {CATEGORY_TITLES[key]}."
