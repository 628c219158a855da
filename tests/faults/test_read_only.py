"""Folders that cannot be written into: a message each time, no traceback, nothing half-done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.conftest import SMALL
from tests.faults.plain_user import bound_by_permissions, prefix

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path):
    """Runs Python beside a scenario in a read-only folder; so are its own folders, if not said."""
    if not bound_by_permissions(tmp_path):
        pytest.skip("permission bits do not bind this user, and there is no setpriv to change that")
    place = tmp_path / "place"
    place.mkdir()
    (place / "small.yaml").write_text(SMALL, encoding="utf-8")
    shut = tmp_path / "shut"
    for name in ("config", "state", "cache"):
        (shut / name).mkdir(parents=True)
    for folder in (place, *shut.iterdir(), shut):
        folder.chmod(0o555)

    def start(*words, state=shut):
        names = {f"DIMMSCOPE_{n}": str(state / n.lower()) for n in ("CONFIG", "STATE", "CACHE")}
        done = subprocess.run(
            [*prefix(), sys.executable, *words],
            cwd=place,
            env={**os.environ, **names, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert [path.name for path in place.iterdir()] == ["small.yaml"]
        assert (place / "small.yaml").read_text(encoding="utf-8") == SMALL
        return done

    yield start
    for folder in (shut, *shut.iterdir(), place):
        folder.chmod(0o755)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "small.yaml", "--json", "x.json"],
        ["run", "small.yaml", "--export", "x.npz"],
        ["run", "small.yaml", "--export", "timeline.svg"],
        ["export", "small.yaml", "--chart", "timeline", "--out", "x.pdf"],
        ["export", "small.yaml", "--chart", "step-time", "--out", "x.csv"],
        ["report", "small.yaml", "--out", "x.html"],
        ["trace", "small.yaml", "--out", "x.json.gz"],
        ["animate", "small.yaml", "--out", "x.gif"],
        ["sweep", "small.yaml", "--vary", "seed=1,2", "--workers", "1", "--out", "x.csv"],
        ["run", "small.yaml", "--export", "new/folder/x.npz"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_commands_say_that_they_cannot_write(start, tmp_path, words):
    done = start("-m", "app", *words, state=tmp_path / "open")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "cannot write" in done.stderr or "cannot be created" in done.stderr, done.stderr
    assert words[-1].split("/")[0] in done.stderr


@pytest.mark.parametrize("words", [["run", "small.yaml"], ["explain", "small.yaml", "--step", "2"]])
def test_commands_need_no_folder_of_their_own(start, words):
    assert start("-m", "app", *words).returncode == 0


def test_a_sweep_whose_store_cannot_be_written(start, tmp_path):
    out = tmp_path / "x.csv"
    words = ("sweep", "small.yaml", "--vary", "seed=1,2", "--workers", "1", "--out", str(out))
    done = start("-m", "app", *words)
    assert done.returncode in (0, 2)
    assert (done.returncode == 0) == out.is_file()
    if done.returncode:
        assert "shut" in done.stderr


WINDOW = """
import json, sys, time
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.bootstrap import _catch_bugs, make_window, prepare, run
from simcore.results.io import save_run

app = QApplication([])
prepare(app)
window = make_window()
_catch_bugs(window)
window.files.may_discard = lambda: True
window.show()
state = window.state

def until(done):
    end = time.monotonic() + 60
    while not done():
        app.processEvents()
        time.sleep(0.005)
        assert time.monotonic() < end, [m.text for m in state.messages.entries]

def settled():
    run = state.runs.current
    return run is not None and run.status.finished and not window.controller.busy

said, seen = {}, 0
def tell(name):
    global seen
    for _ in range(5):
        app.processEvents()
    said[name] = [m.text for m in state.messages.entries][seen:]
    seen = len(state.messages.entries)

assert window.files.open_path(Path("small.yaml").resolve())
until(settled)
tell("open")
state.session.set_value("seed", 5)
until(settled)
assert not window.save()
assert state.session.dirty
tell("save")
target = Path("run.npz").resolve()
window.exports.write(target, lambda: save_run(state.runs.current, target))
until(lambda: any("run.npz" in m.text and "Permission" in m.text for m in state.messages.entries))
tell("export")
window.autosave.write()
tell("autosave")
state.cursor.end()
window.keeper.write()
tell("session")
window.set_theme("dark")
window.settings.add_recent(Path("small.yaml").resolve())
window.settings.sync()
tell("settings")
state.session.set_value("seed", 6)
until(settled)
window.close()
tell("close")
print(json.dumps(said))
"""


def test_the_window_goes_on(start):
    """Everything it keeps is in folders that cannot be written: it says so and works."""
    done = start("-c", WINDOW)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    for name, file in (("save", "small.yaml"), ("export", "run.npz")):
        assert any(file in text and "Permission denied" in text for text in said[name]), said
    told = [text for texts in said.values() for text in texts]
    assert any("unsaved edits are not kept" in text for text in told), said
    assert any("the session was not kept" in text for text in told), said
    assert any("settings and layout are not kept" in text for text in told), said


def test_the_real_start_with_nowhere_to_write(start):
    """As it comes up for somebody whose home folder is full or shut."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from PySide6.QtCore import QTimer\n"
        "from app import bootstrap\n"
        "make = bootstrap.make_window\n"
        "def made(settings):\n"
        "    window = make(settings)\n"
        "    QTimer.singleShot(2500, window.close)\n"
        "    return window\n"
        "bootstrap.make_window = made\n"
        "sys.exit(bootstrap.run(Path('small.yaml').resolve(), welcome=True))\n"
    )
    done = start("-c", program)
    assert done.returncode == 0, done.stderr
    rest = [line for line in done.stderr.splitlines() if "This plugin does not" not in line]
    assert rest == []
