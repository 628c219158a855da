"""The report of a fault: versions, scenario and log in one file, the same as the command line's."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app.state.app_state import AppState
from simcore.cli.crash import report_text, write_report

PACKAGES = ("PySide6-Essentials", "pyqtgraph", "numpy", "scipy", "matplotlib", "PyYAML")
_LOG_ENTRIES = 200


def parts_of(state: AppState) -> list[tuple[str, str]]:
    """The scenario as it is now and the last messages."""
    session = state.session
    name = str(session.path) if session.path else "without a file"
    unsaved = ", with unsaved edits" if session.dirty else ""
    text = session.document.text() if session.document is not None else "none open"
    entries = state.messages.entries[-_LOG_ENTRIES:]
    log = "\n".join(
        f"{time.strftime('%H:%M:%S', time.localtime(entry.wall_time))}  "
        f"{entry.severity.value:<7} {entry.text}"
        for entry in entries
    )
    run, cursor = state.runs.current, state.cursor
    shown = "no run"
    if run is not None:
        shown = (
            f"{run.scenario.system}, {state.runs.length} of {run.total_steps} steps, "
            f"step {cursor.step} at {cursor.time_ps} ps"
        )
    return [(f"scenario {name}{unsaved}", text), ("run on screen", shown), ("log", log)]


def make_report(state: AppState, error: BaseException | None) -> tuple[Path | None, str]:
    """Write a report; (file or None, its text)."""
    parts = parts_of(state)
    text = report_text(error, sys.argv[1:], parts, PACKAGES)
    try:
        return write_report(error, sys.argv[1:], parts, PACKAGES), text
    except OSError:
        return None, text
