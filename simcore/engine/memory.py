"""How much memory this process has used."""

from __future__ import annotations

import sys


def peak_rss_bytes() -> int:
    """The most memory this process has had; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    found = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return found if sys.platform == "darwin" else found * 1024
