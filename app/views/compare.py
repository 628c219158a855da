"""The compare view: run A beside run B, as a table and as maps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.comparison import run_title
from app.state.messages import Severity
from app.viewmodels.alignment import Align
from app.viewmodels.differences import DiffMaps, DiffTable, compare, draw_difference
from app.widgets.actions import bind_button
from app.widgets.diff_maps import DiffMapsCanvas
from app.widgets.diff_table import DiffTableWidget
from app.widgets.elided import ElidedLabel
from app.widgets.progress import Progress
from app.widgets.view import Context, View, register_view
from app.workers.baseline import offered
from app.workers.loader import LatestLoader
from simcore.registry import SYSTEMS
from simcore.results.run import Run

SETTLE_MS = 100
RANK = 6

_HINT = (
    "No run is kept as A.\n\nFreeze keeps the run on screen as A: edit the scenario, and the new "
    "run is B. Baseline simulates another system on the same machine and keeps it as A."
)


_ALONE = (
    "A is the run on screen.\n\nEdit the scenario, and the new run is B; or run a baseline as A."
)


@register_view(
    "compare",
    "Compare",
    "Run A, kept or a baseline, against the run on screen, B: what differs in settings and "
    "figures, and where things are placed. The timeline draws A in outline.",
)
class CompareView(View):
    """What is compared on top; below it the table or the maps."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._tables, self._maps = LatestLoader(), LatestLoader()
        self._tables.loaded.connect(self._on_table)
        self._tables.failed.connect(self._on_failed)
        self._maps.loaded.connect(self._on_maps)
        self._maps.failed.connect(self._on_failed)
        self._asked_table: object = None
        self._table_of: tuple[Run, str] | None = None
        self._asked_maps: object = None
        self.name_a, self.name_b = self._name("Run A"), self._name("Run B")
        self.freeze = self._button("Freeze as A", "compare.freeze")
        self.clear = self._button("Clear A", "compare.clear")
        self.baselines = QMenu(self)
        self.baselines.aboutToShow.connect(self._fill_baselines)
        self.baseline = QToolButton(self)
        self.baseline.setText("Baseline")
        self.baseline.setAccessibleName("Run a baseline as A")
        self.baseline.setToolTip("Simulate another system on this scenario and keep it as A")
        self.baseline.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.baseline.setMenu(self.baselines)
        self.align = QComboBox(self)
        self.align.setAccessibleName("Align A and B")
        self.align.setToolTip("What of A is drawn above what of B")
        for align in Align:
            self.align.addItem(f"align by {align.value}", align)
        self.progress = Progress(context, self)
        self.progress.setAccessibleName("Baseline progress")
        self.cancel = self._button("Stop", "compare.cancel")
        self.table = DiffTableWidget(self)
        self.only = QCheckBox("only differences", self)
        self.only.setAccessibleName("Only differences")
        self.only.setChecked(True)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter figures")
        self.filter.setAccessibleName("Filter figures")
        self.filter.setClearButtonEnabled(True)
        self.copy = QToolButton(self)
        self.copy.setText("Copy")
        self.copy.setAccessibleName("Copy the table")
        self.copy.setToolTip("Copy the rows shown, with tabs between the cells")
        self.headline = ElidedLabel(self)
        self.headline.setAccessibleName("Speed of B against A")
        self.maps = DiffMapsCanvas(context, self)
        self.hint = QLabel(_HINT, self)
        self.hint.setWordWrap(True)
        self.hint.setProperty("dim", True)
        self.hint.setMargin(16)
        self._lay_out()
        self._later = self._timer(self._request)
        self._connect()
        self._show_names()

    def _name(self, title: str) -> ElidedLabel:
        label = ElidedLabel(self)
        label.setAccessibleName(title)
        return label

    def _button(self, text: str, id: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        bind_button(button, self.context.commands, id)
        return button

    def _timer(self, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        timer.timeout.connect(run)
        return timer

    def _lay_out(self) -> None:
        names = QGridLayout()
        names.setContentsMargins(8, 4, 6, 0)
        names.setVerticalSpacing(1)
        for row, (letter, label) in enumerate((("A", self.name_a), ("B", self.name_b))):
            names.addWidget(QLabel(f"<b>{letter}</b>", self), row, 0)
            names.addWidget(label, row, 1)
        names.setColumnStretch(1, 1)
        self.tools = QWidget(self)
        tools = QHBoxLayout(self.tools)
        tools.setContentsMargins(6, 0, 0, 0)
        tools.addWidget(self.only)
        tools.addWidget(self.filter)
        tools.addWidget(self.copy)
        self.filter.setMinimumWidth(130)
        names.addWidget(self.tools, 0, 2, 2, 1)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 2, 6, 0)
        for widget in (self.freeze, self.baseline, self.clear, self.align):
            bar.addWidget(widget)
        bar.addSpacing(6)
        bar.addWidget(self.headline, 1)
        bar.addWidget(self.progress)
        bar.addWidget(self.cancel)
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Pages of the comparison")
        self.tabs.tabBar().setAccessibleName("Pages of the comparison")
        self.tabs.addTab(self.table, "Differences")
        self.tabs.addTab(self.maps, "Placement")
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.hint)
        self.stack.addWidget(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addLayout(names)
        layout.addWidget(self.stack, 1)

    def _connect(self) -> None:
        state = self.state
        for signal in (state.comparison.changed, state.runs.finished, state.runs.cleared):
            signal.connect(self._on_changed)
        state.runs.replaced.connect(
            lambda _: state.turns.ask(self._on_changed, RANK, lambda: self.on_screen)
        )
        state.cursor.step_changed.connect(lambda _: self._on_step_changed())
        state.baseline.changed.connect(self._show_names)
        self.align.activated.connect(
            lambda index: state.comparison.set_align(Align(self.align.itemData(index)))
        )
        self.only.toggled.connect(self._on_filter_changed)
        self.filter.textChanged.connect(self._on_filter_changed)
        self.copy.clicked.connect(self.table.copy)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self.maps.resized.connect(self._later.start)
        self.context.commands.on_refresh(self._show_buttons)

    def on_raised(self) -> None:
        self._later.start()

    def on_theme_changed(self) -> None:
        self._asked_maps = None
        self._later.start()

    def shut_down(self) -> None:
        self._tables.shut_down()
        self._maps.shut_down()

    # What is compared.

    def _on_changed(self) -> None:
        self._show_names()
        self._later.start()

    def _on_tab_changed(self, _: int) -> None:
        self.tools.setVisible(self.tabs.currentWidget() is self.table)
        self._later.start()

    def _on_step_changed(self) -> None:
        if self.tabs.currentWidget() is self.maps:
            self._later.start()

    def _on_filter_changed(self) -> None:
        self.table.set_filter(self.only.isChecked(), self.filter.text())

    def _show_names(self) -> None:
        comparison, runs, baseline = self.state.comparison, self.state.runs, self.state.baseline
        a, b = comparison.frozen, runs.current
        self.name_a.setText("none" if a is None else run_title(a))
        self.name_b.setText("no run yet" if b is None else run_title(b))
        alone = a is None or a is b
        self.hint.setText(_HINT if a is None else _ALONE)
        self.stack.setCurrentIndex(0 if alone else 1)
        self.tools.setVisible(not alone and self.tabs.currentWidget() is self.table)
        if alone and self.headline.text():
            self.headline.clear()
        for index, align in enumerate(Align):
            text = f"align by {comparison.align_title(align)}"
            if self.align.itemText(index) != text:  # or the window is laid out for nothing
                self.align.setItemText(index, text)
        self.align.setCurrentIndex(list(Align).index(comparison.align))
        busy = bool(baseline.system)
        self.progress.setVisible(busy)
        self.cancel.setVisible(busy)
        if busy:
            self.progress.show_progress(*baseline.progress)
            self.name_a.setText(f"simulating {SYSTEMS.get(baseline.system).name}…")
        self._show_buttons()

    def _show_buttons(self) -> None:
        commands = self.context.commands
        for button, id in ((self.freeze, "compare.freeze"), (self.clear, "compare.clear")):
            button.setEnabled(commands.get(id).is_enabled())
        self.baseline.setEnabled(self.state.session.scenario is not None)

    def _fill_baselines(self) -> None:
        self.baselines.clear()
        scenario = self.state.session.scenario
        if scenario is None:
            return
        for title, ids in offered(scenario):
            self.baselines.addSection(title)
            for id in ids:
                action = self.baselines.addAction(SYSTEMS.get(id).name)
                action.setToolTip(id)
                action.triggered.connect(
                    lambda _=False, id=id: self.context.commands.run(f"compare.baseline_{id}")
                )

    def _request(self) -> None:
        a, b = self.state.comparison.frozen, self.state.runs.current
        if a is None or a is b or not self.on_screen:
            return
        if b is None or not self.state.runs.length:
            self._say("no run yet")
            return
        pair = (a, b.scenario.system)
        if pair != self._table_of:
            self._table_of, self._asked_table = pair, None
            self.table.set_table(DiffTable((), ""))
        if self.tabs.currentWidget() is self.maps:
            self._request_maps()
        elif any(self.state.runs.progress):
            self._asked_table = None
            old = "; the table is of the run before" if self.table.table.rows else ""
            self.headline.setText(f"B is being simulated{old}")
        else:
            key = (a, b, self.state.runs.length)
            if key != self._asked_table:
                self._asked_table = key
                self.headline.setText("comparing…")
                self._tables.request(key, lambda: compare(a, b, key[2]))

    def _say(self, text: str) -> None:
        self._asked_table = self._asked_maps = None
        self.table.set_table(DiffTable((), ""))
        self.headline.setText(text)
        self.maps.show_text(text)

    def _request_maps(self) -> None:
        a, b, step = self.state.comparison.frozen, self.state.runs.current, self.state.cursor.step
        reference, theme = self.state.comparison.reference(), self.context.theme
        if a is None or b is None or reference is None or step >= self.state.runs.length:
            return
        other = reference.step_of(step, self.state.comparison.align)
        pixels = float(max(self.maps.width(), 1))
        key = (a, other, b, step, pixels, theme.name)
        if key != self._asked_maps:
            self._asked_maps = key
            self._maps.request(key, lambda: draw_difference(a, other, b, step, pixels, theme))

    def _on_table(self, key: object, table: DiffTable) -> None:
        if key == self._asked_table:
            self.table.set_table(table)
            self.headline.setText(table.headline)

    def _on_maps(self, key: object, maps: DiffMaps) -> None:
        if key == self._asked_maps:
            self.maps.show_maps(maps)

    def _on_failed(self, error: Exception) -> None:
        self.headline.setText(f"the comparison failed: {type(error).__name__}: {error}")
        self.maps.show_text(self.headline.text())
        self.state.messages.log(f"compare: {self.headline.text()}", Severity.ERROR)
