"""Uses the real window for a long time and watches what must not grow.

A round plays the run again and again at the highest speed, makes live edits, goes back and forth in
the history, searches, freezes and compares, looks at every view, and opens another file. After the
warm-up (everything that is made once, and the caches filled) memory may not climb, and threads,
timers and open files must be as many as before.
"""

import contextlib
import ctypes
import gc
import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.state.playback import SPEEDS, STEPS_PER_S

_PAGE = os.sysconf("SC_PAGE_SIZE")
WARM_EDITS = 500
LOOP_S = 2.0
FIRST_LOOK_S, LOOK_S = 0.6, 0.05
"""How long a view is looked at: in the first two rounds, and later."""
MOST_MB_PER_100_EDITS = 4.0
"""Largest slope of the resident memory that counts as noise of the allocator."""
REST_S = 5.0
"""How long a sample waits for what runs for a moment: a file being read, a timer firing once."""


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment.

    Attributes:
        edits: live edits so far.
        resident_MB: memory.
        threads, timers, handles: threads of the process, running timers, open files.
        widgets: all widgets of the application.
    """

    edits: int
    resident_MB: float
    threads: int
    timers: int
    handles: int
    widgets: int


@dataclass
class Soaked:
    """The result of a soak.

    Attributes:
        samples: one a round, those of the warm-up first.
        warm: number of samples of the warm-up.
        edits, opens, plays, rounds: what was done.
        played_s: how long the steps that were played take at normal speed.
        seconds: how long it took.
    """

    samples: list[Sample] = field(default_factory=list)
    warm: int = 0
    edits: int = 0
    opens: int = 0
    plays: int = 0
    rounds: int = 0
    played_s: float = 0.0
    seconds: float = 0.0

    @property
    def slope(self) -> float:
        """Growth of the memory after the warm-up, MB per 100 edits (Theil and Sen's median)."""
        after = self.samples[self.warm :]
        edits = np.array([s.edits for s in after], float)
        memory = np.array([s.resident_MB for s in after])
        first, second = np.triu_indices(len(after), 1)
        return (
            float(np.median((memory[second] - memory[first]) / (edits[second] - edits[first])))
            * 100
        )

    def problems(self) -> list[str]:
        """What grew that must not."""
        after = self.samples[self.warm :]
        found = []
        if self.slope > MOST_MB_PER_100_EDITS:
            found.append(f"memory grows by {self.slope:.1f} MB per 100 edits")
        for name in ("threads", "timers", "handles", "widgets"):
            # What grows is there in every later sample, not in some. What is opened once at a late
            # first use stays at one more: what leaks goes on growing.
            parts = np.array_split([getattr(s, name) for s in after], 3)
            most = [int(part.max()) for part in parts if len(part)]
            late = int(parts[2].min()) if len(parts[2]) else most[-1]
            if late > most[0] and all(a < b for a, b in itertools.pairwise(most)):
                found.append(f"{name} grew from at most {most[0]} to at least {late}")
        return found


def sample(edits: int) -> Sample:
    """Count now, after everything that can be thrown away has been."""
    application = QApplication.instance()
    for _ in range(3):
        gc.collect()
        QApplication.sendPostedEvents(None, 52)  # DeferredDelete
        application.processEvents()
    with contextlib.suppress(AttributeError):  # free lists of the allocator are no leak
        ctypes.CDLL(None).malloc_trim(0)
    widgets: list[QWidget] = application.allWidgets()
    return Sample(
        edits,
        int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6,
        **_running(),
        widgets=len(widgets),
    )


def _running() -> dict[str, int]:
    """Threads, running timers and open files of the process."""
    roots: list[QObject] = [*QApplication.topLevelWidgets(), QApplication.instance()]
    timers = {id(timer): timer for root in roots for timer in root.findChildren(QTimer)}
    return {
        "threads": max(threading.active_count(), len(os.listdir("/proc/self/task"))),
        "timers": sum(timer.isActive() for timer in timers.values()),
        "handles": len(os.listdir("/proc/self/fd")),
    }


def sample_at_rest(edits: int, before: Sample | None) -> Sample:
    """Count when no more runs than in the sample before; what still does after a while has grown.

    A busy machine is slow to end what runs for a moment, and a handful of samples that each catch
    more of it would look like growth. (So what grows but is gone within `REST_S` is not seen.)
    """
    gc.collect()
    end = time.monotonic() + REST_S
    while before and time.monotonic() < end:
        if all(count <= getattr(before, name) for name, count in _running().items()):
            break
        QApplication.processEvents()
        time.sleep(0.01)
    return sample(edits)


class Soak:
    """A window and what is done with it, round after round."""

    def __init__(
        self,
        window,
        paths: list[Path],
        wait: Callable[[Callable[[], bool]], None],
        loop_s: float = LOOP_S,
    ):
        self.window, self.paths, self.wait, self.loop_s = window, paths, wait, loop_s
        self.done = Soaked()
        self._seed = 0

    def _settle(self) -> None:
        runs, controller = self.window.state.runs, self.window.controller
        self.wait(
            lambda: (
                not controller.busy
                and not runs.stale
                and runs.current is not None
                and runs.current.status.finished
                and runs.length == len(runs.current)
            )
        )

    def open(self) -> None:
        """Open the next file."""
        assert self.window.files.open_path(self.paths[self.done.opens % len(self.paths)])
        self.done.opens += 1
        self._settle()

    def edit(self) -> None:
        """Change a value and see the new run."""
        self._seed += 1
        session = self.window.state.session
        if self._seed % 3:
            session.set_value("workload.prompt_tokens", 16 + self._seed % 40)
        else:
            session.set_value("seed", self._seed)
        self.done.edits += 1
        self._settle()

    def play(self) -> None:
        """Play at the highest speed: the whole run again and again for a while, then to its end."""
        state = self.window.state
        cursor, playback = state.cursor, state.playback
        cursor.home()
        playback.set_speed(SPEEDS[-1])
        last, length = 0, state.runs.length

        def count(step: int) -> None:
            nonlocal last
            self.done.played_s += (step - last) % length / STEPS_PER_S
            last = step

        cursor.step_changed.connect(count)
        playback.set_loop((0, length))
        playback.play()
        end = time.monotonic() + self.loop_s
        self.wait(lambda: time.monotonic() > end)
        playback.set_loop(None)
        self.wait(lambda: not playback.playing)
        cursor.step_changed.disconnect(count)
        self.done.plays += 1

    def look(self) -> None:
        """Everything else a user does in passing."""
        window, state = self.window, self.window.state
        window.commands.run("compare.freeze")
        self.edit()
        for text in ("wait", "mlp", ""):
            state.search.set(text, False)
            QApplication.processEvents()
        end = int(state.runs.current.end_ps)
        state.markers.set_range(0.2 * end, 0.7 * end)
        for id in window.docks:
            window.show_view(id)
            # Some views draw in a thread, and load what draws only then.
            end = time.monotonic() + (FIRST_LOOK_S if self.done.rounds < 2 else LOOK_S)
            self.wait(lambda until=end: time.monotonic() > until)
        window.set_theme("dark" if self.done.rounds % 2 else "light")
        for _ in range(4):
            window.commands.run("edit.undo")
        for _ in range(4):
            window.commands.run("edit.redo")
        self._settle()
        window.commands.run("compare.clear")

    def round(self, edits: int) -> None:
        """One round with so many edits."""
        self.open()
        for _ in range(edits):
            self.edit()
        self.play()
        self.look()
        self.done.rounds += 1
        self._sample()

    def _sample(self) -> None:
        samples = self.done.samples
        samples.append(sample_at_rest(self.done.edits, samples[-1] if samples else None))

    def edit_only(self, edits: int) -> Soaked:
        """Live edits of one file and nothing else; a sample after each fortieth part of them.

        As many edits are made before, but 500 at most: the history keeps the last 250, and what
        stands in it is meant to grow until then.
        """
        begin = time.monotonic()
        self.open()
        batch, warm = max(1, edits // 40), min(edits, WARM_EDITS)
        while self.done.edits < warm + edits:
            for _ in range(batch):
                self.edit()
            self.done.rounds += 1
            self._sample()
            if self.done.edits <= warm:
                self.done.warm = self.done.rounds
        self.done.seconds = time.monotonic() - begin
        return self.done

    def run(self, seconds: float, warm: int, edits: int, least: int = 6) -> Soaked:
        """Warm up for some rounds, then go on for so long, and at least some more rounds."""
        begin = time.monotonic()
        for _ in range(warm):
            self.round(edits)
        self.done.warm = warm
        while time.monotonic() - begin < seconds or self.done.rounds < warm + least:
            self.round(edits)
        self.done.seconds = time.monotonic() - begin
        return self.done


def figures(done: Soaked) -> dict[str, Any]:
    """The figures of a soak for the page of results."""
    after = done.samples[done.warm :]
    return {
        "minutes": round(done.seconds / 60, 1),
        "rounds": done.rounds,
        "edits": done.edits,
        "opens": done.opens,
        "plays": done.plays,
        "played_hours": round(done.played_s / 3600, 2),
        "slope_MB_per_100_edits": round(done.slope, 2),
        "resident_MB": [round(after[0].resident_MB), round(after[-1].resident_MB)],
        "threads": [after[0].threads, after[-1].threads],
        "timers": [after[0].timers, after[-1].timers],
        "handles": [after[0].handles, after[-1].handles],
        "widgets": [after[0].widgets, after[-1].widgets],
        "problems": done.problems(),
    }
