"""Sums of whole numbers by place, exact however large they get."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

_ROWS = 1024
"""Rows added at a time: their places stay in the cache."""


def add_by_place(out: Int, where: Int, values: Int, rows_each: int = 1) -> None:
    """Add values to places of their rows, in place.

    Args:
        out: (rows / rows_each, places), contiguous.
        where: place of each value, (columns,) or (rows, columns).
        values: (rows, columns).
        rows_each: so many rows are added into one.
    """
    flat = out.reshape(-1)
    where = np.broadcast_to(where, values.shape)
    for first in range(0, len(values), _ROWS):
        rows = slice(first, min(first + _ROWS, len(values)))
        into = np.arange(rows.start, rows.stop) // rows_each * out.shape[1]
        places = into[:, None] + where[rows]
        np.add.at(flat, places.reshape(-1), values[rows].reshape(-1))
