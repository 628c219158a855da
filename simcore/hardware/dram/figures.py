"""Figures of a DRAM preset that follow from its timing."""

from __future__ import annotations

from typing import Any

from simcore.hardware.dram.analytic import Access, Pattern, Scope, estimate, usual_queue
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import DramPreset

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
