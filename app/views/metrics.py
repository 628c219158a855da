"""The metrics panel: figures of the run, the lanes, the system and the current step."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.state.turns import Work
from app.viewmodels import metrics
from app.viewmodels.composition import Composition, composition_of
from app.widgets.empty import NO_RUN
from app.widgets.painting import small_font
from app.widgets.texts import texts_in
from app.widgets.view import Context, View, register_view

REFRESH_MS = 250
RANK = 4
ORDER = ("run", "step", "system", "lanes")
VALUE_SHARE = 0.45
"""Values up to this share of the width are shown whole, before the names are."""


@register_view("metrics", "Metrics", "Throughput, step times, lanes and figures of the system.")
class MetricsView(View):
    """A two-column tree; groups fold and stay folded."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._tree = QTreeWidget(self)
        self._tree.setAccessibleName("Metrics")
        self._tree.setColumnCount(2)
        self._tree.setHeaderHidden(True)
        self._tree.setIndentation(9)
        self._tree.setUniformRowHeights(True)
        self._tree.setFont(small_font(self.font(), -0.5))
        header = self._tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._composition: Composition | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._tree)
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._timer.timeout.connect(lambda: self._soon(self._refresh_run))
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.grew.connect(lambda _: self._later())
        self.state.runs.finished.connect(lambda: self._soon(self._refresh_run))
        self.state.runs.cleared.connect(self._on_cleared)
        self.state.cursor.step_changed.connect(lambda _: self._soon(self._refresh_step))
        self._on_cleared()

    def _soon(self, work: Work) -> None:
        """Take something in when it is this view's turn, if it can be seen."""
        self.state.turns.ask(work, RANK, lambda: self.on_screen)

    def text(self, group: str, label: str) -> str:
        """The value shown for a label, empty if there is none."""
        if self._timer.isActive():
            self._timer.stop()
            self._refresh_run()
        self.state.turns.now(self._refresh_run)
        self.state.turns.now(self._refresh_step)
        item = self._groups.get(group)
        for row in range(item.childCount() if item else 0):
            child = item.child(row) if item else None
            if child is not None and child.text(0) == label:
                return child.text(1)
        return ""

    def _later(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_replaced(self, _: object) -> None:
        run = self.state.runs.current
        assert run is not None
        if self._composition is None:
            self._tree.clear()
        self._composition = composition_of(run)
        self._soon(self._refresh_run)

    def _on_cleared(self) -> None:
        self._timer.stop()
        self.state.turns.drop(self._refresh_run)
        self.state.turns.drop(self._refresh_step)
        self._composition = None
        self._tree.clear()
        self._groups.clear()
        nothing = QTreeWidgetItem(self._tree, [NO_RUN])
        nothing.setFirstColumnSpanned(True)  # or it is cut: the first column is as wide as needed
        nothing.setDisabled(True)

    def _refresh_run(self) -> None:
        run, length = self.state.runs.current, self.state.runs.length
        if run is None or self._composition is None or not length:
            return
        self._composition.extend(length)
        self._show(metrics.throughput(run, length))
        self._refresh_step()
        if run.status.finished:
            figures = metrics.system_figures(run)
            if figures is not None:
                self._show(figures)
        self._show(metrics.lanes(run, self._composition, length))

    def _refresh_step(self) -> None:
        self.state.turns.drop(self._refresh_step)
        run, step = self.state.runs.current, self.state.cursor.step
        if run is not None and self._composition is not None and step < self._composition.steps:
            self._show(metrics.current_step(run, self._composition, step))

    def _show(self, group: metrics.Group) -> None:
        item = self._groups.get(group.id)
        if item is None:
            item = QTreeWidgetItem()
            above = ORDER[: ORDER.index(group.id)]
            place = sum(name in self._groups for name in above)  # also if it comes late
            self._tree.insertTopLevelItem(place, item)
            item.setFirstColumnSpanned(True)
            font = item.font(0)
            font.setWeight(QFont.Weight.DemiBold)
            item.setFont(0, font)
            item.setExpanded(True)
            self._groups[group.id] = item
        item.setText(0, group.title)
        while item.childCount() > len(group.rows):
            item.removeChild(item.child(item.childCount() - 1))
        while item.childCount() < len(group.rows):
            child = QTreeWidgetItem(item)
            child.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        renamed = False
        for index, row in enumerate(group.rows):
            child = item.child(index)
            if child.text(0) != row.label or child.toolTip(0) != (row.tip or row.label):
                renamed = True
                child.setText(0, row.label)
                child.setToolTip(0, row.tip or row.label)
            if child.text(1) != row.value:
                child.setText(1, row.value)
                child.setToolTip(1, row.tip or row.value)
                renamed |= self._value_width(child) > self._tree.columnWidth(1)
        if renamed:
            self._fit()

    def _fit(self) -> None:
        """Numbers are shown whole, then names; long values in words give way."""
        room = self._tree.viewport().width()
        rows = [
            group.child(at) for group in self._groups.values() for at in range(group.childCount())
        ]
        texts, indent = texts_in(self._tree.font()), 2 * self._tree.indentation() + 8
        names = indent + max((ceil(texts.width(row.text(0))) for row in rows), default=0)
        values = [self._value_width(row) for row in rows]
        value = max((width for width in values if width <= VALUE_SHARE * room), default=0)
        self._tree.header().resizeSection(0, min(names, room - value))

    def _value_width(self, row: QTreeWidgetItem) -> int:
        return ceil(texts_in(self._tree.font()).width(row.text(1))) + 12

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self.state.turns.wake()
