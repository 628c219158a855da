"""Paints the placement grid with level of detail: rows down, items across."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from app.state.selection import ItemRef
from app.viewmodels.map_view import MapView
from app.viewmodels.placement import ColourBy, MapPicture, marks
from app.widgets.painting import Backdrop, NumpyImage, small_font
from app.widgets.view import Context
from simcore.results.placement import (
    FLAG_FALSE_ALARM,
    FLAG_MISSED,
    FLAG_MOVING,
    NO_CELL,
    PlacementGrid,
)

LEFT = 46
TOP = 20
MARK_PX = 3.0

REVEAL_PX = 9.0
"""Width of an item that was searched for."""


class MapCanvas(QWidget):
    """The grid, its axes, the cursor's layer and the selected item.

    Attributes:
        view: which part of the grid is visible.
        grid: what is painted; may be coarser than asked for until the finer one arrives.
    """

    view_changed = Signal()
    item_clicked = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.view = MapView(1, 1)
        self.grid: PlacementGrid | None = None
        self.by = ColourBy.PLACE
        self.marks_shown = False
        self._per_cell = 1
        self._first = 0
        self._image: NumpyImage | None = None
        self._press: QPointF | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Placement map")
        self.setMinimumSize(QSize(260, 56))  # low, so that a legend of two lines has room
        self._backdrop = Backdrop()
        self._shown: tuple[int, int] = (-1, -1)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.state.cursor.moved.connect(self._on_cursor_moved)
        self.state.cursor.derived.connect(lambda _: self._on_cursor_moved())
        self.state.selection.changed.connect(self.update)

    def _on_cursor_moved(self) -> None:
        """Mark another layer of the same step; the picture of another one is under way."""
        step, layer = self._shown
        if step == self.state.cursor.step and layer != self._layer():
            self.update()

    def _layer(self) -> int:
        """The layer at the cursor, -1 for none and until it is known."""
        return self.state.cursor.layer if self.state.cursor.known else -1

    def set_picture(self, picture: MapPicture, by: ColourBy) -> None:
        """Show a grid."""
        self.grid = picture.grid
        self.by = by
        self._per_cell, self._first = picture.per_cell, picture.first
        self._image = NumpyImage(picture.pixels)
        self.view.resize(picture.grid.rows, picture.grid.columns)
        self.update()

    def clear(self) -> None:
        """Show that there is no run."""
        self.grid, self._image = None, None
        self.update()

    def area(self) -> QRect:
        """The part the cells fill."""
        return QRect(LEFT, TOP, max(1, self.width() - LEFT - 6), max(1, self.height() - TOP - 4))

    def resizeEvent(self, event: object) -> None:
        self.view_changed.emit()

    # Painting.

    def paintEvent(self, _: QPaintEvent) -> None:
        theme = self.context.theme
        painter = QPainter(self)
        area = self.area()
        self._shown = (self.state.cursor.step, self._layer())
        self._backdrop.draw(painter, self, self._still(), self._paint_still)
        if self.grid is None or self._image is None:
            painter.setPen(QColor(theme.text_dim))
            text = "no run yet" if self.state.runs.current is None else "this run has no placement"
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
            return
        view, per = self.view, self._per_cell
        r0, r1, c0, c1 = view.cell_area(per)
        painter.save()
        painter.setClipRect(area)
        painter.drawImage(
            self._rect(area, r0, r1, c0 * per, c1 * per),
            self._image.image,
            QRectF(c0 - self._first, r0, c1 - c0, r1 - r0),
        )
        self.marks_shown = False
        if self.by is not ColourBy.ACTIVITY:
            self._paint_marks(painter, area, view.cell_area(self.grid.items_per_cell))
        self._paint_sections(painter, area)
        self._paint_layer_mark(painter, area)
        painter.restore()
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _still(self) -> object:
        """What the ground and the axes depend on."""
        view, grid = self.view, self.grid
        window = (view.left, view.top, view.columns_shown, view.rows_shown)
        titles = (grid.sections, grid.row_title, grid.rows) if grid is not None else None
        return self.context.theme, window, titles, self._shown[1]

    def _paint_still(self, painter: QPainter) -> None:
        """Ground and axes; the cells come on top."""
        theme, area = self.context.theme, self.area()
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(area, QColor(theme.canvas))
        if self.grid is not None and self._image is not None:
            self._paint_axes(painter, area)

    def _rect(self, area: QRect, r0: float, r1: float, c0: float, c1: float) -> QRectF:
        view = self.view
        x = area.left() + (c0 - view.left) * area.width() / view.columns_shown
        y = area.top() + (r0 - view.top) * area.height() / view.rows_shown
        return QRectF(
            x,
            y,
            (c1 - c0) * area.width() / view.columns_shown,
            (r1 - r0) * area.height() / view.rows_shown,
        )

    def _paint_marks(
        self, painter: QPainter, area: QRect, cells: tuple[int, int, int, int]
    ) -> None:
        """Patterns on flagged cells, once a cell is big enough: cross, dot, frame."""
        assert self.grid is not None
        per = self.grid.items_per_cell
        wide = per * area.width() / self.view.columns_shown
        high = area.height() / self.view.rows_shown
        if per > 1 or wide < MARK_PX or high < MARK_PX:
            return
        theme = self.context.theme
        self.marks_shown = True
        for flag, colour, shape in (
            (FLAG_MISSED, theme.missed, "cross"),
            (FLAG_FALSE_ALARM, theme.false_alarm, "dot"),
            (FLAG_MOVING, theme.moving, "frame"),
        ):
            if self.by is (ColourBy.MOVES if flag == FLAG_MOVING else ColourBy.MISPREDICTIONS):
                colour = theme.canvas  # the cell itself has the colour of the mark
            rows, columns = marks(self.grid, cells, flag)
            painter.setPen(QPen(QColor(colour), 1.4))
            painter.setBrush(QColor(colour) if shape == "dot" else Qt.BrushStyle.NoBrush)
            for row, column in list(zip(rows.tolist(), columns.tolist()))[:4000]:
                box = self._rect(area, row, row + 1, column, column + 1).adjusted(0.5, 0.5, -1, -1)
                if shape == "cross":
                    painter.drawLine(box.topLeft(), box.bottomRight())
                    painter.drawLine(box.topRight(), box.bottomLeft())
                elif shape == "dot":
                    size = min(box.width(), box.height()) * 0.4
                    painter.drawEllipse(box.center(), size / 2, size / 2)
                else:
                    painter.drawRect(box)

    def _paint_sections(self, painter: QPainter, area: QRect) -> None:
        assert self.grid is not None
        painter.setPen(QPen(QColor(self.context.theme.text), 1))
        for section in self.grid.sections[1:]:
            x = round(self._rect(area, 0, 1, section.start, section.start).left()) + 0.5
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 1))

    def _paint_layer_mark(self, painter: QPainter, area: QRect) -> None:
        assert self.grid is not None
        layer = self._shown[1]
        theme = self.context.theme
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if 0 <= layer < self.grid.rows:
            box = self._rect(area, layer, layer + 1, self.view.left, self.view.right)
            painter.setPen(QPen(QColor(theme.cursor), 1.5))
            painter.drawRect(box.adjusted(-2, -1, 2, 1))
        item = self.state.selection.item
        if item is not None:
            box = self._rect(area, item.row, item.row + 1, item.column, item.column + 1)
            painter.setPen(QPen(QColor(theme.selection), 2))
            painter.drawRect(box.adjusted(-2, -2, 2, 2))

    def _paint_axes(self, painter: QPainter, area: QRect) -> None:
        assert self.grid is not None
        theme, view = self.context.theme, self.view
        font = small_font(self.font(), -1)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(QColor(theme.text_dim))
        for section in self.grid.sections:
            box = self._rect(area, 0, 1, section.start, section.stop)
            left, right = max(box.left(), area.left()), min(box.right(), area.right())
            title = f"{section.title} · {section.stop - section.start:,}"
            if right - left > 24:
                shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, right - left - 6)
                painter.drawText(
                    QRectF(left + 3, 0, right - left, TOP), Qt.AlignmentFlag.AlignVCenter, shown
                )
        pitch = area.height() / view.rows_shown
        every = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200) if n * pitch >= 16), 500)
        first = int(view.top // every * every)
        current = self._shown[1]
        for row in range(first, int(view.bottom) + 1, every):
            y = self._rect(area, row, row + 1, 0, 1).center().y()
            near = current >= 0 and abs(current - row) * pitch < 13 and row != current
            if area.top() <= y <= area.bottom() and row < self.grid.rows and not near:
                self._row_label(painter, y, str(row), theme.text_dim)
        if 0 <= current < self.grid.rows:
            y = self._rect(area, current, current + 1, 0, 1).center().y()
            if area.top() <= y <= area.bottom():
                self._row_label(painter, y, f"▸ {current}", theme.cursor)
        painter.setPen(QColor(theme.text_dim))
        corner = QRectF(4, 0, LEFT - 6, TOP)
        painter.drawText(corner, Qt.AlignmentFlag.AlignVCenter, self.grid.row_title)

    def _row_label(self, painter: QPainter, y: float, text: str, colour: str) -> None:
        painter.setPen(QColor(colour))
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, y - 8, LEFT - 5, 16), align, text)

    # Keys.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, Down, Alt+Left, Alt+Right mark an item; + and - zoom around it."""
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        key = Qt.Key(event.key())
        moves = {
            (Qt.Key.Key_Up, False): (-1, 0),
            (Qt.Key.Key_Down, False): (1, 0),
            (Qt.Key.Key_Left, True): (0, -1),
            (Qt.Key.Key_Right, True): (0, 1),
        }
        if self.grid is not None and (key, alt) in moves:
            self._mark_neighbour(*moves[key, alt])
        elif self.grid is not None and key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_at_item(0.8)
        elif self.grid is not None and key == Qt.Key.Key_Minus:
            self._zoom_at_item(1 / 0.8)
        else:
            super().keyPressEvent(event)

    def _mark_neighbour(self, rows: int, columns: int) -> None:
        """Select the item beside the selected one, or the middle of what is visible."""
        grid, view, item = self.grid, self.view, self.state.selection.item
        assert grid is not None
        if item is None:
            row = int(view.top + view.rows_shown / 2)
            column = int(view.left + view.columns_shown / 2)
        else:
            row, column = item.row + rows, item.column + columns
        row = min(max(row, 0), grid.rows - 1)
        column = min(max(column, 0), grid.columns - 1)
        self.state.selection.select_item(ItemRef(row, column))
        if not (view.top <= row < view.bottom and view.left <= column < view.right):
            view.centre_on(row, column)
            self._moved()
        text = self._item_text(ItemRef(row, column))
        self.setAccessibleDescription(text.replace("\n", ", "))
        box = self._rect(self.area(), row, row + 1, column, column + 1)
        QToolTip.showText(self.mapToGlobal(box.bottomRight().toPoint()), text, self)

    def _zoom_at_item(self, factor: float) -> None:
        view, item = self.view, self.state.selection.item
        x = y = 0.5
        if item is not None:
            x = (item.column + 0.5 - view.left) / view.columns_shown
            y = (item.row + 0.5 - view.top) / view.rows_shown
        view.zoom(factor, factor, min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self._moved()

    def _item_text(self, item: ItemRef) -> str:
        run, step = self.state.runs.current, self.state.cursor.step
        if run is None or step >= self.state.runs.length:
            return ""
        info = run.item(step, item.row, item.column)
        return "\n".join([info.title, *(f"{label}: {value}" for label, value in info.facts)])

    # Mouse.

    def item_under(self, position: QPointF) -> ItemRef | None:
        """The item at a position, if there is one."""
        area, grid = self.area(), self.grid
        if grid is None or not QRectF(area).contains(position):
            return None
        column = int(
            self.view.left + (position.x() - area.left()) * self.view.columns_shown / area.width()
        )
        row = int(
            self.view.top + (position.y() - area.top()) * self.view.rows_shown / area.height()
        )
        if not (0 <= row < grid.rows and 0 <= column < grid.columns):
            return None
        cell = min(column // grid.items_per_cell, grid.category.shape[1] - 1)
        return None if grid.category[row, cell] == NO_CELL else ItemRef(row, column)

    def wheelEvent(self, event: object) -> None:
        notches = event.angleDelta().y() / 120  # type: ignore[attr-defined]
        modifiers = event.modifiers()  # type: ignore[attr-defined]
        area, at = self.area(), event.position()  # type: ignore[attr-defined]
        x = (at.x() - area.left()) / area.width()
        y = (at.y() - area.top()) / area.height()
        rows_only = bool(modifiers & Qt.KeyboardModifier.AltModifier)
        both = rows_only or bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        self.view.zoom(1.0 if rows_only else 0.8**notches, 0.8**notches if both else 1.0, x, y)
        self._moved()
        event.accept()  # type: ignore[attr-defined]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, area = event.position(), self.area()
        if self._press is not None:
            moved = at - self._press
            if self._dragging or abs(moved.x()) + abs(moved.y()) >= 4:
                self._dragging = True
                self.view.pan(-moved.x() / area.width(), -moved.y() / area.height())
                self._press = at
                self._moved()
            return
        item = self.item_under(at)
        run = self.state.runs.current
        if item is None or run is None or self.state.cursor.step >= self.state.runs.length:
            QToolTip.hideText()
            return
        place = event.globalPosition().toPoint() + QPoint(12, 8)
        QToolTip.showText(place, self._item_text(item), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is not None and not self._dragging:
            self.item_clicked.emit(self.item_under(event.position()))
        self._press, self._dragging = None, False

    def mouseDoubleClickEvent(self, _: QMouseEvent) -> None:
        self.show_all()

    def reveal(self, item: ItemRef) -> None:
        """Bring an item to the middle, zoomed in so that it can be told from its neighbours."""
        view = self.view
        view.columns_shown = min(view.columns_shown, max(24.0, self.area().width() / REVEAL_PX))
        view.columns_shown = min(view.columns_shown, float(view.columns))
        view.rows_shown = min(view.rows_shown, max(4.0, self.area().height() / REVEAL_PX))
        view.centre_on(item.row, item.column)
        self._moved()

    def show_all(self) -> None:
        """Show the whole grid."""
        self.view.all()
        self._moved()

    def _moved(self) -> None:
        self.view_changed.emit()
        self.update()
