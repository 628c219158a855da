"""The window measured in a process of its own: ``python -m tests.bench.window WHAT ...``.

Prints one JSON object: figures, and the times they come from. Times are those of the thread of the
window: what a user waits for.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.bootstrap import make_window, prepare
from app.main import SWITCH_INTERVAL_S
from app.settings.store import Settings
from app.window import MainWindow
from app.workers.controller import DEBOUNCE_MS
from app.workers.garbage import GuiCollector
from simcore.data import list_scenarios
from simcore.scenario.document import Document

TIMES = "times_ms"
"""Name of what is measured again and again, among what is found."""
BEAT_MS = 5
SECONDS = 8.0
EDITED = {
    "hermes-llama2-70b": "hardware.ndp_dimms.count",
    "l3-gpt-175b": "workload.requests",
    "h2m2-gpt3-175b": "workload.batch",
    "hybridserve-opt-66b": "workload.batch",
}
Found = dict[str, float | list[float]]
SIZES = {"1280x800": (1280, 800), "2560x1440": (2560, 1440)}


class Bench:
    """A window with one scenario in it."""

    def __init__(self, scenario: str, size: str = "1280x800", **changes: object) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.app = QApplication(["bench"])
        prepare(self.app)
        self.window: MainWindow = make_window(Settings())
        self.window.files.may_discard = lambda: True  # type: ignore[method-assign]
        self.window.resize(*SIZES[size])
        self.window.show()
        self.collector = GuiCollector()
        path = next(file for file in list_scenarios() if file.stem == scenario)
        document = Document.from_file(path)
        for name, value in changes.items():
            document = document.with_value(name.replace("__", "."), value)
        file = Path(tempfile.mkdtemp()) / path.name
        file.write_text(document.text(), encoding="utf-8")
        assert self.window.files.open_path(file)
        self._idle_s = 0.0
        self.settle()
        calls = []
        for _ in range(200):
            begin = time.perf_counter()
            self.app.processEvents()
            calls.append(time.perf_counter() - begin)
        self._idle_s = float(np.median(calls))  # asking for events costs something by itself

    @property
    def state(self):
        """The models of the window."""
        return self.window.state

    def until(self, done: Callable[[], bool], limit_s: float = 300.0) -> float:
        """Handle events until something is so; the time in which the thread was at work, s."""
        end, busy = time.monotonic() + limit_s, 0.0
        while not done():
            begin = time.perf_counter()
            self.app.processEvents()
            busy += max(0.0, time.perf_counter() - begin - self._idle_s)
            time.sleep(0.0005)
            if time.monotonic() > end:
                raise TimeoutError
        return busy

    def settle(self) -> None:
        """Wait until the run on screen is whole."""
        runs, controller = self.state.runs, self.window.controller
        self.until(
            lambda: (
                not controller.busy
                and not runs.stale
                and runs.current is not None
                and runs.current.status.finished
                and runs.length == len(runs.current)
            )
        )
        self.rest(0.5)

    def rest(self, seconds: float) -> float:
        """Handle events for so long; the time in which the thread was at work, s."""
        end = time.monotonic() + seconds
        return self.until(lambda: time.monotonic() > end)


class _Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def _percentiles(values_ms: list[float]) -> Found:
    values = np.array(values_ms)
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    most = max(values_ms)
    return {"p50": p50, "p95": p95, "p99": p99, "max": most, "n": len(values), TIMES: values_ms}


def lateness(scenario: str) -> Found:
    """How late a timer of 5 ms is while runs are simulated without a pause and one is played."""
    bench = Bench(scenario)
    late: list[float] = []
    last = time.perf_counter()
    seed = 1
    loop = QEventLoop()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append(max(0.0, (now - last) * 1e3 - BEAT_MS))
        last = now

    def again() -> None:
        nonlocal seed
        if not bench.window.controller.busy:
            seed += 1
            bench.state.session.set_value("seed", seed)

    timer = QTimer(interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    edits = QTimer(interval=20)
    edits.timeout.connect(again)
    bench.state.cursor.home()
    bench.state.playback.set_speed(10.0)  # more steps a second than frames: one every frame
    bench.state.playback.set_loop((0, 1_000_000))  # else it stops at the end of a run
    bench.state.playback.play()
    shown = _Paints(bench.window.docks["load"].view.canvas)
    edits.start()
    timer.start()
    last = time.perf_counter()
    QTimer.singleShot(int(SECONDS * 1000), loop.quit)
    loop.exec()
    timer.stop()
    edits.stop()
    bench.state.playback.pause()
    found = _percentiles(late)
    found["runs"] = seed - 1
    found["frames_per_s"] = shown.count / SECONDS
    bench.settle()
    bench.window.close()
    return found


def frames(size: str) -> Found:
    """Time at work for one step forward with map, timeline, load, bandwidth and figures shown."""
    bench = Bench("hermes-llama2-70b", size)
    times = []
    for step in range(10, 110):
        begin = time.perf_counter()
        bench.state.cursor.seek(step)
        work = time.perf_counter() - begin
        times.append((work + bench.rest(0.03)) * 1e3)
    bench.window.close()
    return _percentiles(times)


def zoom() -> Found:
    """Time at work for a turn of the wheel or a shift in a timeline of a million spans."""
    bench = Bench("hermes-llama2-70b", workload__output_tokens=200)
    run = bench.state.runs.current
    spans = sum(len(run.spans(index).start_ps) for index in range(0, len(run), 20)) * 20
    bench.window.show_view("timeline")
    canvas = bench.window.docks["timeline"].view.canvas
    bench.rest(0.5)
    times = []
    centre = QPointF(canvas.width() * 0.6, canvas.height() * 0.5)
    for turn in range(120):
        delta = 120 if turn % 40 < 25 else -120
        modifier = (
            Qt.KeyboardModifier.ControlModifier if turn % 3 else Qt.KeyboardModifier.ShiftModifier
        )
        begin = time.perf_counter()
        _turn(canvas, centre, delta, modifier)
        work = time.perf_counter() - begin
        times.append((work + bench.rest(0.02)) * 1e3)
    bench.window.close()
    return {**_percentiles(times), "spans": spans}


def _turn(widget: QWidget, at: QPointF, delta: int, modifier: Qt.KeyboardModifier) -> None:
    event = QWheelEvent(
        at,
        QPointF(widget.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def seeks() -> Found:
    """Time at work for a jump to any step of a run of hundreds of thousands."""
    bench = Bench("l3-gpt-175b", workload__requests=700)
    steps = len(bench.state.runs.current)
    rng = np.random.default_rng(1)
    times = []
    for step in rng.integers(0, steps, 60).tolist():
        begin = time.perf_counter()
        bench.state.cursor.seek(step)
        work = time.perf_counter() - begin
        times.append((work + bench.rest(0.05)) * 1e3)
    bench.window.close()
    return {**_percentiles(times), "steps": steps}


def edit(scenario: str) -> Found:
    """From the end of the pause after an edit to its first steps on screen, and to the last."""
    bench = Bench(scenario)
    first, whole = [], []
    field = EDITED[scenario]
    value = int(bench.state.session.document.get(field) or 8)
    for turn in range(6):
        shown: list[float] = []
        bench.state.runs.replaced.connect(lambda _run, s=shown: s.append(0.0))
        bench.state.session.set_value(field, value + 1 + turn % 3)
        begin = time.perf_counter()
        bench.until(lambda s=shown: bool(s))
        bench.app.processEvents()
        first.append((time.perf_counter() - begin) * 1e3 - DEBOUNCE_MS)
        bench.until(lambda: not bench.window.controller.busy)
        whole.append(time.perf_counter() - begin - DEBOUNCE_MS / 1e3)
        bench.rest(0.3)
    bench.window.close()
    medians = {"first_ms": float(np.median(first)), "whole_s": float(np.median(whole))}
    return {**medians, TIMES: first}


def start(started: float) -> Found:
    """From the start of the process to the window, and to a run in it."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication(["bench"])
    prepare(app)
    window = make_window(Settings())
    window.resize(1280, 800)
    window.show()
    app.processEvents()
    shown = time.time()
    path = next(file for file in list_scenarios() if file.stem == "hermes-llama2-70b")
    window.files.open_path(path)
    while not window.state.runs.length:
        app.processEvents()
        time.sleep(0.001)
    app.processEvents()
    found: Found = {"window_s": shown - started, "run_s": time.time() - started}
    window.close()
    return found


def main() -> None:
    """Measure what the arguments say."""
    what, *rest = sys.argv[1:]
    table: dict[str, Callable[..., Found]] = {
        "lateness": lateness,
        "frames": frames,
        "zoom": zoom,
        "seeks": seeks,
        "edit": edit,
        "start": lambda text: start(float(text)),
    }
    found = table[what](*rest)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
