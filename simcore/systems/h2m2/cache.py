"""HBM as a cache of LPDDR that a decode iteration goes through from end to end, again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDS = 60


def hit_share(ratio: ArrayLike, policy: str) -> NDArray[np.float64]:
    """Share of the lines found in a cache when all lines are read cyclically.

    Args:
        ratio: size of what is read over size of the cache, any shape.
        policy: ``lru``: with more lines than room each is evicted before it comes again, so
            nothing hits. ``pin_fraction``: what fits stays. ``random``: a line survives the M
            misses until it comes again with (1 - 1/C)^M, so h = exp(-(1 - h) ratio), the smaller
            root (for a cache of many lines).
    """
    x = np.asarray(ratio, np.float64)
    fits = x <= 1
    if policy == "lru":
        return np.where(fits, 1.0, 0.0)
    if policy == "pin_fraction":
        return np.where(fits, 1.0, 1 / np.maximum(x, 1e-300))
    # Newton from 0 rises to the smaller root of a convex function without passing it.
    large = np.where(fits, 2.0, x)
    hit = np.zeros_like(large)
    for _ in range(_ROUNDS):
        survives = np.exp(-(1 - hit) * large)
        slope = large * survives - 1
        step = np.where(slope < 0, (survives - hit) / -np.minimum(slope, -1e-12), 0.0)
        hit = np.minimum(hit + step, 1.0)
    return np.where(fits, 1.0, hit)
