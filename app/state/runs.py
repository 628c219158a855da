"""The runs on screen: the current one, how far it is, and whether it is still what was asked."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from simcore.results.run import Run


class RunsModel(QObject):
    """The current run and its progress.

    `replaced` tells everybody to take the new run; `settled` follows when everybody has.
    `cleared` says that there is none any more.

    Attributes:
        current: the run on screen, None before the first.
        frozen: a run kept for comparison, if any.
        length: steps of the current run that views may use; moves only between frames.
        stale: the scenario has changed since the current run was made.
        foreign: the current run is of a file that was open before.
        progress: (steps done, steps in all) of the simulation under way, (0, 0) when none is.
        preparing: a simulation is under way that has had no step for a while.
    """

    replaced = Signal(object)
    cleared = Signal()
    settled = Signal()
    grew = Signal(int)
    finished = Signal()
    stale_changed = Signal(bool)
    progress_changed = Signal(int, int)
    preparing_changed = Signal(bool)
    frozen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.current: Run | None = None
        self.frozen: Run | None = None
        self.length = 0
        self.stale = False
        self.foreign = False
        self.progress = (0, 0)
        self.preparing = False

    def replace(self, run: Run, ready: int | None = None, *, settle: bool = True) -> None:
        """Put a new run on screen, with its steps that may be looked at (all there are).

        Without `settle`, the caller says when everybody has had the time to take it.
        """
        self.current = run
        self.foreign = False
        self.length = len(run) if ready is None else ready
        self.set_stale(False)
        self.replaced.emit(run)
        if settle:
            self.settled.emit()

    def settle(self) -> None:
        """Tell everybody that the run is theirs."""
        self.settled.emit()

    def clear(self) -> None:
        """Show no run, since the one on screen belongs to another file."""
        if self.current is not None:
            self.current = None
            self.foreign = False
            self.length = 0
            self.set_progress(0, 0)
            self.set_stale(False)
            self.cleared.emit()

    def set_frozen(self, run: Run | None) -> None:
        """Keep a run for comparison, or none."""
        if run is not self.frozen:
            self.frozen = run
            self.frozen_changed.emit()

    def poll(self, ready: int | None = None) -> None:
        """Notice steps that may be looked at since the last time (all there are)."""
        run = self.current
        if run is None:
            return
        ready = len(run) if ready is None else ready
        if ready > self.length:
            self.length = ready
            self.grew.emit(self.length)

    def finish(self) -> None:
        """Say that no further steps come."""
        self.poll()
        self.set_progress(0, 0)
        self.finished.emit()

    def set_foreign(self) -> None:
        """Mark the run on screen as that of another file, until one of the open file is there."""
        if self.current is not None:
            self.foreign = self.stale = True
            self.stale_changed.emit(True)

    def set_stale(self, stale: bool) -> None:
        """Mark the run on screen as older than the scenario, or as up to date."""
        if stale != self.stale:
            self.stale = stale
            self.stale_changed.emit(stale)

    def set_progress(self, done: int, total: int, *, tell: bool = True) -> None:
        """Publish progress of the simulation under way.

        Without `tell`, the caller does so with `tell_progress` when there is time.
        """
        if (done, total) != self.progress:
            self.progress = (done, total)
            if tell:
                self.tell_progress()

    def tell_progress(self) -> None:
        """Tell everybody of the progress."""
        self.progress_changed.emit(*self.progress)

    def set_preparing(self, preparing: bool) -> None:
        """Publish that a simulation takes long to begin, or does no more."""
        if preparing != self.preparing:
            self.preparing = preparing
            self.preparing_changed.emit(preparing)

    @property
    def total_steps(self) -> int:
        """Steps the current run will have."""
        return int(self.current.total_steps) if self.current else 0
