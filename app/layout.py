"""The arrangement of the docks: named ones, saving, restoring."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMainWindow, QTabWidget

from app.settings.store import Settings
from app.widgets.dock import ViewDock

Docks = dict[str, ViewDock]
_HORIZONTAL, _VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


@dataclass(frozen=True, slots=True)
class Column:
    """Stacks of docks above each other.

    Attributes:
        stacks: ids of docks that share a place as tabs, the first one in front; top to bottom.
        shares: share of the height of each stack.
        width: (least, most, share of the window), in pixels; None for what is left over.
        low: shares of the height in a window of less than `LOW` pixels; None for the same.
    """

    stacks: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    width: tuple[int, int, float] | None = None
    low: tuple[float, ...] | None = None


LOW = 900
"""Windows lower than this give more of their height to what is looked at most."""


_EDITOR = Column((("scenario", "inspector", "history"),), (1.0,), (264, 330, 0.19))
_PANELS = ("metrics", "explain", "memory", "log")

LAYOUTS: Mapping[str, tuple[Column, ...]] = {
    "overview": (
        _EDITOR,
        Column(
            (
                ("placement", "machine"),
                ("timeline", "chart", "figures", "compare", "sweep"),
                ("bandwidth", "range"),
            ),
            (0.33, 0.42, 0.25),
            low=(0.30, 0.46, 0.24),
        ),
        Column((("load", "stops"), _PANELS), (0.42, 0.58), (270, 360, 0.21)),
    ),
    "placement": (
        Column(
            (
                ("placement", "machine"),
                ("timeline", "figures", "compare", "chart", "bandwidth", "range", "sweep"),
            ),
            (0.68, 0.32),
        ),
        Column(
            (("load", "stops", "scenario", "inspector", "history"), _PANELS),
            (0.42, 0.58),
            (290, 400, 0.25),
        ),
    ),
    "timeline": (
        Column(
            (
                ("timeline", "placement", "machine", "chart", "compare", "sweep"),
                ("bandwidth", "figures", "range"),
            ),
            (0.6, 0.4),
        ),
        Column(
            (
                ("explain", "scenario", "inspector", "history", "log"),
                ("metrics", "memory", "load", "stops"),
            ),
            (0.5, 0.5),
            (290, 400, 0.25),
        ),
    ),
    "compare": (
        Column(
            (
                ("timeline", "placement", "machine", "chart"),
                ("figures", "bandwidth", "range", "sweep"),
            ),
            (0.55, 0.45),
        ),
        Column(
            (("compare",), ("scenario", "inspector", "history", *_PANELS, "load", "stops")),
            (0.62, 0.38),
            (420, 760, 0.46),
        ),
    ),
    "serving": (
        Column(
            (
                ("figures", "timeline", "compare", "sweep"),
                ("chart", "placement", "machine", "range"),
            ),
            (0.5, 0.5),
        ),
        Column(
            (
                ("metrics", "explain", "scenario", "inspector", "history", "log"),
                ("memory", "load", "stops", "bandwidth"),
            ),
            (0.6, 0.4),
            (290, 400, 0.27),
        ),
    ),
    "sweep": (
        Column(
            (
                ("sweep",),
                (
                    *("timeline", "placement", "machine", "chart", "figures", "compare"),
                    *("bandwidth", "range"),
                ),
            ),
            (0.68, 0.32),
        ),
        Column(
            (("scenario", "inspector", "load", "stops"), (*_PANELS, "history")),
            (0.5, 0.5),
            (290, 400, 0.25),
        ),
    ),
}
"""Named arrangements: where every dock is, and how big."""

DEFAULT = "overview"


def arrange(window: QMainWindow, docks: Docks, name: str = DEFAULT) -> None:
    """Put every dock where the named arrangement has it; a dock it lacks joins the last stack."""
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)  # moving docks that are placed leaves tab bars behind
    columns = _stacks(docks, name)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks[columns[0][0][0]])
    for before, column in itertools.pairwise(columns):
        window.splitDockWidget(docks[before[0][0]], docks[column[0][0]], _HORIZONTAL)
    for column in columns:
        for above, below in itertools.pairwise(column):
            window.splitDockWidget(docks[above[0]], docks[below[0]], _VERTICAL)
    for column in columns:
        for stack in column:
            for id in stack[1:]:
                window.tabifyDockWidget(docks[stack[0]], docks[id])
    for dock in docks.values():
        dock.show()
    for column in columns:
        for stack in column:
            docks[stack[0]].raise_()
    resize(window, docks, name)


def resize(window: QMainWindow, docks: Docks, name: str = DEFAULT) -> None:
    """Sizes of an arrangement for the window's size."""
    columns = LAYOUTS[name]
    fronts = [column.stacks[0][0] for column in columns]
    wanted = [
        min(c.width[1], max(c.width[0], int(window.width() * c.width[2]))) if c.width else 0
        for c in columns
    ]
    rest = (window.width() - sum(wanted)) // max(1, wanted.count(0))
    widths = [width or rest for width in wanted]
    window.resizeDocks([docks[id] for id in fronts], widths, _HORIZONTAL)
    body = window.height() - 130
    for column in columns:
        shares = column.low if column.low and window.height() < LOW else column.shares
        heights = [int(body * share) for share in shares]
        window.resizeDocks([docks[stack[0]] for stack in column.stacks], heights, _VERTICAL)


def _stacks(docks: Docks, name: str) -> list[list[list[str]]]:
    columns = [[list(stack) for stack in column.stacks] for column in LAYOUTS[name]]
    known = {id for column in columns for stack in column for id in stack}
    columns[-1][-1] += [id for id in docks if id not in known]
    return columns


def default_size(window: QMainWindow) -> QSize:
    """1600 x 1000, or what the screen has room for."""
    screen = window.screen()
    room = screen.availableSize() if screen is not None else QSize(1600, 1000)
    if room.width() <= 800:  # a virtual screen without a size to speak of
        return QSize(1600, 1000)
    return QSize(min(1600, room.width()), min(1000, room.height() - 30))


def set_up(window: QMainWindow) -> None:
    """Options every arrangement needs."""
    window.setDockNestingEnabled(True)
    window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
    window.setDockOptions(
        QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks
    )


def restore(window: QMainWindow, settings: Settings) -> bool:
    """Put back the saved arrangement; False if there is none that fits."""
    saved = settings.layout()
    if saved is None:
        return False
    geometry, state = saved
    return window.restoreGeometry(geometry) and window.restoreState(state)


def save(window: QMainWindow, settings: Settings, name: str = "") -> None:
    """Remember the arrangement and the named one it began with."""
    settings.save_layout(window.saveGeometry(), window.saveState(), name)
