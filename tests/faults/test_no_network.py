"""The program talks to nobody: commands and the window work where every connection is an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]
GUARD = """\
import os, sys

def guard(event, arguments):
    if not event.startswith("socket.") or event in ("socket.__new__", "socket.gethostname"):
        return
    if arguments and getattr(arguments[0], "family", None) == 1:
        return  # AF_UNIX: processes of this machine, as the pool of a sweep
    sys.stderr.write(f"NETWORK {event} {arguments}\\n")
    os._exit(99)

sys.addaudithook(guard)

def connections():
    inodes = set()
    for name in ("tcp", "tcp6", "udp", "udp6", "raw"):
        try:
            lines = open(f"/proc/self/net/{name}").read().splitlines()[1:]
        except OSError:
            continue
        inodes |= {line.split()[9] for line in lines}
    mine = []
    for handle in os.listdir("/proc/self/fd"):
        try:
            mine.append(os.readlink(f"/proc/self/fd/{handle}"))
        except OSError:
            pass
    return [name for name in mine if name.removeprefix("socket:[").removesuffix("]") in inodes]
"""
COMMAND = """
from simcore.cli.entry import main

code = main(sys.argv[1:])
assert not connections()
sys.exit(code)
"""
WINDOW = """
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
        for id in window.docks:
            window.show_view(id)
        window.show_welcome()
        assert not connections()
        print("steps", len(run), flush=True)
        window.close()

    QTimer.singleShot(50, look)
    return window

bootstrap.make_window = made
sys.exit(bootstrap.run(Path(sys.argv[1])))
"""


@pytest.fixture
def guarded(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")

    def run(program, *words):
        names = {f"DIMMSCOPE_{n}": str(tmp_path / n) for n in ("CONFIG", "STATE", "CACHE")}
        return subprocess.run(
            [sys.executable, "-c", GUARD + program, *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, **names, "PYTHONPATH": str(ROOT)},
            check=False,
        )

    return run


@pytest.mark.parametrize(
    "words",
    [
        ["run", "small.yaml", "--json", "x.json", "--export", "breakdown.svg", "timeline.pdf"],
        ["validate", "small.yaml"],
        ["explain", "small.yaml", "--step", "3"],
        ["list", "models"],
        ["sweep", "small.yaml", "--vary", "seed=1,2", "--workers", "1", "--out", "x.csv"],
    ],
    ids=lambda words: words[0],
)
def test_commands(guarded, words):
    done = guarded(COMMAND, *words)
    assert "NETWORK" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_window(guarded):
    done = guarded(WINDOW, "small.yaml")
    assert "NETWORK" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr[-1500:]
    assert "steps 13" in done.stdout


def test_the_guard_bites(guarded):
    program = "import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=1)\n"
    done = guarded(program)
    assert done.returncode == 99
    assert "NETWORK" in done.stderr
    listening = "s = __import__('_socket').socket()\nprint(len(connections()))\n"
    assert guarded(listening).returncode == 0
