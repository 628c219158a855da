"""The chart view: what applies, off the GUI thread, drawn again when it should be."""

import threading

import pytest

from app.state.charts import ChartSteps
from app.theme.tokens import DARK, LIGHT
from app.viewmodels import charts
from app.viewmodels.charts import ChartRequest, depends_on_step, draw_chart, range_of, suitable
from simcore.export.charts import CHARTS
from tests.app.conftest import wait_for_run
from tests.app.test_h2m2 import SMALL as H2M2


def view(window):
    return window.docks["chart"].view


def shown(window, qtbot):
    window.show_view("chart")
    qtbot.waitUntil(lambda: not view(window).picture.image.isNull())
    qtbot.waitUntil(lambda: not view(window).busy.text())
    return view(window)


def request_of(**changes):
    values = {
        "chart": "step-time",
        "steps": ChartSteps.OWN,
        "visible": (2, 5),
        "at": 7,
        "size": (600, 320),
        "ratio": 1.0,
        "theme": LIGHT,
    }
    return ChartRequest(**{**values, **changes})


def test_says_no_run_yet(empty_window, qtbot):
    empty_window.show_view("chart")
    assert view(empty_window).picture.text == "no run yet"
    assert not view(empty_window).export_button.isEnabled()
    assert not empty_window.commands.run("chart.export")


def test_draws_the_systems_own_chart_at_the_size_of_the_pane(window, qtbot):
    chart = shown(window, qtbot)
    assert window.state.charts.shown == "predictor"
    ratio = chart.devicePixelRatioF()

    def fits():
        picture, image = chart.picture, chart.picture.image
        across = abs(image.width() - picture.width() * ratio)
        return across <= 2 and abs(image.height() - picture.height() * ratio) <= 2

    qtbot.waitUntil(fits)
    assert chart.picture.accessibleDescription() == CHARTS.get("predictor").help


def test_the_list_has_only_charts_that_apply(window, qtbot):
    chart = shown(window, qtbot)
    listed = [chart.chart.itemData(i) for i in range(chart.chart.count())]
    assert "predictor" in listed
    assert "mapping" not in listed
    assert listed == [id for id in CHARTS if not chart.refusals[id]]


def test_a_chart_of_another_system_says_why_there_is_none(window, qtbot):
    shown(window, qtbot)
    window.commands.run("chart.show_mapping")
    qtbot.waitUntil(lambda: "maps no heads" in view(window).picture.text)
    assert not view(window).export_button.isEnabled()


def test_draws_again_for_the_cursor_the_theme_and_a_new_run(window, qtbot):
    chart = shown(window, qtbot)
    window.commands.run("chart.show_placement")
    qtbot.waitUntil(lambda: window.state.charts.shown == "placement")
    window.state.cursor.seek(5)
    qtbot.waitUntil(lambda: chart.drawn == (5, 6))
    light = chart.picture.image.pixelColor(1, 1).lightness()
    window.set_theme("dark" if light > 128 else "light")
    qtbot.waitUntil(
        lambda: (chart.picture.image.pixelColor(1, 1).lightness() > 128) is not (light > 128)
    )
    window.commands.run("chart.show_step-time")
    qtbot.waitUntil(lambda: chart.drawn == (0, 13))
    before = chart.picture.image
    window.state.session.set_value("hardware.ndp_dimms.count", 2)
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: chart.picture.image is not before)


def test_a_chart_of_one_step_asked_for_before_its_step_is_known():
    asked = charts.ChartRequest("ratio", ChartSteps.OWN, (0, 1), -1, (600, 300), 1.0, LIGHT)
    assert charts.range_of("ratio", asked, 13) == (0, 1)


def test_drawing_is_not_done_by_the_gui_thread(window, qtbot, monkeypatch):
    threads = set()
    original = charts.render

    def spy(*args, **options):
        threads.add(threading.get_ident())
        return original(*args, **options)

    monkeypatch.setattr(charts, "render", spy)
    shown(window, qtbot)
    assert threads
    assert threading.get_ident() not in threads


def test_export_proposes_the_chart_on_screen(window, qtbot, monkeypatch):
    chart = shown(window, qtbot)
    asked = []
    monkeypatch.setattr(window.exports, "ask", lambda *args: asked.append(args))
    chart.export_button.click()
    assert asked == [("Chart", "predictor", (0, 13))]


def test_choosing_in_the_list_and_the_range(window, qtbot):
    chart = shown(window, qtbot)
    index = chart.chart.findData("step-time")
    chart.chart.setCurrentIndex(index)
    chart.chart.activated.emit(index)
    qtbot.waitUntil(lambda: window.state.charts.shown == "step-time")
    window.state.window.show_step(4)
    chart.steps.activated.emit(list(ChartSteps).index(ChartSteps.VISIBLE))
    qtbot.waitUntil(lambda: chart.drawn[1] - chart.drawn[0] <= 3)
    assert 4 in range(*chart.drawn)


@pytest.mark.parametrize(
    ("chart", "steps", "wanted"),
    [
        ("step-time", ChartSteps.OWN, (0, 13)),
        ("step-time", ChartSteps.STEP, (7, 8)),
        ("step-time", ChartSteps.VISIBLE, (2, 5)),
        ("placement", ChartSteps.OWN, (7, 8)),
        ("placement", ChartSteps.ALL, (0, 13)),
        ("timeline", ChartSteps.OWN, (7, 8)),
    ],
)
def test_ranges(chart, steps, wanted):
    assert range_of(chart, request_of(chart=chart, steps=steps), 13) == wanted
    assert depends_on_step(chart, steps) == (wanted == (7, 8))


def test_every_chart_is_drawn_or_refused_with_a_reason(empty_window, qtbot, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(H2M2.format(system="h2m2", kind="fixed"), encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    run = empty_window.state.runs.current
    for id in CHARTS:
        found = draw_chart(run, len(run), request_of(chart=id, theme=DARK))
        assert bool(found.png) is not bool(found.reason)
    assert suitable(found.refusals) == "mapping"


def test_a_chart_is_drawn_of_a_run_that_grows(window):
    run = window.state.runs.current
    found = draw_chart(run, 4, request_of(steps=ChartSteps.ALL))
    assert (found.first, found.stop) == (0, 4)
    assert found.png


def test_exporting_a_chart_over_time_starts_with_what_is_visible(window, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(
        window.exports,
        "ask",
        lambda page, chart, steps: asked.append((chart, window.exports.subject(steps))),
    )
    run = window.state.runs.current
    window.state.charts.choose("timeline")
    window.show_view("chart")
    view = window.docks["chart"].view
    qtbot.waitUntil(lambda: view.drawn is not None)
    window.state.window.set(float(run.start_ps(5)) + 1, float(run.start_ps(8)) - 1)
    window.commands.run("chart.export")
    window.state.charts.set_steps(ChartSteps.ALL)
    qtbot.waitUntil(lambda: view.drawn == (0, 13))
    window.commands.run("chart.export")
    assert [(chart, found.first, found.last) for chart, found in asked] == [
        ("timeline", 5, 8),
        ("timeline", 0, 13),
    ]


def test_the_chart_has_room_in_a_small_window(empty_window, qtbot):
    empty_window.resize(1280, 800)
    empty_window.set_layout_named("overview")
    empty_window.show_view("chart")
    picture = empty_window.docks["chart"].view.picture
    qtbot.waitUntil(lambda: picture.height() > 210)
