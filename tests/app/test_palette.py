"""Colours of both themes, measured as people with and without colour blindness see them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.theme.palette import chart_contrasts, contrasts, distances, table_distances
from app.theme.tokens import CATEGORY_ORDER, LIGHT, THEMES, contrast
from app.theme.vision import VISIONS, ciede2000, distance, seen
from app.widgets.painting import ink_on
from simcore.export.charts.style import DARK as DARK_CHART
from simcore.export.charts.style import PAPER

CHARTS = pytest.mark.parametrize("chart", [PAPER, DARK_CHART], ids=lambda chart: chart.name)
BOTH = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [  # from the table of Sharma, Wu and Dalal
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_is_ciede2000(one, two, expected):
    assert ciede2000(np.array(one), np.array(two)) == pytest.approx(expected, abs=1e-4)
    assert ciede2000(np.array(two), np.array(one)) == pytest.approx(expected, abs=1e-4)


def test_the_simulation_keeps_greys_and_confuses_what_it_should():
    for vision in VISIONS:
        assert np.allclose(seen("#808080", vision)[1:], 0, atol=0.1)
    assert distance("#ff0000", "#8f7f00", "protanopia") < distance("#ff0000", "#8f7f00") / 3
    assert distance("#00a080", "#0090c0", "tritanopia") < distance("#00a080", "#0090c0") / 2
    assert seen("#ffffff") == pytest.approx([100, 0, 0], abs=0.02)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


@BOTH
def test_colours_used_together_are_apart_for_everybody(theme):
    close = [
        f"{group}, {vision}: {a} and {b} {value:.1f} < {limit}"
        for group, vision, limit, pairs in distances(theme)
        for value, a, b in pairs
        if value < limit
    ]
    assert close == []


@BOTH
def test_texts_and_graphics_stand_out(theme):
    weak = [
        f"{item.front} on {item.ground}: {item.ratio:.2f} < {item.least}"
        for item in contrasts(theme)
        if item.ratio < item.least
    ]
    assert weak == []


@BOTH
def test_the_sequential_map_gets_lighter_or_darker_all_the_way(theme):
    for vision in VISIONS:
        lightness = np.array([seen(colour, vision)[0] for colour in theme.heat])
        steps = np.diff(lightness)
        assert (steps > 5).all() or (steps < -5).all()


@BOTH
def test_labels_are_written_in_the_better_of_black_and_white(theme):
    for key in CATEGORY_ORDER:
        colour = theme.categories[key]
        assert contrast(ink_on(colour).name(), colour) >= 4.5


def test_the_check_would_find_a_bad_palette(monkeypatch):
    bad = dict(LIGHT.categories, weights=LIGHT.categories["mlp"], predict="#d9c400")
    from dataclasses import replace

    table = replace(LIGHT.table, categories=bad)
    theme, chart = replace(LIGHT, table=table), replace(PAPER, table=table)
    for found in (distances(theme), table_distances(chart.table)):
        assert any(value < limit for _, _, limit, pairs in found for value, _, _ in pairs)
    for seen_on in (contrasts(theme), chart_contrasts(chart)):
        assert any(item.ratio < item.least for item in seen_on)


@CHARTS
def test_exported_charts_keep_the_same_limits(chart):
    close = [
        f"{group}, {vision}: {a} and {b} {value:.1f} < {limit}"
        for group, vision, limit, pairs in table_distances(chart.table)
        for value, a, b in pairs
        if value < limit
    ]
    weak = [
        f"{item.front} on {item.ground}: {item.ratio:.2f} < {item.least}"
        for item in chart_contrasts(chart)
        if item.ratio < item.least
    ]
    assert close == weak == []
    assert chart.background == chart.table.ground  # what the contrasts of places were made for


@CHARTS
def test_curves_have_colours_of_the_table_each_its_own(chart):
    assert len(set(chart.series)) == len(chart.series)
    assert set(chart.series) <= {chart.category(key) for key in CATEGORY_ORDER}


def test_the_tool_prints_and_returns_zero():
    tool = Path(__file__).resolve().parents[2] / "tools" / "palette_check.py"
    done = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 below the limit" in done.stdout
    assert "deuteranopia" in done.stdout
    assert "paper chart" in done.stdout
