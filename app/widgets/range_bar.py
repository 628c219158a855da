"""A line below the timeline about the markers: how far they are apart, and what to do there."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.viewmodels.formatting import significant, time_text
from app.viewmodels.hover import step_name
from app.widgets.elided import ElidedLabel
from app.widgets.view import Context

_COMMANDS = ("range.show", "range.zoom", "range.loop", "range.export", "range.clear")
_TITLES = ("Statistics", "Zoom", "Loop", "Export…", "Clear")


class RangeBar(QWidget):
    """Hidden while no marker is set."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._state = context.state
        self.setAccessibleName("Markers")
        self.text = ElidedLabel(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 4, 0)
        layout.setSpacing(4)
        layout.addWidget(self.text, 1)
        self.buttons: dict[str, QToolButton] = {}
        for id, title in zip(_COMMANDS, _TITLES, strict=True):
            button = QToolButton(self)
            button.setText(title)
            button.clicked.connect(lambda _=False, id=id: context.commands.run(id))
            layout.addWidget(button)
            self.buttons[id] = button
        self._state.markers.changed.connect(self._refresh)
        self._state.runs.cleared.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        times = self._state.markers.times()
        self.setVisible(bool(times))
        if not times:
            return
        self.text.setText(marker_text(self._context))
        for id, button in self.buttons.items():
            if id in self._context.commands:
                command = self._context.commands.get(id)
                keys = f" ({command.keys[0]})" if command.keys else ""
                button.setToolTip(command.title + keys)
                button.setAccessibleName(command.title)
                button.setEnabled(command.is_enabled())


def marker_text(context: Context) -> str:
    """Where the markers are and how far they are apart."""
    state = context.state
    run = state.runs.current
    if run is None:
        return ""
    known = dict(state.markers.times())
    ends, parts = [], []
    for index, time in known.items():
        place = state.markers.places[index]
        assert place is not None
        inside = time - run.start_ps(place.step)
        ends.append(place.step + inside / max(int(run.value("duration_ps", place.step)), 1))
        parts.append(f"{index + 1}: {step_name(run, place.step)} + {time_text(inside)}")
    if len(ends) == len(state.markers.places):
        count = abs(ends[1] - ends[0])
        word = getattr(run.system, "step_word", "token")
        apart = abs(known[1] - known[0])
        parts.insert(0, f"Δ {time_text(apart)} = {significant(count, 3)} {word}s")
    return "   ".join(parts)
