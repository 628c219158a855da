"""Where playback stops, and jumps to the places where a condition begins to hold."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.state.cursor import Cursor
from app.state.messages import Messages, Severity
from app.state.runs import RunsModel
from app.state.series import SeriesModel
from app.viewmodels.conditions import (
    CONDITIONS,
    LAYER,
    TOKEN,
    Place,
    applies,
    beginnings,
    condition,
    next_layer,
    next_step,
    title_of,
    token_step,
)
from app.viewmodels.formatting import significant


class Stops(QObject):
    """The conditions with their values.

    Attributes:
        values: value of each condition.
        active: ids playback stops at.
        reason: why playback stopped last, empty if it did not.
    """

    changed = Signal()

    def __init__(
        self, runs: RunsModel, cursor: Cursor, series: SeriesModel, messages: Messages
    ) -> None:
        super().__init__()
        self._runs = runs
        self._cursor = cursor
        self._series = series
        self._messages = messages
        self.values = {item.id: item.default for item in CONDITIONS}
        self.active: frozenset[str] = frozenset()
        self.reason = ""
        series.changed.connect(self.changed)
        runs.replaced.connect(lambda _: self.changed.emit())
        runs.cleared.connect(self.changed)

    def set_active(self, id: str, on: bool) -> None:
        """Let playback stop at a condition, or not."""
        self.active = self.active | {id} if on else self.active - {id}
        if on:
            self._series.want()
        self.changed.emit()

    def set_value(self, id: str, value: float) -> None:
        """Change the value of a condition."""
        if value != self.values[id]:
            self.values[id] = value
            self.changed.emit()

    def applies(self, id: str) -> bool:
        """Whether the run on screen has what the condition needs."""
        figures = frozenset(item.id for item in self._series.series)
        return applies(condition(id), self._runs.current, figures)

    def text(self, id: str) -> str:
        """A condition with its value: ``step max/mean above 1.05``."""
        item = condition(id)
        title = title_of(item, self._runs.current)
        if not item.has_value:
            return title
        value = self.values[id]
        number = significant(value, 4) if not float(value).is_integer() else f"{int(value):,}"
        return f"{title} {number} {item.unit}".strip()

    # Jumping.

    def go(self, id: str, direction: int) -> bool:
        """Go to the next (+1) or previous (-1) place where a condition begins to hold."""
        self._series.want()
        place = self._next(id, (self._cursor.step, self._cursor.time_ps), direction)
        if place is None:
            side = "after" if direction > 0 else "before"
            more = "" if self._known() else "; figures are still being computed"
            self._messages.show(f"{self.text(id)}: nowhere {side} the cursor{more}", Severity.INFO)
            return False
        self._messages.clear_strip()
        self._cursor.seek(*place)
        return True

    def go_any(self, direction: int) -> bool:
        """Go to the next or previous place where any active condition begins to hold."""
        here = (self._cursor.step, self._cursor.time_ps)
        places = [self._next(id, here, direction) for id in sorted(self.active)]
        found = [place for place in places if place is not None]
        if not found:
            text = "no active condition holds there" if self.active else "no condition is active"
            self._messages.show(text, Severity.INFO)
            return False
        self._cursor.seek(*(min(found) if direction > 0 else max(found)))
        return True

    def between(self, start: Place, end: Place) -> Place | None:
        """The first place after `start`, up to `end`, at which playback must stop."""
        best: tuple[Place, str] | None = None
        for id in sorted(self.active):
            place = self._next(id, start, 1)
            if place is not None and place <= end and (best is None or place < best[0]):
                best = (place, id)
        self.reason = self.text(best[1]) if best else ""
        return best[0] if best else None

    def horizon(self) -> int:
        """Steps over which it is known where playback must stop."""
        if self.active - {TOKEN, LAYER} and not self._series.error:
            return min(self._series.length, self._runs.length)
        return self._runs.length

    def _known(self) -> bool:
        return self._series.length >= self._runs.length

    def _next(self, id: str, place: Place, direction: int) -> Place | None:
        run, length = self._runs.current, self._runs.length
        if run is None or not length or not self.applies(id):
            return None
        value = self.values[id]
        if id == LAYER:
            return next_layer(run, place, int(value), direction, length)
        if id == TOKEN:
            step = token_step(run, int(value), length)
            steps = np.array([step] if step >= 0 else [], np.int64)
            return next_step(steps, place, direction)
        found = self._series.get(id)
        if found is None:
            return None
        return next_step(beginnings(found.values[:length], value), place, direction)
