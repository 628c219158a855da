"""Playback: moves the cursor through the run at a chosen speed."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.cursor import Cursor
from app.state.runs import RunsModel
from app.state.stops import Stops

TICK_MS = 33
STEPS_PER_S = 4.0
"""Steps a second at speed 1."""
SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Playback(QObject):
    """Paused at first. Every step takes the same wall time, whatever its simulated length.

    No step is skipped unless the speed asks for more than one a frame.

    Attributes:
        playing: whether the cursor moves by itself.
        speed: 0.1 to 100 times `STEPS_PER_S`.
        loop: (first step, past the last) that are played again and again, or None.
        stops: conditions to stop at, or None; `stopped` says which one it was.
    """

    changed = Signal()
    stopped = Signal(str)

    def __init__(
        self, runs: RunsModel, cursor: Cursor, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__()
        self._runs = runs
        self._cursor = cursor
        self._clock = clock
        self._last = 0.0
        self.playing = False
        self.speed = 1.0
        self.loop: tuple[int, int] | None = None
        self.stops: Stops | None = None
        runs.cleared.connect(self.pause)
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)

    def toggle(self) -> None:
        """Play or pause; at the end of a run, play from its start."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        """Start moving."""
        if not self._runs.length:
            return
        loop = self._loop()
        if loop is not None and not loop[0] <= self._cursor.step < loop[1]:
            self._cursor.seek(loop[0])
        elif loop is None and self._at_end() and self._complete():
            self._cursor.home()
        self.playing = True
        self._last = self._clock()
        self._timer.start()
        self.changed.emit()

    def pause(self) -> None:
        """Stop moving."""
        if self.playing:
            self.playing = False
            self._timer.stop()
            self.changed.emit()

    def set_speed(self, speed: float) -> None:
        """Change the speed, also while playing."""
        speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        if speed != self.speed:
            self.speed = speed
            self.changed.emit()

    def change_speed(self, direction: int) -> None:
        """To the next faster (+1) or slower (-1) speed of the list."""
        if direction > 0:
            self.set_speed(next((s for s in SPEEDS if s > self.speed), SPEEDS[-1]))
        else:
            self.set_speed(next((s for s in reversed(SPEEDS) if s < self.speed), SPEEDS[0]))

    def tick(self) -> None:
        """Move by what the time since the last tick asks for."""
        now = self._clock()
        rate = self.speed * STEPS_PER_S
        advance = (now - self._last) * rate
        self._last = now
        advance = min(advance, max(1.0, rate * 3 * TICK_MS / 1000))
        run = self._runs.current
        if run is None or not self._runs.length or self._cursor.catching_up:
            return
        duration = max(int(run.value("duration_ps", self._cursor.step)), 1)
        at = self._cursor.step + self._cursor.time_ps / duration + advance
        step = int(at)
        if rate * TICK_MS / 1000 < 1:
            step = min(step, self._cursor.step + 1)
        last = self._runs.length - 1
        share = min(max(at - step, 0.0), 0.999999)
        if self._stop_before(step, share):
            return
        loop = self._loop()
        if loop is not None and step >= loop[1] and loop[1] <= self._runs.length:
            self._cursor.seek(loop[0])
            return
        if step > last:
            self._cursor.seek(last, int(run.value("duration_ps", last)) - 1)
            if self._complete():
                self.pause()
            return
        self._cursor.seek(step, int(share * int(run.value("duration_ps", step))))

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Play only these steps, again and again; None to play to the end."""
        if loop is not None:
            loop = (max(0, loop[0]), max(loop[0] + 1, loop[1]))
        if loop != self.loop:
            self.loop = loop
            self.changed.emit()

    def _loop(self) -> tuple[int, int] | None:
        """The loop as far as the run has it."""
        if self.loop is None or self.loop[0] >= max(self._runs.length, self._runs.total_steps):
            return None
        return self.loop[0], min(self.loop[1], max(self._runs.length, self._runs.total_steps))

    def _stop_before(self, step: int, share: float) -> bool:
        """Stop at a condition that comes to hold on the way to a place in a step."""
        if self.stops is None or not self.stops.active:
            return False
        run, horizon = self._runs.current, self.stops.horizon()
        assert run is not None
        if step >= horizon and horizon < self._runs.length:
            return True  # wait until the figures of these steps are known
        last = min(step, self._runs.length - 1)
        inside = int(share * int(run.value("duration_ps", last))) if last == step else 1 << 62
        place = self.stops.between((self._cursor.step, self._cursor.time_ps), (last, inside))
        if place is None:
            return False
        self._cursor.seek(*place)
        self.pause()
        self.stopped.emit(self.stops.reason)
        return True

    def _at_end(self) -> bool:
        run = self._runs.current
        assert run is not None
        last = self._runs.length - 1
        end = int(run.value("duration_ps", last)) - 1
        return self._cursor.step == last and self._cursor.time_ps >= end

    def _complete(self) -> bool:
        return self._runs.length >= self._runs.total_steps or not any(self._runs.progress)
