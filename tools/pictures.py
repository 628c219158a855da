"""Take a picture of the whole window and of every view, for shipped scenarios, without a display.

Usage: python tools/pictures.py OUT_FOLDER [--scenario NAME ...] [--themes light dark]
       [--sizes 1280x800 ...] [--scale N] [--views]

One PNG a scenario, theme and size, and with --views one a view besides. Meant for looking at: for
clipped text, overlap, empty panels and axes without a label.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 180.0


def main() -> int:
    """Parse the options, then shoot."""
    parser = argparse.ArgumentParser(description="pictures of every view")
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenario", nargs="+", default=None, metavar="NAME")
    parser.add_argument("--themes", nargs="+", default=["light", "dark"])
    parser.add_argument("--sizes", nargs="+", default=["1280x800"])
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels to a pixel")
    parser.add_argument("--views", action="store_true", help="every view on its own too")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments.scale != 1.0:
        os.environ["QT_SCALE_FACTOR"] = str(arguments.scale)
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as config:
        os.environ["DIMMSCOPE_CONFIG"] = os.environ["DIMMSCOPE_STATE"] = config
        return _shoot(arguments)


def _shoot(arguments: argparse.Namespace) -> int:
    from PySide6.QtCore import QEvent, QEventLoop
    from PySide6.QtWidgets import QApplication

    from app.bootstrap import make_window, prepare
    from simcore.data import list_scenarios

    app = QApplication([])
    prepare(app)
    window = make_window()
    window.show()

    def wait(done: Callable[[], bool]) -> None:
        end = time.monotonic() + LIMIT_S
        while not done() and time.monotonic() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            time.sleep(0.005)

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end)

    runs = window.state.runs
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = [
        path
        for path in list_scenarios()
        if arguments.scenario is None or path.stem in arguments.scenario
    ]
    for path in found:
        if not window.open_path(path):
            sys.stderr.write(f"{path.stem} does not open\n")
            return 2
        wait(lambda: runs.length > 0 and not window.controller.busy)
        if runs.current is None or not runs.current.status.finished:
            sys.stderr.write(f"{path.stem} did not finish\n")
            return 2
        window.state.cursor.seek(len(runs.current) // 2)
        for theme in arguments.themes:
            window.themes.set_mode(theme)
            for size in arguments.sizes:
                width, height = (int(part) for part in size.split("x"))
                window.resize(width, height)
                window.reset_layout()
                pause(1.0)
                name = f"{path.stem}.{theme}.{size}"
                window.catch_up()
                window.grab().save(str(arguments.out / f"{name}.png"))
                for id, dock in window.docks.items() if arguments.views else ():
                    if id == "range":
                        run, middle = runs.current, len(runs.current) // 2
                        last = min(middle + 3, len(run) - 1)
                        window.state.markers.set_range(run.start_ps(middle), run.start_ps(last))
                    window.show_view(id)
                    pause(0.8)
                    wait(lambda: not window.docks["chart"].view.busy.text())
                    window.catch_up()
                    dock.grab().save(str(arguments.out / f"{name}.{id}.png"))
                    window.state.markers.clear()
        sys.stderr.write(f"{path.stem}\n")
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
