"""The stop-at view: conditions playback stops at, and the range it loops over."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.conditions import CONDITIONS, Condition, help_of, missing, title_of
from app.widgets.actions import bind_button
from app.widgets.view import Context, View, register_view

RANK = 5
"""Its turn among the views."""


@dataclass(frozen=True)
class StopRow:
    """The controls of one condition."""

    item: Condition
    active: QCheckBox
    value: QDoubleSpinBox | None
    previous: QToolButton
    next: QToolButton


@register_view(
    "stops",
    "Stop at",
    "Playback stops where a ticked condition begins to hold; the arrows go there at once. Below: "
    "the steps playback loops over.",
)
class StopsView(View):
    """One row a condition, and the loop."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.rows: dict[str, StopRow] = {}
        page = QWidget(self)
        grid = QGridLayout()
        grid.setContentsMargins(8, 6, 2, 2)
        grid.setVerticalSpacing(2)
        grid.setHorizontalSpacing(2)
        grid.setColumnStretch(0, 1)
        for number, item in enumerate(CONDITIONS):
            self._add_row(grid, number, item)
        self.lacking = QLabel(page)
        self.lacking.setProperty("dim", True)
        self.lacking.setWordWrap(True)
        self.lacking.setContentsMargins(8, 2, 8, 0)
        self.loop = QCheckBox("loop over steps", page)
        self.loop.setAccessibleName("Loop over steps")
        self.first, self.last = (
            self._step_box("First step of the loop"),
            self._step_box("Last step of the loop"),
        )
        visible = QToolButton(page)
        visible.setText("Visible range")
        visible.setAccessibleName("Loop the visible range")
        bind_button(
            visible,
            context.commands,
            "stops.loop_visible",
            "Loop over the steps the timeline shows",
        )
        loop = QHBoxLayout()
        loop.setContentsMargins(8, 6, 8, 6)
        loop.setSpacing(7)
        loop.addWidget(self.first)
        loop.addWidget(QLabel("to", page))
        loop.addWidget(self.last)
        loop.addStretch(1)
        inner = QVBoxLayout(page)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addLayout(grid)
        inner.addWidget(self.lacking)
        head = QHBoxLayout()
        head.setContentsMargins(8, 8, 8, 0)
        head.addWidget(self.loop)
        head.addStretch(1)
        head.addWidget(visible)
        inner.addLayout(head)
        inner.addLayout(loop)
        inner.addStretch(1)
        area = QScrollArea(self)
        area.setAccessibleName("Conditions, scrolled")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        self.loop.toggled.connect(self._on_loop_toggled)
        for box in (self.first, self.last):
            box.valueChanged.connect(self._on_loop_edited)
        turns = self.state.turns
        self.state.stops.changed.connect(lambda: turns.ask(self._show, RANK))
        self.state.playback.changed.connect(self._show_loop)
        self.state.runs.grew.connect(lambda _: turns.ask(self._show_loop, RANK))
        self.state.runs.replaced.connect(lambda _: turns.ask(self._show_loop, RANK))
        self._show()
        self._show_loop()

    def _add_row(self, grid: QGridLayout, number: int, item: Condition) -> None:
        stops = self.state.stops
        active = QCheckBox(item.title, self)
        active.setAccessibleName(f"Stop at: {item.title}")
        active.toggled.connect(lambda on: stops.set_active(item.id, on))
        grid.addWidget(active, number, 0)
        value = None
        if item.has_value:
            value = QDoubleSpinBox(self)
            value.setDecimals(item.decimals)
            value.setRange(item.least, item.most)
            value.setValue(item.default)
            value.setSuffix(f" {item.unit}" if item.unit else "")
            value.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
            value.setAccessibleName(f"Value: {item.title}")
            value.setFixedWidth(70)
            value.valueChanged.connect(lambda number: stops.set_value(item.id, number))
            grid.addWidget(value, number, 1)
        self.rows[item.id] = StopRow(
            item,
            active,
            value,
            self._arrow("◀", "previous", item, grid, number, 2),
            self._arrow("▶", "next", item, grid, number, 3),
        )

    def _arrow(
        self, text: str, word: str, item: Condition, grid: QGridLayout, number: int, column: int
    ) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setProperty("flat", True)
        button.setFixedWidth(21)
        button.setAccessibleName(f"Run to {word}: {item.title}")
        button.clicked.connect(lambda: self.context.commands.run(f"stops.{word}_{item.id}"))
        grid.addWidget(button, number, column)
        return button

    def _step_box(self, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setAccessibleName(name)
        box.setRange(0, 0)
        return box

    def on_raised(self) -> None:
        self.state.series.want()

    def _show(self) -> None:
        stops, run = self.state.stops, self.state.runs.current
        lacking: list[str] = []
        for id, row in self.rows.items():
            able = stops.applies(id)
            title, help = title_of(row.item, run), help_of(row.item, run)
            why = "" if able else missing(row.item, run)
            if why and run is not None and self.state.series.series:
                lacking.append(f"{title} ({why})")
            row.active.setText(title)
            row.active.setAccessibleName(f"Stop at: {title}")
            row.active.setToolTip(help if able else f"{help} Not in this run: {why}.")
            row.active.setChecked(id in stops.active)
            for widget in (row.active, row.value, row.previous, row.next):
                if widget is not None:
                    widget.setEnabled(able)
            row.previous.setToolTip(f"Run to previous: {stops.text(id)}")
            row.next.setToolTip(f"Run to next: {stops.text(id)}")
            if row.value is not None and row.value.value() != stops.values[id]:
                row.value.setValue(stops.values[id])
        self.lacking.setText(f"Not in this run: {'; '.join(lacking)}." if lacking else "")
        self.lacking.setVisible(bool(lacking))

    def _show_loop(self) -> None:
        last = max(0, max(self.state.runs.total_steps, self.state.runs.length) - 1)
        loop = self.state.playback.loop
        for widget in (self.loop, self.first, self.last):
            widget.blockSignals(True)
        to_the_end = self.last.value() == self.last.maximum()
        for box in (self.first, self.last):
            box.setMaximum(last)
        self.loop.setChecked(loop is not None)
        if loop is not None:
            self.first.setValue(loop[0])
            self.last.setValue(loop[1] - 1)
        elif to_the_end:
            self.last.setValue(last)
        for widget in (self.loop, self.first, self.last):
            widget.blockSignals(False)

    def _on_loop_toggled(self, on: bool) -> None:
        self.state.playback.set_loop((self.first.value(), self.last.value() + 1) if on else None)

    def _on_loop_edited(self) -> None:
        if self.loop.isChecked():
            self._on_loop_toggled(True)
