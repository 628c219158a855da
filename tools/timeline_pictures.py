"""Make the pictures of docs/timeline.md: the real window, without a display.

Usage: python tools/timeline_pictures.py [--out FOLDER] [--scenario FILE]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from offscreen import ROOT, Studio, studio

STEP = 64
LAYER = 60


def main() -> int:
    """A range between two markers, and the arrows of a span."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument(
        "--scenario", type=Path, default=ROOT / "scenarios" / "hermes-llama2-70b.yaml"
    )
    arguments = parser.parse_args()
    with studio("light", "1280x800") as shown:
        return _shoot(shown, arguments.scenario, arguments.out)


def _shoot(shown: Studio, scenario: Path, out: Path) -> int:
    from app.state.selection import SpanRef
    from simcore.results.spans import consumers

    run = shown.run_of(scenario)
    if run is None:
        return 2
    window, state = shown.window, shown.window.state
    window.set_layout_named("timeline")
    state.cursor.seek(STEP)
    state.window.set(run.start_ps(STEP - 4), run.start_ps(STEP + 5))
    state.markers.set_range(run.start_ps(STEP - 1), run.start_ps(STEP + 3))
    window.show_view("range")
    shown.pause(1.5)
    shown.save(out / "range.png")
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
    shown.pause(1.5)
    shown.save(out / "flows.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
