"""Named random streams, all spawned from the scenario's seed."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one purpose; the same seed and name give the same numbers everywhere."""
    return np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))
