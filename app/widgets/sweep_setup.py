"""What is to be varied: fields with values, how points are chosen, what is good, where it runs."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.sweep import AxisDraft, Checked, Draft, proposed_values
from app.widgets.parameter_form import field_tip
from simcore.cores import cores
from simcore.scenario.listing import FieldInfo
from simcore.sweep.figures import FIGURES
from simcore.sweep.spec import MAX_AXES, MAX_POINTS, Method

_VALUES_TIP = (
    "1, 2, 4: a list\nlin:1:10:5: five values from 1 to 10\nlog:1:64:4: four values, each a "
    "factor above the one before\npresets:all or presets:rtx-*: presets by name"
)
_METHODS = {
    Method.GRID: ("Full grid", "Every combination of the values"),
    Method.RANDOM: ("Random sample", "Points anywhere in the ranges"),
    Method.LATIN_HYPERCUBE: ("Latin hypercube", "A sample that covers every range evenly"),
    Method.SEARCH: ("Search", "Points where the objectives get better (NSGA-II, needs Optuna)"),
}


class AxisRow(QWidget):
    """One field with its values; problems stand below."""

    edited = Signal()
    removed = Signal()

    def __init__(self, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._fields: Mapping[str, FieldInfo] = {}
        self.field = QComboBox(self)
        self.field.setEditable(True)
        self.field.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.field.setAccessibleName(f"Field {number + 1} to vary")
        self.field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.field.setMinimumContentsLength(12)
        line = self.field.lineEdit()
        assert line is not None
        line.setPlaceholderText("field, such as count")
        self.values = QLineEdit(self)
        self.values.setAccessibleName(f"Values of field {number + 1}")
        self.values.setPlaceholderText("values")
        self.count = QLabel(self)
        self.count.setProperty("dim", True)
        self.count.setMinimumWidth(24)
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.count.setToolTip("Number of values")
        self.remove = QToolButton(self)
        self.remove.setText("✕")
        self.remove.setProperty("flat", True)
        self.remove.setToolTip("Do not vary this field")
        self.remove.setAccessibleName(f"Remove field {number + 1}")
        self.problem = QLabel(self)
        self.problem.setProperty("problem", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(4)
        bar.addWidget(self.field, 5)
        bar.addWidget(self.values, 4)
        bar.addWidget(self.count)
        bar.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(bar)
        layout.addWidget(self.problem)
        self.field.currentTextChanged.connect(self._on_field)
        self.values.textEdited.connect(lambda _: self.edited.emit())
        self.remove.clicked.connect(self.removed)

    def set_fields(self, fields: Mapping[str, FieldInfo]) -> None:
        """The fields to choose from; what is typed stays."""
        if list(fields) != list(self._fields):
            text = self.field.currentText()
            self.field.blockSignals(True)
            self.field.clear()
            self.field.addItems(list(fields))
            completer = QCompleter(list(fields), self)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self.field.setCompleter(completer)
            self.field.setCurrentText(text)
            if not text:
                self.field.setCurrentIndex(-1)
            self.field.blockSignals(False)
        self._fields = fields
        self._show_tips()

    def draft(self) -> AxisDraft:
        """What is typed."""
        return AxisDraft(self.field.currentText().strip(), self.values.text())

    def put(self, draft: AxisDraft) -> None:
        """Show a field and its values."""
        self.field.blockSignals(True)
        self.field.setCurrentText(draft.path)
        self.field.blockSignals(False)
        self.values.setText(draft.values)
        self._show_tips()

    def show_problem(self, text: str, count: int) -> None:
        """Mark the row, or show how many values it has."""
        self.count.setText(f"{count:,}" if count else "")
        _mark(self.values, self.problem, text)

    def _on_field(self, path: str) -> None:
        info = self._fields.get(path.strip())
        if info is not None:
            self.values.setText(proposed_values(info))
        self._show_tips()
        self.edited.emit()

    def _show_tips(self) -> None:
        info = self._fields.get(self.field.currentText().strip())
        tip = "" if info is None else field_tip(info)
        self.field.setToolTip(tip or "A field of the scenario; type a part of its name")
        now = "" if info is None else f"\nNow {info.value} {info.knob.unit}".rstrip()
        self.values.setToolTip(f"{_VALUES_TIP}{now}" + (f"\n\n{tip}" if tip else ""))
        allowed = "" if info is None or info.knob.choices else info.knob.allowed()
        self.values.setPlaceholderText(allowed or "values")


def _mark(line: QWidget, label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
    if bool(line.property("invalid")) != bool(text):
        line.setProperty("invalid", bool(text))
        line.style().unpolish(line)
        line.style().polish(line)
    line.setAccessibleDescription(text)


class SweepSetup(QScrollArea):
    """The whole form; `edited` says that something was typed."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Setup of the sweep")
        body = QWidget(self)
        self.setWidget(body)
        self._body = body
        self.rows: list[AxisRow] = []
        self._fields: Mapping[str, FieldInfo] = {}
        self._axes = QVBoxLayout()
        self._axes.setSpacing(3)
        self.add = QToolButton(body)
        self.add.setText("+ Field")
        self.add.setToolTip(f"Vary one more field, {MAX_AXES} at most")
        self.add.setAccessibleName("Vary one more field")
        self.add.clicked.connect(self._on_add)
        self.method = QComboBox(body)
        for method, (title, tip) in _METHODS.items():
            self.method.addItem(title, method)
            index = self.method.count() - 1
            self.method.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
        self.method.setAccessibleName("How points are chosen")
        self.points = self._spin(1, MAX_POINTS, 100, "Number of points", " points")
        self.seed = self._spin(0, 2**31 - 1, 1, "Seed of the sample", "")
        self.seed.setPrefix("seed ")
        self.objectives = self._line(
            "What is good",
            "tokens_per_s:max, energy_J_per_token:min",
            "Figures to look at, the first by default:\n" + ", ".join(FIGURES),
        )
        self.constraints = self._line(
            "What a point must meet",
            "tokens_per_s >= 10, fits",
            "Relations between a figure and a number; points that miss one are marked",
        )
        self.prices = self._line(
            "Prices in USD",
            "ndp_dimms=120, host=800",
            "USD of one component, for price_USD and tokens_per_s_per_USD. GPUs have launch prices "
            "where they are known; NDP-DIMMs and others have no sourced price.",
        )
        self.workers = self._spin(1, 1024, cores(), "Processes on this machine", " processes")
        self.scheduler = self._line(
            "Dask scheduler",
            "tcp://host:8786, empty: this machine",
            "Address of an existing Dask cluster with the same version of the program",
        )
        self._problems = {name: self._problem() for name in _PLACES}
        self._lay_out(body)
        self.method.currentIndexChanged.connect(lambda _: self._on_method())
        self.points.valueChanged.connect(lambda _: self.edited.emit())
        self.seed.valueChanged.connect(lambda _: self.edited.emit())
        for line in (self.objectives, self.constraints, self.prices):
            line.textEdited.connect(lambda _: self.edited.emit())
        self.scheduler.textEdited.connect(lambda text: self.workers.setEnabled(not text.strip()))
        self.put(Draft())

    def _spin(self, low: int, high: int, value: int, name: str, suffix: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, high)
        box.setValue(value)
        box.setSuffix(suffix)
        box.setAccessibleName(name)
        box.setToolTip(name)
        return box

    def _line(self, name: str, placeholder: str, tip: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setAccessibleName(name)
        line.setPlaceholderText(placeholder)
        line.setToolTip(tip)
        return line

    def _problem(self) -> QLabel:
        label = QLabel(self)
        label.setProperty("problem", True)
        label.setWordWrap(True)
        label.hide()
        return label

    def _lay_out(self, body: QWidget) -> None:
        method = QHBoxLayout()
        method.setSpacing(4)
        method.addWidget(self.method, 1)
        method.addWidget(self.points)
        method.addWidget(self.seed)
        where = QHBoxLayout()
        where.setSpacing(4)
        where.addWidget(self.workers)
        where.addWidget(self.scheduler, 1)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(3)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Points", method)
        form.addRow("", self._problems["method"])
        for title, line, place in (
            ("Objectives", self.objectives, "objectives"),
            ("Constraints", self.constraints, "constraints"),
            ("Prices", self.prices, "prices"),
        ):
            form.addRow(title, line)
            form.addRow("", self._problems[place])
        form.addRow("Run on", where)
        self._form = form
        layout = QVBoxLayout(body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(self._axes)
        layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._problems["whole"])
        layout.addLayout(form)
        layout.addStretch(1)
        for place, label in self._problems.items():
            if place != "whole":
                form.setRowVisible(label, False)

    def set_fields(self, fields: Mapping[str, FieldInfo]) -> None:
        """The fields to choose from."""
        self._fields = fields
        for row in self.rows:
            row.set_fields(fields)

    def draft(self) -> Draft:
        """What is typed."""
        return Draft(
            tuple(row.draft() for row in self.rows),
            Method(self.method.currentData()),
            self.points.value(),
            self.seed.value(),
            self.objectives.text(),
            self.constraints.text(),
            self.prices.text(),
        )

    def put(self, draft: Draft) -> None:
        """Show a sweep."""
        while self.rows:
            self._drop(self.rows[-1])
        for axis in draft.axes or (AxisDraft(),):
            self._add_row().put(axis)
        self.method.setCurrentIndex(list(_METHODS).index(draft.method))
        self.points.setValue(draft.points)
        self.seed.setValue(draft.seed)
        self.objectives.setText(draft.objectives)
        self.constraints.setText(draft.constraints)
        self.prices.setText(draft.prices)
        for line in (self.objectives, self.constraints, self.prices):
            line.setCursorPosition(0)
        self._on_method()

    def show_checked(self, checked: Checked) -> None:
        """Mark what is wrong, each at its place."""
        counts = [*checked.counts, *[0] * MAX_AXES]
        for number, row in enumerate(self.rows):
            row.show_problem(checked.problems.get(f"axis{number}", ""), counts[number])
        lines = {
            "objectives": self.objectives,
            "constraints": self.constraints,
            "prices": self.prices,
            "method": self.points,
            "whole": self.add,
        }
        for place, label in self._problems.items():
            text = checked.problems.get(place, "")
            _mark(lines[place], label, text)
            if place != "whole":
                self._form.setRowVisible(label, bool(text))

    def _on_method(self) -> None:
        sampled = Method(self.method.currentData()) is not Method.GRID
        self.points.setVisible(sampled)
        self.seed.setVisible(sampled)
        self.edited.emit()

    def _on_add(self) -> None:
        self._add_row().field.setFocus()
        self.edited.emit()

    def _add_row(self) -> AxisRow:
        row = AxisRow(len(self.rows), self._body)
        row.set_fields(self._fields)
        row.edited.connect(self.edited)
        row.removed.connect(lambda: self._on_removed(row))
        self.rows.append(row)
        self._axes.addWidget(row)
        self._show_add()
        return row

    def _on_removed(self, row: AxisRow) -> None:
        if len(self.rows) == 1:
            row.put(AxisDraft())
        else:
            self._drop(row)
        self.edited.emit()

    def _drop(self, row: AxisRow) -> None:
        self.rows.remove(row)
        self._axes.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._show_add()

    def _show_add(self) -> None:
        self.add.setEnabled(len(self.rows) < MAX_AXES)


_PLACES = ("whole", "method", "objectives", "constraints", "prices")
