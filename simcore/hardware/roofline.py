"""Time of one piece of work on one unit, from bytes, operations and rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from simcore.units import Int64Array, compute_ps, transfer_ps


def roofline_ps(
    amount_bytes: ArrayLike, operations: ArrayLike, bandwidth_GBps: float, rate_Gops: float
) -> Int64Array:
    """Reading and computing overlap perfectly: the longer of the two, in ps."""
    return np.maximum(transfer_ps(amount_bytes, bandwidth_GBps), compute_ps(operations, rate_Gops))


def additive_ps(
    amount_bytes: ArrayLike, operations: ArrayLike, bandwidth_GBps: float, rate_Gops: float
) -> Int64Array:
    """Reading and computing do not overlap: their sum, in ps."""
    total: Int64Array = transfer_ps(amount_bytes, bandwidth_GBps) + compute_ps(
        operations, rate_Gops
    )
    return total
