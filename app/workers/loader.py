"""Loads one thing at a time in the background; a newer request replaces one that waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from simcore.remote.priority import lower_thread

Work = Callable[[], Any]


class _Thread(QThread):
    """Takes the newest request; `done` is delivered in the thread of the receiver."""

    done = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.condition = threading.Condition()
        self.waiting: tuple[object, Work] | None = None
        self.leave = False

    def run(self) -> None:
        lower_thread()
        while True:
            with self.condition:
                while self.waiting is None and not self.leave:
                    self.condition.wait()
                if self.leave or self.waiting is None:
                    return
                key, work = self.waiting
                self.waiting = None
            self._do(key, work)
            del key, work  # may hold a whole run while nothing is asked for

    def _do(self, key: object, work: Work) -> None:
        try:
            result = work()
        except Exception as error:  # the border of the thread
            self.failed.emit(error, key)
        else:
            self.done.emit(key, result)


class LatestLoader(QObject):
    """Runs functions one after the other and skips all but the newest that wait."""

    loaded = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._thread = _Thread()
        self._thread.done.connect(self.loaded)
        self._thread.failed.connect(self.failed)

    def request(self, key: object, work: Work) -> None:
        """Ask for `work()`; `loaded(key, result)` follows unless a newer request replaces it.

        If it raises, `failed(error, key)` does.
        """
        with self._thread.condition:
            self._thread.waiting = (key, work)
            self._thread.condition.notify()
        if not self._thread.isRunning():
            self._thread.start()

    def shut_down(self) -> None:
        """Forget what waits and wait for what runs."""
        with self._thread.condition:
            self._thread.waiting = None
            self._thread.leave = True
            self._thread.condition.notify()
        self._thread.wait()
