"""The points of a sweep as rows: which are shown, which figures of them, which are on the front."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme.tokens import Theme
from app.viewmodels.sweep import headings, row_filter, shown_figures
from app.widgets.sweep_table import SweepTable
from app.widgets.view import Context
from app.workers.loader import LatestLoader
from simcore.sweep.analysis import pareto
from simcore.sweep.figures import FIGURES, figure_label
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row, figure_names

_KINDS = {
    "all points": lambda row, front: True,
    "constraints met": lambda row, front: row.feasible,
    "Pareto front": lambda row, front: row.index in front,
    "failed": lambda row, front: row.outcome.failure is not None,
}


class SweepPoints(QWidget):
    """A table below a bar with what filters it.

    Attributes:
        table: the rows.
        figures: names of those shown, in order.
        failed: signal with why the Pareto front could not be found.
    """

    failed = Signal(Exception)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context, self._runner = context, context.state.sweeps
        self._fronts = LatestLoader()
        self.figures: list[str] = []
        self.table = SweepTable(self)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter: tokens_per_s > 10, a word")
        self.filter.setAccessibleName("Filter points")
        self.filter.setToolTip(
            "Parts between commas must all hold: a relation of a figure or a varied field and a "
            "number, or a word of the row"
        )
        self.filter.setClearButtonEnabled(True)
        self.kind = QComboBox(self)
        self.kind.addItems(list(_KINDS))
        self.kind.setAccessibleName("Which points")
        self.columns = QToolButton(self)
        self.columns.setText("Columns")
        self.columns.setAccessibleName("Figures in the table")
        self.columns.setToolTip("Figures shown in the table")
        self.columns.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self._fill_columns(menu))
        self.columns.setMenu(menu)
        self.filter_problem = QLabel(self)
        self.filter_problem.setProperty("problem", True)
        self.filter_problem.setWordWrap(True)
        self.filter_problem.hide()
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.setSpacing(4)
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.kind)
        bar.addWidget(self.columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(self.filter_problem)
        layout.addWidget(self.table, 1)
        self.filter.textChanged.connect(self._on_filter)
        self.kind.currentIndexChanged.connect(lambda _: self._on_filter())
        self._fronts.loaded.connect(self._on_front)
        self._fronts.failed.connect(self._on_front_failed)

    def begin(self, spec: SweepSpec) -> None:
        """Show a sweep that has no rows yet."""
        self.figures = shown_figures(spec)
        self.table.rows.begin(spec, headings(spec, self.figures), self._context.theme)
        self.table.fit()
        self._on_filter()

    def add(self, rows: list[Row]) -> bool:
        """Take in rows; whether they are the first ones."""
        first = not self.table.rows.rows
        self.table.rows.add(rows)
        if first:
            self.table.fit()
        return first

    def settle(self, spec: SweepSpec, rows: list[Row]) -> None:
        """Put the rows in their order, and look for the Pareto front among them."""
        self.table.rows.settle()
        self._fronts.request(spec, lambda: _front(spec, rows))

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.table.rows.set_theme(theme)

    def shut_down(self) -> None:
        """Stop what runs in the background."""
        self._fronts.shut_down()

    def _on_filter(self) -> None:
        spec = self._runner.spec
        if spec is None:
            return
        test, problem = row_filter(self.filter.text(), spec)
        kind, front = _KINDS[self.kind.currentText()], self.table.rows.front
        self.filter_problem.setText(problem)
        self.filter_problem.setVisible(bool(problem))
        self.table.rows.set_test(lambda row: kind(row, front) and test(row))

    def _on_front(self, spec: object, front: set[int]) -> None:
        if spec is self._runner.spec:
            self.table.rows.set_front(front)
            if self.kind.currentText() == "Pareto front":
                self._on_filter()

    def _on_front_failed(self, error: Exception) -> None:
        self.failed.emit(error)

    def _fill_columns(self, menu: QMenu) -> None:
        menu.clear()
        names = figure_names(self._runner.rows.values()) or tuple(FIGURES)
        for name in names:
            action = menu.addAction(figure_label(name))
            action.setToolTip(name)
            action.setCheckable(True)
            action.setChecked(name in self.figures)
            action.toggled.connect(lambda on, name=name: self._show_column(name, on))

    def _show_column(self, name: str, on: bool) -> None:
        if self._runner.spec is None:
            return
        self.figures = [one for one in self.figures if one != name] + ([name] if on else [])
        self.table.rows.set_headings(headings(self._runner.spec, self.figures))
        self.table.fit()


def _front(spec: SweepSpec, rows: list[Row]) -> set[int]:
    on = pareto(rows, spec.objectives).tolist()
    return {row.index for row, is_on in zip(rows, on, strict=True) if is_on}
