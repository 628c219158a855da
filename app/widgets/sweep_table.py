"""The rows of a sweep as a table: sorted by any column, filtered, each opened by a click."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QTableView,
    QWidget,
)

from app.theme.tokens import Theme
from app.viewmodels.sweep import Heading, cell_text, row_tip, row_value
from app.widgets.painting import small_font
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row

_Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
OPEN = 0
_NO_INDEX = QModelIndex()


class SweepRows(QAbstractTableModel):
    """Rows that pass a test, sorted by a column; the first column opens the point.

    Sorting is done here: a proxy model would compare ten thousand rows through Python one pair at
    a time and hold up the window for a second.

    Attributes:
        rows: all rows in the order they came.
        order: places in `rows` of those shown, top to bottom.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec: SweepSpec | None = None
        self.rows: list[Row] = []
        self.order: list[int] = []
        self._test: Callable[[Row], bool] = lambda _: True
        self._sorted_by = "point"
        self._downward = False
        self.headings: list[Heading] = []
        self.front: set[int] = set()
        self._theme: Theme | None = None

    def begin(self, spec: SweepSpec | None, headings: Sequence[Heading], theme: Theme) -> None:
        """An empty table with other columns."""
        self.beginResetModel()
        self.spec, self.rows, self.front = spec, [], set()
        self.order = []
        self.headings = list(headings)
        self._theme = theme
        self.endResetModel()

    def set_headings(self, headings: Sequence[Heading]) -> None:
        """Other columns for the same rows."""
        self.beginResetModel()
        self.headings = list(headings)
        self.endResetModel()

    def add(self, rows: Sequence[Row]) -> None:
        """More rows, at the end until `settle` puts them where they belong."""
        first = len(self.rows)
        self.rows += rows
        new = [first + place for place, row in enumerate(rows) if self._test(row)]
        if new:
            at = len(self.order)
            self.beginInsertRows(QModelIndex(), at, at + len(new) - 1)
            self.order += new
            self.endInsertRows()

    def set_front(self, front: set[int]) -> None:
        """Which points nothing beats."""
        if front != self.front and self.order:
            self.front = front
            last = self.index(len(self.order) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def set_test(self, test: Callable[[Row], bool]) -> None:
        """Show only rows that pass."""
        self._test = test
        self.settle()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; the one that opens points leaves the order as it is."""
        if 0 < column <= len(self.headings):
            self._sorted_by = self.headings[column - 1].key
            self._downward = order == Qt.SortOrder.DescendingOrder
            self.settle()

    def settle(self) -> None:
        """Filter and sort anew; the row the table stands at stays the current one."""
        down = self._downward
        places = [place for place, row in enumerate(self.rows) if self._test(row)]
        keys = {
            place: _key(self._value(self.rows[place], self._sorted_by), down) for place in places
        }
        places.sort(key=lambda place: (keys[place], self.rows[place].index), reverse=down)
        if places == self.order:
            return
        if len(places) != len(self.order):
            self.beginResetModel()
            self.order = places
            self.endResetModel()
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        at = {place: number for number, place in enumerate(places)}
        after = [
            self.createIndex(at[self.order[one.row()]], one.column())
            if self.order[one.row()] in at
            else QModelIndex()
            for one in before
        ]
        self.order = places
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def row_at(self, index: _Index) -> Row | None:
        """The row of an index."""
        return self.rows[self.order[index.row()]] if index.isValid() else None

    def _value(self, row: Row, key: str) -> Any:
        if key == "front":
            return row.index in self.front
        return row_value(row, key, self.spec) if self.spec is not None else None

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._theme = theme

    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else 1 + len(self.headings)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        heading = self.headings[section - 1] if section else Heading("", "", "Open the point")
        if role == Qt.ItemDataRole.DisplayRole:
            return heading.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return heading.tip or heading.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_RIGHT if self._numeric(heading.key) else _LEFT)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index)
        if self.spec is None or self._theme is None or row is None:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return row_tip(row, self.spec) if index.column() else "Open this point as the scenario"
        if index.column() == OPEN:
            return self._open_data(row, role)
        key = self.headings[index.column() - 1].key
        value = self._value(row, key)
        if role == Qt.ItemDataRole.DisplayRole:
            if key == "front":
                return "on it" if value else ""
            return cell_text(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_RIGHT if self._numeric(key) else _LEFT)
        if role == Qt.ItemDataRole.ForegroundRole:
            if row.outcome.failure is not None:
                return QColor(self._theme.error if key == "status" else self._theme.text_dim)
            if not row.feasible:
                return QColor(self._theme.text_dim)
            if key == "front":
                return QColor(self._theme.accent)
        return None

    def _numeric(self, key: str) -> bool:
        """Whether a column is one of numbers, which stand to the right."""
        if self.spec is None or key in ("status", "front", "fits", ""):
            return False
        return all(axis.path != key or axis.numeric for axis in self.spec.axes)

    def _open_data(self, row: Row, role: int) -> Any:
        able = bool(row.key)
        if role == Qt.ItemDataRole.DisplayRole:
            return "▸" if able else ""
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"open point {row.index}" if able else "cannot be opened"
        if role == Qt.ItemDataRole.ForegroundRole and self._theme is not None:
            return QColor(self._theme.accent)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignCenter)
        return None


def _key(value: Any, downward: bool) -> tuple[int, float, str]:
    """Order of values of any kind; what is missing comes last both ways."""
    last = -1 if downward else 2
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return last, 0.0, ""
    if isinstance(value, (bool, int, float)):
        return 0, float(value), ""
    return 1, 0.0, str(value)


class SweepTable(QTableView):
    """`opened` carries the index of a point, `stood` that of the point the table stands at."""

    opened = Signal(int)
    stood = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = SweepRows(self)
        self.setModel(self.rows)
        self.setObjectName("sweepTable")
        self.setAccessibleName("Points of the sweep")
        self.setCornerButtonEnabled(False)
        for corner in self.findChildren(QAbstractButton):
            corner.setAccessibleName("Select all points")
        self.setFont(small_font(self.font(), -0.5))
        self.setSortingEnabled(True)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(24)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.sortByColumn(1, Qt.SortOrder.AscendingOrder)
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(self._on_double)
        self._stood = -1
        self.rows.modelAboutToBeReset.connect(self._on_reset)
        self.rows.modelReset.connect(lambda: self.go(self._stood))
        self.selectionModel().currentRowChanged.connect(lambda index, _: self._on_current(index))

    def fit(self) -> None:
        """Widths by what the columns hold."""
        self.setColumnWidth(OPEN, 26)
        metrics = self.fontMetrics()
        for section in range(1, self.rows.columnCount()):
            title = metrics.horizontalAdvance(self.rows.headings[section - 1].title) + 44
            held = self.sizeHintForColumn(section) + 8
            self.setColumnWidth(section, max(46, title, min(230, held)))

    def shown(self) -> list[Row]:
        """The rows that pass the filter, in the order on screen."""
        return [self.rows.rows[place] for place in self.rows.order]

    def current(self) -> Row | None:
        """The row the table stands at."""
        return self.rows.row_at(self.currentIndex())

    def go(self, point: int) -> bool:
        """Stand at a point, if it passes the filter."""
        for number, row in enumerate(self.shown()):
            if row.index == point:
                index = self.rows.index(number, 1)
                flags = (
                    QItemSelectionModel.SelectionFlag.ClearAndSelect
                    | QItemSelectionModel.SelectionFlag.Rows
                )
                self.selectionModel().setCurrentIndex(index, flags)
                self.scrollTo(index)
                return True
        return False

    def copy(self) -> None:
        """Put the selected rows, or all that pass the filter, on the clipboard with tabs."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        if len(rows) < 2:
            rows = list(range(self.rows.rowCount()))
        lines = ["\t".join(heading.title for heading in self.rows.headings)]
        for row in rows:
            cells = (
                str(self.rows.index(row, column).data() or "")
                for column in range(1, self.rows.columnCount())
            )
            lines.append("\t".join(cells))
        QApplication.clipboard().setText("\n".join(lines) + "\n")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.current())
        else:
            super().keyPressEvent(event)

    def _on_reset(self) -> None:
        row = self.current()
        self._stood = -1 if row is None else row.index

    def _on_clicked(self, index: _Index) -> None:
        if index.column() == OPEN:
            self._open(self.rows.row_at(index))

    def _on_double(self, index: _Index) -> None:
        if index.column() != OPEN:
            self._open(self.rows.row_at(index))

    def _on_current(self, index: _Index) -> None:
        row = self.rows.row_at(index)
        if row is not None:
            self.stood.emit(row.index)

    def _open(self, row: Row | None) -> None:
        if row is not None and row.key:
            self.opened.emit(row.index)
