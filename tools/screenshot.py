"""Make docs/images/window.png: the real window on the default scenario, without a display.

Usage: python tools/screenshot.py [--out FILE] [--theme light|dark] [--size 1600x1000]
    [--scenario FILE] [--layout NAME] [--show VIEW]... [--baseline SYSTEM] [--step N]
With --layout, --show or --baseline nothing is selected or zoomed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.window import MainWindow

ROOT = Path(__file__).resolve().parent.parent
STEP = 64
LAYER = 60
LIMIT_S = 120.0


def main() -> int:
    """Open the window, simulate, go to a decode step, zoom in, save the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "window.png")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--size", default="1600x1000")
    parser.add_argument(
        "--scenario", type=Path, default=ROOT / "scenarios" / "hermes-llama2-70b.yaml"
    )
    parser.add_argument("--layout", help="a layout of the View menu")
    parser.add_argument("--show", action="append", default=[], help="a view to bring to the front")
    parser.add_argument("--baseline", help="a system to simulate as run A")
    parser.add_argument("--step", type=int, default=STEP)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as config:
        os.environ["DIMMSCOPE_CONFIG"] = os.environ["DIMMSCOPE_STATE"] = config
        return _shoot(arguments)


def _shoot(arguments: argparse.Namespace) -> int:
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    from app.bootstrap import make_window, prepare
    from app.commands.timeline_commands import fit_layer
    from app.state.selection import SpanRef

    app = QApplication([])
    prepare(app)
    window = make_window()
    window.themes.set_mode(arguments.theme)
    width, height = (int(part) for part in arguments.size.split("x"))
    window.resize(width, height)
    window.show()

    def wait(done: Callable[[], bool]) -> None:
        end = time.monotonic() + LIMIT_S
        while not done() and time.monotonic() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            time.sleep(0.005)

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end)

    if not window.open_path(arguments.scenario):
        return 2
    state = window.state
    wait(lambda: state.runs.length > 0 and not window.controller.busy)
    run = state.runs.current
    if run is None or not run.status.finished:
        sys.stderr.write("the run did not finish\n")
        return 2
    step = min(arguments.step, len(run) - 1)
    if arguments.layout or arguments.show or arguments.baseline:
        state.cursor.seek(step)
        if arguments.baseline:
            window.commands.run(f"compare.baseline_{arguments.baseline}")
            wait(lambda: state.comparison.frozen is not None)
        if arguments.layout:
            window.set_layout_named(arguments.layout)
        for view in arguments.show:
            window.show_view(view)
        return _save(window, arguments.out, pause)
    spans = run.spans(step)
    layer = min(LAYER, int(spans.layer.max()))
    lane = next(i for i, lane in enumerate(run.lanes) if lane.group == "DIMM") + 1
    wait_free = [not op.is_wait and op.category == "mlp" for op in run.ops]
    span = next(
        i
        for i in range(len(spans))
        if spans.lane[i] == lane and spans.layer[i] == layer and wait_free[int(spans.op[i])]
    )
    middle = int(spans.start_ps[span] + spans.end_ps[span]) // 2
    state.cursor.seek(step, middle)
    fit_layer(state)
    state.window.zoom(2.6, run.start_ps(step) + middle)
    state.selection.select_span(SpanRef(step, span, lane))
    window.show_view("explain")
    window.show_view("timeline")
    window.docks["timeline"].view.clearFocus()
    focused = window.focusWidget()
    if focused is not None:
        focused.clearFocus()
    return _save(window, arguments.out, pause)


def _save(window: MainWindow, path: Path, pause: Callable[[float], None]) -> int:
    pause(4.0)
    focused = window.focusWidget()
    if focused is not None:
        focused.clearFocus()
    pause(0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    window.grab().save(str(path))
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
