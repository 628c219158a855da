"""Who goes first where there are more busy threads than cores: the window, then what it waits for.

The system divides cores evenly unless told otherwise, so that a picture is put off for three
milliseconds at a time, again and again, by work that nobody would notice to be late.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys

WORKER_NICE = 10
"""Of a working process: the window goes before it. On a core that is busy with others, it keeps a
tenth; with half of that the window is late more often, with twice as much no less."""
THREAD_NICE = 5
"""Of a thread that works for the window: it may hold the interpreter, so it goes before workers."""


WINDOW_SLICE_US, OTHER_SLICE_US = 100, 20_000
"""How long the window's thread, and all that works for it, compute at a time: who asks for less is
let in sooner, for the same share. (On a busy core longer turns would also come more seldom.)"""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the call of Linux, which the C library knows only of late."""


def raise_thread() -> None:
    """Let the calling thread in at once when it has something to do: that of the window.

    Without it a thread that wakes on a core where another computes waits until that one had its
    turn of 3 ms, though it is more urgent and though another core may be idle (Linux 6.18, two
    cores). Older kernels than 6.12 know no such wish and ignore it.
    """
    _slice(WINDOW_SLICE_US, alone=True)


def lower_process() -> None:
    """Let the other process go first; called before this one has further threads."""
    if hasattr(os, "setpriority"):  # on Windows it is said where the process is started
        _at_least(WORKER_NICE)
        _slice(OTHER_SLICE_US)


def lower_thread() -> None:
    """Let the window's own thread go before the calling one, where threads have priorities."""
    if sys.platform.startswith("linux"):
        _at_least(THREAD_NICE)
        _slice(OTHER_SLICE_US)


def _at_least(nice: int) -> None:
    """Make the calling thread so nice, and what it starts from now on; never less than it was."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            here = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, max(here, nice))


def _slice(microseconds: int, *, alone: bool = False) -> None:
    """Ask for turns of that length for the calling thread, where one can.

    What it starts asks for the same, unless it is for this thread `alone`.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None:
        return
    # Without it all works, only less smoothly: musl answers neither question, old kernels ignore
    # the wish.
    with contextlib.suppress(OSError, AttributeError):
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        if policy not in (os.SCHED_OTHER, os.SCHED_BATCH):
            return  # somebody has decided otherwise
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        # Size, policy, flags (1: what is started begins anew), nice, priority; turn in ns and what
        # only other policies have.
        wish = struct.pack("=IIQiIQQQ", 48, policy, int(alone), nice, 0, microseconds * 1000, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, wish, 0)
