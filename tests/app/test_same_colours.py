"""A word has one colour: in the window, in the pane that shows charts, and on paper."""

import importlib
import pkgutil

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import simcore.systems
from app.theme.tokens import CATEGORY_TITLES, COLOUR_KEYS, THEMES, place_colours
from app.viewmodels.charts import chart_theme
from app.widgets.painting import key_table
from simcore.export.chart_file import chart_data
from simcore.export.charts import CHARTS
from simcore.export.charts.style import DARK, PAPER
from tests.fakes import fake_run

LOOKS = pytest.mark.parametrize(
    ("theme", "chart"),
    [
        (THEMES["light"], PAPER),
        (THEMES["dark"], DARK),
        *((theme, chart_theme(theme)) for theme in THEMES.values()),
    ],
    ids=["light, paper", "dark, dark", "light pane", "dark pane"],
)


def drawn(chart_id, look):
    """Colour of every entry in the legend of a chart."""
    figure = Figure(layout="constrained")
    CHARTS.get(chart_id).draw(figure, chart_data(fake_run(4), chart_id), look)
    handles = [h for legend in figure.legends for h in legend.legend_handles]
    return {h.get_label(): to_hex(h.get_facecolor()) for h in handles if hasattr(h, "get_hatch")}


@LOOKS
def test_a_chart_draws_categories_and_waits_as_the_timeline_does(theme, chart):
    painted = {
        CATEGORY_TITLES[key]: f"#{int(colour) & 0xFFFFFF:06x}"
        for key, colour in zip(COLOUR_KEYS, key_table(theme, theme.canvas))
    }
    found = drawn("timeline", chart)
    assert len(found) >= 4
    assert any(title.startswith("Wait") for title in found)
    assert found == {title: painted[title] for title in found}


@LOOKS
def test_a_chart_draws_places_as_the_placement_map_does(theme, chart):
    run = fake_run(4)
    grid = run.placement(3, 1)
    ids = tuple(place.id for place in grid.categories)
    wanted = {
        place.title: colour
        for place, colour in zip(grid.categories, place_colours(theme, ids), strict=True)
    }
    found = drawn("placement", chart)
    assert {title: found[title] for title in wanted} == wanted


@LOOKS
def test_a_chart_draws_kinds_of_memory_as_the_memory_view_does(theme, chart):
    for kind, colour in drawn("memory", chart).items():
        assert theme.table.memory(kind) == colour


def test_no_system_fills_a_memory_with_two_kinds_of_one_colour():
    found = {}
    for module in pkgutil.walk_packages(simcore.systems.__path__, "simcore.systems."):
        kinds = getattr(importlib.import_module(module.name), "MEMORY_KINDS", None)
        if kinds:
            found[module.name] = kinds
    assert len(found) >= 7
    for table in (theme.table for theme in THEMES.values()):
        for name, kinds in found.items():
            assert len({table.memory(kind) for kind in kinds}) == len(kinds), name
