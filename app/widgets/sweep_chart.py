"""The chart of a sweep: which one, of which figure, along which field; drawn in the background."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.sweep import LEAST_PX, SweepPicture, draw_sweep, row_tip
from app.widgets.sweep_picture import SweepPicture as PictureWidget
from app.widgets.view import Context
from app.workers.loader import LatestLoader
from simcore.sweep.charts import SWEEP_CHARTS
from simcore.sweep.figures import figure_label
from simcore.sweep.spec import SweepSpec
from simcore.sweep.table import Row, figure_names

DRAW_MS = 60
_NOTHING = "No sweep yet.\n\nChoose fields and values under Setup, then Run."


class SweepChart(QWidget):
    """A picture whose points can be clicked, below the boxes that choose it.

    Attributes:
        picture: the chart.
        pointed, opened: signals with the number of a point.
        failed: signal with why the chart could not be drawn.
    """

    pointed = Signal(int)
    opened = Signal(int)
    failed = Signal(Exception)

    def __init__(
        self,
        context: Context,
        seen: Callable[[], bool],
        parent: QWidget | None = None,
    ) -> None:
        """Make the page.

        Args:
            context: theme and state of the window.
            seen: whether the page can be seen; nothing is drawn for nobody.
            parent: what it is part of.
        """
        super().__init__(parent)
        self._context, self._seen = context, seen
        self._runner = context.state.sweeps
        self._charts = LatestLoader()
        self._asked: object = None
        self.which = QComboBox(self)
        self.which.setAccessibleName("Chart of the sweep")
        for id, chart in SWEEP_CHARTS.items():
            self.which.addItem(chart.title, id)
            self.which.setItemData(self.which.count() - 1, chart.help, Qt.ItemDataRole.ToolTipRole)
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
        self.picture = PictureWidget(context, self)
        self.picture.setAccessibleName("Chart of the sweep")
        self.picture.setMinimumSize(*LEAST_PX)
        self.picture.show_text(_NOTHING)
        self.picture.tip_of = self._tip_of
        area = QScrollArea(self)
        area.setAccessibleName("Chart of the sweep, scrolled")
        area.setWidgetResizable(True)
        area.setWidget(self.picture)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.setSpacing(4)
        bar.addWidget(self.which)
        bar.addWidget(self.figure, 1)
        bar.addWidget(self.along, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(bar)
        layout.addWidget(area, 1)
        self._later = QTimer(self, singleShot=True, interval=DRAW_MS)
        self._later.timeout.connect(self._request)
        self.picture.pointed.connect(self.pointed)
        self.picture.opened.connect(self.opened)
        self.picture.resized.connect(self._later.start)
        for box in (self.which, self.figure, self.along):
            box.activated.connect(lambda _: self._later.start())
        self._charts.loaded.connect(self._on_drawn)
        self._charts.failed.connect(self._on_failed)

    def begin(self, spec: SweepSpec, figures: list[str]) -> None:
        """Offer the figures and fields of a sweep that has no rows yet."""
        self.figure.clear()
        for name in figures:
            self.figure.addItem(figure_label(name), name)
        self.along.clear()
        self.along.addItem("along: automatic", "")
        for axis in spec.axes:
            self.along.addItem(f"along: {axis.path}", axis.path)
        wanted = "pareto" if len(spec.objectives) > 1 and len(spec.axes) > 2 else "curves"
        if self.which.findData(wanted) >= 0 and not self._asked:
            self.which.setCurrentIndex(self.which.findData(wanted))
        self._asked = None
        self.picture.set_places(None)
        self.picture.show_text("no point is done yet")

    def grown(self, rows: list[Row]) -> None:
        """Offer the figures of rows that came, and draw them."""
        known = {self.figure.itemData(index) for index in range(self.figure.count())}
        for name in figure_names(rows):
            numeric = any(isinstance(row.figures.get(name), (int, float)) for row in rows)
            if name not in known and numeric:
                self.figure.addItem(figure_label(name), name)
        self._later.start()

    def draw(self) -> None:
        """Draw in a moment, if something is not on screen yet."""
        self._later.start()

    def draw_anew(self) -> None:
        """Draw in a moment, in other colours."""
        self._asked = None
        self._later.start()

    @property
    def shown(self) -> tuple[str, str, str]:
        """Chart, figure and field along the bottom that are chosen."""
        chart, figure, along = (
            str(box.currentData() or "") for box in (self.which, self.figure, self.along)
        )
        return chart, figure, along

    def shut_down(self) -> None:
        """Stop what runs in the background."""
        self._charts.shut_down()

    def _request(self) -> None:
        chart, figure, x = self.shown
        kind = SWEEP_CHARTS.get(chart)
        self.along.setEnabled(kind.takes_x)
        self.figure.setEnabled(chart != "pareto")
        self.which.setToolTip(kind.help)
        spec, rows = self._runner.spec, self._runner.ordered()
        if spec is None or not rows or not self._seen():
            return
        size = (self.picture.width(), self.picture.height())
        ratio, theme = self.devicePixelRatioF(), self._context.theme
        key = (id(spec), len(rows), chart, figure, x, size, ratio, theme.name)
        if key == self._asked:
            return
        self._asked = key
        self._charts.request(
            key,
            lambda: _picture(draw_sweep(spec, rows, chart, figure, x, size, ratio, theme), ratio),
        )

    def _on_drawn(self, key: object, drawn: tuple[SweepPicture, QImage]) -> None:
        if key != self._asked:
            return
        found, image = drawn
        if image.isNull():
            self.picture.set_places(None)
            self.picture.show_text(found.reason)
            return
        chart = SWEEP_CHARTS.get(self.shown[0])
        self.picture.show_image(image, f"{chart.help} Click a point to choose it.")
        self.picture.set_places(found.places)

    def _on_failed(self, error: Exception) -> None:
        self.picture.show_text(f"the chart failed: {type(error).__name__}: {error}")
        self.failed.emit(error)

    def _tip_of(self, point: int) -> str:
        row, spec = self._runner.rows.get(point), self._runner.spec
        return "" if row is None or spec is None else row_tip(row, spec)


def _picture(found: SweepPicture, ratio: float) -> tuple[SweepPicture, QImage]:
    image = QImage()
    if found.png:
        image.loadFromData(found.png)
        image.setDevicePixelRatio(ratio)
    return found, image
