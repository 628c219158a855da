"""What numbers of a run can be: time is whole picoseconds in 64 bits, 106 days in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from simcore.errors import UserError


@contextmanager
def countable() -> Iterator[None]:
    """Turn an overflow of a time or an amount into a message, before it can become a wrong number.

    Raises:
        UserError: if there was one.
    """
    try:
        with np.errstate(over="raise", invalid="raise"):
            yield
    except (FloatingPointError, OverflowError) as error:
        raise UserError(
            "a time or an amount of this scenario is too large to be counted (a run can last 106 "
            "days of simulated time); look for a bandwidth, rate or clock near 0, or an amount "
            "that is extremely large"
        ) from error
