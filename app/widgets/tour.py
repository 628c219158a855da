"""A guided tour in the window: a panel that tells, and an outline around what it tells of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.commands.timeline_commands import fit_layer
from app.theme.tokens import blend
from app.tours import Stop, Tour
from app.widgets.dock import ViewDock
from app.widgets.view import Context

_WIDTH = 400
_MARGIN = 12
_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_N)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Backspace, Qt.Key.Key_P)
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class Outline(QWidget):
    """A frame around a part of the window; the mouse goes through it."""

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._context.theme.warning), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 5, 5)
        painter.end()


class TourPanel(QFrame):
    """Title, text and buttons of a stop. → and ← go on and back, Esc ends the tour."""

    asked = Signal(int)
    closed = Signal()

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.setObjectName("tourPanel")
        self.setAccessibleName("Guided tour")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedWidth(_WIDTH)
        self.title = QLabel(self)
        font = self.title.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() + 1)
        self.title.setFont(font)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.place = QLabel(self)
        self.place.setProperty("dim", True)
        self.back = self._button("← Back", -1)
        self.next = self._button("Next →", 1)
        self.end = QPushButton("End tour", self)
        self.end.setToolTip("End the tour  (Esc)")
        self.end.setAutoDefault(False)
        self.end.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.addWidget(self.end)
        row.addWidget(self.place, 1, Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self.back)
        row.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.text)
        layout.addLayout(row)
        for button in (self.back, self.next, self.end):
            button.installEventFilter(self)
        context.themes.changed.connect(self._colour)
        self._colour()

    def _button(self, text: str, direction: int) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setToolTip("Next stop  (→)" if direction > 0 else "Stop before  (←)")
        button.clicked.connect(lambda: self.asked.emit(direction))
        return button

    def _colour(self) -> None:
        theme = self._context.theme
        ground = blend(theme.panel, theme.warning, 0.06)
        self.setStyleSheet(
            f"#tourPanel {{ background: {ground}; border: 2px solid {theme.warning};"
            f" border-radius: 6px; }} #tourPanel QLabel {{ background: transparent; }}"
        )

    def _take(self, event: QKeyEvent) -> bool:
        """Whether a key is the tour's; it is carried out on its press."""
        press = event.type() == QEvent.Type.KeyPress
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.key() in _NEXT or (event.key() == Qt.Key.Key_Return and self.hasFocus()):
            if press:
                self.asked.emit(1)
        elif event.key() in _BACK:
            if press:
                self.asked.emit(-1)
        elif event.key() == Qt.Key.Key_Escape:
            if press:
                self.closed.emit()
        else:
            return False
        return True

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() in _KEYS and self._take(event):
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() in _KEYS and self._take(event):
            event.accept()
            return True
        return super().eventFilter(watched, event)


class TourGuide(QObject):
    """Goes through the stops of a tour.

    Args:
        context: state and themes.
        window: what panel and outline lie upon.
        bring_up: shows a stop's target and returns the widget to outline.
    """

    ended = Signal()

    def __init__(
        self, context: Context, window: QWidget, bring_up: Callable[[str], QWidget]
    ) -> None:
        super().__init__(window)
        self._context, self._window, self._bring_up = context, window, bring_up
        self._tour: Tour | None = None
        self._target: QWidget | None = None
        self._arrived = False
        self.index = 0
        self.outline = Outline(context, window)
        self.panel = TourPanel(context, window)
        self.panel.hide()
        self.panel.asked.connect(self.go)
        self.panel.closed.connect(self.end)
        runs = context.state.runs
        runs.grew.connect(lambda _: self._tell())
        runs.replaced.connect(lambda _: self._tell())
        runs.finished.connect(self._tell)
        runs.cleared.connect(self._tell)
        self._watch = QTimer(self)
        self._watch.setInterval(150)
        self._watch.timeout.connect(self._place)

    @property
    def stop(self) -> Stop | None:
        """The stop on screen."""
        return self._tour.stops[self.index] if self._tour is not None else None

    def start(self, tour: Tour) -> None:
        """Begin with the first stop; the scenario must be open."""
        self._tour, self.index = tour, 0
        self._watch.start()
        self._arrive()
        self.panel.setFocus()

    def go(self, direction: int) -> None:
        """To the next stop or the one before; past the last the tour ends."""
        if self._tour is None:
            return
        self._leave()
        if self.index + direction >= len(self._tour.stops):
            self.end()
            return
        self.index = max(0, self.index + direction)
        self._arrive()

    def _leave(self) -> None:
        """Scroll back what was scrolled for the stop."""
        if self.stop is not None and self.stop.reveal and isinstance(self._target, ViewDock):
            self._target.view.reveal("")

    def end(self) -> None:
        """Take panel and outline away; the window stays as it is."""
        if self._tour is None:
            return
        self._leave()
        self._tour = self._target = None
        self._watch.stop()
        self.panel.hide()
        self.outline.hide()
        self.ended.emit()

    def _arrive(self) -> None:
        stop = self.stop
        assert stop is not None
        assert self._tour is not None
        self._arrived = False
        self._target = self._bring_up(stop.target)
        last = len(self._tour.stops) - 1
        self.panel.title.setText(stop.title)
        self.panel.place.setText(f"{self.index + 1} of {last + 1}")
        self.panel.back.setEnabled(self.index > 0)
        self.panel.next.setText("Done" if self.index == last else "Next →")
        self._tell()
        self._place()
        QTimer.singleShot(0, self._place)

    def _tell(self) -> None:
        """The text, once the run is long enough, and the cursor there, once."""
        stop, state = self.stop, self._context.state
        if stop is None:
            return
        run, runs = state.runs.current, state.runs
        foreign = run is None or self._tour is None or runs.stale
        if (
            run is None
            or foreign
            or runs.length <= stop.step
            or (stop.whole and not run.status.finished)
        ):
            done = 0 if run is None or foreign else runs.length
            self._say(f"Simulating: {done:,} steps so far. The tour goes on in a moment.")
            return
        if not self._arrived:
            self._arrived = True
            state.playback.pause()
            state.cursor.seek(stop.step)
            self._zoom(stop)
            if stop.reveal and isinstance(self._target, ViewDock):
                self._target.view.reveal(stop.reveal)
        self._say(stop.text(run.until(runs.length), stop.step))

    def _say(self, text: str) -> None:
        if self.panel.text.text() != text:
            self.panel.text.setText(text)
            self.panel.setAccessibleDescription(f"{self.panel.title.text()}. {text}")
        self._place()

    def _zoom(self, stop: Stop) -> None:
        state = self._context.state
        run = state.runs.current
        if run is None:
            return
        if stop.zoom == "run":
            self._context.commands.run("timeline.all")
        elif stop.zoom == "step":
            state.window.show_step(stop.step)
        elif stop.zoom == "layer":
            spans = run.spans(stop.step)
            mine = spans.layer == stop.layer
            if mine.any():
                state.cursor.seek(stop.step, int(spans.start_ps[mine].min()))
                fit_layer(state)

    def _place(self) -> None:
        """The outline around the target and the panel where it hides least of it."""
        if self._tour is None or self._target is None:
            return
        target, window = self._target, self._window
        inside = target.window() is window and target.isVisible()
        area = QRect(target.mapTo(window, QPoint(0, 0)), target.size()) if inside else QRect()
        self.outline.setVisible(inside)
        if inside and self.outline.geometry() != area:
            self.outline.setGeometry(area)
        self.panel.layout().activate()  # type: ignore[union-attr]
        height = self.panel.layout().totalHeightForWidth(_WIDTH)  # type: ignore[union-attr]
        size = self.panel.minimumSizeHint().expandedTo(self.panel.size())
        place = _best_place(window.rect(), area, size.width(), max(height, 100))
        if self.panel.geometry() != place:
            self.panel.setGeometry(place)
        self.panel.show()
        self.outline.raise_()
        self.panel.raise_()


def _best_place(window: QRect, target: QRect, width: int, height: int) -> QRect:
    """Of the places beside the target and the corners, the one that covers least of it."""
    room = window.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    middle = target.center() if not target.isNull() else window.center()
    wanted = [
        (target.right() + _MARGIN, middle.y() - height // 2),
        (target.left() - _MARGIN - width, middle.y() - height // 2),
        (middle.x() - width // 2, target.bottom() + _MARGIN),
        (middle.x() - width // 2, target.top() - _MARGIN - height),
        (room.right() - width, room.bottom() - height),
        (room.left(), room.bottom() - height),
    ]
    best, least = QRect(), -1
    for x, y in wanted:
        place = QRect(
            min(max(x, room.left()), max(room.left(), room.right() - width)),
            min(max(y, room.top()), max(room.top(), room.bottom() - height)),
            width,
            height,
        )
        common = place.intersected(target)
        covered = common.width() * common.height() if not common.isEmpty() else 0
        if least < 0 or covered < least:
            best, least = place, covered
    return best
