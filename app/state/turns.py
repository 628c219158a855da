"""Work that can wait a moment, done piece by piece so that no event of the window gets long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Qt, QTimer

Work = Callable[[], None]

PAUSE_MS = 1
"""Between two pieces: what was just changed is painted, and timers and keys have their turn.

A pause of 0 would have all of them wait for an idle moment, which a busy program never has.
"""

PATIENCE_S = 0.025
"""After so long a piece is due whatever its rank, the oldest first: where views are asked again
with every frame and take as long as one, the last of them would never come."""
AFTER_VIEWS = 9
"""Rank of what is handed to another thread. That thread holds up this one while both compute: they
share an interpreter, and on two cores it is often put where this one wants to go on. So it begins
when all views have drawn."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """When a piece of work is done: the lowest rank first, if it is wanted at all."""

    rank: int
    wanted: Callable[[], bool] | None
    since: float

    def place(self, now: float) -> tuple[int, float]:
        """Where it stands among others."""
        return (0, self.since) if now - self.since > PATIENCE_S else (1, self.rank)


class Turns(QObject):
    """Does what was asked for in turns, each in an event of its own.

    What is asked for twice is done once. What nobody can see waits until `wake`, which is called
    when views come up. Whoever needs a result at once does the piece with `now`, or all of them
    with `flush`; a view behind its turn never paints old and new side by side, since painting does
    its own piece first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[Work, _Piece] = {}
        self._asleep: dict[Work, _Piece] = {}
        self._timer = QTimer(self, interval=PAUSE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._next)
        self._stopped = False

    def ask(self, work: Work, rank: int = 1, wanted: Callable[[], bool] | None = None) -> None:
        """Do `work` soon; with `wanted`, not before that holds."""
        if self._stopped:
            return
        self._asleep.pop(work, None)
        before = self._waiting.get(work)
        since = time.monotonic() if before is None else before.since
        self._waiting[work] = _Piece(rank, wanted, since)
        if not self._timer.isActive():
            self._timer.start()

    def waits(self, work: Work) -> bool:
        """Whether a piece is still to be done."""
        return work in self._waiting or work in self._asleep

    def now(self, work: Work) -> None:
        """Do a piece at once if it waits, seen or not."""
        if self.waits(work):
            self.drop(work)
            work()

    def drop(self, work: Work) -> None:
        """Do a piece no more: what it would do is done."""
        self._waiting.pop(work, None)
        self._asleep.pop(work, None)

    def wake(self) -> None:
        """Look again at what was not wanted: something has come into sight."""
        now = time.monotonic()
        for work, piece in self._asleep.items():
            self._waiting.setdefault(work, replace(piece, since=now))
        self._asleep.clear()
        if self._waiting and not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Do all that is wanted now, such as before a picture is taken."""
        self.wake()
        while self._one():
            pass

    def stop(self) -> None:
        """Do nothing any more."""
        self._stopped = True
        self._timer.stop()
        self._waiting.clear()
        self._asleep.clear()

    def _next(self) -> None:
        if not self._one() or not self._waiting:
            self._timer.stop()

    def _one(self) -> bool:
        """Do the first piece that is wanted; False if there is none."""
        now = time.monotonic()
        for work in sorted(self._waiting, key=lambda work: self._waiting[work].place(now)):
            piece = self._waiting.pop(work)
            if piece.wanted is None or piece.wanted():
                work()
                return True
            self._asleep[work] = piece
        return False
