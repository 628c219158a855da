"""How many processors there are to work with."""

import os


def cores() -> int:
    """Processors this process may use: fewer than there are if it was given fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
