"""Named random streams, all spawned from the scenario's seed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one purpose; the same seed and name give the same numbers everywhere."""
    return np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))


def state_words(state: Mapping[str, Any]) -> NDArray[np.uint64]:
    """The state of such a generator as six words, for compiled loops.

    The four of SFC64, whether half of a word is left over, and that half.
    """
    words = [*state["state"]["state"].tolist(), state["has_uint32"], state["uinteger"]]
    return np.array(words, np.uint64)
