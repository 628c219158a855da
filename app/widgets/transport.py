"""The transport bar: play, step at three grains, speed, token slider, where the cursor is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.playback import SPEEDS
from app.viewmodels.formatting import milliseconds_text
from app.viewmodels.hover import step_name, token_number
from app.widgets.actions import bind_button
from app.widgets.held import Held
from app.widgets.icons import transport_icon
from app.widgets.painting import small_font
from app.widgets.progress import Progress
from app.widgets.token_ruler import TokenRuler
from app.widgets.token_text import TokenText
from app.widgets.view import Context

_BUTTONS = (
    "playback.home",
    "playback.token_back",
    "playback.layer_back",
    "playback.op_back",
    "playback.play",
    "playback.op_forward",
    "playback.layer_forward",
    "playback.token_forward",
    "playback.end",
)

_POSITION_LEAST_PX = 120
_NAME_MOST_PX = 180
"""Of the run that is still shown while another file has none yet; its tip has the whole name."""


class TransportBar(QWidget):
    """Buttons come from the command registry."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.state = context.state
        self.setAccessibleName("Transport")
        self._buttons: dict[str, QToolButton] = {}
        self._icons: dict[str, tuple[str, str, str]] = {}
        row = QHBoxLayout()
        row.setSpacing(2)
        for id in _BUTTONS:
            row.addWidget(self._button(id))
        row.addSpacing(8)
        row.addWidget(QLabel("Speed", self))
        self._speed = QComboBox(self)
        self._speed.setAccessibleName("Playback speed")
        self._speed.setToolTip("Playback speed; 1× is four steps a second")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._speed.activated.connect(self._on_speed_chosen)
        row.addWidget(self._speed)
        row.addSpacing(10)
        self.position = QLabel(self)
        self.position.setAccessibleName("Position")
        self.position.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.position.setFont(small_font(self.font(), 0.5))
        self._stale = QLabel("stale", self)
        self._stale.setObjectName("staleBadge")
        self._stale.setToolTip("The run on screen is older than the scenario")
        self._stale.hide()
        self._progress = Progress(context, self)
        self._progress.hide()
        cancel = self._button("run.cancel")
        cancel.hide()
        # It gives way, or a long name would make the window wider than the screen.
        behind = (self._stale, self._progress, cancel)
        row.addWidget(Held(self.position, _POSITION_LEAST_PX, self, behind), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 2)
        layout.setSpacing(2)
        layout.addLayout(row)
        self.ruler = TokenRuler(context, self)
        layout.addWidget(self.ruler)
        self.text = TokenText(context, self)
        layout.addWidget(self.text)
        self._connect()
        self._show_speed()
        self._show_position()

    def _connect(self) -> None:
        state = self.state
        state.cursor.moved.connect(self._show_position)
        state.cursor.derived.connect(lambda _: self._show_position())
        state.runs.grew.connect(lambda _: self._show_position())
        state.runs.cleared.connect(self._show_position)
        state.runs.stale_changed.connect(self._show_stale)
        state.runs.replaced.connect(lambda _: self._show_stale(state.runs.stale))
        state.runs.progress_changed.connect(self._show_progress)
        state.runs.preparing_changed.connect(lambda _: self._show_progress(*state.runs.progress))
        state.playback.changed.connect(self._show_speed)
        self.context.themes.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self._show_icons()
        # Its text changes with every step; were it to show what is below it, the tool bar and the
        # window would be painted too.
        palette = self.position.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(self.context.theme.window))
        self.position.setBackgroundRole(QPalette.ColorRole.Window)
        self.position.setPalette(palette)
        self.position.setAutoFillBackground(True)

    def _button(self, id: str) -> QToolButton:
        button = QToolButton(self)
        bind_button(button, self.context.commands, id)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._buttons[id] = button
        return button

    def _show_icons(self) -> None:
        theme = self.context.theme
        for id, button in self._buttons.items():
            name = id.partition(".")[2]
            if id == "playback.play" and self.state.playback.playing:
                name = "pause"
            look = (name, theme.text, theme.text_dim)
            if self._icons.get(id) != look:
                self._icons[id] = look
                button.setIcon(transport_icon(*look))

    def _show_stale(self, stale: bool) -> None:
        """Say that the run on screen is not that of the scenario, and whose it is."""
        runs = self.state.runs
        text, tip = "stale", "The run on screen is older than the scenario"
        if runs.foreign and runs.current is not None:
            name = QFontMetrics(self._stale.font()).elidedText(
                runs.current.scenario.name, Qt.TextElideMode.ElideRight, _NAME_MOST_PX
            )
            text = f"still showing: {name}"
            tip = (
                "The scenario that is open now has no run yet. All views show the run of the one "
                f"before it, {runs.current.scenario.name}."
            )
        self._stale.setText(text)
        self._stale.setToolTip(tip)
        self._stale.setVisible(stale)

    def _show_speed(self) -> None:
        index = self._speed.findData(self.state.playback.speed)
        if index >= 0:
            self._speed.setCurrentIndex(index)
        self._show_icons()

    def _on_speed_chosen(self, index: int) -> None:
        self.state.playback.set_speed(float(self._speed.itemData(index)))

    def _show_position(self) -> None:
        run, cursor = self.state.runs.current, self.state.cursor
        if run is None or not self.state.runs.length:
            self.position.setText("no run yet")
            return
        last = self.state.runs.total_steps - 1
        name = step_name(run, cursor.step)
        whole = token_number(run, last) if name.startswith("token") else last
        number, space, text = name.partition(" “")  # a real token goes behind its number
        whole_name = f"{number}/{whole}{space}{text}"
        parts = [f"{name}, step 0/{last}" if name == "prefill" else whole_name]
        if cursor.known:  # else they follow in a moment
            if cursor.layer >= 0:
                parts.append(f"layer {cursor.layer}")
            span = cursor.op(self._lane())
            if span >= 0:
                parts.append(run.ops[int(run.spans(cursor.step).op[span])].id)
        parts.append(f"t = {milliseconds_text(cursor.absolute_ps)}")
        shown = "  ·  ".join(parts)
        if shown != self.position.text():
            self.position.setText(shown)
            self.position.setToolTip(shown)

    def _lane(self) -> int:
        chosen = self.state.selection.span
        return chosen.lane if chosen is not None else -1

    def _show_progress(self, done: int, total: int) -> None:
        busy = done < total or self.state.runs.preparing
        self._progress.setVisible(busy)
        self._buttons["run.cancel"].setVisible(busy)
        if busy:
            self._progress.show_progress(done, total)


def monospace_family() -> str:
    """Family for numbers in text editors."""
    families = QFontDatabase.families()
    for name in ("JetBrains Mono", "DejaVu Sans Mono"):
        if name in families:
            return name
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
