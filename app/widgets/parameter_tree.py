"""Parameters of a device as a table: value, class, source; values are edited in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.theme.tokens import Theme, blend
from app.viewmodels.inspector import Parameter
from app.widgets.parameter_form import field_name, field_tip
from simcore.scenario.binding import FieldSpec

NAME, VALUE, KIND, SOURCE = range(4)
_ROLE = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class _Delegate(QStyledItemDelegate):
    """Edits values only: a list for words, a line for numbers."""

    def __init__(self, tree: ParameterTree) -> None:
        super().__init__(tree)
        self._tree = tree

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        del option
        parameter = self._tree.parameter_at(index)
        choices = parameter.field.knob.choices if parameter is not None else ()
        editor: QWidget
        if choices:
            box = QComboBox(parent)
            box.addItems(list(choices))
            editor = box
        else:
            editor = QLineEdit(parent)
        editor.setAccessibleName(parameter.field.path if parameter is not None else "value")
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        parameter = self._tree.parameter_at(index)
        if parameter is None:
            return
        text = _plain(parameter.field.value)
        if isinstance(editor, QComboBox):
            editor.setCurrentText(text)
        elif isinstance(editor, QLineEdit):
            editor.setText(text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        del model
        parameter = self._tree.parameter_at(index)
        if parameter is None:
            return
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        if isinstance(editor, QLineEdit):
            text = editor.text()
        if text.strip() != _plain(parameter.field.value):
            self._tree.take(parameter, text.strip())


class ParameterTree(QTreeWidget):
    """`edited` carries path and new value; `wrong` says why a value was not taken."""

    edited = Signal(str, object)
    wrong = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._parameters: dict[str, Parameter] = {}
        self.setAccessibleName("Parameters")
        self.setColumnCount(4)
        self.setHeaderLabels(["Parameter", "Value", "Class", "Source"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        # Only values can be edited, whichever column was activated.
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.itemActivated.connect(self._on_activated)
        self.setItemDelegate(_Delegate(self))
        header = self.header()
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(VALUE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(KIND, QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)

    def show_parameters(self, parameters: Sequence[Parameter], theme: Theme) -> None:
        """Show parameters; rows are kept where the set of them is the same."""
        paths = [p.field.path for p in parameters]
        self._parameters = {p.field.path: p for p in parameters}
        if paths != list(self._rows):
            self._build(parameters)
        for parameter in parameters:
            self._put(self._rows[parameter.field.path], parameter, theme)
        self._fit()

    def _build(self, parameters: Sequence[Parameter]) -> None:
        self.clear()
        self._rows = {}
        group = ""
        for parameter in parameters:
            title = (
                f"{parameter.field.group}: what-if only"
                if parameter.what_if
                else f"{parameter.field.group}: in the scenario"
            )
            if title != group:
                group = title
                head = QTreeWidgetItem([title])
                head.setFlags(Qt.ItemFlag.ItemIsEnabled)
                font = self.font()
                font.setBold(True)
                head.setFont(NAME, font)
                self.addTopLevelItem(head)
                head.setFirstColumnSpanned(True)
            row = QTreeWidgetItem()
            row.setData(NAME, _ROLE, parameter.field.path)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            row.setFlags(flags | Qt.ItemFlag.ItemIsEditable)
            row.setTextAlignment(VALUE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(row)
            self._rows[parameter.field.path] = row

    def _fit(self) -> None:
        """The names give way, so that values and classes are in sight in a narrow dock."""
        others = self.sizeHintForColumn(VALUE) + self.sizeHintForColumn(KIND) + 4
        room = self.viewport().width() - others
        self.header().resizeSection(NAME, max(84, min(self.sizeHintForColumn(NAME), room)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _put(self, row: QTreeWidgetItem, parameter: Parameter, theme: Theme) -> None:
        field = parameter.field
        name = field.path.removeprefix("dram.") if parameter.what_if else field_name(field)
        unit = "µs" if field.knob.unit == "us" else field.knob.unit
        row.setText(NAME, f"{name} *" if parameter.changed else name)
        value = _plain(field.value)
        row.setText(VALUE, value if field.value is None else f"{value} {unit}".strip())
        known = field.provenance
        row.setText(KIND, known.source_class.value if known else "")
        row.setText(SOURCE, known.source if known else "")
        tip = field_tip(field) if not parameter.what_if else _timing_tip(parameter)
        for column in range(4):
            row.setToolTip(column, tip)
        ground = QColor(blend(theme.field, theme.warning, 0.22))
        brush = QBrush(ground) if parameter.changed else QBrush()
        for column in range(4):
            row.setBackground(column, brush)
        row.setForeground(KIND, QColor(theme.text_dim))
        row.setForeground(SOURCE, QColor(theme.text_dim))

    def begin_edit(self, path: str) -> None:
        """Open the editor of a parameter's value."""
        self.editItem(self._rows[path], VALUE)

    def _on_activated(self, row: QTreeWidgetItem, _: int) -> None:
        """Enter or a double click anywhere in a row edits its value."""
        path = row.data(NAME, _ROLE)
        if path:
            self.begin_edit(str(path))

    def parameter_at(self, index: _Index) -> Parameter | None:
        """The parameter of a row; None for a heading."""
        path = index.sibling(index.row(), NAME).data(_ROLE)
        return self._parameters.get(str(path)) if path else None

    def take(self, parameter: Parameter, text: str) -> None:
        """Take over an edited text, or say what is wrong with it."""
        field = parameter.field
        number = text.removesuffix(field.knob.unit).strip() if field.knob.unit else text
        value: Any = number
        if field.type in (int, float):
            try:
                value = float(number) if field.type is float else int(float(number))
            except (ValueError, OverflowError):
                self.wrong.emit(f"{field.path}: {text!r} is not a number")
                return
        spec = FieldSpec("value", field.type, field.knob.optional, field.knob, None)
        converted, message, _ = spec.convert(value)
        if message:
            allowed = field.knob.allowed()
            self.wrong.emit(
                f"{field.path}: {message}" + (f"; allowed: {allowed}" if allowed else "")
            )
            return
        self.edited.emit(field.path, converted)

    def current(self) -> Parameter | None:
        """The parameter the table stands at."""
        row = self.currentItem()
        return self._parameters.get(str(row.data(NAME, _ROLE))) if row is not None else None

    def row(self, path: str) -> QTreeWidgetItem:
        """The row of a parameter."""
        return self._rows[path]


def _plain(value: Any) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def _timing_tip(parameter: Parameter) -> str:
    field = parameter.field
    lines = [field.path.removeprefix("dram."), field.knob.help]
    if field.provenance is not None:
        lines.append(f"Source ({field.provenance.source_class.value}): {field.provenance.source}")
    lines.append("No field of the scenario: a change stays in the inspector, as a what-if.")
    return "\n".join(lines)
