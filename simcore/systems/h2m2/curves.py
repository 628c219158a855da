"""Why this mapping: time of either side over the number of heads, at one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.errors import UserError
from simcore.systems.h2m2.causes import problem_of
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import SUBLAYERS, H2M2Plan
from simcore.systems.h2m2.mapping import NEVER, Optimum

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MappingCurve:
    """Times of a sublayer of one layer, all layers being alike.

    Attributes:
        sublayer: ``qkv``, ``attention`` or ``fc``.
        n: (N + 1,) units on the HBM side.
        hbm_ps: (N + 1,) time of the HBM side for its n.
        lpddr_ps: (N + 1,) time of the LPDDR side for the other N - n.
        fits: (N + 1,) whether n fits both memories with the other sublayers as they are.
        chosen: the n of the step.
        optimum: the n of the best mapping of all sublayers together.
        balanced: the n at which the slower side is fastest, whatever fits.
    """

    sublayer: str
    n: Int
    hbm_ps: Int
    lpddr_ps: Int
    fits: NDArray[np.bool_]
    chosen: int
    optimum: int
    balanced: int

    @property
    def slower_ps(self) -> Int:
        """Time of the sublayer, (N + 1,)."""
        return np.maximum(self.hbm_ps, self.lpddr_ps)


def mapping_curve(plan: H2M2Plan, record: Mapping[str, Any], sublayer: str | int) -> MappingCurve:
    """The curve of a sublayer at a step.

    Args:
        plan: the run.
        record: the step.
        sublayer: name or index.

    Raises:
        UserError: if nothing is shared out between two sides, or there is no such sublayer.
    """
    if not plan.split:
        raise UserError(f"{plan.scenario.system} has one kind of memory: no mapping to look at")
    index = SUBLAYERS.index(sublayer) if sublayer in SUBLAYERS else sublayer
    if not isinstance(index, int) or not 0 <= index < len(SUBLAYERS):
        raise UserError(f"no sublayer {sublayer!r}; one of {', '.join(SUBLAYERS)}")
    tokens = np.array([int(record["kv_tokens"])])
    padded = np.array([int(record["padded_tokens"])])
    problem = problem_of(Kernels(plan), tokens, padded)
    chosen = np.asarray(record["mapping"], np.int64)
    best = Optimum(problem).solve(problem)[0]
    hbm, lpddr = (np.atleast_2d(side[index])[0] for side in (problem.hbm_ps, problem.lpddr_ps))
    n = np.arange(len(hbm))
    options = np.repeat(chosen[None], len(n), axis=0)
    options[:, index] = n
    feet = problem.feet
    use = [
        sum(np.atleast_2d(side[s])[0][options[:, s]] for s in range(len(SUBLAYERS)))
        for side in (feet.hbm, feet.lpddr)
    ]
    fits = (use[0] <= feet.free_hbm) & (use[1] <= feet.free_lpddr)
    slower = np.maximum(hbm, lpddr)
    return MappingCurve(
        SUBLAYERS[index],
        n,
        hbm,
        lpddr,
        np.asarray(fits),
        int(chosen[index]),
        int(best[index]),
        int(np.where(slower < NEVER, slower, NEVER).argmin()),
    )
