"""The main window: docks, menus, keys, message strip, closing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QMenu,
    QMessageBox,
    QToolBar,
)

import app.views  # noqa: F401  registers the views
from app import layout
from app.commands.chart_commands import chart_commands
from app.commands.compare_commands import compare_commands
from app.commands.lane_commands import lane_commands
from app.commands.marker_commands import marker_commands
from app.commands.playback_commands import playback_commands
from app.commands.registry import CommandRegistry
from app.commands.stop_commands import stop_commands
from app.commands.timeline_commands import timeline_commands
from app.commands.window_commands import (
    edit_commands,
    file_commands,
    help_commands,
    run_commands,
    view_commands,
)
from app.export.dialog import ExportActions
from app.files import FileActions
from app.layout import default_size
from app.saved_runs import SavedRuns
from app.settings.store import Settings
from app.state.app_state import AppState
from app.theme.manager import ThemeManager
from app.viewmodels.placement import ColourBy
from app.views.chart import ChartView
from app.views.placement_map import PlacementView
from app.widgets.actions import ActionTable
from app.widgets.dock import ViewDock
from app.widgets.key_rules import leaves_export, leaves_undo, wants_key
from app.widgets.key_sheet import KeySheet
from app.widgets.message_strip import MessageStrip
from app.widgets.palette import CommandPalette
from app.widgets.transport import TransportBar
from app.widgets.view import VIEWS, Context
from app.widgets.welcome import WelcomePage
from app.workers.controller import RunController
from simcore.results.summary import version

DOCK_ORDER = (
    "scenario",
    "placement",
    "timeline",
    "bandwidth",
    "load",
    "metrics",
    "explain",
    "memory",
    "log",
    "chart",
    "figures",
    "compare",
    "stops",
    "range",
)


class MainWindow(QMainWindow):
    """Everything the user sees; built once, closed once."""

    def __init__(self, settings: Settings, themes: ThemeManager) -> None:
        super().__init__()
        self.settings = settings
        self.themes = themes
        self.state = AppState()
        self.controller = RunController(self.state.session, self.state.runs, self.state.messages)
        self.welcome: WelcomePage | None = None
        self.commands = CommandRegistry()
        self.files = FileActions(self.state, settings, self)
        self.exports = ExportActions(self.state, self)
        self.saved_runs = SavedRuns(self.state, self)
        ids = [id for id in DOCK_ORDER if id in VIEWS] + [i for i in VIEWS if i not in DOCK_ORDER]
        self.commands.add(
            *file_commands(self.state, self),
            *edit_commands(self.state),
            *view_commands(self, [(id, VIEWS.get(id).title) for id in ids]),
            *playback_commands(self.state),
            *stop_commands(self.state),
            *timeline_commands(self.state),
            *marker_commands(self.state, lambda: self.show_view("range"), self.export_range),
            *lane_commands(self.state),
            *chart_commands(self.state, lambda: self.show_view("chart"), self.export_shown_chart),
            *compare_commands(self.state, lambda: self.show_view("compare"), self.saved_runs.ask),
            *run_commands(self.state, self.controller),
            *help_commands(self),
        )
        self.context = Context(self.state, themes, self.commands, settings)
        layout.set_up(self)
        self._add_bars()
        self.docks: dict[str, ViewDock] = {}
        for id in ids:
            self.docks[id] = ViewDock(VIEWS.get(id)(self.context), self)
        self.table = ActionTable(self, self.commands)
        self._add_file_menus()
        self.setAcceptDrops(True)
        self.resize(default_size(self))
        layout.arrange(self, self.docks)
        if not layout.restore(self, settings) and settings.layout() is not None:
            layout.arrange(self, self.docks)
            self.state.messages.log("the saved layout does not fit; the default is used")
        self._fresh = settings.layout() is None
        self._connect()
        self._show_title()

    def _add_bars(self) -> None:
        self.transport = TransportBar(self.context, self)
        self.strip = MessageStrip(self.state.messages, self)
        for name, widget in (("transportBar", self.transport), ("messageBar", self.strip)):
            bar = QToolBar(widget.accessibleName() or name, self)
            bar.setObjectName(name)
            bar.setMovable(False)
            bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
            bar.addWidget(widget)
            self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
            self.addToolBarBreak(Qt.ToolBarArea.TopToolBarArea)
        self._strip_bar = bar
        self._strip_bar.hide()

    def _add_file_menus(self) -> None:
        menu = self.table.menus["File"]
        before = self.table.actions["file.save"]
        for title, fill in (
            ("Open recent", self.files.fill_recent),
            ("Examples", self.files.fill_examples),
        ):
            sub = QMenu(title, self)
            sub.aboutToShow.connect(lambda s=sub, f=fill: f(s))
            menu.insertMenu(before, sub)
        menu.insertSeparator(before)

    def _connect(self) -> None:
        state = self.state
        state.messages.strip_changed.connect(
            lambda: self._strip_bar.setVisible(state.messages.strip is not None)
        )
        for signal in (
            state.session.bus.history_changed,
            state.session.file_changed,
            state.session.resolved,
        ):
            signal.connect(self._show_title)
            signal.connect(self.commands.refresh)
        state.runs.replaced.connect(lambda _: self.commands.refresh())
        state.runs.cleared.connect(self.commands.refresh)
        state.playback.changed.connect(self.commands.refresh)
        state.markers.changed.connect(self.commands.refresh)
        state.lanes.changed.connect(self.commands.refresh)
        state.selection.changed.connect(self.commands.refresh)
        state.comparison.changed.connect(self.commands.refresh)
        state.baseline.changed.connect(self.commands.refresh)
        self.controller.job_changed.connect(self.commands.refresh)
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    def _show_title(self) -> None:
        self.setWindowTitle(f"DIMMscope — {self.state.session.title}[*]")
        self.setWindowModified(self.state.session.dirty)

    # Commands.

    def open_dialog(self) -> None:
        self.files.open_dialog()

    def open_path(self, path: Path) -> bool:
        return self.files.open_path(path)

    def save(self) -> bool:
        return self.files.save()

    def save_as(self) -> bool:
        return self.files.save_as()

    def reload(self) -> None:
        self.files.reload()

    def export_chart(self) -> None:
        self.exports.chart()

    def export_shown_chart(self) -> None:
        view = self.docks["chart"].view
        assert isinstance(view, ChartView)
        self.exports.chart(self.state.charts.shown, view.drawn)

    def export_range(self) -> None:
        self.exports.chart("timeline", self.state.markers.steps())

    def export_trace(self) -> None:
        self.exports.trace()

    def show_palette(self) -> None:
        palette = CommandPalette(self.commands, self)
        centre = self.geometry().center()
        palette.move(centre.x() - palette.width() // 2, self.geometry().top() + 80)
        if palette.exec():
            chosen = palette.chosen
            QTimer.singleShot(0, lambda: self.commands.run(chosen))

    def show_keys(self) -> None:
        KeySheet(self.commands, self.themes.current, self).exec()

    def show_welcome(self) -> None:
        if self.welcome is None:
            self.welcome = WelcomePage(self.settings, self.themes, self.open_dialog, self)
            self.welcome.chosen.connect(self.files.open_checked)
        self.welcome.refresh()
        self.welcome.show()
        self.welcome.raise_()
        if self.welcome.cards:
            self.welcome.cards[0].setFocus()

    def show_about(self) -> None:
        QMessageBox.about(
            self,
            "About DIMMscope",
            f"DIMMscope {version()}\n\nSee where every weight, KV block and microsecond goes when "
            "a large language model runs on a GPU with near-data memory.",
        )

    def reset_layout(self) -> None:
        self.settings.clear_layout()
        self.set_layout_named(layout.DEFAULT)

    def set_layout_named(self, name: str) -> None:
        size = self.size()
        layout.arrange(self, self.docks, name)

        def settle() -> None:
            if not (self.isMaximized() or self.isFullScreen()):
                self.resize(size)  # docks on their way made it grow
            layout.resize(self, self.docks, name)

        QTimer.singleShot(0, settle)

    def set_theme(self, mode: str) -> None:
        self.themes.set_mode(mode)
        self.settings.theme = mode

    def theme_mode(self) -> str:
        return self.themes.mode

    def show_view(self, id: str) -> None:
        dock = self.docks[id]
        dock.show()
        dock.raise_()
        dock.view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if dock.view.focusPolicy() == Qt.FocusPolicy.NoFocus:
            first = dock.view.nextInFocusChain()
            if first is not None and dock.view.isAncestorOf(first):
                first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def colour_map(self, by: ColourBy) -> None:
        view = self.docks["placement"].view
        if isinstance(view, PlacementView):
            view.set_colour_by(by)

    # Events.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave keys to the controls that need them, and undo to the document."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if wants_key(watched, event):
                event.accept()
                return True
            if leaves_undo(watched, event) or leaves_export(event):
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fresh:
            self._fresh = False
            QTimer.singleShot(0, lambda: layout.resize(self, self.docks))
        if self.focusWidget() is None:
            self.show_view("timeline")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.files.open_checked(Path(url.toLocalFile()))
                break

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.may_discard():
            event.ignore()
            return
        layout.save(self, self.settings)
        self.settings.sync()
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """Stop timers and threads; the window cannot be used afterwards."""
        self.state.playback.pause()
        self.controller.shut_down()
        self.exports.shut_down()
        self.saved_runs.shut_down()
        self.state.series.shut_down()
        self.state.baseline.shut_down()
        self.state.sensitivities.shut_down()
        for dock in self.docks.values():
            dock.view.shut_down()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
