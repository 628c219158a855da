"""Cyclic garbage collection in the GUI thread only.

Python collects cycles in whichever thread happens to allocate. Were that the simulation thread, it
could destroy widgets that wait in a cycle, which Qt allows in the GUI thread only.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_TICK_MS = 1000
_FULL_EVERY = 15


class GuiCollector(QObject):
    """Switches automatic collection off and collects from a timer instead."""

    def __init__(self) -> None:
        super().__init__()
        gc.disable()
        gc.freeze()  # collecting first would take a tenth of a second to find next to nothing
        self._count = 0
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Give collection back to the interpreter."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        self._count += 1
        gc.collect(2 if self._count % _FULL_EVERY == 0 else 1)
