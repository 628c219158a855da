"""Lets the window go before the simulation when both want the interpreter."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS = 2
LATE_S = 0.004
"""A beat this old says that the window is at work."""
NAP_S = 0.0005
LONGEST_WAIT_S = 0.05
FAIR_SHARE = 0.5
"""Time the simulation may then run undisturbed, as a share of the time it has waited."""


class Courtesy(QObject):
    """A heart that beats in the thread of the window, and a wait for those who simulate.

    While the window works (draws, lays out, answers a key) its timers are late, and so is the
    beat. A simulation that sees that waits for the next beat, but never so long that a busy
    window stops it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._beat = time.perf_counter()
        self._beating = False
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._owed_until = 0.0

    def start(self) -> None:
        """Beat, while something simulates."""
        if not self._beating:
            self._on_beat()
            self._beating = True
            self._timer.start()

    def stop(self) -> None:
        """Stop beating; nobody waits any more."""
        self._beating = False
        self._timer.stop()

    def wait(self) -> None:
        """Let the window finish what it does. Called by the simulating thread."""
        begin = time.perf_counter()
        now = begin
        if not self._beating or now < self._owed_until:
            return
        while self._beating and now - self._beat > LATE_S and now - begin < LONGEST_WAIT_S:
            time.sleep(NAP_S)
            now = time.perf_counter()
        if now > begin + NAP_S:
            self._owed_until = now + FAIR_SHARE * (now - begin)

    def _on_beat(self) -> None:
        self._beat = time.perf_counter()
