"""Two markers on the time axis; what lies between them is the range that is measured."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.commands.bus import EditBus
from app.state.runs import RunsModel
from simcore.results.run import Run

COUNT = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A time inside a step, exact in the run it was set in and kept by share in others.

    Attributes:
        step: index of the step.
        offset_ps: time from the start of the step.
        of_ps: length the step had when the place was set.
    """

    step: int
    offset_ps: int
    of_ps: int

    def time_ps(self, run: Run, length: int) -> int | None:
        """The place on the axis of a run of which `length` steps may be used; None outside."""
        if not 0 <= self.step < length:
            return None
        duration = int(run.value("duration_ps", self.step))
        offset = self.offset_ps
        if duration != self.of_ps:
            offset = round(offset * duration / max(self.of_ps, 1))
        return run.start_ps(self.step) + min(offset, duration)


Places = tuple[Place | None, Place | None]


class Markers(QObject):
    """The markers; setting, moving and clearing them is in the history with the edits.

    They belong to steps, so that they stay where they are when the scenario is simulated again.

    Attributes:
        places: where marker 1 and marker 2 are, None for one that is not set.
    """

    changed = Signal()

    def __init__(self, bus: EditBus, runs: RunsModel) -> None:
        super().__init__()
        self._bus = bus
        self._runs = runs
        self.places: Places = (None, None)
        self._before: Places | None = None  # while one is being dragged
        runs.cleared.connect(self._on_cleared)
        runs.replaced.connect(lambda _: self.changed.emit())
        runs.grew.connect(lambda _: self._on_grew())

    def time_ps(self, index: int) -> int | None:
        """Time of a marker on the axis of the run on screen, None if it is not there."""
        place, run = self.places[index], self._runs.current
        return place.time_ps(run, self._runs.length) if place and run else None

    def times(self) -> list[tuple[int, int]]:
        """(index, time in ps) of the markers that are on the axis."""
        found = ((index, self.time_ps(index)) for index in range(COUNT))
        return [(index, time) for index, time in found if time is not None]

    def range_ps(self) -> tuple[int, int] | None:
        """The time between both markers, earlier one first; None unless they are apart."""
        times = sorted(time for _, time in self.times())
        return (times[0], times[1]) if len(times) == COUNT and times[0] < times[1] else None

    def steps(self) -> tuple[int, int] | None:
        """(first, past the last) of the steps the range touches."""
        run, found = self._runs.current, self.range_ps()
        if run is None or found is None:
            return None
        last = min(run.step_at(found[1]), self._runs.length - 1)
        if last and run.start_ps(last) == found[1]:
            last -= 1
        return run.step_at(found[0]), last + 1

    def place_at(self, time_ps: float) -> Place | None:
        """The place of a time on the axis of the run on screen, None without a run."""
        run, length = self._runs.current, self._runs.length
        if run is None or not length:
            return None
        time = round(time_ps)
        step = min(run.step_at(max(time, 0)), length - 1)
        duration = int(run.value("duration_ps", step))
        return Place(step, min(max(time - run.start_ps(step), 0), duration), duration)

    def set(self, index: int, time_ps: float) -> None:
        """Put a marker somewhere."""
        place = self.place_at(time_ps)
        if place is not None:
            self._do(f"set marker {index + 1}", _with(self.places, index, place))

    def set_next(self, time_ps: float) -> int:
        """Put the first marker that is not set, else the nearer one; which it was."""
        free = [index for index in range(COUNT) if self.places[index] is None]
        known = self.times()
        if free:
            index = free[0]
        else:
            index = min(known, key=lambda item: abs(item[1] - time_ps))[0] if known else 0
        self.set(index, time_ps)
        return index

    def set_range(self, start_ps: float, end_ps: float) -> None:
        """Put both markers."""
        self._do("set the range", (self.place_at(start_ps), self.place_at(end_ps)))

    def clear(self) -> None:
        """Take both markers away."""
        self._do("clear the markers", (None, None))

    # Dragging: seen at once, remembered when it ends.

    def drag(self, places: Places) -> None:
        """Show markers somewhere without remembering it yet."""
        if self._before is None:
            self._before = self.places
        self._take(places)

    def drop(self, title: str) -> None:
        """Remember where markers were dragged to."""
        before, self._before = self._before, None
        if before is not None:
            after = self.places
            self._take(before)
            self._do(title, after)

    def give_up(self) -> None:
        """Put markers back to where they were dragged from."""
        before, self._before = self._before, None
        if before is not None:
            self._take(before)

    def restore(self, places: Places) -> None:
        """Take over markers that were saved; not an edit."""
        self._before = None
        self._take(places)

    def _do(self, title: str, after: Places) -> None:
        before = self.places
        if after != before:
            self._bus.act(title, lambda: self._take(after), lambda: self._take(before))

    def _take(self, places: Places) -> None:
        if places != self.places:
            self.places = places
            self.changed.emit()

    def _on_cleared(self) -> None:
        self._before = None
        self._take((None, None))

    def _on_grew(self) -> None:
        if any(self.places):
            self.changed.emit()


def _with(places: Places, index: int, place: Place) -> Places:
    return (place, places[1]) if index == 0 else (places[0], place)
