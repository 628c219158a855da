"""The figures over the steps of the run on screen and of run A, computed in the background."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.messages import Messages, Severity
from app.state.runs import RunsModel
from app.viewmodels.series import Series, series_of
from app.workers.loader import LatestLoader
from simcore.results.run import Run

GROW_MS = 600


class SeriesModel(QObject):
    """Computed once somebody wants it, and kept in line with the run from then on.

    Attributes:
        series: figures of the run on screen, of its first `length` steps.
        reference: figures of run A, by id.
        length: steps taken in.
        error: why there are none.
    """

    changed = Signal()

    def __init__(self, runs: RunsModel, messages: Messages) -> None:
        super().__init__()
        self._runs = runs
        self._messages = messages
        self.series: tuple[Series, ...] = ()
        self.reference: dict[str, Series] = {}
        self.length = 0
        self.error = ""
        self._wanted = False
        self._asked: object = None
        self._reference_of: Run | None = None
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._growth = QTimer(self, singleShot=True, interval=GROW_MS)
        self._growth.timeout.connect(self._request)
        runs.replaced.connect(self._on_replaced)
        runs.cleared.connect(self._on_cleared)
        runs.grew.connect(lambda _: self._growth.isActive() or self._growth.start())
        runs.finished.connect(self._request)
        runs.frozen_changed.connect(self._request)

    def want(self) -> None:
        """Compute them from now on."""
        self._wanted = True
        self._request()

    def get(self, id: str) -> Series | None:
        """A figure of the run on screen."""
        return next((item for item in self.series if item.id == id), None)

    def shut_down(self) -> None:
        """Stop background work."""
        self._growth.stop()
        self._loader.shut_down()

    def _on_replaced(self, _: Run) -> None:
        self._on_cleared()
        self._request()

    def _on_cleared(self) -> None:
        self.series, self.length, self._asked, self.error = (), 0, None, ""
        self.changed.emit()

    def _request(self) -> None:
        run, length, other = self._runs.current, self._runs.length, self._runs.frozen
        if not self._wanted or run is None or not length:
            return
        key = (run, length, other)
        if key == self._asked:
            return
        self._asked = key
        known = dict(self.reference) if other is self._reference_of else None

        def work() -> tuple[tuple[Series, ...], dict[str, Series]]:
            reference = known
            if reference is None:
                found = series_of(other, len(other)) if other is not None else ()
                reference = {item.id: item for item in found}
            return series_of(run, length), reference

        self._loader.request(key, work)

    def _on_loaded(
        self,
        key: tuple[Run, int, Run | None],
        result: tuple[tuple[Series, ...], dict[str, Series]],
    ) -> None:
        run, length, other = key
        if run is not self._runs.current:
            return
        self.series, self.reference = result
        self.length, self._reference_of, self.error = length, other, ""
        self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self.error = f"{type(error).__name__}: {error}"
        self._messages.log(f"figures: {self.error}", Severity.ERROR)
        self.changed.emit()
