"""HBM-PIM: a processing unit in every bank of HBM stacks, bandwidth out of the DRAM timing.

Structure as in AttAcc and the HBM-PIM baseline of L3 (CHIME), arXiv 2504.17584v2, section VII-A.
"""

from __future__ import annotations

from dataclasses import dataclass

from simcore.errors import Problem, ScenarioErrors
from simcore.hardware.dram.analytic import Access, Estimate, Scope, estimate
from simcore.hardware.dram.timing import DramTiming


@dataclass(frozen=True, slots=True, kw_only=True)
class HbmPim:
    """Stacks with a unit in every bank.

    Attributes:
        timing: one channel.
        stacks: number of stacks.
        stack_GBps: bandwidth of a stack to the outside.
    """

    timing: DramTiming
    stacks: int
    stack_GBps: float

    def __post_init__(self) -> None:
        found = [
            Problem(name, "too small", "more than 0", value=str(getattr(self, name)))
            for name in ("stacks", "stack_GBps")
            if getattr(self, name) <= 0
        ]
        if found:
            raise ScenarioErrors(found, "HBM-PIM")

    @property
    def gain(self) -> float:
        """Inside over outside: banks of a pseudo-channel x nBL / nCCD_L (HBM3: 32 x 2 / 4 = 16)."""
        return self.timing.banks * self.timing.nBL / self.timing.nCCD_L

    @property
    def external_GBps(self) -> float:
        """All stacks to the outside."""
        return self.stacks * self.stack_GBps

    @property
    def bank_level_GBps(self) -> float:
        """Every bank of every stack read by its own unit."""
        return self.external_GBps * self.gain


def sustained(pim: HbmPim) -> Estimate:
    """Share of the bank-level peak that is left when whole rows are read: row changes, refresh."""
    return estimate(pim.timing, Access(scope=Scope.BANK))
