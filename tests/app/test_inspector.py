"""The inspector: what it shows, edits in the scenario and what-ifs, in the same frame."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from app.viewmodels.inspector import figures, inspect, roofline
from app.views.inspector import CURVE, FIGURES, PARAMETERS, ROOFLINE
from app.widgets.parameter_tree import KIND, SOURCE, VALUE
from simcore.hardware.devices import machine
from simcore.registry import SYSTEMS
from tests.app.conftest import wait_for_run
from tests.simcore.hardware.test_machine import only_what_it_needs, short_run


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_every_device_of_every_system_can_be_inspected(system):
    run = short_run(system)
    made = machine(run.plan)
    for what in (*made.devices, *made.links):
        found = inspect(run.scenario, made, what.id, {}, 4096)
        assert found.headline, what.id
        assert not found.problem
        assert found.curve is None or np.isfinite(found.curve.y).all()
        if found.dram is not None:
            assert found.curve.y.max() <= found.curve.lines[0][1] * 1.001
            assert 0 < found.curve.marked <= found.curve.lines[0][1]
        for parameter in found.parameters:
            assert parameter.field.knob.help
        figures(run.scenario, what)
    drawn = [roofline(run, run.scenario, d, len(run) - 1) for d in made.devices]
    assert any(one is not None and one.points for one in drawn)


def test_every_timing_shown_has_class_and_source():
    scenario = only_what_it_needs("hermes")
    made = machine(SYSTEMS.get("hermes").prepare(scenario))
    found = inspect(scenario, made, "dimm0", {}, 8192)
    timings = [p.field for p in found.parameters if p.what_if]
    assert {"dram.nFAW", "dram.nRCD", "dram.nRFC"} <= {f.path for f in timings}
    assert not {"dram.nCCD_L", "dram.nBL"} & {f.path for f in timings}  # scenario fields
    given = [f for f in timings if f.value != f.knob.problem and f.provenance is not None]
    assert len(given) >= 20


@pytest.fixture
def view(window):
    window.show_view("inspector")
    shown = window.docks["inspector"].view
    shown.choice.setCurrentIndex(shown.choice.findData("dimm1"))
    shown.choice.activated.emit(shown.choice.currentIndex())
    return shown


def edit(qtbot, view, path, text):
    """Type a value the way a person does."""
    view.tabs.setCurrentIndex(PARAMETERS)
    view.parameters.begin_edit(path)
    editor = view.parameters.findChildren(QLineEdit)[-1]
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()  # Qt hands the value over in the next event


def test_parameters_have_value_unit_class_and_source(view):
    row = view.parameters.row("hardware.ndp_dimms.clock_GHz")
    assert row.text(VALUE) == "1 GHz"
    assert row.text(KIND) == "paper"
    assert "Table II" in row.text(SOURCE)
    assert "Allowed" in row.toolTip(VALUE)
    timing = view.parameters.row("dram.nFAW")
    assert timing.text(VALUE) == "26 nCK"
    assert timing.text(KIND) == "paper"


def test_an_edit_of_the_scenario_shows_at_once_and_reaches_the_run(view, window, qtbot):
    before = view.inspected.GBps
    assert "nCCD_L" in view.headline.text()
    edit(qtbot, view, "hardware.ndp_dimms.nCCD_L", "4")
    # The worker has not made a run of it yet.
    assert window.state.runs.current.scenario.hardware.ndp_dimms.nCCD_L == 8
    assert view.inspected.GBps > 1.3 * before
    assert not view.what_if
    assert view.badge.isHidden()
    assert window.state.session.document.get("hardware.ndp_dimms.nCCD_L") == 4
    wait_for_run(qtbot, window)
    assert window.state.runs.current.scenario.hardware.ndp_dimms.nCCD_L == 4
    window.commands.run("edit.undo")
    assert view.inspected.GBps == pytest.approx(before)


def test_an_edit_in_the_scenario_form_shows_in_the_same_frame(view, window, qtbot):
    before = view.inspected.GBps
    window.docks["scenario"].view.form.edited.emit("hardware.ndp_dimms.data_rate_MTps", 2400.0)
    assert view.inspected.GBps < before
    assert view.inspected.curve.lines[0][1] == pytest.approx(4 * 8 * 2.4)


def test_a_what_if_is_marked_and_can_be_reset(view, window, qtbot):
    before, text = view.inspected.GBps, window.state.session.document.text()
    edit(qtbot, view, "dram.nRFC", "2000")
    assert view.inspected.GBps < 0.95 * before
    assert not view.badge.isHidden()
    assert "nRFC 576 → 2000" in view.badge.text()
    assert "Not in the scenario" in view.badge.text()
    assert view.parameters.row("dram.nRFC").text(0) == "nRFC *"
    assert window.state.session.document.text() == text
    assert view.inspected.curve.before is not None
    qtbot.mouseClick(view.reset, Qt.MouseButton.LeftButton)
    assert view.inspected.GBps == pytest.approx(before)
    assert view.badge.isHidden()
    assert view.inspected.curve.before is None


def test_wrong_values_are_said_and_change_nothing(view, qtbot):
    before = view.inspected.GBps
    edit(qtbot, view, "dram.nRCD", "0")
    assert "too small" in view.problem.text()
    edit(qtbot, view, "dram.nRCD", "many")
    assert "not a number" in view.problem.text()
    edit(qtbot, view, "dram.nRC", "500")
    assert "nRAS + nRP" in view.problem.text()
    assert view.inspected.GBps == before
    assert not view.what_if


def test_contradicting_timings_of_the_scenario_are_explained(view, qtbot):
    edit(qtbot, view, "hardware.ndp_dimms.nCCD_L", "2")
    assert "hardware.ndp_dimms.nCCD_L" in view.headline.text()
    assert "at least" in view.headline.text()


def test_another_device_forgets_the_what_if(view, window):
    view.set_what_if("nFAW", 64)
    window.state.selection.select_device("dimm3")
    assert view.device == "dimm3"
    assert not view.what_if


def test_figures_spell_the_arithmetic(view, qtbot):
    view.tabs.setCurrentIndex(FIGURES)
    qtbot.waitUntil(lambda: "multipliers" in view.figures.toPlainText())
    text = view.figures.toPlainText()
    assert "4 ranks x 25.6 GB/s x 0.521 = 53.35 GB/s" in text
    assert "in use" in text
    assert "calibrated:" in text


def test_the_mark_of_the_curve_moves(view, qtbot):
    view.tabs.setCurrentIndex(CURVE)
    canvas = view.curve
    assert canvas.curve.marker == 8192
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert canvas.curve.marker == 4096
    assert "4 KiB" in view.headline.text()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    assert canvas.curve.marker < 256
    assert not canvas.grab().isNull()


def test_the_roofline_follows_the_cursor(view, window):
    window.state.selection.select_device("gpu")
    view.tabs.setCurrentIndex(ROOFLINE)
    window.state.cursor.seek(0)
    assert {p.title for p in view.roof.roofline.points} == {"prefill layer"}
    window.state.cursor.seek(4)
    assert "projection" in {p.title for p in view.roof.roofline.points}
    assert "FLOP/B" in view.roof.accessibleDescription()
    assert not view.roof.grab().isNull()


def test_the_machine_leads_to_the_inspector(window, qtbot):
    window.show_view("machine")
    canvas = window.docks["machine"].view.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    shown = window.docks["inspector"].view
    qtbot.waitUntil(shown.isVisible)
    assert shown.device == "gpu"
