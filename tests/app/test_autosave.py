"""Unsaved edits survive a kill; instances that run keep theirs to themselves."""

import os
import signal
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt

from app.persistence.autosave import autosave_folder, orphans
from tests.app.conftest import SMALL, wait_for_run

APP = """\
import os, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from app import bootstrap

path, command = Path(sys.argv[1]), sys.argv[2]
make = bootstrap.make_window

def made(settings):
    window = make(settings)
    window.files.may_discard = lambda: True

    def edit():
        if window.state.session.document is None:
            return QTimer.singleShot(20, edit)
        window.state.session.set_value("seed", 42)
        QTimer.singleShot(20, written)

    def written():
        if window.autosave.folder is None or not window.autosave._written:
            return QTimer.singleShot(20, written)
        if command == "close":
            window.close()
        print("ready", flush=True)

    QTimer.singleShot(50, edit)
    return window

bootstrap.make_window = made
sys.exit(bootstrap.run(path))
"""


@pytest.fixture
def instance(settings, small_file):
    """Start the real application with an edit in it; returns its process."""
    started = []

    def start(command):
        process = subprocess.Popen(
            [sys.executable, "-c", APP, str(small_file), command],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        started.append(process)
        assert process.stdout.readline().strip() == "ready"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def row(window):
    assert window.questions.isVisible()
    return window.questions.rows[0]


def click(qtbot, window, title):
    button = next(button for button in row(window).buttons if button.text() == title)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_edits_of_a_killed_instance_are_restored(instance, empty_window, qtbot, small_file):
    kill(instance("kill"))
    window = empty_window
    window.recovery.offer()
    assert "unsaved edits of small.yaml" in row(window).notice.text
    click(qtbot, window, "Restore")
    session = window.state.session
    assert session.path == small_file
    assert session.document.get("seed") == 42
    assert session.dirty
    assert small_file.read_text(encoding="utf-8") == SMALL
    wait_for_run(qtbot, window)
    assert not window.questions.isVisible()
    assert orphans() == []
    assert window.autosave.folder is not None  # the edits are on disk again, as ours
    window.commands.run("edit.undo")
    assert session.document.get("seed") == 1


def test_edits_are_discarded_or_asked_about_later(instance, empty_window, qtbot):
    kill(instance("kill"))
    empty_window.recovery.offer()
    click(qtbot, empty_window, "Later")
    empty_window.recovery.offer()
    click(qtbot, empty_window, "Discard")
    assert orphans() == []
    assert list(autosave_folder().iterdir()) == []


def test_a_running_instance_keeps_its_edits(instance, empty_window, qtbot):
    process = instance("run")
    empty_window.recovery.offer()
    assert empty_window.state.notices.waiting == ()
    assert len(list(autosave_folder().iterdir())) == 1
    kill(process)
    empty_window.recovery.offer()
    assert len(empty_window.state.notices.waiting) == 1
    assert orphans() == []  # the one who asks holds it


def test_a_clean_exit_leaves_nothing(instance, empty_window):
    process = instance("close")
    assert process.wait(timeout=30) == 0
    assert list(autosave_folder().iterdir()) == []


def test_edits_of_a_file_that_is_gone(instance, empty_window, qtbot, small_file):
    kill(instance("kill"))
    small_file.unlink()
    empty_window.recovery.offer()
    click(qtbot, empty_window, "Restore")
    session = empty_window.state.session
    assert session.document.get("seed") == 42
    assert session.dirty
    assert empty_window.files.save()
    assert "seed: 42" in small_file.read_text(encoding="utf-8")


def test_saving_and_undoing_remove_what_was_kept(window, qtbot):
    session, autosave = window.state.session, window.autosave
    session.set_value("seed", 5)
    qtbot.waitUntil(lambda: autosave.folder is not None and bool(autosave._written))
    text = autosave.folder / "scenario.yaml"
    assert "seed: 5" in text.read_text(encoding="utf-8")
    window.files.save()
    qtbot.waitUntil(lambda: not text.exists())
    session.set_value("seed", 6)
    qtbot.waitUntil(text.exists)
    window.commands.run("edit.undo")
    qtbot.waitUntil(lambda: not text.exists())
    folder = autosave.folder
    window.close()
    assert not folder.exists()


def test_damaged_remains_are_cleared_away(settings):
    folder = autosave_folder() / "remains"
    folder.mkdir(parents=True)
    for name, content in (("lock", ""), ("about.json", "{"), ("scenario.yaml", "seed: 1\n")):
        (folder / name).write_text(content, encoding="utf-8")
    assert orphans() == []


def test_it_can_be_switched_off(window, qtbot):
    window.state.session.set_value("seed", 5)
    window.autosave.write()
    folder = window.autosave.folder
    window.autosave.set_on(False)
    assert not folder.exists()
    window.state.session.set_value("seed", 6)
    window.autosave.write()
    assert window.autosave.folder is None
