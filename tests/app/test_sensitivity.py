"""Sensitivity in the explain view: computed in the background, stopped, remembered, out of date."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.widgets.effect_bars import LEAST
from simcore.sweep.sensitivity import sensitivity
from tests.app.conftest import wait_for_run

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(window, qtbot):
    window.show_view("explain")
    view = window.docks["explain"].view
    bar = view.tabs.tabBar()
    qtbot.mouseClick(bar, LEFT, pos=bar.tabRect(1).center())
    assert view.sensitivity.isVisible()
    return view.sensitivity


def test_bars_are_those_of_the_core_and_are_remembered(window, panel, qtbot):
    state, model = window.state, window.state.sensitivities
    assert "10 %" in panel.head.text()
    state.cursor.seek(4)
    qtbot.mouseClick(panel.compute, LEFT)
    assert model.busy
    assert panel.stop.isVisible()
    qtbot.waitUntil(lambda: not model.busy)
    expected = sensitivity(state.runs.current, 4)
    assert [e.parameter.path for e in model.effects] == [e.parameter.path for e in expected]
    assert panel.bars.rows == tuple(
        e for e in expected if not e.reason and abs(e.step_time) >= LEAST
    )
    assert not panel.compute.isEnabled(), "it is up to date"
    first = panel.bars.rows[0]
    assert panel.bars.text(first) == f"{100 * first.step_time:+.2f} %".replace("-", "−")
    panel.measure.setCurrentIndex(1)
    assert panel.bars.value(first) == first.tokens_per_s
    qtbot.mouseClick(panel.copy_button, LEFT)
    assert first.parameter.path in QApplication.clipboard().text()
    # Elsewhere it is out of date; back again it is not computed anew.
    state.cursor.seek(9)
    assert "Out of date: not for token 9" in panel.head.text()
    assert panel.compute.isEnabled()
    assert panel.bars.dim
    state.cursor.seek(4)
    assert "Out of date" not in panel.head.text()
    assert not model.busy


def test_it_can_be_stopped_and_an_edit_makes_it_out_of_date(window, panel, qtbot):
    state, model = window.state, window.state.sensitivities
    state.cursor.seek(4)
    qtbot.mouseClick(panel.compute, LEFT)
    qtbot.waitUntil(lambda: len(model.effects) >= 1)
    qtbot.mouseClick(panel.stop, LEFT)
    assert not model.busy
    assert model.effects
    assert "Stopped after" in panel.head.text()
    assert panel.compute.isVisible()
    assert panel.compute.isEnabled()
    state.session.set_value("hardware.ndp_dimms.count", 2)
    qtbot.waitUntil(lambda: state.runs.stale)
    assert not panel.compute.isEnabled()
    wait_for_run(qtbot, window)
    qtbot.mouseClick(panel.compute, LEFT)
    qtbot.waitUntil(lambda: not model.busy)
    assert "Out of date" not in panel.head.text()
    state.session.set_value("hardware.ndp_dimms.count", 4)
    qtbot.waitUntil(lambda: state.runs.stale)
    assert "edited" in panel.head.text()
    wait_for_run(qtbot, window)
    assert "Out of date: the scenario has changed since" in panel.head.text()
    assert panel.compute.isEnabled()


def test_the_span_says_what_would_have_to_change(window, qtbot):
    window.show_view("explain")
    view = window.docks["explain"].view
    window.state.cursor.seek(3)
    qtbot.waitUntil(lambda: view.explanation is not None)
    run = window.state.runs.current
    spans = run.spans(3)
    from app.state.selection import SpanRef

    for span in range(len(spans)):
        if run.explain(3, span).change():
            window.state.selection.select_span(SpanRef(3, span, int(spans.lane[span])))
            break
    assert view.explanation.change()
    assert view.explanation.change() in view._text.toPlainText()
