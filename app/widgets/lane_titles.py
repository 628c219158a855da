"""What the mouse does on the titles of lanes: width, order, hiding, pinning, folding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from app.viewmodels.formatting import peak_text
from app.widgets.elided import ElidedLabel
from app.widgets.painting import small_font
from app.widgets.texts import Texts, texts_in
from app.widgets.view import Context

if TYPE_CHECKING:
    from app.widgets.time_canvas import TimeCanvas

EDGE_PX = 3.0
_DRAG_PX = 6.0
_NOTE_PX = 46.0
_MARGIN_PX = 22


def note_px(texts: Texts, note: str) -> float:
    """Room for a note to the right of a title."""
    return max(_NOTE_PX, texts.width(note) + 4) if note else _NOTE_PX


def needed_px(canvas: TimeCanvas) -> int:
    """Width at which no title of the run on screen is cut, nor the peak beside it."""
    run = canvas.state.runs.current
    if run is None:
        return 0
    texts = texts_in(small_font(canvas.font(), -0.5))
    notes = (peak_text(lane.peak_GBps) if lane.peak_GBps > 0 else "" for lane in run.lanes)
    widest = max(
        (texts.width(lane.title) + note_px(texts, note) for lane, note in zip(run.lanes, notes)),
        default=_NOTE_PX,
    )
    return int(widest) + _MARGIN_PX


class LaneTitles:
    """Handles the mouse left of the plot; the canvas asks it first."""

    def __init__(self, canvas: TimeCanvas) -> None:
        self._canvas = canvas
        self._model = canvas.state.lanes
        self._edge = False
        self._pressed: tuple[int, QPointF] | None = None
        self.dragged_row = -1
        self.target_row = -1

    def on_edge(self, at: QPointF) -> bool:
        """Whether a position is on the border between titles and plot."""
        return abs(at.x() - self._canvas.gutter) <= EDGE_PX

    def press(self, event: QMouseEvent) -> bool:
        """Take a press on the border or on a title."""
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton:
            return at.x() < self._canvas.gutter
        if self.on_edge(at):
            self._edge = True
            return True
        if at.x() < self._canvas.gutter:
            row = self._canvas.row_at(at.y())
            if row >= 0 and self._canvas.lane_of_row(row) >= 0:
                self._pressed = (row, at)
            return True
        return False

    def move(self, event: QMouseEvent) -> bool:
        """Resize or reorder; True while that goes on."""
        at, canvas = event.position(), self._canvas
        if self._edge:
            self._model.set_gutter_px(int(at.x()))
            return True
        if self._pressed is not None:
            row, start = self._pressed
            if self.dragged_row >= 0 or abs(at.y() - start.y()) >= _DRAG_PX:
                self.dragged_row = row
                self.target_row = canvas.drop_row(at.y())
                canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
                canvas.update()
            return True
        if not event.buttons() and self.on_edge(at):
            canvas.setCursor(Qt.CursorShape.SplitHCursor)
            return False
        return False

    def release(self, event: QMouseEvent) -> bool:
        """End of a drag."""
        if self._edge:
            self._edge = False
            return True
        if self._pressed is None:
            return False
        row, target = self.dragged_row, self.target_row
        self._pressed, self.dragged_row, self.target_row = None, -1, -1
        self._canvas.unsetCursor()
        if row >= 0 and target >= 0 and target not in (row, row + 1):
            self._reorder(row, target)
        self._canvas.update()
        return True

    def double_click(self, event: QMouseEvent) -> bool:
        """On the border: as wide as the titles need."""
        if self.on_edge(event.position()):
            self._model.set_gutter_px(None)
            return True
        if event.position().x() < self._canvas.gutter:
            row = self._canvas.row_at(event.position().y())
            group = self._canvas.folded_group(row)
            if group:
                self._model.toggle_fold(group)
            return True
        return False

    def paint(self, painter: QPainter) -> None:
        """Where a dragged lane would go."""
        canvas = self._canvas
        if self.dragged_row < 0 or self.target_row < 0:
            return
        y = canvas.row_top(min(self.target_row, canvas.lane_count() - 1))
        if self.target_row >= canvas.lane_count():
            y += canvas.row_height()
        painter.setPen(QPen(QColor(canvas.context.theme.accent), 2))
        painter.drawLine(QPointF(0, y), QPointF(canvas.gutter, y))

    def menu(self, position: QPointF) -> QMenu | None:
        """What can be done with the lane at a position."""
        canvas, run = self._canvas, self._canvas.state.runs.current
        if run is None or position.x() >= canvas.gutter:
            return None
        menu = QMenu(canvas)
        row = canvas.row_at(position.y())
        lane = canvas.lane_of_row(row) if row >= 0 else -1
        group = canvas.folded_group(row) if row >= 0 else ""
        if group:
            menu.addAction(f"Unfold {group}", lambda: self._model.toggle_fold(group))
            menu.addSeparator()
        elif lane >= 0:
            what = run.lanes[lane]
            pinned = what.id in self._model.arrangement.pinned
            title = what.title
            menu.addAction(f"Hide {title}", lambda: self._model.hide([what.id]))
            menu.addAction(
                f"Unpin {title}" if pinned else f"Pin {title} to the top",
                lambda: self._model.toggle_pin(what.id),
            )
            menu.addAction("Move up", lambda: self._model.shift(run, what.id, -1))
            menu.addAction("Move down", lambda: self._model.shift(run, what.id, 1))
            alike = [item for item in run.lanes if item.group == what.group]
            if len(alike) > 1:
                menu.addSeparator()
                menu.addAction(
                    f"Fold {what.group} ({len(alike)} lanes)",
                    lambda: self._model.toggle_fold(what.group),
                )
                menu.addAction(
                    f"Hide {what.group} ({len(alike)} lanes)",
                    lambda: self._model.hide([item.id for item in alike]),
                )
            menu.addSeparator()
        menu.addAction("Show all lanes", self._model.show_all)
        menu.addAction("Reset the lanes", self._model.reset)
        return menu

    def _reorder(self, row: int, target: int) -> None:
        canvas, run = self._canvas, self._canvas.state.runs.current
        assert run is not None
        lane = canvas.lane_of_row(row)
        other = canvas.lane_of_row(target) if target < canvas.lane_count() else -1
        self._model.move(run, run.lanes[lane].id, run.lanes[other].id if other >= 0 else None)


class LaneHint(QWidget):
    """Says below a time view that lanes are hidden, and shows them again."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = context.state
        self.text = ElidedLabel(self)
        self.button = QToolButton(self)
        self.button.setText("Show all")
        self.button.setToolTip("Show all lanes, and drop the filter")
        self.button.clicked.connect(self._state.lanes.show_all)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 4, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self._state.lanes.changed.connect(self._refresh)
        self._state.runs.replaced.connect(lambda _: self._refresh())
        self._state.runs.cleared.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        run, lanes = self._state.runs.current, self._state.lanes
        count = lanes.hidden_count(run) if run is not None else 0
        self.setVisible(count > 0)
        if run is None or not count:
            return
        why = f" by the filter “{lanes.query.text}”" if lanes.query is not None else ""
        word = "lane is" if count == 1 else "lanes are"
        self.text.setText(f"{count} of {len(run.lanes)} {word} hidden{why}")


def show_menu(titles: LaneTitles, canvas: TimeCanvas, event: QEvent, at: QPoint) -> bool:
    """Show the menu of a title where there is one."""
    menu = titles.menu(QPointF(at))
    if menu is None:
        return False
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(canvas.mapToGlobal(at))
    event.accept()
    return True
