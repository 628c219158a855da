"""Make assets/gallery: a small chart of every shipped scenario, light and dark.

Usage: python tools/gallery.py [SCENARIO ...]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.theme.tokens import Theme
    from simcore.results.run import Run

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "assets" / "gallery"
CHARTS_OF = (
    ("hermes", "placement"),
    ("h2m2", "timeline"),
    ("l3", "batch"),
    ("hybridserve", "timeline"),
)
"""Start of a system's id and the chart that tells it best at the size of a stamp."""
RATIO = 2.0
STAMP_DPI = 100.0


def main() -> int:
    """Simulate, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scenarios", nargs="*", help="names without suffix; all by default")
    names = parser.parse_args().scenarios
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    import simcore.systems  # noqa: F401
    from app.theme.tokens import THEMES
    from simcore.data import list_scenarios
    from simcore.engine.simulator import Simulator
    from simcore.scenario.document import Document

    TARGET.mkdir(exist_ok=True)
    for path in list_scenarios():
        if names and path.stem not in names:
            continue
        scenario = Document.from_file(path).resolve()
        simulator = Simulator(scenario, items=True)
        while simulator.advance(simulator.block_steps):
            pass
        chart = next((c for start, c in CHARTS_OF if scenario.system.startswith(start)), "timeline")
        for theme in THEMES.values():
            draw(simulator.run, chart, theme, TARGET / f"{path.stem}.{theme.name}.png")
        sys.stdout.write(f"{path.stem}\n")
        sys.stdout.flush()
    return 0


def draw(run: Run, chart_id: str, theme: Theme, path: Path) -> None:
    """Save a chart without its words, which could not be read at this size."""
    from matplotlib.figure import Figure

    from app.viewmodels.charts import chart_theme
    from app.viewmodels.gallery import PICTURE_PX
    from simcore.export.chart_file import chart_data
    from simcore.export.charts import CHARTS

    width, height = (pixels / STAMP_DPI for pixels in PICTURE_PX)
    look = chart_theme(theme)
    figure = Figure(figsize=(width, height), layout="constrained")
    CHARTS.get(chart_id).draw(figure, chart_data(run, chart_id), look)
    figure.legends.clear()
    figure.suptitle("")
    figure.supxlabel("")
    for axes in figure.axes:
        axes.set(title="", xlabel="", ylabel="")
        axes.set_title("", loc="left")
        axes.tick_params(labelbottom=False, labelleft=False, length=0, which="both")
        for text in axes.texts:
            text.set_visible(False)
    figure.savefig(
        path, dpi=STAMP_DPI * RATIO, facecolor=look.background, metadata={"Software": None}
    )


if __name__ == "__main__":
    sys.exit(main())
