"""The arrangement of the docks: the default, saving, restoring."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMainWindow, QTabWidget

from app.settings.store import Settings
from app.widgets.dock import ViewDock

Docks = dict[str, ViewDock]
_HORIZONTAL, _VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


def arrange(window: QMainWindow, docks: Docks) -> None:
    """The default: editor left, map over timeline over bandwidth, load and panels right."""
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)  # moving docks that are placed leaves tab bars behind
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["scenario"])
    window.splitDockWidget(docks["scenario"], docks["placement"], _HORIZONTAL)
    window.splitDockWidget(docks["placement"], docks["load"], _HORIZONTAL)
    window.splitDockWidget(docks["placement"], docks["timeline"], _VERTICAL)
    window.splitDockWidget(docks["timeline"], docks["bandwidth"], _VERTICAL)
    window.splitDockWidget(docks["load"], docks["metrics"], _VERTICAL)
    window.tabifyDockWidget(docks["timeline"], docks["chart"])
    window.tabifyDockWidget(docks["timeline"], docks["figures"])
    window.tabifyDockWidget(docks["timeline"], docks["compare"])
    for id in ("explain", "memory", "log"):
        window.tabifyDockWidget(docks["metrics"], docks[id])
    window.tabifyDockWidget(docks["placement"], docks["machine"])
    window.tabifyDockWidget(docks["scenario"], docks["inspector"])
    for dock in docks.values():
        dock.show()
    docks["metrics"].raise_()
    docks["timeline"].raise_()
    docks["placement"].raise_()
    docks["scenario"].raise_()
    resize(window, docks)


def resize(window: QMainWindow, docks: Docks) -> None:
    """Sizes of the default arrangement for the window's size."""
    width, height = window.width(), window.height()
    left = min(320, max(250, int(width * 0.19)))
    right = min(360, max(270, int(width * 0.21)))
    window.resizeDocks(
        [docks["scenario"], docks["placement"], docks["load"]],
        [left, width - left - right, right],
        _HORIZONTAL,
    )
    body = height - 130
    window.resizeDocks(
        [docks["placement"], docks["timeline"], docks["bandwidth"]],
        [int(body * 0.33), int(body * 0.42), int(body * 0.25)],
        _VERTICAL,
    )
    window.resizeDocks(
        [docks["load"], docks["metrics"]], [int(body * 0.42), int(body * 0.58)], _VERTICAL
    )


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
        QMainWindow.DockOption.AnimatedDocks
        | QMainWindow.DockOption.AllowNestedDocks
        | QMainWindow.DockOption.AllowTabbedDocks
    )


def restore(window: QMainWindow, settings: Settings) -> bool:
    """Put back the saved arrangement; False if there is none that fits."""
    saved = settings.layout()
    if saved is None:
        return False
    geometry, state = saved
    return window.restoreGeometry(geometry) and window.restoreState(state)


def save(window: QMainWindow, settings: Settings) -> None:
    """Remember the arrangement."""
    settings.save_layout(window.saveGeometry(), window.saveState())
