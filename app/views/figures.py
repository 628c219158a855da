"""The figures view: what every step measured, as small plots above each other."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.series import default_ids
from app.widgets.figures_canvas import FiguresCanvas
from app.widgets.scrolled import ScrolledCanvas
from app.widgets.view import Context, View, register_view


@register_view(
    "figures",
    "Figures",
    "Figures of every step: lengths, batch, memory, busy shares and what the system records. "
    "Series chooses them; the range is the timeline's.",
)
class FiguresView(View):
    """Choice of series and axis above the plots.

    Attributes:
        chosen: ids the user chose, by system; without a choice a few that change are shown.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = FiguresCanvas(context, self)
        self.chosen: dict[str, tuple[str, ...]] = {}
        self.menu = QMenu(self)
        self.menu.setAccessibleName("Series")
        self.menu.installEventFilter(self)
        self.button = QToolButton(self)
        self.button.setText("Series")
        self.button.setAccessibleName("Choose the series")
        self.button.setToolTip("Choose which figures are shown")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setMenu(self.menu)
        self.axis = QComboBox(self)
        self.axis.setAccessibleName("Axis of the figures")
        self.axis.setToolTip("Equal width for every step, or the timeline's time axis")
        self.axis.addItems(["by step", "by time"])
        self.note = QLabel(self)
        self.note.setProperty("dim", True)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 3, 6, 0)
        bar.addWidget(self.button)
        bar.addWidget(self.axis)
        bar.addWidget(self.note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(ScrolledCanvas(self.canvas, self), 1)
        self.axis.currentIndexChanged.connect(lambda index: self.canvas.set_by_step(index == 0))
        self.state.memory.add("figures", self._remembered, self._recall)
        self.state.series.changed.connect(self._on_series_changed)
        self.state.comparison.changed.connect(self._show_note)
        self.state.runs.cleared.connect(self._on_series_changed)

    def on_raised(self) -> None:
        self.state.series.want()

    def showEvent(self, event: object) -> None:
        if self.on_screen:
            self.state.series.want()

    def on_theme_changed(self) -> None:
        self.canvas.invalidate()

    def choose(self, ids: tuple[str, ...]) -> None:
        """Show these figures, in the order of the menu."""
        run = self.state.runs.current
        if run is not None:
            self.chosen[run.scenario.system] = ids
            self._on_series_changed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ticking a series leaves the menu open, so that several can be ticked."""
        if watched is self.menu:
            action = None
            if event.type() == QEvent.Type.MouseButtonRelease:
                action = self.menu.actionAt(event.position().toPoint())  # type: ignore[attr-defined]
            elif (
                isinstance(event, QKeyEvent)
                and event.type() == QEvent.Type.KeyPress
                and event.key() == Qt.Key.Key_Space
            ):
                action = self.menu.activeAction()
            if isinstance(action, QAction) and action.isCheckable():
                action.trigger()
                return True
        return super().eventFilter(watched, event)

    def _remembered(self) -> dict[str, object] | None:
        """The chosen series by system, and the axis."""
        by_step = self.axis.currentIndex() == 0
        if not self.chosen and by_step:
            return None
        return {"by_step": by_step, "series": {k: list(ids) for k, ids in self.chosen.items()}}

    def _recall(self, value: Any) -> None:
        given = value or {}
        chosen = {
            str(system): tuple(str(id) for id in ids)
            for system, ids in dict(given.get("series", {})).items()
        }
        self.axis.setCurrentIndex(0 if given.get("by_step", True) else 1)
        self.chosen = chosen
        self._on_series_changed()

    def _shown_ids(self) -> tuple[str, ...]:
        run, series = self.state.runs.current, self.state.series.series
        if run is None:
            return ()
        chosen = self.chosen.get(run.scenario.system)
        return default_ids(series) if chosen is None else chosen

    def _on_series_changed(self) -> None:
        self.canvas.set_shown(self._shown_ids())
        self._fill_menu()
        self._show_note()

    def _show_note(self) -> None:
        series, shown = self.state.series.series, len(self.canvas.shown)
        text = f"{shown} of {len(series)}" if series else ""
        if series and self.state.comparison.reference() is not None:
            text += " · grey: run A"
        self.note.setText(text)

    def _fill_menu(self) -> None:
        series, shown = self.state.series.series, self.canvas.shown
        actions = {str(a.data()): a for a in self.menu.actions() if a.isCheckable()}
        if list(actions) != [item.id for item in series]:
            self.menu.clear()
            actions = {}
            group = ""
            for item in series:
                if item.group != group:
                    group = item.group
                    self.menu.addSection(group)
                title = f"{item.title} ({item.unit})" if item.unit else item.title
                action = self.menu.addAction(title.replace("&", "&&"))
                action.setData(item.id)
                action.setCheckable(True)
                action.triggered.connect(self._on_ticked)
                actions[item.id] = action
        for id, action in actions.items():
            action.setChecked(id in shown)
        self.button.setEnabled(bool(series))

    def _on_ticked(self) -> None:
        ticked = [a for a in self.menu.actions() if a.isCheckable() and a.isChecked()]
        self.choose(tuple(str(action.data()) for action in ticked))
