"""Comparing: which run is kept as A, and how it is laid beside the run on screen, B."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.commands.bus import EditBus
from app.state.runs import RunsModel
from app.viewmodels.alignment import Align, Reference
from app.viewmodels.composition import composition_of
from app.viewmodels.hover import step_word
from simcore.results.run import Run


class Comparison(QObject):
    """Keeps run A; changes of it are in the history with the edits of the scenario.

    Attributes:
        align: what places of A and B are drawn above each other.
    """

    changed = Signal()

    def __init__(self, bus: EditBus, runs: RunsModel) -> None:
        super().__init__()
        self._bus = bus
        self._runs = runs
        self.align = Align.TOKEN
        self._reference: Reference | None = None
        self._pair: tuple[Run, Run, int] | None = None
        runs.frozen_changed.connect(self.changed)

    @property
    def frozen(self) -> Run | None:
        """Run A."""
        return self._runs.frozen

    def freeze(self) -> None:
        """Keep the run on screen as A."""
        if self._runs.current is not None:
            self.keep(self._runs.current, "freeze as A")

    def keep(self, run: Run | None, title: str) -> None:
        """Take a run as A, or none; can be undone."""
        before = self._runs.frozen
        if run is before:
            return
        self._bus.act(
            title,
            lambda: self._runs.set_frozen(run),
            lambda: self._runs.set_frozen(before),
            heavy=True,
        )

    def recall(self, run: Run) -> None:
        """Take a run as A that an earlier session had; no step of the history."""
        self._runs.set_frozen(run)

    def clear(self) -> None:
        """Keep no run."""
        self.keep(None, "clear A")

    def align_title(self, align: Align) -> str:
        """What is drawn above what, in the words of the run on screen."""
        run = self._runs.current
        return step_word(run) if align is Align.TOKEN and run is not None else align.value

    def set_align(self, align: Align) -> None:
        """Choose what is drawn above what."""
        if align is not self.align:
            self.align = align
            self.changed.emit()

    def reference(self) -> Reference | None:
        """A laid on the axis of the run on screen; None unless there are two different runs."""
        a, b = self._runs.frozen, self._runs.current
        if a is None or b is None or a is b or not len(a) or not self._runs.length:
            return None
        pair = (a, b, len(a))
        if self._pair != pair:
            self._pair = pair
            self._reference = Reference(composition_of(a), composition_of(b))
        return self._reference


def run_title(run: Run) -> str:
    """System, scenario and length of a run in a line."""
    total = run.total_steps
    part = "" if len(run) >= total else f" · {len(run):,} of {total:,} steps"
    return f"{run.scenario.system} · {run.scenario.name}{part}"
