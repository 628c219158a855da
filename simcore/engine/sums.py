"""Sums of whole numbers by place that stay exact where floating point would not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXACT = 2.0**53


def sums_by_place(place: NDArray[Any], values: NDArray[np.int64], places: int) -> NDArray[np.int64]:
    """Sum of the values of each place, (places,).

    Args:
        place: where each value belongs, from 0 to `places` - 1, of any shape.
        values: not negative, of the same shape.
        places: how many there are.
    """
    flat, amounts = place.reshape(-1), values.reshape(-1)
    found = np.bincount(flat, amounts.astype(np.float64), places)
    # Whole numbers that only grow are exact in floating point until they pass 2^53.
    if not len(found) or found.max() < _EXACT:
        return found.astype(np.int64)
    out = np.zeros(places, np.int64)  # slower, for steps of hours
    np.add.at(out, flat, amounts)
    return out
