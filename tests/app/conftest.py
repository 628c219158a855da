"""A real window on a small scenario; settings live in a temporary folder.

Every window is closed in the fixture: a thread that still runs at teardown aborts the interpreter.
"""

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

import simcore.systems  # noqa: F401
from app.bootstrap import make_window, prepare
from app.settings.store import Settings

SMALL = """\
# A small machine for tests.
version: 1
name: small test machine
system: hermes
hardware:
  gpu: rtx-4090  # the card
  ndp_dimms: {preset: hermes-ddr4-3200, count: 4}
model: {preset: relullama2-70b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, vocab: 1000}
workload: {kind: fixed, batch: 1, prompt_tokens: 16, output_tokens: 12}
seed: 1
"""


def pytest_configure(config):
    for text in ("propagateSizeHints", r"does not support raise\(\)", "grabbing the keyboard"):
        config.addinivalue_line("qt_log_ignore", text)


@pytest.fixture(scope="session", autouse=True)
def _prepared(qapp):
    prepare(qapp)
    gc.collect()
    gc.freeze()  # modules stay, so looking through them again is for nothing
    yield
    gc.unfreeze()
    gc.enable()


FULL_EVERY = 12
_count = 0


@pytest.fixture(autouse=True)
def _collect_in_this_thread():
    """As in the application, a closed window is freed in the thread of the windows alone.

    Python would collect it in whichever thread allocates, and Qt aborts when that is another one.
    """
    global _count
    gc.disable()
    plugins = os.environ.get("DIMMSCOPE_PLUGINS")
    yield
    os.environ.pop("DIMMSCOPE_PLUGINS", None)  # a safe start sets it for its process
    if plugins is not None:
        os.environ["DIMMSCOPE_PLUGINS"] = plugins
    _count += 1
    if _count % FULL_EVERY == 0:
        gc.collect()


@pytest.fixture
def small_file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("DIMMSCOPE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DIMMSCOPE_STATE", str(tmp_path / "state"))
    return Settings()


@pytest.fixture
def empty_window(qtbot, settings):
    window = make_window(settings)
    window.files.may_discard = lambda: True
    window.files.ask_about_edits = lambda: False
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()


@pytest.fixture
def window(empty_window, small_file, qtbot):
    assert empty_window.files.open_path(small_file)
    wait_for_run(qtbot, empty_window)
    return empty_window


def wait_for_run(qtbot, window):
    """Wait until the run on screen is finished and up to date."""

    def finished():
        run = window.state.runs.current
        return (
            run is not None
            and run.status.finished
            and not window.controller.busy
            and not window.state.runs.stale
            and window.state.runs.length == len(run)
            and window.docks["scenario"].view.form.complete
            and not window.state.turns.waits(window.docks["scenario"].view._show_resolved)
        )

    qtbot.waitUntil(finished)
