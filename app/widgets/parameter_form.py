"""The form of a scenario, generated from the descriptions of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics
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
from app.widgets.restyle import set_flag, set_invalid
from simcore.errors import Problem
from simcore.scenario.listing import FieldInfo
from simcore.scenario.schema import COMPONENTS

LABEL_WIDTH = 110
_AT_ONCE = 4
"""Fields added in one event, some milliseconds."""


class FieldLabel(QLabel):
    """A label of fixed width; a name that is longer takes a second line."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setFixedWidth(LABEL_WIDTH)
        if QFontMetrics(self.font()).horizontalAdvance(text) > LABEL_WIDTH:
            self.setWordWrap(True)
            self.setMinimumHeight(self.heightForWidth(LABEL_WIDTH))


class FieldRow:
    """One field: label, editor, reset button, problem."""

    def __init__(self, field: FieldInfo, parent: QWidget) -> None:
        self.field = field
        self.touched = False
        self.label = FieldLabel(field_name(field), parent)
        self.editor: FieldEditor = make_editor(field.knob, field.value, field.type, parent)
        self.editor.box.setAccessibleDescription(field.knob.help)
        self.reset = QToolButton(parent)
        self.reset.setText("↺")
        self.reset.setProperty("flat", True)
        self.reset.setFixedWidth(18)
        self.reset.setToolTip("Put back what the file says")
        self.reset.setAccessibleName(f"Reset {field.path}")
        self.editor.name(field.path)
        self.reset.hide()
        self.problem = QLabel(parent)
        self.problem.setProperty("problem", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.put(field)

    def put(self, field: FieldInfo) -> None:
        """Show the field's value and where it comes from."""
        self.field = field
        self.touched = False
        self.editor.put(field.value)
        tip = field_tip(field)
        self.label.setToolTip(tip)
        self.editor.box.setToolTip(tip)

    def show_problem(self, problem: Problem | None) -> None:
        """Mark the field, or clear the mark."""
        set_invalid(self.editor.box, problem is not None)
        self.problem.setVisible(problem is not None)
        if problem is not None:
            # A hint names what would do; the field's whole range beside it would contradict it.
            allowed = problem.allowed or ("" if problem.hint else self.field.knob.allowed())
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
        self._wrong: dict[str, Problem] = {}
        self._changed: set[str] = set()
        self._keys: list[tuple[str, tuple[str, ...]]] = []
        self._pending: list[list[FieldInfo]] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_timer)
        self._headers: dict[str, QPushButton] = {}
        self._grids: dict[str, QGridLayout] = {}
        self._found: set[str] = set()
        self._filter = QLineEdit(self)
        self._filter.setPlaceholderText("Filter fields")
        self._filter.setAccessibleName("Filter fields")
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(lambda _: self._show_rows())
        self._area = QScrollArea(self)
        self._area.setAccessibleName("Fields of the scenario, scrolled")
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 4, 0)
        layout.setSpacing(4)
        layout.addWidget(self._filter)
        layout.addWidget(self._area, 1)

    def reveal(self, path: str) -> None:
        """Scroll to a field; its neighbours below come into sight too."""
        row = self.rows.get(path)
        if row is not None:
            self._area.ensureWidgetVisible(row.editor, 0, self._area.height() // 3)

    def show_fields(self, fields: Sequence[FieldInfo]) -> None:
        """Show fields and their values."""
        keys = [(field.path, field.knob.choices) for field in fields]
        if keys != self._keys:
            self._keys = keys
            self._build(fields)
            return
        self._add_some(len(self._pending))
        for field in fields:
            row = self.rows[field.path]
            if row.field != field or row.touched:
                row.put(field)

    @property
    def complete(self) -> bool:
        """Whether every field has been added."""
        return not self._pending

    @property
    def paths(self) -> list[str]:
        """Paths of all fields, also of those still to be added."""
        return [path for path, _ in self._keys]

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the fields that are wrong and clear the others."""
        self._wrong = {problem.path: problem for problem in reversed(problems)}
        for path, row in self.rows.items():
            problem = self._wrong.get(path)
            if problem is not None or row.editor.box.property("invalid"):
                row.show_problem(problem)
                if problem is not None and row.field.group in self._folded:
                    self._fold(row.field.group, False)

    def show_changes(self, changed: set[str]) -> None:
        """Mark the fields that differ from the file."""
        for path in changed ^ self._changed:
            if path in self.rows:
                self.rows[path].set_changed(path in changed)
        self._changed = changed

    def _build(self, fields: Sequence[FieldInfo]) -> None:
        """Start a new form; a few fields are added each event, so that the window stays alive."""
        self.rows = {}
        self._headers = {}
        self._grids = {}
        self._found = set()
        self._body = QWidget(self._area)
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 2, 8)
        self._column.setSpacing(3)
        # The body never gets smaller than its rows, however late their sizes become known.
        self._column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinimumSize)
        self._area.setWidget(self._body)
        groups: dict[str, list[FieldInfo]] = {}
        for field in fields:
            groups.setdefault(field.group, []).append(field)
        self._pending = [
            group[at : at + _AT_ONCE]
            for group in groups.values()
            for at in range(0, len(group), _AT_ONCE)
        ]
        self._add_some(1)
        self._timer.start()

    def _on_timer(self) -> None:
        self._add_some(1)

    def _add_some(self, count: int) -> None:
        for _ in range(min(count, len(self._pending))):
            self._add_fields(self._pending.pop(0))
        if not self._pending:
            self._timer.stop()
            self._column.addStretch(1)
            self._set_tab_order()

    def _set_tab_order(self) -> None:
        """From the filter through headers and fields; done at the end, when all are in place.

        Ordering controls while their group is being built breaks Qt's focus chain in two.
        """
        before: QWidget = self._filter
        seen: set[str] = set()
        for row in self.rows.values():
            head = () if row.field.group in seen else (self._headers[row.field.group],)
            seen.add(row.field.group)
            for widget in (*head, *row.editor.controls, row.reset):
                QWidget.setTabOrder(before, widget)
                before = widget

    def _add_fields(self, fields: list[FieldInfo]) -> None:
        group = fields[0].group
        if group not in self._grids:
            self._column.addWidget(self._header(group, self._body))
            self._grids[group] = self._grid_of_group()
        grid = self._grids[group]
        body, line = grid.parentWidget(), grid.rowCount()
        added = []
        for field in fields:
            row = FieldRow(field, body)
            added.append(row)
            row.editor.edited.connect(lambda value, p=field.path: self._on_edited(p, value))
            row.reset.clicked.connect(lambda _=False, p=field.path: self.reset_asked.emit(p))
            grid.addWidget(row.label, line, 0)
            grid.addWidget(row.editor, line, 1)
            grid.addWidget(row.reset, line, 2)
            grid.addWidget(row.problem, line + 1, 0, 1, 3)
            self.rows[field.path] = row
            line += 2
        self._show_marks(fields)
        # Those of the group that stand there already are as they should be.
        if self._show_found(added, self._words()):
            self._found.add(group)
        self._show_headers(group)

    def _grid_of_group(self) -> QGridLayout:
        """A grid of its own for each group: adding rows lays out one group and not the form."""
        holder = QWidget(self._body)
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, 18)
        self._column.addWidget(holder)
        return grid

    def _header(self, group: str, parent: QWidget) -> QPushButton:
        header = QPushButton(parent)
        header.setObjectName("groupHeader")
        header.clicked.connect(lambda: self._fold(group, group not in self._folded))
        self._headers[group] = header
        return header

    def _on_edited(self, path: str, value: Any) -> None:
        row = self.rows[path]
        row.touched = True
        message = row.field.knob.problem(value)
        if message:
            row.show_problem(Problem(path, message, row.field.knob.allowed(), value=str(value)))
        else:
            row.show_problem(None)
        self.edited.emit(path, value)

    def _show_marks(self, fields: list[FieldInfo]) -> None:
        for field in fields:
            row = self.rows[field.path]
            row.set_changed(field.path in self._changed)
            if field.path in self._wrong:
                row.show_problem(self._wrong[field.path])

    def _fold(self, group: str, folded: bool) -> None:
        if folded:
            self._folded.add(group)
        else:
            self._folded.discard(group)
        self._show_rows(group)

    def _words(self) -> list[str]:
        return self._filter.text().casefold().split()

    def _show_rows(self, only: str = "") -> None:
        """Apply filter and folds, to one group or to all."""
        words = self._words()
        groups: dict[str, list[FieldRow]] = {}
        for row in self.rows.values():
            groups.setdefault(row.field.group, []).append(row)
        for group in (only,) if only else groups:
            if self._show_found(groups[group], words):
                self._found.add(group)
            else:
                self._found.discard(group)
        self._show_headers(only)

    def _show_found(self, rows: Iterable[FieldRow], words: list[str]) -> bool:
        """Show the rows that the filter finds and no fold hides; whether it finds any."""
        any_found = False
        for row in rows:
            path = row.field.path
            text = f"{path} {path.replace('_', ' ')} {row.field.knob.help}".casefold()
            found = all(word in text for word in words)
            any_found |= found
            row.set_shown(found and (bool(words) or row.field.group not in self._folded))
        return any_found

    def _show_headers(self, only: str = "") -> None:
        words = self._words()
        for group in (only,) if only else self._headers:
            header = self._headers[group]
            folded = group in self._folded and not words
            title = group.replace("_", " ").replace(".", " · ")
            header.setText(f"{'▸' if folded else '▾'}  {title}")
            header.setAccessibleName(f"{title}, {'folded' if folded else 'unfolded'}")
            header.setVisible(group in self._found)
            self._grids[group].parentWidget().setVisible(group in self._found and not folded)


def field_name(field: FieldInfo) -> str:
    """Name for the label: the last part of the path without the unit, which the box shows."""
    name = field.path.rpartition(".")[2]
    if name in COMPONENTS or field.path == "model":
        return "preset"
    unit = field.knob.unit.replace("/s", "ps").replace("/", "_per_")
    if unit and name.casefold().endswith(f"_{unit}".casefold()):
        name = name[: -len(unit) - 1]
    return name.replace("_", " ")


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
