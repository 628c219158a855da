"""The figures view: what is plotted, off the GUI thread, envelopes that drop nothing."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.viewmodels import series as module
from app.viewmodels.series import (
    Columns,
    Series,
    columns_at,
    default_ids,
    envelope,
    places_of,
    scale_of,
    series_of,
)
from tests.app.conftest import wait_for_run
from tests.app.test_serving import L3
from tests.app.test_window import wheel


def view(window):
    return window.docks["figures"].view


def shown(window, qtbot):
    window.show_view("figures")
    qtbot.waitUntil(lambda: view(window).canvas.lane_count() > 0)
    return view(window)


# Numbers.


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.floats(-5, 60),
    st.floats(0.1, 80),
    st.integers(1, 40),
)
def test_the_envelope_holds_every_visible_value(values, first, span, width):
    values = np.array(values)
    places = np.linspace(first, first + span, width + 1)
    low, high = envelope(values, columns_at(places, len(values)))
    inside = [s for s in range(len(values)) if s + 1 > places[0] and s < places[-1]]
    seen = [s for s in inside if s + 1 > 0]
    if not seen:
        assert np.isnan(low).all()
        return
    assert np.nanmin(low) == pytest.approx(values[seen].min(), abs=0) or (
        np.nanmin(low) <= values[seen].min()
    )
    assert np.nanmax(high) >= values[seen].max()
    assert np.nanmin(low) >= values.min()
    assert np.nanmax(high) <= values.max()


def test_envelope_by_hand():
    values = np.array([3.0, 1.0, np.nan, 7.0])
    low, high = envelope(values, columns_at(np.array([0.0, 1.0, 2.0, 4.0, 6.0]), 4))
    assert low.tolist()[:3] == [1.0, 1.0, 7.0]
    assert high.tolist()[:3] == [3.0, 1.0, 7.0]
    assert np.isnan(low[3])


def test_places_are_the_inverse_of_times():
    edges = np.array([0.0, 100.0, 110.0, 150.0])
    assert places_of(np.array([-100.0, 50.0, 105.0, 150.0, 190.0]), edges).tolist() == [
        -1.0,
        0.5,
        1.5,
        3.0,
        4.0,
    ]


def test_scales():
    assert scale_of(np.array([0.1]), np.array([1.0])) == (0.0, pytest.approx(1.06))
    low, high = scale_of(np.array([0.9]), np.array([1.0]))
    assert 0.89 < low < 0.9
    assert 1.0 < high < 1.01
    assert scale_of(np.array([np.nan]), np.array([np.nan])) == (0.0, 1.0)
    assert scale_of(np.zeros(2), np.zeros(2)) == (0.0, 1.0)
    low, high = scale_of(np.array([5.0]), np.array([5.0]))
    assert low < 5.0 < high


def test_columns_without_some_steps():
    columns = columns_at(np.arange(5, dtype=float), 4)
    mask = np.array([True, False, False, False])
    assert columns.without(mask).first.tolist() == [1, 1, 2, 3]
    everything = np.ones(4, bool)
    assert columns.without(everything) is columns


def test_default_figures_are_those_that_change():
    flat = Series("flat", "flat", "", "a", np.ones(3))
    other = Series("other", "other", "", "a", np.arange(3.0))
    step = Series("step_time", "step", "ms", "a", np.ones(3))
    assert default_ids((flat, other, step)) == ("step_time", "other")


# The view.


def test_figures_of_a_run_are_its_recorded_numbers(window, qtbot):
    run = window.state.runs.current
    shown(window, qtbot)
    step = window.state.series.get("step_time")
    assert step.unit == "ms"
    assert step.values.tolist() == (run.column("duration_ps") / 1e9).tolist()
    own = run.system.series(run.plan, run)
    for name, (unit, values) in own.items():
        found = window.state.series.get(f"system.{name}")
        assert found.unit == unit
        assert np.array_equal(found.values, values)
    memory = window.state.series.get(f"memory.{run.plan.memory[0].id}")
    assert memory.values[3] == pytest.approx(run.value("memory_bytes", 3)[0].sum() / 1e9)
    busy = window.state.series.get("busy.DIMM")
    lanes = [i for i, lane in enumerate(run.lanes) if lane.group == "DIMM"]
    work = [i for i, op in enumerate(run.ops) if not op.is_wait]
    expected = run.value("lane_op_ps", 4)[lanes][:, work].sum(axis=1).mean()
    assert busy.values[4] == pytest.approx(100 * expected / run.value("duration_ps", 4))


def test_they_are_computed_off_the_gui_thread_and_only_when_wanted(window, qtbot, monkeypatch):
    threads = []
    original = module.series_of

    def spy(*args):
        threads.append(threading.get_ident())
        return original(*args)

    monkeypatch.setattr("app.state.series.series_of", spy)
    assert window.state.series.series == ()
    shown(window, qtbot)
    assert threads
    assert threading.get_ident() not in threads


def test_a_figure_at_the_cursor_and_in_the_tip(window, qtbot):
    figures = shown(window, qtbot)
    window.state.cursor.seek(5)
    canvas, run = figures.canvas, window.state.runs.current
    item = window.state.series.get("step_time")
    value = canvas.value_text(item, 5)
    assert float(value) == pytest.approx(run.value("duration_ps", 5) / 1e9, rel=1e-3)
    canvas.grab()
    x = canvas.x_of(float(run.start_ps(5)) + 0.5 * run.value("duration_ps", 5))
    text = canvas.hover_text(QPointF(x, canvas.row_top(0) + 10))
    assert "step time" in text
    assert "token 5" in text
    assert f"{value} ms" in text


@pytest.mark.parametrize("by_step", [True, False])
def test_wheel_drag_and_click_move_what_the_timeline_shows(window, qtbot, by_step):
    figures = shown(window, qtbot)
    figures.axis.setCurrentIndex(0 if by_step else 1)
    canvas = figures.canvas
    at = QPoint(canvas.plot_area().left() + 120, int(canvas.row_top(0)) + 20)
    before = canvas.time_at(at.x())
    wheel(canvas, at, 3)
    assert canvas.time_at(at.x()) == pytest.approx(before, rel=1e-6)
    assert canvas.x_of(before) == pytest.approx(at.x(), abs=1e-3)
    start = window.state.window.start_ps
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(canvas, at - QPoint(15, 0))
    qtbot.mouseMove(canvas, at - QPoint(30, 0))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at - QPoint(30, 0))
    assert window.state.window.start_ps > start
    wanted = canvas.time_at(at.x())
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert window.state.cursor.absolute_ps == pytest.approx(wanted, rel=1e-6)


def test_choosing_series_in_the_menu_by_key(window, qtbot):
    figures = shown(window, qtbot)
    figures.choose(("step_time",))
    assert figures.canvas.lane_count() == 1
    actions = [a for a in figures.menu.actions() if a.isCheckable()]
    assert [a.isChecked() for a in actions].count(True) == 1
    figures.menu.popup(figures.mapToGlobal(QPoint(0, 0)))
    figures.menu.setActiveAction(next(a for a in actions if a.data() == "context"))
    QTest.keyClick(figures.menu, Qt.Key.Key_Space)
    assert figures.menu.isVisible()
    assert set(figures.canvas.shown) == {"step_time", "context"}
    figures.menu.close()
    figures.choose(())
    assert not figures.canvas.grab().isNull()


def test_a_new_run_and_no_run(window, qtbot):
    figures = shown(window, qtbot)
    window.state.session.set_value("workload.output_tokens", 20)
    wait_for_run(qtbot, window)
    qtbot.waitUntil(lambda: window.state.series.length == 21)
    assert len(window.state.series.get("step_time").values) == 21
    window.state.runs.clear()
    assert figures.canvas.lane_count() == 0
    assert not figures.canvas.grab().isNull()


def test_serving_has_its_own_figures(empty_window, qtbot, tmp_path):
    path = tmp_path / "serving.yaml"
    path.write_text(L3, encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    shown(empty_window, qtbot)
    qtbot.waitUntil(lambda: empty_window.state.series.get("system.queue") is not None)
    run = empty_window.state.runs.current
    values = empty_window.state.series.get("system.batch").values
    assert np.array_equal(values, run.column("batch"))


def test_figures_of_a_run_that_grows(window):
    run = window.state.runs.current
    assert all(len(item.values) == 4 for item in series_of(run, 4))
    assert all(len(item.values) == 9 for item in series_of(run, 9))
    assert isinstance(columns_at(np.zeros(1), 3), Columns)


def test_a_column_with_a_prefill_keeps_its_other_steps():
    prefill = np.array([True, False, False, False, True, False])
    columns = Columns(np.array([0, 0, 2, 3, 5, -1]), np.array([0, 3, 3, 5, 5, -1]))
    rest = columns.without(prefill)
    assert rest.first.tolist() == [-1, 1, 2, -1, 5, -1]
    assert rest.last.tolist() == [-1, 3, 3, -1, 5, -1]
    only = Columns(np.array([0]), np.array([0]))
    assert only.without(prefill) is only


def test_ends_of_a_scale_can_be_told_apart():
    from app.widgets.figures_canvas import scale_labels

    assert scale_labels(0.0, 12.0) == ("12.0", "0")
    assert scale_labels(1.00012, 1.00034) == ("1.0003", "1.0001")
    assert scale_labels(54_300_000.0, 54_310_000.0) == ("54,310,000", "54,300,000")
