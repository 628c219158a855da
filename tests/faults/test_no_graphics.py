"""No OpenGL: neither libraries that can be loaded nor a display that offers it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.conftest import SMALL
from tests.e2e.desktop import TOOLS, Desktop

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def _start(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k != "DISPLAY"},
            "LD_LIBRARY_PATH": str(folder / "lib"),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["libGL.so.1", "libEGL.so.1"])
def test_libraries_that_cannot_be_loaded_are_a_message(small, tmp_path, name):
    """An empty file of that name stands before the system's: the loader takes it and fails."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / name).write_bytes(b"")
    done = _start(tmp_path, str(small))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert name in done.stderr
    assert "libgl1 libegl1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    command = _start(tmp_path, "run", str(small))
    assert command.returncode == 0, command.stderr
    assert "tokens/s" in command.stdout


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)
def test_a_display_without_opengl(small, tmp_path, monkeypatch):
    """The window draws without it, and says nothing."""
    monkeypatch.setenv("LIBGL_DRIVERS_PATH", str(tmp_path))
    monkeypatch.setenv("LIBGL_ALWAYS_INDIRECT", "1")
    desktop = Desktop(tmp_path, server=("-extension", "GLX"))
    try:
        desktop.start(str(small))
        desktop.wait(lambda: desktop.window("^DIMMscope — small"), "the scenario")
        colours = desktop.image().getcolors(1 << 20)
        assert colours is not None
        assert len(colours) > 100
        desktop.focus("^DIMMscope")
        desktop.keys("ctrl+q")
        desktop.program.wait(60)
        assert desktop.program.returncode == 0
        assert desktop.complaints() == []
    finally:
        desktop.stop()
