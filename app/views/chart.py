"""The chart view: any chart of the export, drawn for the screen in the background."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.charts import ChartSteps
from app.state.messages import Severity
from app.viewmodels.charts import (
    ChartPicture,
    ChartRequest,
    depends_on_step,
    draw_chart,
    least_px,
)
from app.widgets.empty import NO_RUN
from app.widgets.picture import Picture
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.export.charts import CHARTS

SETTLE_MS = 120
_TEXT_PX = (160, 60)
GROW_MS = 1500
"""Time between pictures of a run that still grows."""


@register_view(
    "chart",
    "Chart",
    "Any chart of the export dialog, for the run on screen; the list has the charts that apply to "
    "the run's system.",
)
class ChartView(View):
    """Choice of chart and steps above the picture.

    Attributes:
        drawn: the steps of the picture.
        refusals: why charts do not apply, empty for those that do.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.choice = self.state.charts
        self.picture = Picture(context, self)
        self.picture.setAccessibleName("Chart")
        self.picture.setMinimumSize(*least_px(""))
        area = QScrollArea(self)
        area.setAccessibleName("Chart, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.picture)
        self.picture.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.refusals: dict[str, str] = {}
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._asked: object = None
        self.drawn: tuple[int, int] | None = None
        self.chart = QComboBox(self)
        self.chart.setAccessibleName("Chart")
        self.steps = QComboBox(self)
        self.steps.setAccessibleName("Steps of the chart")
        for steps in ChartSteps:
            self.steps.addItem(steps.value, steps)
        self.steps.setToolTip("The steps the chart is drawn over")
        self.busy = QLabel(self)
        self.busy.setProperty("dim", True)
        self.copy_button = self._button("Copy", "Copy the picture", self.copy)
        self.export_button = self._button(
            "Export…",
            "Export this chart as SVG, PDF, PNG or CSV",
            lambda: context.commands.run("chart.export"),
        )
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 3, 6, 0)
        bar.addWidget(self.chart)
        bar.addWidget(self.steps)
        bar.addWidget(self.busy, 1)
        bar.addWidget(self.copy_button)
        bar.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(area, 1)
        self._later = self._timer(SETTLE_MS, self._request)
        self._growth = self._timer(GROW_MS, self._request)
        self._connect()
        self._show_choice()

    def _button(self, text: str, tip: str, run: object) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(run)
        button.setEnabled(False)
        return button

    def _timer(self, interval: int, run: object) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=interval)
        timer.timeout.connect(run)
        return timer

    def _connect(self) -> None:
        runs = self.state.runs
        runs.replaced.connect(lambda _: self._later.start())
        runs.cleared.connect(self._on_cleared)
        runs.finished.connect(self._later.start)
        runs.grew.connect(lambda _: self._growth.isActive() or self._growth.start())
        self.state.cursor.step_changed.connect(self._on_step_changed)
        self.state.window.changed.connect(self._on_window_changed)
        self.choice.changed.connect(self._on_choice_changed)
        self.picture.resized.connect(self._later.start)
        self.chart.activated.connect(lambda index: self.choice.choose(self.chart.itemData(index)))
        self.steps.activated.connect(
            lambda index: self.choice.set_steps(ChartSteps(self.steps.itemData(index)))
        )

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        if not self.picture.image.isNull():
            QApplication.clipboard().setImage(self.picture.image)

    def on_theme_changed(self) -> None:
        self._later.start()

    def on_raised(self) -> None:
        self._later.start()

    def shut_down(self) -> None:
        self._loader.shut_down()

    # What asks for another picture.

    def _on_cleared(self) -> None:
        self._asked = None
        self.picture.show_text(NO_RUN)
        self._show_buttons()

    def _on_step_changed(self, _: int) -> None:
        if depends_on_step(self.choice.shown, self.choice.steps):
            self._later.start()

    def _on_window_changed(self) -> None:
        if self.choice.steps is ChartSteps.VISIBLE:
            self._later.start()

    def _on_choice_changed(self) -> None:
        self._show_choice()
        self._request()

    def request(self) -> ChartRequest:
        """What is to be drawn now."""
        run, window = self.state.runs.current, self.state.window
        visible = (0, 1)
        if run is not None and self.state.runs.length:
            first, last = (
                run.step_at(int(max(0.0, time_ps))) for time_ps in (window.start_ps, window.end_ps)
            )
            visible = (first, last + 1)
        at = self.state.cursor.step
        if not depends_on_step(self.choice.chart or self.choice.shown, self.choice.steps):
            at = -1
        if self.choice.steps is not ChartSteps.VISIBLE:
            visible = (0, 1)
        return ChartRequest(
            self.choice.chart,
            self.choice.steps,
            visible,
            at,
            (self.picture.width(), self.picture.height()),
            self.devicePixelRatioF(),
            self.context.theme,
        )

    def _request(self) -> None:
        run, length = self.state.runs.current, self.state.runs.length
        if not self.on_screen or run is None or not length:
            return
        request = self.request()
        key = (id(run), length, request)
        if key == self._asked:
            return
        self._asked = key
        self.busy.setText("drawing…")
        if self.picture.text == NO_RUN:
            self.picture.show_text("drawing…")
        self._loader.request(key, lambda: draw_picture(run, length, request))

    def _on_loaded(self, key: object, result: tuple[ChartPicture, QImage]) -> None:
        if self.state.runs.current is None:
            return
        found, image = result
        if key == self._asked:
            self.busy.setText("")
        self.refusals = found.refusals
        self.choice.shown = found.chart
        # A refusal is read where the eye is, not in the middle of a sheet that has to be scrolled.
        self.picture.setMinimumSize(*(_TEXT_PX if image.isNull() else least_px(found.chart)))
        self.drawn = (found.first, found.stop) if found.png else None
        self._show_choice()
        if image.isNull():
            self.picture.show_text(found.reason)
        else:
            self.picture.show_image(image, CHARTS.get(found.chart).help)
        self._show_buttons()
        if depends_on_step(found.chart, self.choice.steps):
            self._request()  # the first picture was asked for before the chart was known

    def _on_failed(self, error: Exception) -> None:
        self.busy.setText("")
        self.picture.setMinimumSize(*_TEXT_PX)
        self.picture.show_text(f"the chart failed: {type(error).__name__}: {error}")
        self._show_buttons()
        self.state.messages.log(f"chart: {type(error).__name__}: {error}", Severity.ERROR)

    # What is shown.

    def _show_buttons(self) -> None:
        drawn = not self.picture.image.isNull()
        self.copy_button.setEnabled(drawn)
        self.export_button.setEnabled(drawn)
        self.context.commands.refresh()

    def _show_choice(self) -> None:
        """Charts that apply; one that was chosen stays in the list with its reason."""
        shown = self.choice.chart or self.choice.shown
        ids = [id for id in CHARTS if not self.refusals.get(id) or id == shown]
        if [self.chart.itemData(i) for i in range(self.chart.count())] != ids:
            self.chart.clear()
            for id in ids:
                self.chart.addItem(CHARTS.get(id).title, id)
        for index, id in enumerate(ids):
            tip = self.refusals.get(id) or CHARTS.get(id).help
            self.chart.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
        self.chart.setCurrentIndex(self.chart.findData(shown))
        self.chart.setToolTip(CHARTS.get(shown).help if shown in CHARTS else "")
        self.steps.setCurrentIndex(list(ChartSteps).index(self.choice.steps))


def draw_picture(run: object, length: int, request: ChartRequest) -> tuple[ChartPicture, QImage]:
    """A chart as an image of the screen's resolution; runs in the background."""
    found = draw_chart(run, length, request)  # type: ignore[arg-type]
    image = QImage()
    if found.png:
        image.loadFromData(found.png)
        image.setDevicePixelRatio(request.ratio)
    return found, image
