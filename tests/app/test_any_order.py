"""What a user can do, in any order: the window stays in line with its run, and undo is complete.

Where `test_random` presses everything, this keeps a model of what must be true and checks it after
every action. Examples are few, long and always the same; a failure prints the actions that led to
it.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.bootstrap import make_window
from app.settings.store import Settings
from app.viewmodels.alignment import Align
from app.widgets.transport import step_name
from simcore.errors import ScenarioErrors
from simcore.results.io import load_run, save_run
from tests.app.conftest import SMALL, wait_for_run
from tests.app.test_h2m2 import SMALL as OTHER
from tests.app.test_window import view, wheel

EDITS = st.sampled_from(
    [
        ("hardware.ndp_dimms.count", 1),
        ("hardware.ndp_dimms.count", 8),
        ("hardware.ndp_dimms.count", 0),
        ("workload.output_tokens", 1),
        ("workload.output_tokens", 25),
        ("workload.prompt_tokens", 64),
        ("hardware.pcie.bandwidth_GBps", 2.5),
        ("hardware.pcie.bandwidth_GBps", -1.0),
        ("seed", 5),
        ("name", "another: name"),
        ("system", "hermes-random"),
        ("system", "hermes-base"),
        ("system", "flexgen"),
        ("system", "nothing"),
        ("policy.gpu_hot_GB", 0.001),
    ]
)
COMMANDS = st.sampled_from(
    [
        *("playback.token_forward", "playback.token_back", "playback.layer_forward"),
        *("playback.layer_back", "playback.op_forward", "playback.op_back", "playback.home"),
        *("playback.end", "playback.faster", "playback.slower", "playback.play"),
        *("stops.next", "stops.previous", "stops.loop_visible", "stops.loop_off"),
        *("timeline.next", "timeline.follow", "timeline.scale_to_peak", "lanes.show_all"),
        *("lanes.reset", "search.next", "search.previous", "view.next", "view.previous"),
        *("view.float", "view.hide", "view.reset_layout", "run.again", "run.cancel"),
    ]
)
SEARCHES = st.sampled_from(
    ["", "gpu", "wait", "mlp", "duration>1ms", "lane:gpu mlp", "(", "[a", "é", "x" * 300, ">>", "5"]
)
BROKEN = SMALL.replace("count: 4", "count: [")
UNIT = st.floats(0, 1, exclude_max=True)


class Machine(RuleBasedStateMachine):
    """One window, from opening a file to closing it."""

    folder = None
    qtbot = None
    examples = 0

    def __init__(self):
        super().__init__()
        Machine.examples += 1
        self.path = self.folder / f"example-{Machine.examples}" / "small.yaml"
        self.path.parent.mkdir()
        self.path.write_text(SMALL, encoding="utf-8")
        self.other = self.path.with_name("other.yaml")
        self.other.write_text(OTHER.format(system="h2m2", kind="fixed"), encoding="utf-8")
        self.window = None
        self.opened = SMALL
        self.heavy = 0
        self._start()

    def _start(self):
        self.window = make_window(Settings())
        self.window.files.may_discard = lambda: True
        self.window.files.ask_about_edits = lambda: True
        self.window.show()
        self.qtbot.waitExposed(self.window)

    def _open(self, path):
        text = path.read_text(encoding="utf-8")
        if self.window.files.open_path(path):
            self.opened, self.heavy = text, 0
        self.qtbot.wait(1)

    @property
    def state(self):
        return self.window.state

    @initialize()
    def open_first(self):
        self._open(self.path)
        wait_for_run(self.qtbot, self.window)

    # Editing and the history.

    @rule(edit=EDITS)
    def set_value(self, edit):
        session = self.state.session
        try:
            session.set_value(*edit)
        except ScenarioErrors:  # what is open is no YAML, as its editor says
            assert session.document.problems()

    @rule()
    def undo(self):
        self.window.commands.run("edit.undo")

    @rule()
    def redo(self):
        self.window.commands.run("edit.redo")

    @rule(share=UNIT)
    def jump_in_the_history(self, share):
        bus = self.state.session.bus
        bus.go(int(share * (len(bus.edits) + 1)))

    @rule()
    def undo_and_redo_everything(self):
        bus = self.state.session.bus
        here, text = bus.position, bus.document.text()
        bus.go(len(bus.edits))
        last = bus.document.text()
        while self.window.commands.run("edit.undo"):
            pass
        assert bus.document.text() == self.opened
        while self.window.commands.run("edit.redo"):
            pass
        assert bus.document.text() == last
        bus.go(here)
        assert bus.document.text() == text

    @rule()
    def reset(self):
        self.window.commands.run("edit.reset")

    # The file.

    @rule(other=st.booleans())
    def open_again(self, other):
        self._open(self.other if other else self.path)

    @rule()
    def save(self):
        self.window.save()
        assert not self.state.session.dirty
        assert self.state.session.path.read_text(encoding="utf-8") == (
            self.state.session.document.text()
        )

    @rule(text=st.sampled_from([SMALL, SMALL.replace("seed: 1", "seed: 77"), BROKEN, ""]))
    def change_on_disk_and_reload(self, text):
        before = self.state.session.document.text()
        path = self.state.session.path
        kept = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        self.window.files.reload_with(keep_edits=False)
        if self.state.session.document.text() == before:
            path.write_text(kept, encoding="utf-8")
        self.qtbot.wait(5)

    @rule()
    def close_and_start_again(self):
        path, text = self.state.session.path, None
        if self.state.session.dirty:
            self.window.save()
        text = path.read_text(encoding="utf-8")
        self._close()
        self._start()
        assert path.read_text(encoding="utf-8") == text
        self._open(path)

    # Time.

    @rule(command=COMMANDS)
    def command(self, command):
        self.window.commands.run(command)

    @precondition(lambda self: self.state.runs.length)
    @rule(at=UNIT)
    def seek(self, at):
        run, length = self.state.runs.current, self.state.runs.length
        self.state.cursor.seek_time(at * int(run.end_ps if length == len(run) else 1000))

    @rule(ms=st.integers(1, 60))
    def wait(self, ms):
        self.qtbot.wait(ms)

    @rule()
    def wait_until_simulated(self):
        if not self.state.session.document.problems():
            self.qtbot.waitUntil(lambda: not self.window.controller.busy)

    # Comparing, markers, search, lanes.

    @precondition(lambda self: self.heavy < 5)
    @rule(freeze=st.booleans())
    def freeze_or_clear(self, freeze):
        self.heavy += 1
        self.window.commands.run("compare.freeze" if freeze else "compare.clear")

    @rule(align=st.sampled_from(list(Align)))
    def align(self, align):
        self.state.comparison.set_align(align)

    @precondition(lambda self: self.state.runs.length)
    @rule(first=UNIT, second=UNIT, clear=st.booleans())
    def markers(self, first, second, clear):
        end = int(self.state.runs.current.end_ps)
        if clear:
            self.state.markers.clear()
        else:
            self.state.markers.set_range(first * end, second * end)

    @rule(text=SEARCHES, regex=st.booleans(), only=st.booleans())
    def search(self, text, regex, only):
        self.state.search.set(text, regex)
        self.state.search.set_filter(only)

    @rule(which=UNIT, kind=st.sampled_from(["hide", "pin", "fold", "up", "down"]))
    def lane(self, which, kind):
        run = self.state.runs.current
        if run is None:
            return
        lane, lanes = run.lanes[int(which * len(run.lanes))], self.state.lanes
        if kind == "hide":
            lanes.hide([lane.id])
        elif kind == "pin":
            lanes.toggle_pin(lane.id)
        elif kind == "fold":
            lanes.toggle_fold(lane.group)
        else:
            lanes.shift(run, lane.id, 1 if kind == "down" else -1)

    # The window.

    @rule(width=st.sampled_from([900, 1280, 1700]), height=st.sampled_from([600, 800, 1100]))
    def resize(self, width, height):
        self.window.resize(width, height)
        self.qtbot.wait(1)

    @rule(mode=st.sampled_from(["light", "dark", "system"]))
    def theme(self, mode):
        self.window.set_theme(mode)

    @rule(which=UNIT)
    def layout(self, which):
        ids = sorted(c.id for c in self.window.commands if c.id.startswith("view.layout_"))
        self.window.commands.run(ids[int(which * len(ids))])

    @rule(which=UNIT)
    def show(self, which):
        ids = sorted(self.window.docks)
        self.window.show_view(ids[int(which * len(ids))])

    @rule(id=st.sampled_from(["timeline", "bandwidth", "placement", "load"]), x=UNIT, y=UNIT,
          kind=st.sampled_from(["click", "move", "in", "out"]))  # fmt: skip
    def mouse(self, id, x, y, kind):
        canvas = view(self.window, id).canvas
        at = QPoint(int(x * canvas.width()), int(y * canvas.height()))
        if kind == "click":
            self.qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
        elif kind == "move":
            self.qtbot.mouseMove(canvas, at)
        else:
            wheel(canvas, at, 3 if kind == "in" else -3)

    @precondition(lambda self: self.state.runs.length)
    @rule()
    def export(self):
        target = self.path.with_name("run.npz")
        run = self.state.runs.current.until(self.state.runs.length)
        self.window.exports.write(target, lambda: save_run(run, target))
        self.qtbot.waitUntil(target.exists)
        assert len(load_run(target)) == len(run)
        target.unlink()

    # What must hold.

    @invariant()
    def cursor_is_inside(self):
        runs, cursor = self.state.runs, self.state.cursor
        if runs.current is None or not runs.length:
            assert cursor.step == 0
            return
        assert runs.length <= len(runs.current)
        assert 0 <= cursor.step < runs.length
        assert 0 <= cursor.time_ps < max(1, runs.current.value("duration_ps", cursor.step))

    @invariant()
    def views_agree_with_the_run(self):
        runs, cursor = self.state.runs, self.state.cursor
        if runs.current is None or not runs.length:
            return
        shown = self.window.transport.position.text()
        assert shown.startswith(step_name(runs.current, cursor.step)), shown
        for span in [self.state.selection.span]:
            if span is not None:
                assert 0 <= span.step < runs.length
                assert 0 <= span.lane < len(runs.current.lanes)
        document = self.state.session.document
        if runs.stale or self.window.controller.busy or document.problems():
            return
        scenario = runs.current.scenario
        assert scenario.seed == document.resolve().seed
        assert scenario.workload == document.resolve().workload
        assert scenario.hardware == document.resolve().hardware

    @invariant()
    def title_and_history_agree(self):
        session = self.state.session
        if session.path is None:
            return
        assert session.title in self.window.windowTitle()
        assert self.window.isWindowModified() == session.dirty
        assert 0 <= session.bus.position <= len(session.bus.edits)

    def _close(self):
        window, self.window = self.window, None
        window.close()
        window.deleteLater()
        QApplication.processEvents()

    def teardown(self):
        if self.window is not None:
            try:
                self.undo_and_redo_everything()
            finally:
                self._close()


@pytest.mark.parametrize(
    "number", [int(n) for n in os.environ.get("DIMMSCOPE_SEEDS", "1 2").split()]
)
def test_any_order(qtbot, settings, tmp_path, number):
    Machine.folder, Machine.qtbot, Machine.examples = tmp_path, qtbot, 0
    kept = hypothesis_settings(
        max_examples=int(os.environ.get("DIMMSCOPE_EXAMPLES", "2")),
        stateful_step_count=int(os.environ.get("DIMMSCOPE_STEPS", "30")),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Machine), settings=kept)
    assert Machine.examples >= 2
