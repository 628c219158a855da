"""Statistics of the range between the two markers."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.messages import Severity
from app.viewmodels.range_stats import CSV_HEADERS, HEADERS, SHORT_HEADERS, RangeStats, measure
from app.widgets.painting import small_font
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.errors import UserError
from simcore.export.tables import write_rows

_HINT = (
    "Drag with Shift in the timeline, or set markers with M and Shift+M (Ctrl+click), to measure "
    "the range between them: time, tokens, bytes, GB/s and how busy every lane was."
)
WAIT_MS = 60
_TEXT_COLUMNS = (0, 1, 8)


@register_view("range", "Range", "Time, tokens, bytes and load of every lane between the markers.")
class RangeView(View):
    """A line about the range and a table of lanes; computed in the background.

    Attributes:
        stats: what is shown, None while there is nothing.
        busy: whether it is being computed.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # also while there is nothing in it
        self.stats: RangeStats | None = None
        self.busy = False
        self.headline = QLabel(_HINT, self)
        self.headline.setWordWrap(True)
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = QTableWidget(0, len(HEADERS), self)
        self.table.setAccessibleName("Statistics of the range")
        self.table.setFont(small_font(self.font(), -0.5))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setAlternatingRowColors(True)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        for corner in self.table.findChildren(QAbstractButton):
            corner.setAccessibleName("Select the whole table")
        self.table.verticalHeader().setDefaultSectionSize(
            QFontMetrics(self.table.font()).height() + 3
        )
        self.table.setHorizontalHeaderLabels([text[0].upper() + text[1:] for text in SHORT_HEADERS])
        for column in range(len(HEADERS)):
            item = self.table.horizontalHeaderItem(column)
            side = _side(column)
            if item is not None:
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                item.setToolTip(HEADERS[column])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setFixedHeight(QFontMetrics(self.table.font()).height() + 6)
        self.copy_button = self._button("Copy", "Copy the table as text", self.copy)
        self.csv_button = self._button(
            "Save CSV…", "Save the table with unrounded values", self.save
        )
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 1, 6, 0)
        bar.addWidget(self.headline, 1)
        bar.addWidget(self.copy_button)
        bar.addWidget(self.csv_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(bar)
        layout.addWidget(self.table, 1)
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._cancel = threading.Event()
        self._key: object = None
        self._later = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._later.timeout.connect(self._request)
        self.state.markers.changed.connect(self._on_changed)
        self.state.runs.finished.connect(self._on_changed)
        self._show(None)

    def copy(self) -> None:
        """Put the table on the clipboard as text."""
        if self.stats is not None:
            QApplication.clipboard().setText(self.stats.text())

    def save(self) -> None:
        """Ask for a file and write the table to it."""
        if self.stats is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, "Save statistics of the range", "range.csv", "Comma-separated values (*.csv)"
        )
        if name:
            self.write(Path(name if name.lower().endswith(".csv") else f"{name}.csv"))

    def write(self, path: Path) -> None:
        """Write the table with unrounded values."""
        assert self.stats is not None
        try:
            write_rows(path, CSV_HEADERS, self.stats.table())
        except UserError as error:
            self.state.messages.show(str(error))
        else:
            self.state.messages.show(f"saved {path}", Severity.INFO)

    def on_raised(self) -> None:
        self._on_changed()

    def showEvent(self, event: object) -> None:
        self._on_changed()

    def shut_down(self) -> None:
        self._cancel.set()
        self._loader.shut_down()

    def _button(self, text: str, tip: str, run: object) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setProperty("flat", True)  # lower than a framed one: the rows need the height
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(run)
        return button

    def _on_changed(self) -> None:
        if self.state.markers.range_ps() is None:
            self._cancel.set()
            self._key = None
            self.busy = False
            self._show(None)
        elif self.isVisible():
            self._later.start()

    def _request(self) -> None:
        run, found = self.state.runs.current, self.state.markers.range_ps()
        if run is None or found is None or not self.isVisible():
            return
        key = (run, found)
        if key == self._key:
            return
        self._cancel.set()
        cancel = self._cancel = threading.Event()
        self._key, self.busy = key, True
        length = self.state.runs.length
        self._loader.request(key, lambda: measure(run, *found, length, cancel.is_set))
        if self.stats is None:
            self.headline.setText("summing up…")

    def _on_loaded(self, key: object, result: RangeStats | None) -> None:
        if key == self._key and result is not None:
            self.busy = False
            self._show(result)

    def _on_failed(self, error: Exception) -> None:
        self.busy = False
        self.state.messages.show(f"the range cannot be summed up: {error}")

    def _show(self, stats: RangeStats | None) -> None:
        self.stats = stats
        self.headline.setText(stats.headline() if stats else _HINT)
        self.copy_button.setEnabled(stats is not None)
        self.csv_button.setEnabled(stats is not None)
        self.table.setVisible(stats is not None)
        rows = stats.rows() if stats else []
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(column) | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)


def _side(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignLeft if column in _TEXT_COLUMNS else Qt.AlignmentFlag.AlignRight
