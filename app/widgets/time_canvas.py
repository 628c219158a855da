"""A painted widget with lanes over the shared time range: zoom, pan, seek, cached layer."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.viewmodels.composition import Composition, composition_of
from app.viewmodels.time_axis import TimeMap
from app.widgets.empty import paint_empty
from app.widgets.lane_titles import LaneTitles, needed_px, show_menu
from app.widgets.marker_tool import MarkerTool
from app.widgets.painting import line_area
from app.widgets.view import Context, seen
from simcore.results.spans import Spans

_DRAG_PX = 4
PIECE_S = 0.002
"""After so long, the rest of a layer is painted in another event; each event has its price."""
_MOST_BEGUN = 3
"""Paintings of a layer that are given up half done, for newer ones, before one is painted at once.
With one, the end of a run and the run that follows would paint all in a long event."""

Pieces = Generator[None, None, bool]
"""Painting of a layer, resumed until it returns whether all there is has been painted."""


class TimeCanvas(QWidget):
    """Paints an expensive layer once per change and a cheap overlay with the cursor every frame.

    The layer is painted piece by piece beside the one on screen, each piece an event of its own;
    whoever needs it at once, as when the widget has got another size, has the rest painted then.

    Subclasses implement `paint_layer`, `lane_count`, and may override `clicked` and `hover_text`.

    Attributes:
        ruler: height of the ruler on top.
        row_min, row_max: limits of the height of a lane.
        growth_delay_ms: when to draw new steps, so that not all views draw in one frame.
        rank: its turn among the views.
        follows_cursor: more than the cursor line moves with the cursor.
    """

    scroll_range_changed = Signal(int, int)
    scrolled = Signal(int)
    ruler = 0
    row_min = 15.0
    row_max = 34.0
    growth_delay_ms = 0
    rank = 1
    follows_cursor = False

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.composition: Composition | None = None
        self.scroll_px = 0
        self._layer = QImage()
        self._spare = QImage()
        self._dirty = True
        self._pieces: Generator[None, None, None] | None = None  # of a layer being painted
        self._begun_anew = 0
        self._line_x = 0.0
        self._lines = QRegion()  # what was to be painted for the line alone
        self._growth = QTimer(self, singleShot=True, interval=self.growth_delay_ms)
        self._growth.timeout.connect(self.invalidate)
        self._press: QPointF | None = None
        self._dragging = self._seeking = False
        self.markers = MarkerTool(self)
        self.titles = LaneTitles(self)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below shows through
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(QSize(260, self.ruler + 30))
        self.state.window.changed.connect(self._on_window_changed)
        self.state.cursor.moved.connect(self._on_cursor_moved)
        self.state.markers.changed.connect(self.touch)
        self.state.lanes.changed.connect(self._on_lanes_changed)
        self.state.runs.replaced.connect(self._on_replaced)
        self.state.runs.grew.connect(self._on_grew)
        self.state.runs.finished.connect(self.invalidate)
        self.state.runs.cleared.connect(self._on_cleared)
        context.themes.changed.connect(self.invalidate)
        if self.state.runs.current is not None:
            self._on_replaced(None)

    # What subclasses provide.

    def lane_count(self) -> int:
        """Number of rows."""
        raise NotImplementedError

    def paint_layer(self, painter: QPainter, area: QRect) -> Pieces:
        """Paint everything that does not move with the cursor; `area` is the plot.

        Yields where other events may have their turn. What it depends on stays as it is until
        then, or the painting is begun anew.

        Returns:
            Whether that is all; if not, it is asked for again.
        """
        raise NotImplementedError

    def paint_overlay(self, painter: QPainter, area: QRect) -> None:
        """Paint what may change every frame, below the cursor line."""

    def clicked(self, position: QPointF) -> None:
        """React to a click in the plot."""

    def hover_text(self, position: QPointF) -> str:
        """Text for the tip at a position, empty for none."""
        return ""

    def exact_spans(self) -> Mapping[int, Spans]:
        """Spans of the steps that are drawn one by one, by step."""
        return {}

    def lane_of_row(self, row: int) -> int:
        """The run's lane that a row shows, -1 for none."""
        return -1

    def pinned_rows(self) -> int:
        """Number of rows at the top that do not scroll."""
        return 0

    def folded_group(self, row: int) -> str:
        """The group a row stands for, empty for a single lane."""
        return ""

    @property
    def growing(self) -> bool:
        """Whether all of a run is shown while it is simulated, so that all moves again soon."""
        return self.state.window.fit_all and any(self.state.runs.progress)

    # Geometry.

    @property
    def gutter(self) -> int:
        """Width of the titles, the same in all canvases so that their axes line up."""
        return self.state.lanes.gutter_px

    def plot_area(self) -> QRect:
        """The part of the widget that time fills."""
        left = self.gutter
        return QRect(left, self.ruler, max(1, self.width() - left), self.height() - self.ruler)

    def axis(self) -> TimeMap:
        """The map from time to pixels."""
        area, window = self.plot_area(), self.state.window
        return TimeMap(window.start_ps, window.end_ps, float(area.left()), float(area.width()))

    def time_at(self, x: float) -> float:
        """Time in ps at a pixel."""
        return self.axis().time(x)

    def x_of(self, time_ps: float) -> float:
        """Pixel of a time in ps."""
        return self.axis().x(time_ps)

    def zoom_at(self, factor: float, x: float) -> None:
        """Scale the visible range; what is at pixel `x` stays there."""
        self.state.window.zoom(factor, self.time_at(x))

    def pan_px(self, pixels: float) -> None:
        """Move the visible range."""
        window = self.state.window
        window.pan(pixels * window.span_ps / self.plot_area().width())

    def row_height(self) -> float:
        """Height of one lane."""
        even = (self.height() - self.ruler) / max(1, self.lane_count())
        return min(max(self.row_min, even), self.row_max)

    def row_top(self, row: int) -> float:
        """Top of a lane."""
        scrolled = self.scroll_px if row >= self.pinned_rows() else 0
        return self.ruler + row * self.row_height() - scrolled

    def row_at(self, y: float) -> int:
        """Lane at a height, -1 if there is none."""
        row = int((y - self.ruler) // self.row_height())
        if row >= self.pinned_rows():
            row = int((y - self.ruler + self.scroll_px) // self.row_height())
        return row if 0 <= row < self.lane_count() and y >= self.ruler else -1

    def drop_row(self, y: float) -> int:
        """The row above which something dropped at a height goes."""
        row = self.row_at(y)
        if row < 0:
            return self.lane_count() if y > self.ruler else 0
        return row + (y - self.row_top(row) > self.row_height() / 2)

    def scroll_to(self, px: int) -> None:
        """Scroll the lanes."""
        room = int(self.row_height() * self.lane_count()) - self.plot_area().height()
        px = min(max(px, 0), max(room, 0))
        if px != self.scroll_px:
            self.scroll_px = px
            self.scrolled.emit(px)
            self.invalidate()

    def invalidate(self) -> None:
        """Paint the layer anew in its turn."""
        self._dirty = True
        if self._pieces is not None:
            self._pieces.close()
            self._pieces = None
            self._begun_anew += 1
        self.touch()

    def touch(self) -> None:
        """Paint what lies over the layer anew in its turn."""
        self.state.turns.ask(self._redraw, self.rank, self._seen)

    def _redraw(self) -> None:
        if self._dirty and self.state.runs.length:
            if self._hurried:
                for _ in self.before_layer():
                    pass
            elif self._paint_piece():
                self.state.turns.ask(self._redraw, self.rank, self._seen)
                return
        self.update()

    def _paint_piece(self) -> bool:
        """Paint the next pieces of the layer, as many as fit an event; whether there are more."""
        if self._pieces is None:
            self._pieces = self._in_pieces()
        begin = time.perf_counter()
        return any(time.perf_counter() - begin > PIECE_S for _ in self._pieces)

    def _in_pieces(self) -> Generator[None, None, None]:
        """Paint the layer, then show it instead of the old one."""
        if not self._hurried:
            for _ in self.before_layer():
                yield
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._spare.size() != size:
            self._spare = QImage(size, QImage.Format.Format_RGB32)
            self._spare.setDevicePixelRatio(ratio)
        self._spare.fill(QColor(self.context.theme.canvas))
        complete = True
        painter = QPainter(self._spare)
        try:
            painter.setFont(self.font())
            if self.state.runs.length:
                complete = yield from self.paint_layer(painter, self.plot_area())
            else:
                paint_empty(painter, self, self.context.theme)
        except Exception:  # a bug is reported; the next change is painted all the same
            self._dirty, self._pieces = False, None
            raise
        finally:
            painter.end()
        self._layer, self._spare = self._spare, self._layer
        self._dirty, self._begun_anew = False, 0
        self._pieces = None
        if not complete:  # what there is is shown first
            self.state.turns.ask(self.invalidate, self.rank, self._seen)

    def before_layer(self) -> Iterator[None]:
        """Find what the layer is about to need, piece by piece."""
        return iter(())

    @property
    def _hurried(self) -> bool:
        """Whether to paint in one go: whoever always begins anew never gets to the end."""
        return self._begun_anew >= _MOST_BEGUN

    def _seen(self) -> bool:
        return seen(self)

    # Events.

    def paintEvent(self, event: QPaintEvent) -> None:
        lines, self._lines = self._lines, QRegion()
        if event.rect().contains(self.rect()):
            self.state.turns.drop(self._redraw)
        elif self._dirty and event.region().subtracted(lines).isEmpty():
            return  # a line that was to move just before all changed; it moves with the rest
        if self._dirty:
            while self._paint_piece():
                pass
        painter = QPainter(self)
        painter.drawImage(0, 0, self._layer)
        area = self.plot_area()
        if self.state.runs.length:
            self.paint_overlay(painter, area)
            self.markers.paint(painter, area)
        self._paint_cursor(painter, area)
        self.titles.paint(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.context.theme.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _cursor_x(self) -> float:
        return self.x_of(float(self.state.cursor.absolute_ps))

    def _on_cursor_moved(self) -> None:
        """Only the line moves, unless all is painted in a moment."""
        if self._dirty or self.state.turns.waits(self._redraw):
            return
        # The time between two markers makes room for the line.
        if self.follows_cursor or len(self.state.markers.times()) > 1:
            self.update()
            return
        for x in (self._line_x, self._cursor_x()):
            area = line_area(x, self.height())
            self._lines += area
            self.update(area)
        self._line_x = self._cursor_x()

    def _paint_cursor(self, painter: QPainter, area: QRect) -> None:
        if not self.state.runs.length:
            return
        x = self._line_x = self._cursor_x()
        if area.left() <= x <= area.right():
            painter.setPen(QPen(QColor(self.context.theme.cursor), 1.5))
            painter.drawLine(QPointF(x, 0 if self.ruler else area.top()), QPointF(x, self.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = int(self.row_height() * self.lane_count()) - self.plot_area().height()
        self.scroll_range_changed.emit(max(room, 0), max(1, self.plot_area().height()))
        self.scroll_to(self.scroll_px)
        self.invalidate()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        notches = (turn.y() or turn.x()) / 120
        sideways = turn.x() and not turn.y()
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan_px(-notches * 0.12 * self.plot_area().width())
        else:
            x = max(event.position().x(), float(self.gutter))
            self.zoom_at(0.8**notches, x)
        event.accept()

    def event(self, event: QEvent) -> bool:
        """While a marker is dragged, Esc is not the command it else is."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self.markers.active
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.markers.key(event):
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.titles.press(event) or self.markers.press(event):
            return
        self._press = event.position()
        self._dragging = False
        self._seeking = event.position().y() < self.ruler and event.position().x() >= self.gutter
        if self._seeking:
            self.state.cursor.seek_time(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._press is None and (self.titles.move(event) or self.markers.move(event)):
            return
        if self._seeking:
            self.state.cursor.seek_time(self.time_at(at.x()))
        elif self._press is not None:
            moved = at - self._press
            if self._dragging or abs(moved.x()) + abs(moved.y()) >= _DRAG_PX:
                self._dragging = True
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.pan_px(-moved.x())
                self.scroll_to(self.scroll_px - int(moved.y()))
                self._press = at
        else:
            text = self.hover_text(at)
            if text:
                QToolTip.showText(event.globalPosition().toPoint() + QPoint(12, 8), text, self)
            else:
                QToolTip.hideText()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is None and (self.titles.release(event) or self.markers.release(event)):
            return
        if self._press is not None and not self._dragging and not self._seeking:
            self.clicked(event.position())
        self._press = None
        self._dragging = self._seeking = False
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self.titles.double_click(event):
            self.double_clicked(event.position())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not show_menu(self.titles, self, event, event.pos()):
            super().contextMenuEvent(event)

    def double_clicked(self, position: QPointF) -> None:
        """React to a double click in the plot."""

    def _on_lanes_changed(self) -> None:
        self.lanes_changed()
        self.resizeEvent(QResizeEvent(self.size(), self.size()))

    def lanes_changed(self) -> None:
        """Take note of another arrangement of the lanes."""

    def _on_replaced(self, _: object) -> None:
        run = self.state.runs.current
        assert run is not None
        self.state.lanes.set_needed_px(needed_px(self))
        self.composition = composition_of(run)
        self.run_replaced()
        self._on_grew(self.state.runs.length)
        self.invalidate()
        self.resizeEvent(QResizeEvent(self.size(), self.size()))

    def _on_cleared(self) -> None:
        self.composition = None
        self.run_cleared()
        self.resizeEvent(QResizeEvent(self.size(), self.size()))

    def _on_window_changed(self) -> None:
        if not self.growing:
            self.invalidate()
        elif not self._growth.isActive():
            self._growth.start()

    def _on_grew(self, length: int) -> None:
        if self.composition is None:
            return
        before = float(self.composition.edges[-1]) if self.composition.steps else 0.0
        self.composition.extend(length)
        if before <= self.state.window.end_ps and not self._growth.isActive():
            self._growth.start()

    def run_replaced(self) -> None:
        """Take note of a new run; called before its steps are taken in."""

    def run_cleared(self) -> None:
        """Forget the run; there is none any more."""
