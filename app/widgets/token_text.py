"""The text of a run under the token slider: each token a box, the cursor's one highlighted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QLineEdit, QSizePolicy, QToolButton, QToolTip, QWidget

from app.theme.tokens import blend
from app.viewmodels.formatting import time_text
from app.viewmodels.hover import step_name
from app.widgets.painting import small_font
from app.widgets.token_ruler import PAD
from app.widgets.view import Context
from simcore.errors import ScenarioErrors
from simcore.results.text import has_text, printable, step_token

MAX_PROMPT = 1000
_HEIGHT = 22
_SPACE = 1.0
_ENDS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
_FLAGS = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine


@dataclass(frozen=True, slots=True)
class TokenBox:
    """A token as drawn.

    Attributes:
        step: its step; -1 for the prompt.
        text: as shown.
        left, width: in pixels.
    """

    step: int
    text: str
    left: float
    width: float


class TokenText(QWidget):
    """Tokens left and right of the cursor's token, which stays below the cursor of the slider."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.setMouseTracking(True)
        self.setFont(small_font(self.font(), 0.0))
        self.setAccessibleName("Text of the run")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.write = QToolButton(self)
        self.write.setText("Prompt…")
        self.write.setToolTip("Write another prompt; the model goes on from it in a new run")
        self.write.setAccessibleName("Write another prompt")
        self.write.setProperty("flat", True)
        self.write.clicked.connect(self.begin_prompt)
        self._came_from: QWidget | None = None
        self.line = QLineEdit(self)
        self.line.setAccessibleName("Prompt of the model; Enter runs it, Escape leaves it")
        self.line.setMaxLength(MAX_PROMPT)
        self.line.installEventFilter(self)
        self.line.hide()
        self.hide()
        self.state.cursor.moved.connect(self._follow)
        self.state.runs.grew.connect(lambda _: self._follow())
        self.state.runs.replaced.connect(lambda _: self._follow())
        self.state.runs.cleared.connect(self._follow)
        self._follow()

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size = self.write.sizeHint()
        self.write.setGeometry(self.width() - PAD - size.width(), 0, size.width(), self.height())
        self.line.setGeometry(PAD, 0, self.write.x() - PAD - 4, self.height())

    @property
    def _right(self) -> int:
        """Where the tokens end."""
        return self.write.x() - 4 if self.write.isVisibleTo(self) else self.width() - PAD

    def begin_prompt(self) -> None:
        """Put a line over the tokens in which the prompt can be changed."""
        if self.line.isVisible():
            self._end_prompt(True)
            return
        settings = getattr(self.state.session.scenario, "activations", None)
        self._came_from = QApplication.focusWidget()
        self.line.setText(str(getattr(settings, "prompt", "")))
        self.line.show()
        self.line.setFocus()
        self.line.selectAll()

    def _end_prompt(self, take: bool) -> None:
        text = self.line.text()
        # Without a place to go the focus lands in the next field, which would take keys and Undo.
        if self.line.hasFocus():
            back = self._came_from
            if back is None or not back.isVisible() or self.isAncestorOf(back):
                back = self.write
            back.setFocus()
        self.line.hide()
        settings = getattr(self.state.session.scenario, "activations", None)
        if take and text != getattr(settings, "prompt", None):
            try:
                self.state.session.set_value("activations.prompt", text)
            except ScenarioErrors as errors:
                self.state.messages.show(str(errors))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter, Escape and leaving the line."""
        if watched is self.line and self.line.isVisible():
            if isinstance(event, QKeyEvent) and event.key() in _ENDS:
                if event.type() == QEvent.Type.KeyPress:
                    self._end_prompt(event.key() != Qt.Key.Key_Escape)
                event.accept()  # of the override too: Escape is a command's elsewhere
                return True
            if event.type() == QEvent.Type.FocusOut and not self.write.underMouse():
                self._end_prompt(False)
        return super().eventFilter(watched, event)

    def _follow(self) -> None:
        run = self.state.runs.current
        shown = has_text(run)
        self.setVisible(shown)
        self.write.setVisible(run is not None and hasattr(run.scenario.activations, "prompt"))
        if shown and run is not None:
            step = min(self.state.cursor.step, len(run) - 1)
            text = step_token(run, step)
            self.setAccessibleDescription("prompt" if text is None else f"token {step}: {text}")
        self.update()

    def boxes(self) -> list[TokenBox]:
        """What is in sight, left to right."""
        run = self.state.runs.current
        if run is None or not has_text(run) or not len(run):
            return []
        metrics = QFontMetricsF(self.font())
        inner = self.width() - 2 * PAD
        cursor = min(self.state.cursor.step, len(run) - 1)
        middle = PAD + (cursor + 0.5) / max(1, self.state.runs.total_steps) * inner

        def width(text: str) -> float:
            return max(metrics.horizontalAdvance(text), 4.0) + 2

        def text(step: int) -> tuple[int, str]:
            token = step_token(run, step)
            if token is None:
                prompt = str(getattr(run.scenario.activations, "prompt", ""))
                return -1, printable(prompt)[-200:]
            return step, printable(token.replace("\n", "⏎"))

        own = text(cursor)
        left = middle - width(own[1]) / 2
        if own[0] < 0:
            left = float(PAD)
        left = max(float(PAD), left)
        found = [TokenBox(*own, left, width(own[1]))]
        at, step = left, cursor
        while at > PAD and step > 0 and found[0].step >= 0:
            step -= 1
            before = text(step)
            at -= width(before[1]) + _SPACE
            found.insert(0, TokenBox(*before, at, width(before[1])))
        at, step = left + found[-1].width + _SPACE, cursor + 1
        while at < self._right and step < len(run):
            after = text(step)
            found.append(TokenBox(*after, at, width(after[1])))
            at += found[-1].width + _SPACE
            step += 1
        return found

    def paintEvent(self, _: QPaintEvent) -> None:
        theme, cursor = self.context.theme, self.state.cursor.step
        painter = QPainter(self)
        painter.setClipRect(QRectF(PAD, 0, self._right - PAD, self.height()))
        for box in self.boxes():
            area = QRectF(box.left, 1, box.width, self.height() - 2)
            if box.step == cursor:
                painter.fillRect(area, QColor(theme.accent))
                painter.setPen(QColor(theme.canvas))
            elif box.step < 0:
                painter.setPen(QColor(theme.text_dim))
            else:
                share = 0.10 if box.step % 2 else 0.04
                painter.fillRect(area, QColor(blend(theme.canvas, theme.text, share)))
                painter.setPen(QColor(theme.text))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(
                area.adjusted(1, 0, 4, 0), flags | Qt.TextFlag.TextSingleLine, box.text
            )
        painter.end()

    def box_at(self, x: float) -> TokenBox | None:
        """The token at a position."""
        return next((b for b in self.boxes() if b.left <= x < b.left + b.width + _SPACE), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        box = self.box_at(event.position().x())
        if box is not None:
            self.state.cursor.seek(max(box.step, 0))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        run, box = self.state.runs.current, self.box_at(event.position().x())
        if run is None or box is None:
            return
        text = "the prompt"
        if box.step >= 0:
            duration = int(run.value("duration_ps", box.step))
            text = f"{step_name(run, box.step)} · {time_text(duration)}"
            if len(run.value("token_id", box.step)) > 1:
                text += "\nthe first sequence of the batch"
        QToolTip.showText(event.globalPosition().toPoint() + QPoint(12, 8), text, self)
