"""The sweep view: fields of the open scenario varied; points as a table and as charts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.messages import Severity
from app.viewmodels.sweep import (
    LEAST_PX,
    Checked,
    SweepPicture,
    check_draft,
    draft_of,
    draw_sweep,
    headings,
    point_title,
    row_filter,
    row_tip,
    shown_figures,
)
from app.widgets.elided import ElidedLabel
from app.widgets.progress import Progress
from app.widgets.sweep_picture import SweepPicture as PictureWidget
from app.widgets.sweep_setup import SweepSetup
from app.widgets.sweep_table import SweepTable
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.cli.console import duration
from simcore.errors import ScenarioErrors, SimcoreError
from simcore.results.files import replacing
from simcore.scenario.document import Document
from simcore.sweep.analysis import pareto
from simcore.sweep.charts import SWEEP_CHARTS, write_sweep_chart
from simcore.sweep.child import End
from simcore.sweep.figures import FIGURES, figure_label
from simcore.sweep.files import spec_text
from simcore.sweep.parse import axis_fields
from simcore.sweep.resolve import point_document
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row, figure_names, write_rows

CHECK_MS = 200
GROW_MS = 700
"""Time between charts while rows come."""
_NOTHING = "No sweep yet.\n\nChoose fields and values under Setup, then Run."
_KINDS = {
    "all points": lambda row, front: True,
    "constraints met": lambda row, front: row.feasible,
    "Pareto front": lambda row, front: row.index in front,
    "failed": lambda row, front: row.outcome.failure is not None,
}
_TABLE_FILTER = "CSV (*.csv);;Parquet (*.parquet)"
_CHART_FILTER = "SVG (*.svg);;PDF (*.pdf);;PNG (*.png)"
_SWEEP_FILTER = "Sweeps (*.yaml *.yml);;All files (*)"

OpenDocument = Callable[[Document, str], object]


@register_view(
    "sweep",
    "Sweep",
    "Vary up to four fields of the open scenario: every point as a row and in charts; a click on "
    "▸ opens it. Results are kept, so a sweep that is run again goes on where it was.",
)
class SweepView(View):
    """Setup, table and chart behind tabs, below a bar that runs the sweep.

    Attributes:
        checked: what the setup comes to.
        chosen: the point that the commands are about, -1 for none.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.runner = self.state.sweeps
        self.checked = Checked()
        self.chosen = -1
        self._foreign = False  # another scenario was opened since the sweep was begun
        self._figures: list[str] = []
        self._fronts, self._charts, self._writer = LatestLoader(), LatestLoader(), LatestLoader()
        self._asked: object = None
        self.setup = SweepSetup(self)
        self._make_bar()
        self._make_table()
        self._make_chart()
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Pages of the sweep")
        self.tabs.tabBar().setAccessibleName("Pages of the sweep")
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Parts of the sweep")
        self.tabs.tabBar().setAccessibleName("Parts of the sweep")
        for widget, title in (
            (self.setup, "Setup"),
            (self._table_page, "Table"),
            (self._chart_page, "Chart"),
        ):
            self.tabs.addTab(widget, title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._bar)
        layout.addWidget(self.tabs, 1)
        self._check_later = self._timer(CHECK_MS, self._check)
        self._draw_later = self._timer(60, self._request_chart)
        self._grow = self._timer(GROW_MS, self._on_grown)
        self._connect()
        self._show_state()

    # Parts.

    def _timer(self, interval: int, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=interval)
        timer.timeout.connect(run)
        return timer

    def _button(self, text: str, id: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(self.context.commands.tip(id))
        button.setAccessibleName(self.context.commands.get(id).title)
        button.clicked.connect(lambda: self.context.commands.run(id))
        return button

    def _make_bar(self) -> None:
        self.run_button = self._button("Run", "sweep.run")
        self.stop_button = self._button("Stop", "sweep.stop")
        self.progress = Progress(self.context, self)
        self.progress.setAccessibleName("Sweep progress")
        self.status = ElidedLabel(self)
        self.status.setAccessibleName("State of the sweep")
        self.open_button = self._button("Open point", "sweep.open_point")
        self.more = QToolButton(self)
        self.more.setText("More")
        self.more.setAccessibleName("More about sweeps")
        self.more.setToolTip("Load and save sweeps, export the table or the chart")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self._fill_menu(menu))
        self.more.setMenu(menu)
        self._bar = QHBoxLayout()
        self._bar.setContentsMargins(6, 3, 6, 0)
        self._bar.setSpacing(4)
        for widget in (self.run_button, self.stop_button, self.progress):
            self._bar.addWidget(widget)
        self._bar.addWidget(self.status, 1)
        self._bar.addWidget(self.open_button)
        self._bar.addWidget(self.more)

    def _make_table(self) -> None:
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
        self._table_page = QWidget(self)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.setSpacing(4)
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.kind)
        bar.addWidget(self.columns)
        layout = QVBoxLayout(self._table_page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(self.filter_problem)
        layout.addWidget(self.table, 1)

    def _make_chart(self) -> None:
        self.chart = QComboBox(self)
        self.chart.setAccessibleName("Chart of the sweep")
        for id, chart in SWEEP_CHARTS.items():
            self.chart.addItem(chart.title, id)
            self.chart.setItemData(self.chart.count() - 1, chart.help, Qt.ItemDataRole.ToolTipRole)
        self.figure = QComboBox(self)
        self.figure.setAccessibleName("Figure of the chart")
        self.figure.setToolTip("The figure that is drawn")
        self.along = QComboBox(self)
        self.along.setAccessibleName("Field along the bottom")
        self.along.setToolTip("The varied field along the bottom")
        for box in (self.figure, self.along):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(9)
        self.picture = PictureWidget(self.context, self)
        self.picture.setAccessibleName("Chart of the sweep")
        self.picture.setMinimumSize(*LEAST_PX)
        self.picture.show_text(_NOTHING)
        self.picture.tip_of = self._tip_of
        area = QScrollArea(self)
        area.setAccessibleName("Chart of the sweep, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.picture)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._chart_page = QWidget(self)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.setSpacing(4)
        bar.addWidget(self.chart)
        bar.addWidget(self.figure, 1)
        bar.addWidget(self.along, 1)
        layout = QVBoxLayout(self._chart_page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(area, 1)

    def _connect(self) -> None:
        session = self.state.session
        session.document_changed.connect(self._check_later.start)
        session.opened.connect(self._on_opened)
        self.setup.edited.connect(self._check_later.start)
        self.runner.begun.connect(self._on_begun)
        self.runner.grew.connect(self._on_rows)
        self.runner.changed.connect(self._on_changed)
        self.filter.textChanged.connect(self._on_filter)
        self.kind.currentIndexChanged.connect(lambda _: self._on_filter())
        self.table.opened.connect(self._open)
        self.table.stood.connect(self._choose)
        self.picture.pointed.connect(self._on_pointed)
        self.picture.opened.connect(self._open)
        self.picture.resized.connect(self._draw_later.start)
        for box in (self.chart, self.figure, self.along):
            box.activated.connect(lambda _: self._draw_later.start())
        self.tabs.currentChanged.connect(lambda _: self._draw_later.start())
        self._fronts.loaded.connect(self._on_front)
        self._charts.loaded.connect(self._on_chart)
        self._charts.failed.connect(self._on_chart_failed)
        self._fronts.failed.connect(self._on_chart_failed)
        self._writer.loaded.connect(self._on_written)

    def on_raised(self) -> None:
        self._check_later.start()
        self._draw_later.start()

    def on_theme_changed(self) -> None:
        self.table.rows.set_theme(self.context.theme)
        self._asked = None
        self._draw_later.start()

    def shut_down(self) -> None:
        for loader in (self._fronts, self._charts, self._writer):
            loader.shut_down()

    # Setup.

    def _on_opened(self) -> None:
        self._foreign = self.state.session.path != self.runner.source or (
            self.state.session.path is None
        )
        self._check_later.start()

    def _check(self) -> None:
        """Look at what is typed, against the scenario as it is now."""
        if not self.on_screen:
            return
        document = self.state.session.document
        if document is not None:
            with contextlib.suppress(ScenarioErrors):  # the check says what is wrong
                self.setup.set_fields(axis_fields(document))
        self.checked = check_draft(document, self.setup.draft())
        self.setup.show_checked(self.checked)
        self._show_state()
        self.context.commands.refresh()

    @property
    def can_run(self) -> bool:
        """Whether there is a sweep to run."""
        return self.checked.spec is not None and not self.runner.running

    def run(self) -> None:
        """Run what is set up."""
        self._check_later.stop()
        self._check()
        if self.checked.spec is None:
            self.tabs.setCurrentWidget(self.setup)
            return
        scheduler = self.setup.scheduler.text().strip()
        workers = None if scheduler else self.setup.workers.value()
        self.runner.start(
            self.checked.spec, self.state.session.path, workers=workers, scheduler=scheduler
        )

    def put(self, spec: SweepSpec) -> None:
        """Show a sweep in the setup."""
        document = self.state.session.document
        if document is not None:
            self.setup.set_fields(axis_fields(document))
        self.setup.put(draft_of(spec))
        self.tabs.setCurrentWidget(self.setup)
        self._check_later.start()

    # Progress.

    def _on_begun(self) -> None:
        spec = self.runner.spec
        assert spec is not None
        self._foreign = False
        self._choose(-1)
        self._figures = shown_figures(spec)
        self.table.rows.begin(spec, headings(spec, self._figures), self.context.theme)
        self.table.fit()
        self._fill_boxes(spec)
        self._asked = None
        self.picture.set_places(None)
        self.picture.show_text("no point is done yet")
        if self.tabs.currentWidget() is self.setup:
            self.tabs.setCurrentWidget(self._table_page)
        self._on_filter()

    def _on_rows(self, rows: list[Row]) -> None:
        first = not self.table.rows.rows
        self.table.rows.add(rows)
        if first:
            self.table.fit()
        if not self._grow.isActive():
            self._grow.start(60 if first else GROW_MS)

    def _on_changed(self) -> None:
        self._show_state()
        if not self.runner.running:
            self._on_grown()
            self.table.fit()
        self.context.commands.refresh()

    def _show_state(self) -> None:
        runner = self.runner
        busy = runner.running
        self.progress.setVisible(busy)
        self.stop_button.setVisible(busy)
        self.run_button.setVisible(not busy)
        self.run_button.setEnabled(self.can_run)
        spec = self.checked.spec
        self.run_button.setText(f"Run {spec.size:,} points" if spec is not None else "Run")
        self.open_button.setEnabled(self.can_open)
        self.status.setText(self._status())
        if busy:
            self.progress.show_progress(runner.progress.done, runner.progress.total)

    def _status(self) -> str:
        runner, p = self.runner, self.runner.progress
        if runner.spec is None:
            return "" if self.checked.spec else next(iter(self.checked.problems.values()), "")
        parts = []
        if runner.stopping:
            parts.append("stopping…")
        elif runner.running:
            left = p.left_s
            parts.append("starting…" if left is None else f"{duration(left)} left")
        elif runner.ended is End.STOPPED:
            parts.append(f"stopped at {p.done:,} of {p.total:,}; Run goes on")
        elif runner.ended is End.FAILED:
            parts.append(f"failed: {runner.error}")
        else:
            parts.append(f"{p.total:,} points in {duration(p.seconds)}")
        if p.failed:
            parts.append(f"{p.failed:,} failed")
        if p.stored:
            parts.append(f"{p.stored:,} were there before")
        return " · ".join(parts)

    # Table.

    def rows(self) -> list[Row]:
        """The rows there are, by point."""
        return [self.runner.rows[index] for index in sorted(self.runner.rows)]

    def _on_filter(self) -> None:
        spec = self.runner.spec
        if spec is None:
            return
        test, problem = row_filter(self.filter.text(), spec)
        kind, front = _KINDS[self.kind.currentText()], self.table.rows.front
        self.filter_problem.setText(problem)
        self.filter_problem.setVisible(bool(problem))
        self.table.rows.set_test(lambda row: kind(row, front) and test(row))

    def _fill_columns(self, menu: QMenu) -> None:
        menu.clear()
        names = figure_names(self.runner.rows.values()) or tuple(FIGURES)
        for name in names:
            action = menu.addAction(figure_label(name))
            action.setToolTip(name)
            action.setCheckable(True)
            action.setChecked(name in self._figures)
            action.toggled.connect(lambda on, name=name: self._show_column(name, on))

    def _show_column(self, name: str, on: bool) -> None:
        if self.runner.spec is None:
            return
        self._figures = [one for one in self._figures if one != name] + ([name] if on else [])
        self.table.rows.set_headings(headings(self.runner.spec, self._figures))
        self.table.fit()

    def _on_grown(self) -> None:
        spec, rows = self.runner.spec, self.rows()
        if spec is None or not rows:
            return
        self.table.rows.settle()
        self._fronts.request(spec, lambda: _front(spec, rows))
        self._fill_figures(rows)
        self._draw_later.start()

    def _on_front(self, spec: object, front: set[int]) -> None:
        if spec is self.runner.spec:
            self.table.rows.set_front(front)
            if self.kind.currentText() == "Pareto front":
                self._on_filter()

    # Points.

    def _choose(self, point: int) -> None:
        self.chosen = point
        self.picture.mark(point)
        self.open_button.setEnabled(self.can_open)
        self.open_button.setText(f"Open point {point}" if point >= 0 else "Open point")
        self.context.commands.refresh()

    def _on_pointed(self, point: int) -> None:
        self._choose(point)
        self.table.go(point)

    def _tip_of(self, point: int) -> str:
        row, spec = self.runner.rows.get(point), self.runner.spec
        return "" if row is None or spec is None else row_tip(row, spec)

    @property
    def can_open(self) -> bool:
        """Whether a point is chosen that is a scenario."""
        row = self.runner.rows.get(self.chosen)
        return row is not None and bool(row.key)

    def _open(self, point: int) -> None:
        self._choose(point)
        self.context.commands.run("sweep.open_point")

    def open_point(self, open_other: OpenDocument) -> None:
        """Make the chosen point the scenario: an edit that can be undone.

        Args:
            open_other: opens a document that belongs to another file than the one that is open.
        """
        row, spec = self.runner.rows.get(self.chosen), self.runner.spec
        if row is None or spec is None or not row.key:
            return
        document = point_document(spec.document, spec.axes, row.values)
        title = point_title(row, spec)
        session = self.state.session
        if session.document is None or self._foreign:
            open_other(document, title)
        else:
            session.bus.do(title, Document.from_text(document.text(), session.document.path))
            self.state.messages.log(title)

    # Chart.

    def _fill_boxes(self, spec: SweepSpec) -> None:
        self.figure.clear()
        for name in self._figures:
            self.figure.addItem(figure_label(name), name)
        self.along.clear()
        self.along.addItem("along: automatic", "")
        for axis in spec.axes:
            self.along.addItem(f"along: {axis.path}", axis.path)
        wanted = "pareto" if len(spec.objectives) > 1 and len(spec.axes) > 2 else "curves"
        if self.chart.findData(wanted) >= 0 and not self._asked:
            self.chart.setCurrentIndex(self.chart.findData(wanted))

    def _fill_figures(self, rows: list[Row]) -> None:
        known = {self.figure.itemData(index) for index in range(self.figure.count())}
        for name in figure_names(rows):
            numeric = any(isinstance(row.figures.get(name), (int, float)) for row in rows)
            if name not in known and numeric:
                self.figure.addItem(figure_label(name), name)

    def shown_chart(self) -> tuple[str, str, str]:
        """Chart, figure and field along the bottom that are chosen."""
        chart, figure, along = (
            str(box.currentData() or "") for box in (self.chart, self.figure, self.along)
        )
        return chart, figure, along

    def _request_chart(self) -> None:
        chart, figure, x = self.shown_chart()
        kind = SWEEP_CHARTS.get(chart)
        self.along.setEnabled(kind.takes_x)
        self.figure.setEnabled(chart != "pareto")
        self.chart.setToolTip(kind.help)
        spec, rows = self.runner.spec, self.rows()
        if spec is None or not rows or self.tabs.currentWidget() is not self._chart_page:
            return
        if not self.on_screen:
            return
        size = (self.picture.width(), self.picture.height())
        ratio, theme = self.devicePixelRatioF(), self.context.theme
        key = (id(spec), len(rows), chart, figure, x, size, ratio, theme.name)
        if key == self._asked:
            return
        self._asked = key
        self._charts.request(
            key,
            lambda: _picture(draw_sweep(spec, rows, chart, figure, x, size, ratio, theme), ratio),
        )

    def _on_chart(self, key: object, drawn: tuple[SweepPicture, QImage]) -> None:
        if key != self._asked:
            return
        found, image = drawn
        if image.isNull():
            self.picture.set_places(None)
            self.picture.show_text(found.reason)
            return
        chart = SWEEP_CHARTS.get(self.shown_chart()[0])
        self.picture.show_image(image, f"{chart.help} Click a point to choose it.")
        self.picture.set_places(found.places)

    def _on_chart_failed(self, error: Exception) -> None:
        self.picture.show_text(f"the chart failed: {type(error).__name__}: {error}")
        self.state.messages.log(f"sweep: {type(error).__name__}: {error}", Severity.ERROR)

    # Files.

    def _fill_menu(self, menu: QMenu) -> None:
        menu.clear()
        for id in ("load", "save", "export_table", "export_chart"):
            command = self.context.commands.get(f"sweep.{id}")
            action = menu.addAction(command.title)
            action.setEnabled(command.is_enabled())
            action.triggered.connect(
                lambda _=False, id=id: self.context.commands.run(f"sweep.{id}")
            )
        examples = menu.addMenu("Examples")
        for command in self.context.commands:
            if command.id.startswith("sweep.example_"):
                action = examples.addAction(command.title.removeprefix("Sweep: "))
                action.triggered.connect(
                    lambda _=False, id=command.id: self.context.commands.run(id)
                )

    def save(self) -> None:
        """Ask where to, then write the sweep as a file for this program and the command line."""
        spec, session = self.checked.spec, self.state.session
        if spec is None:
            return
        if session.path is None or session.dirty:
            self.state.messages.show(
                "Save the scenario first: a sweep file names the file of its scenario."
            )
            return
        name, _ = QFileDialog.getSaveFileName(self, "Save sweep", "sweep.yaml", _SWEEP_FILTER)
        if name:
            path = Path(name)
            self.save_to(path if path.suffix else path.with_suffix(".yaml"))

    def save_to(self, path: Path) -> None:
        """Write the sweep to a file."""
        spec, source = self.checked.spec, self.state.session.path
        if spec is None or source is None:
            return
        same = path.resolve().parent == source.resolve().parent
        named = dataclasses.replace(spec, scenario=source.name if same else str(source.resolve()))
        try:
            with replacing(path) as temporary:
                temporary.write_text(spec_text(named), encoding="utf-8")
        except SimcoreError as error:
            self.state.messages.show(str(error))
            return
        self.state.messages.show(f"saved {path}", Severity.INFO)

    def export_table(self) -> None:
        """Ask where to, then write all rows."""
        name, chosen = QFileDialog.getSaveFileName(
            self, "Export the table of the sweep", "sweep.csv", _TABLE_FILTER
        )
        if name:
            ending = ".parquet" if "parquet" in chosen else ".csv"
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(ending))

    def export_chart(self) -> None:
        """Ask where to, then write the chart on screen."""
        chart = self.shown_chart()[0]
        name, chosen = QFileDialog.getSaveFileName(
            self, "Export the chart of the sweep", f"sweep-{chart}.svg", _CHART_FILTER
        )
        if name:
            ending = next((s for s in (".pdf", ".png") if s in chosen), ".svg")
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(ending))

    def write(self, path: Path) -> None:
        """Write the table (``.csv``, ``.parquet``) or the chart (``.svg`` …) in the background."""
        spec, rows = self.runner.spec, self.rows()
        if spec is None or not rows:
            return
        chart, figure, x = self.shown_chart()

        def work() -> SimcoreError | None:
            try:
                if path.suffix.lower() in (".csv", ".parquet"):
                    write_rows(spec, rows, path)
                else:
                    write_sweep_chart(chart, spec, rows, path, figure=figure, x=x)
            except SimcoreError as error:
                return error
            return None

        self._writer.request(path, lambda: (work(),))

    def _on_written(self, path: Path, result: tuple[SimcoreError | None]) -> None:
        if result[0] is None:
            self.state.messages.show(f"exported {path}", Severity.INFO)
        else:
            self.state.messages.show(str(result[0]), Severity.ERROR)


def _front(spec: SweepSpec, rows: list[Row]) -> set[int]:
    on = pareto(rows, spec.objectives).tolist()
    return {row.index for row, is_on in zip(rows, on, strict=True) if is_on}


def _picture(found: SweepPicture, ratio: float) -> tuple[SweepPicture, QImage]:
    image = QImage()
    if found.png:
        image.loadFromData(found.png)
        image.setDevicePixelRatio(ratio)
    return found, image
