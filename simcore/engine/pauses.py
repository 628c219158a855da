"""Points at which a simulation under way can be given up or made to wait.

A block of steps of a large machine takes tens of milliseconds, which is long for a user who has
typed the next value already. So a simulation calls `pause` wherever it is between two pieces of
work; what happens there, the caller of the simulation decides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_own = threading.local()


def pause() -> None:
    """Do what this thread's caller wants at pauses; nothing where nobody wants anything.

    Raises:
        Cancelled: if the caller does not want the result any more.
    """
    call: Callable[[], None] | None = getattr(_own, "call", None)
    if call is not None:
        call()


@contextmanager
def at_pauses(call: Callable[[], None]) -> Iterator[None]:
    """While the block runs, `pause` in this thread calls `call`."""
    before = getattr(_own, "call", None)
    _own.call = call
    try:
        yield
    finally:
        _own.call = before
