"""Full disks, folders that go, workers that fail, no fonts, layouts of nobody: the window goes on.

More faults: damaged sessions (`test_session_memory`), settings (`test_settings`), files changed or
deleted while open (`test_file_watch`), killed and second instances (`test_autosave`), writers that
are killed (`tests/faults`).
"""

import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QByteArray

from app import layout
from app.bootstrap import make_window
from app.settings.store import LAYOUT_VERSION, Settings
from simcore.cli.entry import main as command_line
from simcore.remote import parent
from simcore.results import run as run_module
from simcore.results import store as store_module
from simcore.results.io import load_run, save_run
from tests.app.conftest import SMALL, wait_for_run
from tests.simcore.remote.tasks import DiesInTheMiddle, FailsInTheMiddle


@contextmanager
def full_disk(room_bytes):
    """No file of this process can grow beyond so many bytes: writing fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def said(window):
    return [message.text for message in window.state.messages.entries]


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_saving_to_a_full_disk_loses_nothing(window, qtbot, small_file):
    window.state.session.set_value("seed", 5)
    before = files(small_file.parent)
    with full_disk(100):
        assert not window.save()
    assert "File too large" in said(window)[-1]
    assert str(small_file) in said(window)[-1]
    assert small_file.read_text(encoding="utf-8") == SMALL
    assert files(small_file.parent) == before
    assert window.state.session.dirty
    assert window.save()
    assert "seed: 5" in small_file.read_text(encoding="utf-8")
    wait_for_run(qtbot, window)


def test_exporting_to_a_full_disk(window, qtbot, tmp_path):
    run = window.state.runs.current
    target = tmp_path / "run.npz"
    save_run(run, target)
    good = target.read_bytes()
    before = len(said(window))
    with full_disk(2000):
        window.exports.write(target, lambda: save_run(run, target))
        qtbot.waitUntil(lambda: any("File too large" in text for text in said(window)[before:]))
    assert target.read_bytes() == good
    assert len(load_run(target)) == len(run)
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--json", "x.json", "--export", "x.npz"],
        ["export", "--chart", "timeline", "--out", "x.svg"],
        ["export", "--chart", "step-time", "--out", "x.csv"],
        ["report", "--out", "x.html"],
        ["trace", "--out", "x.json"],
    ],
    ids=lambda words: words[0] + words[-1],
)
def test_commands_on_a_full_disk(small_file, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    arguments = [words[0], str(small_file), *words[1:]]
    assert command_line(arguments) == 0, capsys.readouterr().err
    made = list(tmp_path.glob("x.*"))
    assert made
    kept = {path: path.read_bytes() for path in made}
    with full_disk(60):
        assert command_line(arguments) == 2
    told = capsys.readouterr().err
    assert "File too large" in told
    assert "Traceback" not in told
    assert {path: path.read_bytes() for path in made} == kept
    assert not list(tmp_path.glob(".x*"))


def test_edits_and_sessions_on_a_full_disk(window, qtbot, small_file):
    window.state.cursor.end()
    with full_disk(20):
        window.state.session.set_value("seed", 5)
        window.autosave.write()
        window.keeper.write()
    assert any("unsaved edits are not kept" in text for text in said(window))
    assert any("the session was not kept" in text for text in said(window))
    wait_for_run(qtbot, window)
    assert window.save()


def test_the_folder_goes_while_a_file_is_open(window, qtbot, small_file):
    folder = small_file.parent / "inner"
    folder.mkdir()
    moved = folder / "moved.yaml"
    moved.write_text(SMALL, encoding="utf-8")
    assert window.files.open_path(moved)
    wait_for_run(qtbot, window)
    window.state.session.set_value("seed", 6)
    shutil.rmtree(folder)
    assert not window.save()
    assert str(moved) in said(window)[-1]
    window.keeper.write()
    wait_for_run(qtbot, window)
    assert window.state.session.dirty
    folder.mkdir()
    assert window.save()
    assert "seed: 6" in moved.read_text(encoding="utf-8")


def test_a_simulation_that_fails_in_the_middle(window, qtbot, monkeypatch):
    good = window.state.runs.current
    monkeypatch.setattr("app.workers.simulation.Simulate", FailsInTheMiddle)
    window.state.session.set_value("seed", 7)
    qtbot.waitUntil(lambda: any("broken on purpose" in text for text in said(window)))
    qtbot.waitUntil(lambda: not window.controller.busy)
    assert window.state.runs.current is not None
    assert 0 <= window.state.cursor.step < window.state.runs.length
    assert any("tasks.py" in text for text in said(window))  # where in the code
    monkeypatch.undo()
    window.state.session.set_value("seed", 8)
    wait_for_run(qtbot, window)
    assert window.state.runs.current is not good
    assert window.state.runs.current.scenario.seed == 8


def test_a_simulating_process_that_is_killed(window, qtbot, monkeypatch):
    good = window.state.runs.current
    monkeypatch.setattr("app.workers.simulation.Simulate", DiesInTheMiddle)
    window.state.session.set_value("seed", 7)
    qtbot.waitUntil(lambda: any("ended by signal 9" in text for text in said(window)))
    qtbot.waitUntil(lambda: not window.controller.busy)
    assert not any("Traceback" in text for text in said(window))
    assert window.state.runs.current is not None
    assert 0 <= window.state.cursor.step < window.state.runs.length
    monkeypatch.undo()
    window.state.session.set_value("seed", 8)
    wait_for_run(qtbot, window)
    assert window.state.runs.current is not good
    assert window.state.runs.current.scenario.seed == 8


def test_a_run_that_outgrows_memory_and_disk(window, qtbot, monkeypatch):
    """It ends with a message; its steps are looked at and saved; with room it goes on."""
    monkeypatch.setattr(run_module, "_BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(store_module, "default_budget", lambda memory: 20_000)
    monkeypatch.setattr(store_module, "_free_bytes", lambda file, where: 1000)
    ends = []
    real = parent.Worker.work

    def work(worker, task):
        ends.append(worker._process)
        return real(worker, task)

    monkeypatch.setattr(parent.Worker, "work", work)
    window.state.session.set_value("seed", 9)
    qtbot.waitUntil(lambda: any("no room for more steps" in text for text in said(window)))
    qtbot.waitUntil(lambda: not window.controller.busy)
    run = window.state.runs.current
    assert run.scenario.seed == 9
    assert 2 <= len(run) < run.total_steps
    assert not run.status.finished
    # What still worked for the run is ended: it would keep its memory and write into a full pipe.
    qtbot.waitUntil(lambda: not [end for end in ends if end.poll() is None])
    for step in range(len(run)):
        window.state.cursor.seek(step)
        assert len(run.spans(step))
    monkeypatch.undo()
    window.state.session.set_value("seed", 10)
    wait_for_run(qtbot, window)
    assert window.state.runs.current.scenario.seed == 10


def test_times_too_large_to_count_are_a_message(window, qtbot):
    window.state.session.set_value("hardware.pcie.bandwidth_GBps", 1e-200)
    window.state.session.set_value("system", "flexgen")
    qtbot.waitUntil(lambda: any("too large to be counted" in text for text in said(window)))
    window.commands.run("edit.undo")
    window.commands.run("edit.undo")
    wait_for_run(qtbot, window)
    assert not window.state.runs.stale


@pytest.mark.parametrize("state", [b"", b"nonsense", bytes(4000), b"\0\0\0\xff" * 90])
def test_a_layout_that_is_none(qtbot, settings, small_file, state):
    settings._store.setValue("layout/version", LAYOUT_VERSION)
    settings._store.setValue("layout/state", QByteArray(state))
    settings._store.setValue("layout/geometry", QByteArray(state))
    settings.sync()
    window = make_window(Settings())
    qtbot.addWidget(window)
    window.files.may_discard = lambda: True
    window.show()
    try:
        assert window.files.open_path(small_file)
        wait_for_run(qtbot, window)
        assert any(dock.isVisible() for dock in window.docks.values())
        assert window.width() >= 640
        layout.save(window, window.settings, window.layout_name)
    finally:
        window.close()


_START = """\
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from app import bootstrap

make = bootstrap.make_window

def made(settings):
    window = make(settings)
    window.files.may_discard = lambda: True

    def look():
        run = window.state.runs.current
        if run is None or not run.status.finished or window.controller.busy:
            return QTimer.singleShot(20, look)
        window.grab().save(sys.argv[2])
        print("steps", len(run), flush=True)
        window.close()

    QTimer.singleShot(50, look)
    return window

bootstrap.make_window = made
sys.exit(bootstrap.run(Path(sys.argv[1])))
"""


def test_a_system_without_fonts(settings, small_file, tmp_path):
    config = tmp_path / "fonts.conf"
    (tmp_path / "no-fonts").mkdir()
    config.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{tmp_path}/no-fonts</dir>'
        f"<cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    picture = tmp_path / "window.png"
    done = subprocess.run(
        [sys.executable, "-c", _START, str(small_file), str(picture)],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "FONTCONFIG_FILE": str(config), "QT_QPA_FONTDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "steps 13" in done.stdout
    assert "Traceback" not in done.stderr
    assert picture.stat().st_size > 10_000
