"""Memory that was freed and will be wanted again in a moment: kept instead of given back.

The C library of Linux gives large arrays back to the system when they are freed and fetches new
ones for the next, page by page, cleared each time. A picture that moves thirty times a second, and
a run that follows another, paid more for that than for what they put into the pages.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 256 << 20
"""Most that is kept at the end of the heap: about two runs of the default scenario."""
LARGEST_BYTES = 32 << 20
"""Larger arrays are fetched and given back one by one, as ever (the most the library allows)."""


def keep_freed_memory() -> bool:
    """Keep freed memory in this process; False where the C library is another one."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        say = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has no such thing
        return False
    return bool(say(_M_TRIM_THRESHOLD, KEPT_BYTES) and say(_M_MMAP_THRESHOLD, LARGEST_BYTES))
