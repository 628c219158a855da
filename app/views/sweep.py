"""The sweep view: fields of the open scenario varied; points as a table and as charts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.messages import Severity
from app.viewmodels.sweep import (
    Checked,
    check_draft,
    draft_of,
    point_title,
)
from app.widgets.elided import ElidedLabel
from app.widgets.progress import Progress
from app.widgets.sweep_chart import SweepChart
from app.widgets.sweep_points import SweepPoints
from app.widgets.sweep_setup import SweepSetup
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.cli.console import duration
from simcore.errors import ScenarioErrors, SimcoreError
from simcore.results.files import replacing
from simcore.scenario.document import Document
from simcore.sweep.charts import write_sweep_chart
from simcore.sweep.child import End
from simcore.sweep.files import spec_text
from simcore.sweep.parse import axis_fields
from simcore.sweep.resolve import point_document
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row, write_rows

CHECK_MS = 200
GROW_MS = 700
"""Time between charts while rows come."""
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
        self._writer = LatestLoader()
        self.setup = SweepSetup(self)
        self.points = SweepPoints(self.context, self)
        self.chart = SweepChart(self.context, self._chart_seen, self)
        self._make_bar()
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Parts of the sweep")
        self.tabs.tabBar().setAccessibleName("Parts of the sweep")
        for widget, title in (
            (self.setup, "Setup"),
            (self.points, "Table"),
            (self.chart, "Chart"),
        ):
            self.tabs.addTab(widget, title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._bar)
        layout.addWidget(self.tabs, 1)
        self._check_later = self._timer(CHECK_MS, self._check)
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

    def _connect(self) -> None:
        session = self.state.session
        session.document_changed.connect(self._check_later.start)
        session.opened.connect(self._on_opened)
        self.setup.edited.connect(self._check_later.start)
        self.runner.begun.connect(self._on_begun)
        self.runner.grew.connect(self._on_rows)
        self.runner.changed.connect(self._on_changed)
        self.points.table.opened.connect(self._open)
        self.points.table.stood.connect(self._choose)
        self.chart.pointed.connect(self._on_pointed)
        self.chart.opened.connect(self._open)
        self.tabs.currentChanged.connect(lambda _: self.chart.draw())
        self.chart.failed.connect(self._on_failed)
        self.points.failed.connect(self._on_failed)
        self._writer.loaded.connect(self._on_written)

    def on_raised(self) -> None:
        self._check_later.start()
        self.chart.draw()

    def on_theme_changed(self) -> None:
        self.points.set_theme(self.context.theme)
        self.chart.draw_anew()

    def shut_down(self) -> None:
        for part in (self.points, self.chart, self._writer):
            part.shut_down()

    def _chart_seen(self) -> bool:
        return self.on_screen and self.tabs.currentWidget() is self.chart

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
        self.points.begin(spec)
        self.chart.begin(spec, self.points.figures)
        if self.tabs.currentWidget() is self.setup:
            self.tabs.setCurrentWidget(self.points)

    def _on_rows(self, rows: list[Row]) -> None:
        first = self.points.add(rows)
        if not self._grow.isActive():
            self._grow.start(60 if first else GROW_MS)

    def _on_changed(self) -> None:
        self._show_state()
        if not self.runner.running:
            self._on_grown()
            self.points.table.fit()
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

    def _on_grown(self) -> None:
        spec, rows = self.runner.spec, self.runner.ordered()
        if spec is None or not rows:
            return
        self.points.settle(spec, rows)
        self.chart.grown(rows)

    def _on_failed(self, error: Exception) -> None:
        self.state.messages.log(f"sweep: {type(error).__name__}: {error}", Severity.ERROR)

    # Points.

    def _choose(self, point: int) -> None:
        self.chosen = point
        self.chart.picture.mark(point)
        self.open_button.setEnabled(self.can_open)
        self.open_button.setText(f"Open point {point}" if point >= 0 else "Open point")
        self.context.commands.refresh()

    def _on_pointed(self, point: int) -> None:
        self._choose(point)
        self.points.table.go(point)

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
        chart = self.chart.shown[0]
        name, chosen = QFileDialog.getSaveFileName(
            self, "Export the chart of the sweep", f"sweep-{chart}.svg", _CHART_FILTER
        )
        if name:
            ending = next((s for s in (".pdf", ".png") if s in chosen), ".svg")
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(ending))

    def write(self, path: Path) -> None:
        """Write the table (``.csv``, ``.parquet``) or the chart (``.svg`` …) in the background."""
        spec, rows = self.runner.spec, self.runner.ordered()
        if spec is None or not rows:
            return
        chart, figure, x = self.chart.shown

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
