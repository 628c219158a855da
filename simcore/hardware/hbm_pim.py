"""HBM-PIM: a processing unit in every bank of HBM stacks.

Structure as in AttAcc and the HBM-PIM baseline of L3 (CHIME), arXiv 2504.17584v2, section VII-A.
The gain over the external bandwidth is a number of the paper (16); `timing_gain` derives it.
"""

from __future__ import annotations

from simcore.hardware.dram.analytic import Access, Estimate, Scope, estimate
from simcore.hardware.dram.timing import DramTiming
from simcore.scenario.schema import HbmPim

DRAM = "hbm3-6400-16gb-8hi"
"""DRAM preset whose banks give the 16 of the paper; AttAcc models stacks of HBM3 as well."""


def internal_GBps(pim: HbmPim, stacks: float) -> float:
    """Peak of the bank units of `stacks` stacks together."""
    return stacks * pim.stack_GBps * pim.internal_scale


def timing_gain(dram: DramTiming) -> float:
    """Inside over outside: banks of a pseudo-channel x nBL / nCCD_L (HBM3: 32 x 2 / 4 = 16)."""
    return dram.banks * dram.nBL / dram.nCCD_L


def sustained(dram: DramTiming, *, in_step: bool = False) -> Estimate:
    """Share of the bank-level peak that is left when whole rows are read: row changes, refresh."""
    return estimate(dram, Access(scope=Scope.BANK, in_step=in_step))
