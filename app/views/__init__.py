"""The views: one view, one file; importing this package registers them all."""

from app.views import (
    bandwidth,
    chart,
    compare,
    dimm_load,
    explain,
    figures,
    history,
    inspector,
    log,
    machine,
    memory_map,
    metrics,
    placement_map,
    scenario_editor,
    stops,
    timeline,
)

__all__ = [
    "bandwidth",
    "chart",
    "compare",
    "dimm_load",
    "explain",
    "figures",
    "history",
    "inspector",
    "log",
    "machine",
    "memory_map",
    "metrics",
    "placement_map",
    "scenario_editor",
    "stops",
    "timeline",
]
