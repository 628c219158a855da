"""A closed window is freed with everything it knew."""

import gc
import time
import weakref

from PySide6.QtCore import QCoreApplication, QEvent

from app.bootstrap import make_window
from tests.app.conftest import wait_for_run

LONGEST_S = 20.0
"""Threads of a slow machine may hold something for so long; what keeps it longer is a leak."""


def wait_until_freed(qtbot, *references):
    """Until they are gone; threads that end may hold them for a moment."""

    left = [True]
    end = time.monotonic() + LONGEST_S
    while any(left) and time.monotonic() < end:
        qtbot.wait(50)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        left = [reference() is not None for reference in references]
    assert not any(left)


def use(window, qtbot, file):
    """Things a user does, the dialogs among them; nothing of them stays in a frame of the test."""
    window.show()
    assert window.files.open_path(file)
    wait_for_run(qtbot, window)
    for id in window.docks:
        window.show_view(id)
    window.state.cursor.seek(3)
    window.commands.run("compare.freeze")
    window.state.session.set_value("seed", 3)
    wait_for_run(qtbot, window)
    window.show_settings()
    window.settings_dialog.close()
    window.show_changes()
    window.changes.close()
    window.set_layout_named("timeline")
    window.files.may_discard = lambda: True


def test_an_unused_window_is_freed(qtbot, settings):
    window = make_window(settings)
    window.show()
    references = weakref.ref(window), weakref.ref(window.state), weakref.ref(window.commands)
    window.close()
    window.deleteLater()
    del window
    wait_until_freed(qtbot, *references)


def test_a_used_window_is_freed_with_its_runs(qtbot, settings, small_file):
    window = make_window(settings)
    use(window, qtbot, small_file)
    references = (
        weakref.ref(window),
        weakref.ref(window.state),
        weakref.ref(window.state.runs.current),
        weakref.ref(window.docks["timeline"].view),
    )
    window.close()
    window.deleteLater()
    del window
    wait_until_freed(qtbot, *references)
