"""The main window: docks, menus, keys, message strip, closing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QChildEvent, QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QMenu,
    QMessageBox,
    QTabBar,
    QToolBar,
    QWidget,
)

import app.views  # noqa: F401  registers the views
from app import layout
from app.commands.chart_commands import chart_commands
from app.commands.compare_commands import compare_commands
from app.commands.lane_commands import lane_commands
from app.commands.marker_commands import marker_commands
from app.commands.playback_commands import playback_commands
from app.commands.registry import CommandRegistry
from app.commands.search_commands import search_commands
from app.commands.stop_commands import stop_commands
from app.commands.sweep_commands import sweep_commands
from app.commands.timeline_commands import timeline_commands
from app.commands.window_commands import (
    edit_commands,
    file_commands,
    help_commands,
    run_commands,
    view_commands,
)
from app.export.actions import ExportActions
from app.files import FileActions
from app.layout import default_size
from app.layout_history import LayoutHistory
from app.persistence.autosave import Autosave
from app.persistence.keeper import SessionKeeper
from app.persistence.parts import register_parts
from app.persistence.recovery import Recovery
from app.persistence.report import make_report
from app.saved_runs import SavedRuns
from app.settings.dialog import SettingActions, SettingsDialog
from app.settings.store import Settings
from app.state.app_state import AppState
from app.state.charts import ChartSteps
from app.state.messages import Severity
from app.state.release import release
from app.sweep_files import SweepFiles
from app.theme.manager import ThemeManager
from app.tours import TOURS
from app.tours.base import TRANSPORT
from app.viewmodels.placement import ColourBy, offered
from app.views.chart import ChartView
from app.views.placement_map import PlacementView
from app.widgets.actions import ActionTable
from app.widgets.changes_dialog import ChangesDialog
from app.widgets.crash_dialog import CrashDialog
from app.widgets.dock import ViewDock
from app.widgets.glossary import GlossaryDialog
from app.widgets.key_filter import KeyFilter
from app.widgets.key_sheet import KeySheet
from app.widgets.message_strip import MessageStrip
from app.widgets.notice_bar import NoticeBar
from app.widgets.palette import CommandPalette
from app.widgets.tour import TourGuide
from app.widgets.transport import TransportBar
from app.widgets.view import VIEWS, Context
from app.widgets.welcome import WelcomePage
from app.workers.controller import RunController
from app.workers.look_ahead import LookAhead
from simcore.data import scenario_file
from simcore.results.summary import version
from simcore.scenario.presets import own_problems
from simcore.systems.plugins import plugin_problems

SAFE_START = (
    "Safe start: default settings. No session, saved layout or edits of a crash were taken over, "
    "and settings and sessions are not written."
)
RANK = 7
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
    "history",
    "sweep",
)


class MainWindow(QMainWindow):
    """Everything the user sees; built once, closed once."""

    def __init__(self, settings: Settings, themes: ThemeManager) -> None:
        super().__init__()
        self.settings = settings
        self.themes = themes
        self.state = AppState()
        self.controller = RunController(
            self.state.session, self.state.runs, self.state.messages, self.state.turns
        )
        self.look_ahead = LookAhead(
            self.state.runs, self.state.cursor, self.state.window, self.state.turns
        )
        self.welcome: WelcomePage | None = None
        self.glossary: GlossaryDialog | None = None
        self.guide: TourGuide | None = None
        self.changes: ChangesDialog | None = None
        self.settings_dialog: SettingsDialog | None = None
        self.commands = CommandRegistry()
        self.files = FileActions(self.state, settings, self)
        self.saved_runs = SavedRuns(self.state, self)
        register_parts(self.state)
        self.layout_name = settings.layout_name or layout.DEFAULT
        self.state.watch.on = settings.watch
        self.state.memory.add("layout", self._saved_layout, self._restore_layout)
        self.state.memory.add("in_front", self._saved_fronts, self._restore_fronts)
        self.autosave = Autosave(self.state.session, self.state.messages, on=settings.autosave)
        self.recovery = Recovery(self.state, self.files, self.autosave)
        self.crash: CrashDialog | None = None
        ids = [id for id in DOCK_ORDER if id in VIEWS] + [i for i in VIEWS if i not in DOCK_ORDER]
        self.commands.add(
            *file_commands(self.state, self),
            *edit_commands(self.state, self),
            *view_commands(self, [(id, VIEWS.get(id).title) for id in ids]),
            *playback_commands(self.state),
            *stop_commands(self.state),
            *timeline_commands(self.state),
            *marker_commands(self.state, lambda: self.show_view("range"), self.export_range),
            *lane_commands(self.state),
            *search_commands(self.state, lambda: self.show_view("timeline")),
            *chart_commands(self.state, lambda: self.show_view("chart"), self.export_shown_chart),
            *compare_commands(self.state, lambda: self.show_view("compare"), self.saved_runs.ask),
            *run_commands(self.state, self.controller),
            *sweep_commands(self.state, SweepFiles(self)),
            *help_commands(self),
        )
        refused = self.commands.take_keys(settings.keys)
        if refused:
            self.state.messages.log("keys not taken over: " + "; ".join(refused), Severity.WARNING)
        self.context = Context(self.state, themes, self.commands, settings)
        self.exports = ExportActions(self.state, self.context, self)
        layout.set_up(self)
        self._add_bars()
        self.docks: dict[str, ViewDock] = {}
        self._last_dock: ViewDock | None = None
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
        self._show_bars()
        self._fresh = settings.layout() is None
        self.layouts = LayoutHistory(self, self.state.session.bus, list(self.docks.values()))
        self.keeper = SessionKeeper(self.state, settings)
        self._connect()
        self._show_title()
        if settings.problems:
            self.state.messages.log("\n".join(settings.problems), Severity.WARNING)
            self.state.notices.tell("settings", "\n".join(settings.problems))
        wrong = own_problems()
        if wrong:
            self.state.messages.log("\n".join(wrong), Severity.WARNING)
            self.state.notices.tell("presets", "Own presets: " + "\n".join(wrong))
        if plugin_problems():
            told = "Installed systems: " + "\n".join(plugin_problems())
            self.state.messages.log(told, Severity.WARNING)
            self.state.notices.tell("systems", told)
        if settings.safe:
            self.state.notices.tell("safe", SAFE_START, Severity.INFO)

    def _add_bars(self) -> None:
        self.bars: dict[str, QToolBar] = {}
        self.transport = TransportBar(self.context, self)
        self.strip = MessageStrip(self.state.messages, self)
        self.questions = NoticeBar(self.state.notices, self)
        for name, widget in (
            ("transportBar", self.transport),
            ("noticeBar", self.questions),
            ("messageBar", self.strip),
        ):
            bar = QToolBar(widget.accessibleName() or name, self)
            bar.setObjectName(name)
            bar.setMovable(False)
            bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
            bar.addWidget(widget)
            self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
            self.addToolBarBreak(Qt.ToolBarArea.TopToolBarArea)
            self.bars[name] = bar
        self._show_bars()

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
        state.messages.strip_changed.connect(self._show_bars)
        state.notices.changed.connect(self._show_bars)
        self.layouts.restored.connect(self._show_bars)
        state.notices.changed.connect(self.commands.refresh)
        for signal in (
            state.session.bus.history_changed,
            state.session.file_changed,
            state.session.resolved,
        ):
            signal.connect(self._show_title)
            signal.connect(self._renew_commands)
        for signal in (
            *(state.runs.replaced, state.runs.cleared, state.playback.changed),
            *(state.markers.changed, state.lanes.changed, state.search.changed),
            *(state.selection.changed, state.comparison.changed, state.baseline.changed),
            self.controller.job_changed,
        ):
            signal.connect(lambda *_: self._renew_commands())
        state.search.show_view.connect(self.raise_view)
        self.keys = KeyFilter(self, self.commands, state.turns)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus_changed)

    def _show_bars(self) -> None:
        """Bars that have something to say; a restored layout would bring back empty ones."""
        self.bars["messageBar"].setVisible(self.state.messages.strip is not None)
        self.bars["noticeBar"].setVisible(bool(self.state.notices.waiting))

    def catch_up(self) -> None:
        """Have all views show the step at the cursor now, as before a picture."""
        self.state.turns.flush()

    def _renew_commands(self) -> None:
        """Which commands are possible; once for all that has changed, and before one is run."""
        self.state.turns.ask(self.commands.refresh, RANK)

    def _show_title(self) -> None:
        safe = " (safe start)" if self.settings.safe else ""
        self.setWindowTitle(f"DIMMscope — {self.state.session.title}[*]{safe}")
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

    def keep_mine(self) -> None:
        self.files.keep_mine()

    def show_changes(self) -> None:
        if self.changes is None:
            self.changes = ChangesDialog(self.state, self.themes, self)
        self.changes.show()
        self.changes.raise_()
        self.changes.activateWindow()

    def show_bug(self, error: BaseException) -> None:
        """Write a report about an error of the program and say so, once at a time."""
        self.autosave.write()
        path, text = make_report(self.state, error)
        what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        where = f"; report: {path}" if path else ""
        self.state.messages.log(f"a mistake of the program: {what}{where}", Severity.ERROR)
        self._show_report(what, text, path)

    def make_report(self) -> None:
        """Write a report without an error, on demand."""
        path, text = make_report(self.state, None)
        self._show_report("", text, path)

    def _show_report(self, what: str, text: str, path: Path | None) -> None:
        if self.crash is not None:
            return
        self.crash = CrashDialog(what, text, path, self)
        self.crash.finished.connect(self._on_crash_read)
        self.crash.show()

    def _on_crash_read(self) -> None:
        self.crash = None

    def export_chart(self) -> None:
        self.exports.ask("Chart")

    def export_shown_chart(self) -> None:
        view = self.docks["chart"].view
        assert isinstance(view, ChartView)
        shown = self.state.charts.shown
        # The time axis is the timeline's: of a long run, what is visible there.
        over_time = shown in ("timeline", "bandwidth")
        own = self.state.charts.steps is ChartSteps.OWN
        drawn = None if over_time and own else view.drawn
        self.exports.ask("Chart", shown, drawn)

    def export_range(self) -> None:
        self.exports.ask("Chart", "timeline", self.state.markers.steps())

    def export(self, page: str) -> None:
        self.exports.ask(page)

    def show_settings(self, page: str = "") -> None:
        if self.settings_dialog is None:
            self.settings_dialog = SettingsDialog(
                self.settings, self.commands, self._settings_actions(), self
            )
        self.settings_dialog.refresh()
        if page:
            self.settings_dialog.show_page(page)
        self.settings_dialog.show()
        self.settings_dialog.raise_()
        self.settings_dialog.activateWindow()

    def _settings_actions(self) -> SettingActions:
        def keep_session(on: bool) -> None:
            self.settings.session = on

        def keep_edits(on: bool) -> None:
            self.settings.autosave = on
            self.autosave.set_on(on)

        def watch(on: bool) -> None:
            self.settings.watch = self.state.watch.on = on
            self.state.watch.look()

        return SettingActions(
            self.set_theme, keep_session, keep_edits, watch, self.themes.scale_in_use
        )

    def show_palette(self) -> None:
        palette = CommandPalette(self.commands, self, self.files.openable())
        centre = self.geometry().center()
        palette.move(centre.x() - palette.width() // 2, self.geometry().top() + 80)
        if palette.exec():
            chosen, file = palette.chosen, palette.file
            if file is not None:
                QTimer.singleShot(0, self, lambda: self.files.open_checked(file))
            else:
                QTimer.singleShot(0, self, lambda: self.commands.run(chosen))
        palette.deleteLater()

    def show_keys(self) -> None:
        KeySheet(self.commands, self.themes.current, self).exec()

    def show_glossary(self) -> None:
        if self.glossary is None:
            self.glossary = GlossaryDialog(self.themes, self)
        self.glossary.look_up()

    def start_tour(self, id: str) -> None:
        """Open the tour's scenario, unless it is open, and begin."""
        tour = TOURS[id]
        path = scenario_file(tour.scenario)
        session = self.state.session
        there = session.path is not None and session.path.resolve() == path.resolve()
        there = there and not session.dirty
        if not there and not (self.files.may_discard() and self.files.open_path(path)):
            return
        if self.welcome is not None:
            self.welcome.hide()
        if self.guide is None:
            self.guide = TourGuide(self.context, self, self._tour_target)
        self.guide.start(tour)

    def _tour_target(self, id: str) -> QWidget:
        if id == TRANSPORT:
            return self.transport
        self.raise_view(id)
        return self.docks[id]

    def show_welcome(self) -> None:
        if self.welcome is None:
            self.welcome = WelcomePage(self.settings, self.themes, self.open_dialog, self)
            self.welcome.chosen.connect(self.files.open_checked)
            self.welcome.tour_chosen.connect(self.start_tour)
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
        self._arrange(name)
        self.layouts.note(f"layout: {name}")

    def _arrange(self, name: str) -> None:
        size = self.size()
        self.layout_name = name
        layout.arrange(self, self.docks, name)

        def settle() -> None:
            if not (self.isMaximized() or self.isFullScreen()):
                self.resize(size)  # docks on their way made it grow
            layout.resize(self, self.docks, name)

        QTimer.singleShot(0, self, settle)

    def _saved_layout(self) -> str | None:
        return self.layout_name if self.layout_name != layout.DEFAULT else None

    def _restore_layout(self, name: object) -> None:
        if name is None or name == self.layout_name:
            return
        if name not in layout.LAYOUTS:
            raise LookupError(name)
        self._arrange(str(name))
        self.layouts.forget()

    def _saved_fronts(self) -> list[str] | None:
        """Views in front that are not so in the named layout as it is."""
        fronts = {
            stack[0] for column in layout.LAYOUTS[self.layout_name] for stack in column.stacks
        }
        seen = [id for id, dock in self.docks.items() if dock.view.on_screen and id not in fronts]
        return seen or None

    def _restore_fronts(self, value: Any) -> None:
        for id in value or ():
            dock = self.docks[id]
            if not dock.isHidden():
                dock.raise_()

    def set_theme(self, mode: str) -> None:
        self.themes.set_mode(mode)
        self.settings.theme = mode
        if self.settings_dialog is not None:
            self.settings_dialog.refresh()

    def theme_mode(self) -> str:
        return self.themes.mode

    def show_view(self, id: str) -> None:
        dock = self.docks[id]
        dock.bring_up()
        if dock.isFloating():
            dock.activateWindow()
        place: QWidget | None = dock.view
        for _ in range(10_000):  # to the first control; containers and labels take no keys
            if place is None or (
                place.focusPolicy() & Qt.FocusPolicy.TabFocus
                and place.isVisibleTo(dock)
                and place.isEnabled()
            ):
                break
            place = place.nextInFocusChain()
        if place is not None and dock.view.isAncestorOf(place):
            place.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._last_dock = dock

    def _on_focus_changed(self, _: QWidget | None, now: QWidget | None) -> None:
        if now is None:
            return  # another window has the keyboard; it comes back to where it was
        for dock in self.docks.values():
            inside = dock.isAncestorOf(now)
            dock.mark(inside)
            if inside:
                self._last_dock = dock

    def view_with_focus(self) -> ViewDock | None:
        """The dock the keyboard is in, else the one it was in last."""
        return self._last_dock

    def go_view(self, direction: int) -> None:
        """To the next view that can be seen, in the order of the View menu."""
        seen = [id for id, dock in self.docks.items() if dock.view.on_screen]
        if not seen:
            return
        dock = self.view_with_focus()
        at = seen.index(dock.view.id) if dock is not None and dock.view.id in seen else -1
        self.show_view(seen[(at + direction) % len(seen) if at >= 0 else 0])

    def float_view(self) -> None:
        dock = self.view_with_focus()
        if dock is not None:
            dock.setFloating(not dock.isFloating())
            self.show_view(dock.view.id)  # the keyboard went elsewhere meanwhile

    def hide_view(self) -> None:
        dock = self.view_with_focus()
        if dock is not None and not dock.isHidden():
            self.go_view(1)
            dock.put_away()

    def explain_view(self) -> None:
        dock = self.view_with_focus()
        if dock is not None:
            dock.explain()

    def can_colour_map(self, by: ColourBy) -> bool:
        run = self.state.runs.current
        return run is not None and by in offered(run)

    def raise_view(self, id: str) -> None:
        """Bring a view to the front and leave the keyboard where it is."""
        self.docks[id].show()
        self.docks[id].raise_()
        view = self.docks[id].view
        if isinstance(view, PlacementView):
            view.reveal_selected()

    def colour_map(self, by: ColourBy) -> None:
        view = self.docks["placement"].view
        if isinstance(view, PlacementView):
            view.set_colour_by(by)

    # Events.

    def childEvent(self, event: QChildEvent) -> None:
        """Name the tab bars that Qt makes for docks in the same place, once they are complete."""
        super().childEvent(event)
        if event.polished():
            bar = event.child()
            if isinstance(bar, QTabBar):
                bar.setAccessibleName(bar.accessibleName() or "Views in the same place")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.state.turns.wake()
        if self._fresh:
            self._fresh = False
            QTimer.singleShot(0, self, lambda: layout.resize(self, self.docks))
        if self.focusWidget() is None:
            self.show_view("timeline")

    def changeEvent(self, event: QEvent) -> None:
        """Coming back from another program is when its changes matter, also on network drives."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.state.watch.look()

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
        layout.save(self, self.settings, self.layout_name)
        self.settings.sync()
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """Stop timers and threads; the window cannot be used afterwards."""
        self.state.playback.pause()
        self.keeper.stop()
        self.recovery.stop()
        self.autosave.stop()
        self.layouts.stop()
        self.state.watch.stop()
        self.controller.shut_down()
        self.state.turns.stop()
        self.look_ahead.shut_down()
        self.exports.shut_down()
        self.saved_runs.shut_down()
        self.state.series.shut_down()
        self.state.baseline.shut_down()
        self.state.sweeps.shut_down()
        self.state.sensitivities.shut_down()
        self.state.search.shut_down()
        for dock in self.docks.values():
            dock.view.shut_down()
        self.keys.stop()
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.disconnect(self._on_focus_changed)
        self.state.release()
        release(self.controller)
