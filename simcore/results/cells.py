"""What lanes did over stretches of steps: enough to draw a run of any length from afar.

A system whose steps change evenly between events sums whole stretches without looking at every
step; others give one cell a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cells:
    """Consecutive groups of steps.

    Attributes:
        stop: step after the last of each cell, (n,); a cell begins where the one before stops.
        time_ps: time by lane and op, waits included, (n, lanes, ops); adds up to the cell's time.
        amount_bytes: bytes moved by lane, (n, lanes).
    """

    stop: NDArray[np.int64]
    time_ps: NDArray[np.float64]
    amount_bytes: NDArray[np.float64]
