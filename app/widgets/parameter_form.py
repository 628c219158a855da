"""The form of a scenario, generated from the descriptions of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets.field_editors import FieldEditor, make_editor
from app.widgets.restyle import set_flag
from simcore.errors import Problem
from simcore.scenario.listing import FieldInfo

LABEL_WIDTH = 118


class ElidedLabel(QLabel):
    """A label of fixed width that shortens its text in the middle."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._full = text
        self.setFixedWidth(LABEL_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        metrics = QFontMetrics(self.font())
        self.setText(
            metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, LABEL_WIDTH - 4)
        )


class FieldRow:
    """One field: label, editor, reset button, problem."""

    def __init__(self, field: FieldInfo, parent: QWidget) -> None:
        self.field = field
        name = field.path.rpartition(".")[2].replace("_", " ")
        self.label = ElidedLabel(name, parent)
        self.editor: FieldEditor = make_editor(field.knob, field.value, field.type, parent)
        self.editor.box.setAccessibleName(field.path)
        self.editor.box.setAccessibleDescription(field.knob.help)
        self.reset = QToolButton(parent)
        self.reset.setText("↺")
        self.reset.setProperty("flat", True)
        self.reset.setFixedWidth(22)
        self.reset.setToolTip("Put back what the file says")
        self.reset.setAccessibleName(f"Reset {field.path}")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.reset.hide()
        self.problem = QLabel(parent)
        self.problem.setProperty("problem", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.put(field)

    def put(self, field: FieldInfo) -> None:
        """Show the field's value and where it comes from."""
        self.field = field
        self.editor.put(field.value)
        tip = field_tip(field)
        self.label.setToolTip(tip)
        self.editor.box.setToolTip(tip)

    def show_problem(self, problem: Problem | None) -> None:
        """Mark the field, or clear the mark."""
        set_flag(self.editor.box, "invalid", problem is not None)
        self.problem.setVisible(problem is not None)
        if problem is not None:
            allowed = problem.allowed or self.field.knob.allowed()
            hint = f"; {problem.hint}" if problem.hint else ""
            tail = f"; allowed: {allowed}" if allowed else ""
            self.problem.setText(f"{problem.message}{tail}{hint}")

    def set_changed(self, changed: bool) -> None:
        """Mark the field as different from the file."""
        set_flag(self.label, "changed", changed)
        self.reset.setVisible(changed)

    def set_shown(self, shown: bool) -> None:
        """Show or hide the whole row."""
        self.label.setVisible(shown)
        self.editor.setVisible(shown)
        self.reset.setVisible(shown and bool(self.label.property("changed")))
        self.problem.setVisible(shown and bool(self.editor.box.property("invalid")))


class ParameterForm(QWidget):
    """Groups of fields; the form is rebuilt only when the set of fields changes."""

    edited = Signal(str, object)
    reset_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, FieldRow] = {}
        self._folded: set[str] = set()
        self._headers: dict[str, QPushButton] = {}
        self._filter = QLineEdit(self)
        self._filter.setPlaceholderText("Filter fields")
        self._filter.setAccessibleName("Filter fields")
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(lambda _: self._show_rows())
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 4, 0)
        layout.setSpacing(4)
        layout.addWidget(self._filter)
        layout.addWidget(self._area, 1)

    def show_fields(self, fields: Sequence[FieldInfo]) -> None:
        """Show fields and their values."""
        keys = [(field.path, field.knob.choices) for field in fields]
        if keys != [(row.field.path, row.field.knob.choices) for row in self.rows.values()]:
            self._build(fields)
            return
        for field in fields:
            row = self.rows[field.path]
            if row.field != field:
                row.put(field)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the fields that are wrong and clear the others."""
        wrong = {problem.path: problem for problem in reversed(problems)}
        for path, row in self.rows.items():
            problem = wrong.get(path)
            if problem is not None or row.editor.box.property("invalid"):
                row.show_problem(problem)
                if problem is not None and row.field.group in self._folded:
                    self._fold(row.field.group, False)

    def show_changes(self, changed: set[str]) -> None:
        """Mark the fields that differ from the file."""
        for path, row in self.rows.items():
            row.set_changed(path in changed)
        self._show_rows()

    def _build(self, fields: Sequence[FieldInfo]) -> None:
        self.rows = {}
        self._headers = {}
        body = QWidget(self._area)
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 6, 8)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        line = 0
        for field in fields:
            if field.group not in self._headers:
                header = self._header(field.group, body)
                grid.addWidget(header, line, 0, 1, 3)
                line += 1
            row = FieldRow(field, body)
            row.editor.edited.connect(lambda value, p=field.path: self._on_edited(p, value))
            row.reset.clicked.connect(lambda _=False, p=field.path: self.reset_asked.emit(p))
            grid.addWidget(row.label, line, 0)
            grid.addWidget(row.editor, line, 1)
            grid.addWidget(row.reset, line, 2)
            grid.addWidget(row.problem, line + 1, 0, 1, 3)
            self.rows[field.path] = row
            line += 2
        grid.setRowStretch(line, 1)
        self._area.setWidget(body)
        self._show_rows()

    def _header(self, group: str, parent: QWidget) -> QPushButton:
        header = QPushButton(parent)
        header.setObjectName("groupHeader")
        header.clicked.connect(lambda: self._fold(group, group not in self._folded))
        self._headers[group] = header
        return header

    def _on_edited(self, path: str, value: Any) -> None:
        row = self.rows[path]
        message = row.field.knob.problem(value)
        if message:
            row.show_problem(Problem(path, message, row.field.knob.allowed(), value=str(value)))
        else:
            row.show_problem(None)
        self.edited.emit(path, value)

    def _fold(self, group: str, folded: bool) -> None:
        if folded:
            self._folded.add(group)
        else:
            self._folded.discard(group)
        self._show_rows()

    def _show_rows(self) -> None:
        words = self._filter.text().casefold().split()
        seen: set[str] = set()
        for path, row in self.rows.items():
            text = f"{path} {path.replace('_', ' ')} {row.field.knob.help}".casefold()
            match = all(word in text for word in words)
            if match:
                seen.add(row.field.group)
            row.set_shown(match and (bool(words) or row.field.group not in self._folded))
        for group, header in self._headers.items():
            folded = group in self._folded and not words
            title = group.replace("_", " ").replace(".", " · ")
            header.setText(f"{'▸' if folded else '▾'}  {title}")
            header.setVisible(group in seen)


def field_tip(field: FieldInfo) -> str:
    """Help, range, class and source of a field."""
    lines = [field.path, field.knob.help]
    allowed = field.knob.allowed()
    if allowed:
        lines.append(f"Allowed: {allowed}" + (" or automatic" if field.knob.optional else ""))
    if field.provenance is not None:
        lines.append(f"Source ({field.provenance.source_class.value}): {field.provenance.source}")
    if not field.knob.live:
        lines.append("Changing it starts a new run.")
    return "\n".join(lines)
