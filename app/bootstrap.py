"""Builds the application: fonts, theme, settings, models, window."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

import simcore.systems  # noqa: F401  registers the systems
from app.settings.store import Settings
from app.theme.manager import ThemeManager
from app.window import MainWindow
from app.workers.garbage import GuiCollector
from simcore.data import data_root
from simcore.errors import SimcoreError

UI_FAMILY = "Inter"
UI_POINTS = 9.0


def run(path: Path | None, *, welcome: bool = False, safe: bool = False) -> int:
    """Open the window on a scenario and return when it is closed.

    Args:
        path: the scenario.
        welcome: the page with the examples comes up, unless the user does not want it.
        safe: start without settings, saved layout, session and unsaved edits of a crash.
    """
    settings = Settings(safe=safe)
    scale = use_scale(settings)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    prepare(app)
    window = make_window(settings)
    window.themes.scale_in_use = scale
    window.show()
    _catch_bugs(window)
    quit_timer = _leave_on_interrupt(window)
    collector = GuiCollector()
    if path is not None:
        # What nobody asked for is no recent file.
        QTimer.singleShot(0, lambda: window.files.open_path(path, remember=not welcome))
    if not safe:
        QTimer.singleShot(0, window.recovery.offer)
    if welcome and window.settings.welcome:
        QTimer.singleShot(0, window.show_welcome)
    code = app.exec()
    quit_timer.stop()
    collector.stop()
    return code


def use_scale(settings: Settings) -> int:
    """Set the size of the interface, before the application is made; returns it in per cent.

    A size given by the environment wins, since it was asked for this one start.
    """
    given = os.environ.get("QT_SCALE_FACTOR")
    if given:
        with contextlib.suppress(ValueError):
            return round(float(given) * 100)
        return 100
    if settings.scale != 100:
        os.environ["QT_SCALE_FACTOR"] = str(settings.scale / 100)
    return settings.scale


def prepare(app: QApplication) -> None:
    """Names, style and fonts; call once an application."""
    app.setApplicationName("DIMMscope")
    app.setOrganizationName("DIMMscope")
    app.setStyle("Fusion")
    load_fonts()
    font = QFont(UI_FAMILY if UI_FAMILY in QFontDatabase.families() else app.font().family())
    font.setPointSizeF(UI_POINTS)
    font.setFeature(QFont.Tag("tnum"), 1)
    app.setFont(font)


def load_fonts() -> None:
    """Load the fonts that come with the program; without them the system's are used."""
    try:
        folder = data_root() / "assets" / "fonts"
    except SimcoreError:
        return
    for file in sorted([*folder.rglob("*.ttf"), *folder.rglob("*.otf")]):
        QFontDatabase.addApplicationFont(str(file))


def make_window(settings: Settings | None = None) -> MainWindow:
    """A main window with its models, not shown yet."""
    settings = settings or Settings()
    themes = ThemeManager(settings.theme)
    themes.apply()
    return MainWindow(settings, themes)


def _catch_bugs(window: MainWindow) -> None:
    """Errors in slots go to a report and a dialog instead of only to the terminal."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        window.show_bug(error)

    sys.excepthook = hook


def _leave_on_interrupt(window: MainWindow) -> QTimer:
    """Ctrl+C in the terminal closes the window; the timer lets Python see the signal."""
    signal.signal(signal.SIGINT, lambda *_: window.close())
    timer = QTimer(interval=200)
    timer.timeout.connect(lambda: None)
    timer.start()
    return timer
