"""All observable models of the application in one place."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.state.charts import ChartChoice
from app.state.comparison import Comparison
from app.state.cursor import Cursor
from app.state.file_watch import FileWatch
from app.state.lanes import Lanes
from app.state.markers import Markers
from app.state.memory import Memory
from app.state.messages import Messages, Severity
from app.state.notices import Notices
from app.state.playback import Playback
from app.state.release import release
from app.state.runs import RunsModel
from app.state.search import Search
from app.state.selection import Selection
from app.state.selection_keeper import SelectionKeeper
from app.state.series import SeriesModel
from app.state.session import Session
from app.state.stops import Stops
from app.state.time_window import TimeWindow
from app.state.turns import Turns
from app.workers.baseline import BaselineRunner
from app.workers.sensitivity import Sensitivities
from app.workers.sweep import SweepRunner


class AppState:
    """The models; views read them and call their methods, never each other."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.messages = Messages()
        self.notices = Notices()
        self.memory = Memory()
        self.session = Session()
        self.watch = FileWatch(self.session)
        self.runs = RunsModel()
        self.cursor = Cursor(self.runs)
        self.window = TimeWindow(self.runs, self.cursor)
        self.markers = Markers(self.session.bus, self.runs)
        self.lanes = Lanes(self.session.bus)
        self.selection = Selection()
        self.search = Search(self.runs, self.cursor, self.window, self.selection, self.lanes)
        self.comparison = Comparison(self.session.bus, self.runs)
        self.baseline = BaselineRunner(self.comparison, self.messages)
        self.sensitivities = Sensitivities(self.runs, self.messages)
        self.sweeps = SweepRunner(self.messages)
        self.charts = ChartChoice()
        self.series = SeriesModel(self.runs, self.messages)
        self.playback = Playback(self.runs, self.cursor)
        self.stops = Stops(self.runs, self.cursor, self.series, self.messages)
        self.playback.stops = self.stops
        self.playback.stopped.connect(
            lambda reason: self.messages.show(f"stopped: {reason}", Severity.INFO)
        )
        self.keeper = SelectionKeeper(self.runs, self.selection)

    def release(self) -> None:
        """Nobody listens any more: the window is closed, and both can be freed."""
        parts = (part for part in vars(self).values() if isinstance(part, QObject))
        release(self.session.bus, *parts)
