"""The placement map: where every neuron lives, and what it does in the current step."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.state.messages import Severity
from app.state.turns import AFTER_VIEWS
from app.theme.tokens import place_colours
from app.viewmodels.formatting import percent_text
from app.viewmodels.placement import (
    ColourBy,
    Look,
    MapPicture,
    columns_text,
    draw_map,
    items_per_cell,
    offered,
    visible_part,
)
from app.widgets.legend import Legend
from app.widgets.map_canvas import MARK_PX, MapCanvas
from app.widgets.view import Context, View, register_view
from app.workers.loader import LatestLoader
from simcore.results.placement import FLAG_MOVING, PlacementGrid
from simcore.results.run import Run

RANK = 5

_TITLES = {
    ColourBy.PLACE: "place",
    ColourBy.ACTIVITY: "activity",
    ColourBy.MISPREDICTIONS: "mispredictions",
    ColourBy.MOVES: "moves",
}


_SHADES = {
    ColourBy.PLACE: "pale = silent",
    ColourBy.ACTIVITY: "pale = silent",
    ColourBy.MISPREDICTIONS: "pale = predicted right",
    ColourBy.MOVES: "pale = stays",
}


@register_view(
    "placement",
    "Placement",
    "Where every neuron is in this step. Wheel zooms across, Ctrl+wheel both ways, drag pans, "
    "double click shows all.",
)
class PlacementView(View):
    """Canvas with level of detail, legend of places, switch of colours."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.canvas = MapCanvas(context, self)
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._picture: MapPicture | None = None
        self._asked: object = None
        self._titles: tuple[str, ...] = ()
        self._legend = Legend(checkable=True, parent=self)
        self._by = QComboBox(self)
        self._by.setAccessibleName("Colour by")
        for by, title in _TITLES.items():
            self._by.addItem(title, by.value)
        self._zoom = QLabel(self)
        self._zoom.setProperty("dim", True)
        everything = QToolButton(self)
        everything.setText("Show all")
        everything.setAccessibleName("Show the whole placement map")
        everything.setToolTip("Show the whole grid (double click in the map)")
        everything.clicked.connect(self.canvas.show_all)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 3, 6, 0)
        bar.addWidget(QLabel("Colour by", self))
        bar.addWidget(self._by)
        bar.addWidget(self._zoom, 1)
        bar.addWidget(everything)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        self._shades = QLabel(self)
        self._shades.setProperty("dim", True)
        self._shades.setContentsMargins(2, 0, 6, 0)
        legend = QHBoxLayout()
        legend.setContentsMargins(0, 0, 0, 0)
        legend.addWidget(self._legend, 1)
        legend.addWidget(self._shades)
        layout.addLayout(legend)
        self._wanted = ColourBy.PLACE
        self.state.memory.add("colour_by", self._remembered, self._recall)
        self._by.activated.connect(lambda _: self.set_colour_by(self.colour_by))
        self._by.currentIndexChanged.connect(lambda _: self._request())
        self._legend.toggled.connect(lambda *_: self._request())
        self.canvas.view_changed.connect(self._on_view_changed)
        self.canvas.item_clicked.connect(self.state.selection.select_item)
        self.state.cursor.step_changed.connect(lambda _: self._on_step_changed())
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.cleared.connect(self._on_cleared)

    @property
    def colour_by(self) -> ColourBy:
        """What the colours say."""
        return ColourBy(self._by.currentData())

    def set_colour_by(self, by: ColourBy) -> None:
        """Choose what the colours say, in runs that have it."""
        self._wanted = by
        if self._by.findData(by.value) >= 0:
            self._by.setCurrentIndex(self._by.findData(by.value))

    def _remembered(self) -> str | None:
        return self._wanted.value if self._wanted is not ColourBy.PLACE else None

    def _recall(self, value: Any) -> None:
        self.set_colour_by(ColourBy.PLACE if value is None else ColourBy(value))

    def on_raised(self) -> None:
        self._request()

    def _on_step_changed(self) -> None:
        """Ask for the picture of another step, once there is one to begin with."""
        if self._picture is None or self.on_screen:
            self.state.turns.ask(self._request, AFTER_VIEWS)

    def _on_replaced(self, run: Run) -> None:
        """Offer what the run has; a choice it lacks comes back with the next run that has it."""
        ids = offered(run)
        if [self._by.itemData(i) for i in range(self._by.count())] != [by.value for by in ids]:
            self._by.blockSignals(True)
            self._by.clear()
            for by in ids:
                self._by.addItem(_TITLES[by], by.value)
            self._by.blockSignals(False)
        by = self._wanted if self._wanted in ids else ColourBy.PLACE
        self._by.setCurrentIndex(self._by.findData(by.value))
        self._request()

    def reveal_selected(self) -> None:
        """Bring the selected item into sight, near enough to tell it from its neighbours."""
        item = self.state.selection.item
        if item is not None:
            self.canvas.reveal(item)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_room()

    def _keep_room(self) -> None:
        """Never so low that lines of the legend would cover rows of the map."""
        lines = self._legend.heightForWidth(max(self._legend.width(), 1))
        bar = self.canvas.geometry().top()
        self.setMinimumHeight(bar + self.canvas.minimumHeight() + lines + 6)

    def on_theme_changed(self) -> None:
        self._show_legend()
        self._request()

    def shut_down(self) -> None:
        self._loader.shut_down()

    def _on_cleared(self) -> None:
        self._picture, self._asked = None, None
        self.state.turns.drop(self._show_texts)
        self.canvas.clear()
        self._legend.set_entries([], "")
        self._zoom.setText("")
        self._show_shades()

    def _on_view_changed(self) -> None:
        self._request()
        self._show_zoom()

    def _request(self) -> None:
        run, step = self.state.runs.current, self.state.cursor.step
        if run is None or step >= self.state.runs.length:
            return
        columns = self.canvas.view.columns_shown
        first = self._picture is None
        per = 64 if first else items_per_cell(columns, self.canvas.area().width())
        look = Look(self.context.theme, self.colour_by, self._legend.hidden_entries())
        view = self.canvas.view
        part = visible_part(view.left, view.right) if per == 1 else None
        key = (id(run), step, per, look, part)
        if key == self._asked:
            return
        self._asked = key
        self._loader.request(look, lambda: draw_map(run, step, per, look, part))

    def _on_loaded(self, look: Look, picture: MapPicture) -> None:
        if self.state.runs.current is None:
            return
        first = self._picture is None
        self._picture = picture
        self.canvas.set_picture(picture, look.by)
        self.state.turns.ask(self._show_texts, RANK, lambda: self.on_screen)
        if first or look.hidden != self._legend.hidden_entries():
            self._request()

    def _show_texts(self) -> None:
        self._show_legend()
        self._show_zoom()

    def _on_failed(self, error: Exception) -> None:
        self._asked = None
        self.canvas.update()
        self.state.messages.log(f"placement map: {error}", Severity.ERROR)

    def _show_legend(self) -> None:
        self._show_shades()
        if self._picture is None:
            return
        theme, grid = self.context.theme, self._picture.grid
        whole = "neurons" if grid.column_title == "neuron" else "map"
        colours = place_colours(theme, tuple(category.id for category in grid.categories))
        self._legend.set_entries(
            [
                (category.title, colour, f"{category.title}: {percent_text(share)} of the {whole}")
                for category, colour, share in zip(grid.categories, colours, self._picture.shares)
            ],
            theme.border,
        )
        titles = tuple(category.title for category in grid.categories)
        if titles != self._titles:
            self._titles = titles
            self._keep_room()

    def _show_shades(self) -> None:
        """What pale and strong colours mean."""
        text = ""
        if self._picture is not None:
            grid = self._picture.grid
            if grid.column_title == "neuron":
                text = _SHADES[self.colour_by]
            elif self.colour_by in (ColourBy.PLACE, ColourBy.ACTIVITY) and grid.active.min() < 255:
                text = "pale = little"
        self._shades.setText(text)

    def _marks(self, grid: PlacementGrid) -> str:
        """What the marks in the cells mean; only neurons are predicted."""
        if grid.column_title == "neuron":
            return "   ✕ missed   ● false alarm   □ moving"
        return "   □ moving" if (grid.flags & FLAG_MOVING).any() else ", every one drawn"

    def _show_zoom(self) -> None:
        if self._picture is None:
            return
        view, grid, per = self.canvas.view, self._picture.grid, self._picture.per_cell
        where = columns_text(grid, int(view.left), min(int(view.right), grid.columns))
        if per > 1:
            text = f"{where}, {per:,} to a column"
        elif view.columns_shown * MARK_PX <= self.canvas.area().width():
            text = f"{where}{self._marks(grid)}"
        else:
            text = f"{where}, every one drawn"
        self._zoom.setText(text)
