"""Who goes first where there are more busy threads than cores: the window, then what it waits for.

The system divides cores evenly unless told otherwise, so that a picture is put off for three
milliseconds at a time, again and again, by work that nobody would notice to be late.
"""

from __future__ import annotations

import contextlib
import os
import sys

WORKER_NICE = 5
"""Of a working process: the window goes before it. On a core that is busy with others, it keeps a
quarter; twice as nice, it kept a tenth, and the window gained nothing."""
THREAD_NICE = 2
"""Of a thread that works for the window: it may hold the interpreter, so it goes before workers."""


def lower_process() -> None:
    """Let the other process go first; called before this one has further threads."""
    if hasattr(os, "setpriority"):  # on Windows it is said where the process is started
        _at_least(WORKER_NICE)


def lower_thread() -> None:
    """Let the window's own thread go before the calling one, where threads have priorities."""
    if sys.platform.startswith("linux"):
        _at_least(THREAD_NICE)


def _at_least(nice: int) -> None:
    """Make the calling thread so nice, and what it starts from now on; never less than it was."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            here = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, max(here, nice))
