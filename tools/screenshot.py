"""Make docs/images/window.png: the real window on the default scenario, without a display.

Usage: python tools/screenshot.py [--out FILE] [--theme light|dark] [--size 1600x1000]
    [--scenario FILE] [--layout NAME] [--show VIEW]... [--baseline SYSTEM] [--step N]
With --layout, --show or --baseline nothing is selected or zoomed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from offscreen import ROOT, Studio, studio

STEP = 64
LAYER = 60


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
    with studio(arguments.theme, arguments.size) as shown:
        return _shoot(shown, arguments)


def _shoot(shown: Studio, arguments: argparse.Namespace) -> int:
    from app.commands.timeline_commands import fit_layer
    from app.state.selection import SpanRef

    run = shown.run_of(arguments.scenario)
    if run is None:
        return 2
    window, state = shown.window, shown.window.state
    step = min(arguments.step, len(run) - 1)
    if arguments.layout or arguments.show or arguments.baseline:
        state.cursor.seek(step)
        if arguments.baseline:
            window.commands.run(f"compare.baseline_{arguments.baseline}")
            shown.wait(lambda: state.comparison.frozen is not None)
        if arguments.layout:
            window.set_layout_named(arguments.layout)
        for view in arguments.show:
            window.show_view(view)
        return _save(shown, arguments.out)
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
    return _save(shown, arguments.out)


def _save(shown: Studio, path: Path) -> int:
    shown.pause(4.0)
    focused = shown.window.focusWidget()
    if focused is not None:
        focused.clearFocus()
    shown.pause(0.5)
    shown.save(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
