"""Every format as it was when last looked at, and the same picture in every drawing format.

Texts must be the same to the byte. Pictures may differ by what another version of a font renderer
does to edges. After a change that is meant: ``DIMMSCOPE_UPDATE_GOLDEN=1 pytest`` this file, and
look at the difference (and at the pictures) before committing it.
"""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from simcore.export.animation import AnimationOptions, frames
from simcore.export.chart_file import chart_data, export_chart, render, write_chart
from simcore.export.charts.comparison import one_and_others
from simcore.export.chrome_trace import TraceOptions, write_trace
from simcore.export.report import write_comparison, write_report
from simcore.export.run_tables import write_spans, write_steps
from tests.fakes import fake_run
from tests.simcore.export.rendering import pixels
from tests.simcore.export.test_charts import ALL

FOLDER = Path(__file__).parents[2] / "golden" / "export"
UPDATE = bool(os.environ.get("DIMMSCOPE_UPDATE_GOLDEN"))
OTHERS = {
    "fake-slow": {"tokens_per_s": 1000.0, "speedup": 2.0},
    "large": {"tokens_per_s": None, "speedup": None, "error": "does not fit"},
}
TEXTS = {
    "steps.csv": lambda run, path: write_steps(run, path),
    "spans.csv": lambda run, path: write_spans(run, path, 1, 3),
    "trace.json": lambda run, path: write_trace(run, path, TraceOptions(1, 3)),
    "report.md": lambda run, path: write_report(run, path, compare=OTHERS),
    "comparison.md": lambda run, path: write_comparison(run, fake_run(6), path),
    "comparison.csv": lambda run, path: write_chart(one_and_others(run, OTHERS), path),
    **{
        f"{chart}.csv": lambda run, path, chart=chart: export_chart(run, chart, path)
        for chart in ALL
    },
}


@pytest.fixture(scope="module")
def run():
    return fake_run(4)


@pytest.mark.parametrize("name", TEXTS)
def test_text_formats_are_the_same_to_the_byte(run, tmp_path, name):
    TEXTS[name](run, tmp_path / name)
    found = (tmp_path / name).read_text(encoding="utf-8")
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / name).write_text(found, encoding="utf-8", newline="\n")
    assert found == (FOLDER / name).read_text(encoding="utf-8")


def difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Mean difference of blurred pictures, and the share of pixels that differ clearly."""
    blurred = [
        np.asarray(Image.fromarray(x).filter(ImageFilter.GaussianBlur(1.5))).astype(int)
        for x in (a, b)
    ]
    apart = np.abs(blurred[0] - blurred[1]).max(axis=2)
    return float(apart.mean()), float((apart > 64).mean())


def check_picture(name: str, found: np.ndarray) -> None:
    path = FOLDER / f"{name}.png"
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        Image.fromarray(found).quantize(64).save(path, optimize=True)
    wanted = pixels(path)
    assert found.shape == wanted.shape
    mean, clear = difference(found, wanted)
    assert mean < 3
    assert clear < 0.004


@pytest.mark.parametrize("theme", ["paper", "dark"])
@pytest.mark.parametrize("chart", [*ALL, "comparison"])
def test_charts_look_as_they_did(run, chart, theme):
    data = one_and_others(run, OTHERS) if chart == "comparison" else chart_data(run, chart)
    png = render(data, "png", theme=theme, width_mm=150, height_mm=80, dpi=60)
    with Image.open(io.BytesIO(png)) as image:
        check_picture(f"{chart}.{theme}", np.asarray(image.convert("RGB")))


def test_animations_look_as_they_did(run):
    options = AnimationOptions(2, 3, width_px=640, height_px=360)
    check_picture("animation", next(iter(frames(run, options))))


@pytest.mark.parametrize("chart", [*ALL, "comparison"])
def test_vector_formats_show_the_same_picture(run, tmp_path, chart):
    """Drawn by librsvg and by poppler, an SVG and a PDF look like the PNG."""
    data = one_and_others(run, OTHERS) if chart == "comparison" else chart_data(run, chart)
    shown = {}
    for suffix in (".png", ".svg", ".pdf"):
        write_chart(data, tmp_path / f"c{suffix}", dpi=130)
        picture = Image.fromarray(pixels(tmp_path / f"c{suffix}"))
        shown[suffix] = np.asarray(picture.resize((900, 450), Image.Resampling.LANCZOS))
    for suffix in (".svg", ".pdf"):
        mean, clear = difference(shown[".png"], shown[suffix])
        assert mean < 6, suffix  # poppler draws hairlines a pixel wide
        assert clear < 0.01, suffix


def test_the_comparison_of_pictures_can_fail(run):
    one = render(chart_data(run, "memory"), "png", width_mm=150, height_mm=80, dpi=60)
    other = render(chart_data(run, "tokens"), "png", width_mm=150, height_mm=80, dpi=60)
    a, b = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in (one, other))
    mean, clear = difference(a, b)
    assert mean > 4
    assert clear > 0.01
