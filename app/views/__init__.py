"""The views: one view, one file; importing this package registers them all."""

from app.views import (
    bandwidth,
    dimm_load,
    explain,
    inspector,
    log,
    machine,
    memory_map,
    metrics,
    placement_map,
    scenario_editor,
    timeline,
)

__all__ = [
    "bandwidth",
    "dimm_load",
    "explain",
    "inspector",
    "log",
    "machine",
    "memory_map",
    "metrics",
    "placement_map",
    "scenario_editor",
    "timeline",
]
