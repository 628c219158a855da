"""Figures of devices and papers that follow from DRAM timing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simcore.hardware.dram.analytic import (
    Access,
    Pattern,
    Scope,
    bank_peak_GBps,
    estimate,
    usual_queue,
)
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import DramPreset, dram_preset

SHOWN: tuple[tuple[str, Pattern, Layout, int], ...] = (
    ("stream_bank_group_GBps", Pattern.STREAM, Layout.BANK_GROUP, 64),
    ("stream_linear_GBps", Pattern.STREAM, Layout.LINEAR, 64),
    ("gather_64B_GBps", Pattern.GATHER, Layout.LINEAR, 64),
    ("gather_1KiB_bank_group_GBps", Pattern.GATHER, Layout.BANK_GROUP, 1024),
)
"""What is shown of every preset: name, pattern, layout, granule."""


def ranks_shown(preset: DramPreset) -> int:
    """Ranks of the channel figures are shown for: two of modules, one of stacks."""
    return 1 if preset.timing.pseudo_channels > 1 else 2


def derived(preset: DramPreset) -> dict[str, Any]:
    """Peak and sustained GB/s of a channel of `ranks_shown` ranks, for every scope."""
    ranks, queue = ranks_shown(preset), usual_queue(preset.timing)
    found: dict[str, Any] = {"ranks": ranks, "queue": queue}
    for scope in Scope:
        figures: dict[str, float] = {}
        for name, pattern, layout, granule in SHOWN:
            access = Access(
                pattern, layout, granule_bytes=granule, ranks=ranks, queue=queue, scope=scope
            )
            one = estimate(preset.timing, access)
            figures["peak_GBps"] = one.peak_GBps
            figures[name] = one.bandwidth_GBps
        found[scope.value] = figures
    return found


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """A bandwidth a paper prints or implies, out of its timing.

    Attributes:
        what: which bandwidth.
        formula: with the numbers in it.
        GBps: what the timing gives.
        printed: as in the paper; empty if it follows and is not printed.
        source: paper and section.
    """

    what: str
    formula: str
    GBps: float
    printed: str
    source: str


def paper_figures() -> tuple[PaperFigure, ...]:
    """Bandwidths of Hermes and L3 (CHIME) as plain arithmetic on their timing, before refresh."""
    l3 = dram_preset("l3-ddr4-3200")
    hermes = dram_preset("hermes-ddr4-3200")
    channels, ranks = int(l3.info["channels"]), l3_ranks(l3)
    a, b = l3.timing, hermes.timing
    bank = bank_peak_GBps(a)
    per_dimm, dimms = int(hermes.info["ranks_per_dimm"]), int(hermes.info["dimms"])
    where = "L3 (CHIME), arXiv 2504.17584v2, Table I"
    table = "Hermes, arXiv 2502.16963, Table II"
    burst = f"{a.burst_bytes} B / ({a.nBL} x {a.tCK_ps / 1e3:g} ns)"
    linear = b.nBL / b.nCCD_L
    return (
        PaperFigure("L3: one channel", burst, a.peak_GBps, "", where),
        PaperFigure(
            "L3: host", f"{channels} x {a.peak_GBps:.2f}", channels * a.peak_GBps, "406 GB/s", where
        ),
        PaperFigure(
            "L3: rank level", f"{ranks} x {a.peak_GBps:.2f}", ranks * a.peak_GBps, "1.6 TB/s", where
        ),
        PaperFigure(
            "L3: bank level",
            f"{ranks} x {a.banks} x {a.burst_bytes} B / ({a.nCCD_L} x {a.tCK_ps / 1e3:g} ns)",
            ranks * a.banks * bank,
            "13.0 TB/s",
            where,
        ),
        PaperFigure(
            "L3: one bank unit of a chip",
            f"{a.burst_bytes // 8} B / ({a.nCCD_L} x {a.tCK_ps / 1e3:g} ns)",
            bank / 8,
            "",
            where,
        ),
        PaperFigure(
            "Hermes: one DIMM",
            f"{per_dimm} x {b.peak_GBps:g}",
            per_dimm * b.peak_GBps,
            "",
            table,
        ),
        PaperFigure(
            "Hermes: all DIMMs",
            f"{dimms} x {per_dimm} x {b.peak_GBps:g}",
            dimms * per_dimm * b.peak_GBps,
            "",
            table,
        ),
        PaperFigure(
            "Hermes: one DIMM, rows read in order",
            f"{per_dimm} x {b.peak_GBps:g} x nBL {b.nBL} / nCCD_L {b.nCCD_L}",
            per_dimm * b.peak_GBps * linear,
            "",
            table,
        ),
    )


def l3_ranks(preset: DramPreset) -> int:
    """Ranks of the machine of L3: channels x DIMMs x ranks."""
    info = preset.info
    return int(info["channels"]) * int(info["dimms_per_channel"]) * int(info["ranks_per_dimm"])
