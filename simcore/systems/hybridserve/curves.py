"""Why this ratio: time of the link and of the GPU over the share of activations, at one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.systems.hybridserve.caching import Cache, Settings
from simcore.systems.hybridserve.machine import GPU, UP, Int
from simcore.systems.hybridserve.plan import Templates
from simcore.systems.hybridserve.search import GRID, decode_rows, fits


@dataclass(frozen=True, slots=True)
class RatioCurve:
    """Times of one decode step for every share of light blocks.

    Attributes:
        share: (n,) shares from 0 to 1, that of the run among them.
        pcie_ps: (n,) time in which the link carries something to the GPU.
        gpu_ps: (n,) time in which the GPU computes.
        step_ps: (n,) time of the step, at least the longer of both.
        fits: (n,) whether both memories hold it to the end of the run.
        chosen: index of the run's share.
        light: what light blocks hold, ``act`` or ``tokens``.
        mini_batches: of the run.
    """

    share: NDArray[np.float64]
    pcie_ps: Int
    gpu_ps: Int
    step_ps: Int
    fits: NDArray[np.bool_]
    chosen: int
    light: str
    mini_batches: int


def ratio_curve(cache: Cache, templates: Templates, chosen: Settings, step: int) -> RatioCurve:
    """The curve at a decode step (from 1), with the run's number of mini-batches."""
    mine = float(chosen.share[0])
    shares = np.unique(np.append(np.arange(GRID + 1) / GRID, mine))
    settings = cache.settings(shares, chosen.mini_batches)
    rows, _ = decode_rows(cache, templates, settings, np.full(len(shares), step))
    totals = rows.totals(cache.layers)
    work = slice(0, templates.layer.first_wait)
    return RatioCurve(
        shares,
        totals.time_ps[:, UP, work].sum(axis=1),
        totals.time_ps[:, GPU, work].sum(axis=1),
        totals.duration_ps,
        fits(cache, settings),
        int(np.flatnonzero(shares == mine)[0]),
        cache.light_is,
        chosen.mini_batches,
    )
