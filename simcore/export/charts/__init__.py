"""Charts of a run, one file each: ``data`` as numpy columns, ``draw`` with matplotlib.

A module in this package that adds a `Chart` to `CHARTS` is found by itself.
"""

from __future__ import annotations

import importlib
import pkgutil

from simcore.export.charts.base import CHARTS, Chart, ChartData, Column
from simcore.export.charts.style import THEMES, ChartTheme

_FIRST = ("timeline", "bandwidth", "shares", "dimm_load", "placement", "memory", "steps")
_found = [module.name for module in pkgutil.iter_modules(__path__)]
for _module in [*_FIRST, *sorted(set(_found) - set(_FIRST))]:
    importlib.import_module(f"{__name__}.{_module}")

__all__ = ["CHARTS", "THEMES", "Chart", "ChartData", "ChartTheme", "Column"]
