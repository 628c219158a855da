"""Make the pictures of docs/timeline.md: the real window, without a display.

Usage: python tools/timeline_pictures.py [--out FOLDER] [--scenario FILE]
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
STEP = 64
LAYER = 60
LIMIT_S = 120.0


def main() -> int:
    """A range between two markers, and the arrows of a span."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument(
        "--scenario", type=Path, default=ROOT / "scenarios" / "hermes-llama2-70b.yaml"
    )
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
    from app.state.selection import SpanRef
    from simcore.results.spans import consumers

    app = QApplication([])
    prepare(app)
    window = make_window()
    window.themes.set_mode("light")
    window.resize(1280, 800)
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
    assert run is not None
    window.set_layout_named("timeline")
    state.cursor.seek(STEP)
    state.window.set(run.start_ps(STEP - 4), run.start_ps(STEP + 5))
    state.markers.set_range(run.start_ps(STEP - 1), run.start_ps(STEP + 3))
    window.show_view("range")
    pause(1.5)
    window.grab().save(str(arguments.out / "range.png"))
    state.markers.clear()
    window.show_view("bandwidth")
    spans = run.spans(STEP)
    state.cursor.seek(STEP, int(spans.start_ps[spans.layer == LAYER].min()) + 1)
    sent = [
        at
        for at in range(len(spans))
        if spans.layer[at] == LAYER and run.ops[spans.op[at]].category == "transfer"
    ]
    chosen = max(sent, key=lambda at: len(consumers(spans, at)))
    state.selection.select_span(SpanRef(STEP, chosen, int(spans.lane[chosen])))
    begin, end = int(spans.start_ps[chosen]), int(spans.end_ps[chosen])
    start, margin = run.start_ps(STEP), 8 * (end - begin)
    state.window.set(start + begin - margin, start + end + margin)
    window.show_view("explain")
    pause(1.5)
    window.grab().save(str(arguments.out / "flows.png"))
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
