"""The table of what differs between two runs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.viewmodels.differences import HEADERS, DiffRow, DiffTable, as_text
from app.widgets.painting import small_font

_WIDEST = "0.0000× worse"
_FOLDED = ("Lanes, one by one",)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class DiffTableWidget(QTreeWidget):
    """Rows in groups that fold; filtered by text and by whether there is a difference."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Differences")
        self.setColumnCount(len(HEADERS))
        self.setHeaderLabels(list(HEADERS))
        self.setIndentation(9)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setFont(small_font(self.font(), -0.5))
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(48)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        metrics = self.fontMetrics()
        for column in range(1, len(HEADERS)):
            self.headerItem().setTextAlignment(column, _RIGHT)
            header.resizeSection(column, metrics.horizontalAdvance(_WIDEST) + 12)
        self.table = DiffTable((), "")
        self._folded = set(_FOLDED)
        self._only = True
        self._words: list[str] = []
        self.itemExpanded.connect(lambda item: self._folded.discard(self._group_of(item)))
        self.itemCollapsed.connect(lambda item: self._folded.add(self._group_of(item)))

    def set_table(self, table: DiffTable) -> None:
        """Show other rows."""
        self.table = table
        self._fill()

    def set_filter(self, only_differences: bool, text: str) -> None:
        """Show only rows that differ, and only those whose title has every word."""
        self._only, self._words = only_differences, text.casefold().split()
        self._fill()

    def rows(self) -> list[DiffRow]:
        """The rows that pass the filter."""
        return [
            row
            for row in self.table.rows
            if not (self._only and row.same)
            and all(word in f"{row.cells[0]} {row.group}".casefold() for word in self._words)
        ]

    def copy(self) -> None:
        """Put the rows that pass the filter on the clipboard, with tabs between the cells."""
        if self.table.rows:
            QApplication.clipboard().setText(as_text(self.table, self.rows()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _group_of(self, item: QTreeWidgetItem) -> str:
        return str(item.data(0, Qt.ItemDataRole.UserRole))

    def _fill(self) -> None:
        self.setUpdatesEnabled(False)
        self.clear()
        groups: dict[str, list[QTreeWidgetItem]] = {}
        for row in self.rows():
            item = QTreeWidgetItem(list(row.cells))
            for column in range(1, len(HEADERS)):
                item.setTextAlignment(column, _RIGHT)
            if row.verdict:
                item.setText(4, f"{row.cells[4]} {row.verdict}")
            item.setToolTip(0, row.cells[0] if row.group == "Settings" else row.path)
            for column in range(1, len(HEADERS)):
                item.setToolTip(column, row.cells[column])
            groups.setdefault(row.group, []).append(item)
        for group, items in groups.items():
            head = QTreeWidgetItem([f"{group} ({len(items)})"])
            head.setData(0, Qt.ItemDataRole.UserRole, group)
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold)
            head.setFont(0, font)
            head.addChildren(items)
            self.addTopLevelItem(head)
            head.setFirstColumnSpanned(True)
            head.setExpanded(group not in self._folded or bool(self._words))
        self.setUpdatesEnabled(True)
