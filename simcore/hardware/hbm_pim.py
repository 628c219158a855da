"""HBM-PIM: a processing unit in every bank of HBM stacks.

Structure as in AttAcc and the HBM-PIM baseline of L3 (CHIME), arXiv 2504.17584v2, section VII-A.
The gain over the external bandwidth is a number of the paper (16); `timing_gain` derives it.
"""

from __future__ import annotations

from simcore.hardware.derivation import Derivation
from simcore.hardware.dram.analytic import Access, Estimate, Scope, estimate
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.timing import DramTiming
from simcore.scenario.fields import SourceClass
from simcore.scenario.schema import HbmPim

DRAM = "hbm3-6400-16gb-8hi"
"""DRAM preset whose banks give the 16 of the paper; AttAcc models stacks of HBM3 as well."""


def internal_GBps(pim: HbmPim, stacks: float) -> float:
    """Peak of the bank units of `stacks` stacks together."""
    return stacks * pim.stack_GBps * pim.internal_scale


def passes(pim: HbmPim, queries: int) -> int:
    """How often keys and values are read for so many query heads that share them."""
    return -(-queries // pim.queries_per_read) if pim.queries_per_read else 1


def timing_gain(dram: DramTiming) -> float:
    """Inside over outside: banks of a pseudo-channel x nBL / nCCD_L (HBM3: 32 x 2 / 4 = 16)."""
    return dram.banks * dram.nBL / dram.nCCD_L


def sustained(dram: DramTiming, *, in_step: bool = False) -> Estimate:
    """Share of the bank-level peak that is left when whole rows are read: row changes, refresh."""
    return estimate(dram, Access(scope=Scope.BANK, in_step=in_step))


def derivations(pim: HbmPim, peak_GBps: float) -> tuple[Derivation, ...]:
    """Bank units of the stacks, and the gain the timing of their DRAM gives.

    Args:
        pim: the stacks.
        peak_GBps: of the bank units of the replica the run simulates.
    """
    dram, table = dram_preset(DRAM).timing, "L3 (CHIME), arXiv 2504.17584v2, Table I"
    own, in_step = sustained(dram), sustained(dram, in_step=True)
    one = pim.stack_GBps * pim.internal_scale
    derived, model = SourceClass.DERIVED, f"analytic DRAM model on {DRAM}"
    return (
        Derivation(
            "bank units of one stack",
            f"{pim.stack_GBps:g} GB/s x {pim.internal_scale:g}",
            one,
            "GB/s",
            derived,
            table,
            True,
        ),
        Derivation(
            "all stacks of the replica",
            f"{peak_GBps / one:.4g} stacks x {one:g} GB/s",
            peak_GBps,
            "GB/s",
            derived,
            table,
            True,
        ),
        Derivation(
            "inside over outside, by timing",
            f"{dram.banks} banks x nBL {dram.nBL} / nCCD_L {dram.nCCD_L}",
            timing_gain(dram),
            "",
            derived,
            f"timing of {DRAM}",
        ),
        Derivation(
            "share left by rows and refresh, banks on their own",
            f"limited by {own.limited_by}",
            100 * own.fraction_of_peak,
            "%",
            derived,
            model,
        ),
        Derivation(
            "share left with all banks in step",
            f"activates of {dram.banks} banks at nFAW {dram.nFAW} first",
            100 * in_step.fraction_of_peak,
            "%",
            derived,
            model,
        ),
        Derivation(
            "share in use",
            "",
            100 * pim.efficiency,
            "%",
            SourceClass.PUBLIC,
            "AttAcc simulator: cap of the memory utilisation",
            True,
        ),
    )
