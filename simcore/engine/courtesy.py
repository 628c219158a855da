"""Points at which a simulating thread lets another thread of the interpreter go first.

Python runs one thread at a time. A thread that simulates takes its turns between the many short
calls of one that draws, and makes a picture of ten milliseconds take a hundred. So a simulation
offers to wait wherever it is between two pieces of work; whether it does, the caller decides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_own = threading.local()


def give_way() -> None:
    """Wait as long as this thread's caller wants; nothing where nobody asked for it."""
    wait: Callable[[], None] | None = getattr(_own, "wait", None)
    if wait is not None:
        wait()


@contextmanager
def courteous(wait: Callable[[], None]) -> Iterator[None]:
    """While the block runs, `give_way` in this thread calls `wait`."""
    before = getattr(_own, "wait", None)
    _own.wait = wait
    try:
        yield
    finally:
        _own.wait = before
