"""Units and conversions: the only place where seconds meet picoseconds.

Inside records, time is int64 picoseconds and amounts are int64 bytes or operations.
GB is 10**9 bytes, GiB is 2**30 bytes; both are always spelled out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

PS_PER_NS = 1_000
PS_PER_US = 1_000_000
PS_PER_MS = 1_000_000_000
PS_PER_S = 1_000_000_000_000

GB = 10**9
GiB = 2**30
MiB = 2**20
KiB = 2**10

Int64Array = NDArray[np.int64]


def seconds(time_ps: float) -> float:
    """Seconds of a time in picoseconds."""
    return float(time_ps) / PS_PER_S


def rounded(value: float, digits: int) -> str:
    """A number with that many significant digits, all digits before the point, no exponent above.

    >>> rounded(16312.0, 4), rounded(6563.2, 3), rounded(0.0123456, 3)
    ('16,312', '6,563', '0.0123')
    """
    large = abs(value) >= 10**digits - 0.5
    return f"{value:,.0f}" if large else f"{value:.{digits}g}"


def us_to_ps(time_us: float) -> int:
    """Whole picoseconds of a time in microseconds."""
    return round(time_us * PS_PER_US)


def transfer_ps(amount_bytes: ArrayLike, bandwidth_GBps: float) -> Int64Array:
    """Time to move `amount_bytes` at `bandwidth_GBps`, in ps, rounded up.

    1 GB/s is one byte per 1000 ps, so ps = bytes * 1000 / GBps. Rounding up keeps a transfer
    from ever beating its own peak.
    """
    return np.ceil(np.asarray(amount_bytes, dtype=np.float64) * (1e3 / bandwidth_GBps)).astype(
        np.int64
    )


def compute_ps(operations: ArrayLike, rate_Gops: float) -> Int64Array:
    """Time for `operations` at `rate_Gops` (10**9 operations/s), in ps, rounded up."""
    return np.ceil(np.asarray(operations, dtype=np.float64) * (1e3 / rate_Gops)).astype(np.int64)
