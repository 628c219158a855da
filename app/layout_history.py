"""Makes what the user does to the docks part of the history: arranging, hiding, floating."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QObject, QTimer, Signal
from PySide6.QtWidgets import QMainWindow

from app.commands.bus import EditBus
from app.widgets.dock import ViewDock

SETTLE_MS = 300
"""Docks move in several events and with an animation."""


class LayoutHistory(QObject):
    """Compares the arrangement after a movement with the one before.

    Which tab is in front is no arrangement: switching tabs is looking, not changing.
    """

    restored = Signal()

    def __init__(self, window: QMainWindow, bus: EditBus, docks: Sequence[ViewDock]) -> None:
        super().__init__(window)
        self._window = window
        self._bus = bus
        self._docks = docks
        self._before: QByteArray | None = None
        self._places: tuple[tuple[object, ...], ...] = ()
        self._title = ""
        self._forget = False
        self._sure = False  # a change came right after another, so places cannot be compared
        self._own = False
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        for dock in docks:
            dock.dockLocationChanged.connect(lambda _: self._settle.start())
            dock.topLevelChanged.connect(
                lambda up, d=dock: self._moved(f"{'float' if up else 'dock'} {d.view.title}")
            )
            dock.shown_or_hidden.connect(
                lambda on, d=dock: self._moved(f"{'show' if on else 'hide'} {d.view.title}")
            )
        self.forget()

    def note(self, title: str) -> None:
        """Say what the arrangement now under way is called."""
        self._title = ""
        self._moved(title)

    def forget(self) -> None:
        """The arrangement now under way is not the user's doing."""
        self._forget = True
        self._settle.start()

    def stop(self) -> None:
        """Watch nothing any more."""
        self._settle.stop()

    def _moved(self, title: str) -> None:
        if self._own:
            return
        if not self._title:
            self._title = title
        if self._forget and self._before is not None:
            self._forget, self._sure = False, True
        self._settle.start()

    def _on_settled(self) -> None:
        after, places = self._window.saveState(), self._now()
        before, title = self._before, self._title or "move a view"
        known = not self._forget and before is not None
        changed = self._sure or places != self._places
        self._before, self._places = after, places
        self._title, self._forget, self._sure = "", False, False
        if not known or not changed or not self._window.isVisible():
            return
        assert before is not None
        first = [True]

        def redo() -> None:
            if first[0]:  # it is there already
                first[0] = False
                return
            self._put(after)

        self._bus.act(title, redo, lambda: self._put(before))

    def _put(self, state: QByteArray) -> None:
        self._own = True
        self._window.restoreState(state)
        self._own = False
        self.restored.emit()
        self._before = state
        self.forget()

    def _now(self) -> tuple[tuple[object, ...], ...]:
        """Where every dock is, without which tab is in front and without sizes."""
        window = self._window
        alone = [dock for dock in self._docks if not window.tabifiedDockWidgets(dock)]
        columns = sorted({dock.x() // 8 for dock in alone})
        rows = sorted({dock.y() // 8 for dock in alone})
        return tuple(
            (
                dock.objectName(),
                dock.isHidden(),
                dock.isFloating(),
                window.dockWidgetArea(dock),
                frozenset(other.objectName() for other in window.tabifiedDockWidgets(dock)),
                (columns.index(dock.x() // 8), rows.index(dock.y() // 8)) if dock in alone else (),
            )
            for dock in self._docks
        )
