"""Which step and time of run A belong to a step and time of run B."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.composition import Composition
from app.viewmodels.hover import token_number
from app.viewmodels.keys import OP_KEYS
from simcore.results.run import Run

Floats = NDArray[np.float64]


class Align(StrEnum):
    """What A and B have in common at one place of the axis."""

    TOKEN = "token"
    TIME = "time"


def step_offset(a: Run, b: Run) -> int:
    """The step of A that makes the same token as step s of B is s plus this."""
    if not len(a) or not len(b):
        return 0
    return token_number(b, 0) - token_number(a, 0)


def matched_lanes(a: Run, b: Run) -> tuple[int, ...]:
    """For each lane of B the lane of A of the same id, -1 where A has none."""
    known = {lane.id: index for index, lane in enumerate(a.lanes)}
    return tuple(known.get(lane.id, -1) for lane in b.lanes)


class Reference:
    """Run A on the axis of run B.

    Attributes:
        run: A.
        composition: its totals.
        lanes: lane of A for each lane of B, -1 for none.
        offset: step of A minus step of B at the same token.
    """

    def __init__(self, a: Composition, b: Composition) -> None:
        self.run = a.run
        self.composition = a
        self._other = b
        a.extend(len(self.run))
        self.lanes = matched_lanes(self.run, b.run)
        self.offset = step_offset(self.run, b.run)

    @property
    def other_edges(self) -> Floats:
        """Step edges of B in ps."""
        return self._other.edges

    def step_of(self, step: int, align: Align) -> int:
        """The step of A that belongs to a step of B, -1 for none."""
        if align is Align.TOKEN:
            at = step + self.offset
        else:
            mine = self.composition.edges
            at = int(np.searchsorted(mine, self._other.edges[step], side="right")) - 1
        return at if 0 <= at < self.composition.steps else -1

    def times(self, times_ps: Floats, align: Align) -> Floats:
        """Times of A at times of B; NaN where A has nothing to show."""
        mine, other = self.composition.edges, self._other.edges
        if len(mine) < 2 or len(other) < 2:
            return np.full(len(times_ps), np.nan)
        if align is Align.TIME:
            out = times_ps.astype(np.float64)
            out[(out < 0) | (out > mine[-1])] = np.nan
            return out
        place = np.interp(times_ps, other, np.arange(len(other), dtype=np.float64))
        place += self.offset
        out = np.interp(place, np.arange(len(mine), dtype=np.float64), mine)
        outside = (times_ps < 0) | (times_ps > other[-1]) | (place < 0) | (place > len(mine) - 1)
        out[outside] = np.nan
        return out

    def busy(self, times_ps: Floats, align: Align) -> Floats:
        """Share of the time each lane of B worked in A between consecutive times of B.

        Shape (lanes of B, n - 1); NaN where A has no such lane or no such time.
        """
        return self._of_other(self.busy_own(times_ps, align))

    def busy_own(self, times_ps: Floats, align: Align) -> Floats:
        """The same for every lane of A, shape (lanes of A, n - 1)."""
        at = self.times(times_ps, align)
        width = np.diff(at)
        parts = self.composition.between(np.nan_to_num(at))[..., :OP_KEYS].sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(width[:, None] > 0, parts / width[:, None], np.nan)
        return np.asarray(shares.T)

    def busy_share(self, first: int, stop: int, align: Align) -> Floats:
        """Share of the time each lane of B worked in A over B's steps first..stop; NaN for none."""
        edges = self._other.edges
        if stop <= first:
            return np.full(len(self.lanes), np.nan)
        return (
            self.busy(edges[[first, stop]], align)[:, 0]
            if align is Align.TIME
            else (self._share_of_steps(first + self.offset, stop + self.offset))
        )

    def _share_of_steps(self, first: int, stop: int) -> Floats:
        first, stop = max(0, first), min(stop, self.composition.steps)
        if stop <= first:
            return np.full(len(self.lanes), np.nan)
        return self._of_other(self.composition.busy_share(first, stop)[:, None])[:, 0]

    def durations(self, steps: NDArray[np.int64], align: Align) -> Floats:
        """Length in ps of the step of A at each step of B; NaN for none."""
        mine, other = self.composition.edges, self._other.edges
        count = self.composition.steps
        if align is Align.TOKEN:
            at = steps + self.offset
        else:
            at = np.searchsorted(mine, other[steps], side="right") - 1
        out = np.full(len(steps), np.nan)
        inside = (at >= 0) & (at < count)
        out[inside] = np.diff(mine)[at[inside]]
        return out

    def _of_other(self, values: Floats) -> Floats:
        lanes = np.array(self.lanes, np.int64)
        out = values[np.maximum(lanes, 0)].astype(np.float64)
        out[lanes < 0] = np.nan
        return out
