"""The points of a sweep, a pure function of it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from simcore.sweep.spec import Method, SweepSpec

Values = tuple[Any, ...]
"""A value for each axis, in their order."""


def listed_points(spec: SweepSpec) -> tuple[Values, ...]:
    """All points of a sweep that is no search; the last axis runs fastest.

    Raises:
        ValueError: for a search, whose points depend on results.
    """
    if spec.method is Method.SEARCH:
        raise ValueError("a search has no list of points")
    if spec.method is Method.GRID:
        return tuple(itertools.product(*(axis.grid() for axis in spec.axes)))
    count, width = spec.points, len(spec.axes)
    rng = np.random.default_rng([spec.seed, width])
    if spec.method is Method.RANDOM:
        shares = rng.random((count, width))
    else:
        from scipy.stats import qmc  # half a second to import

        shares = qmc.LatinHypercube(width, rng=rng).random(count)
    return tuple(
        tuple(axis.sample(share) for axis, share in zip(spec.axes, row, strict=True))
        for row in shares.tolist()
    )
