"""The machine view: places, traffic against the run's record, keyboard, selection."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.theme.tokens import DARK, LIGHT
from app.viewmodels.machine import draw
from app.widgets.machine_canvas import heat_colour, line_width
from simcore.hardware.devices import machine
from simcore.hardware.traffic import step_traffic
from simcore.registry import SYSTEMS
from tests.simcore.hardware.test_machine import only_what_it_needs, short_run


def overlap(a, b):
    return (
        min(a.right, b.right) - max(a.x, b.x) > 0.5
        and min(a.bottom, b.bottom) - max(a.y, b.y) > 0.5
    )


@pytest.mark.parametrize("size", [(740, 150), (1200, 500), (320, 130)])
@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_every_machine_has_places_that_do_not_overlap(system, size):
    made = machine(SYSTEMS.get(system).prepare(only_what_it_needs(system)))
    drawing = draw(made, *size)
    assert set(drawing.boxes) == {d.id for d in made.devices}
    inside = {d.id: d.inside for d in made.devices}
    for a, b in combinations(drawing.boxes, 2):
        first, second = drawing.boxes[a], drawing.boxes[b]
        if inside[a] == b or inside[b] == a:
            inner, outer = (first, second) if inside[a] == b else (second, first)
            assert outer.holds(inner.x, inner.y)
            assert outer.holds(inner.right, inner.bottom)
        elif not (inside[a] and inside[b] and inside[a] != inside[b]):
            assert not overlap(first, second), (a, b)
    for box in drawing.boxes.values():
        assert box.x >= 0
        assert box.right <= size[0] + 0.5 or size[0] < 400
        assert box.bottom <= drawing.height
        assert box.height > 15
    external = {one.id for one in made.links if not one.internal or len(one.ends) > 1}
    assert set(drawing.wires) == external


@pytest.mark.parametrize("system", ["hermes", "l3", "h2m2", "tensorrt-llm", "flexgen"])
def test_traffic_is_what_the_record_says(system):
    run = short_run(system)
    made = machine(run.plan)
    step = len(run) - 1
    traffic = step_traffic(run, made, step)
    moved = np.asarray(run.value("lane_op_bytes", step)).sum(axis=1)
    duration = int(run.value("duration_ps", step))
    for link in made.links:
        rates = [moved[lane] * 1e3 / duration for lane in link.lanes]
        assert traffic.links[link.id].lanes == pytest.approx(tuple(rates))
        expected = sum(rates) if link.shared else max(rates)
        assert traffic.links[link.id].share == pytest.approx(expected / link.peak_GBps)
        assert traffic.links[link.id].share <= 1.001
    shares = {one: flow.share for one, flow in traffic.links.items()}
    assert traffic.hottest == max(shares, key=lambda one: shares[one])
    used = np.asarray(run.value("memory_bytes", step)).sum(axis=1)
    for device in made.devices:
        if device.memory >= 0:
            assert traffic.devices[device.id].used_bytes == used[device.memory]


def test_more_traffic_is_wider_and_never_the_same_colour():
    shares = (0.0, 0.1, 0.5, 1.0)
    assert [line_width(s) for s in shares] == sorted({line_width(s) for s in shares})
    for theme in (LIGHT, DARK):
        assert len({heat_colour(theme, s) for s in shares}) == len(shares)


def canvas_of(window):
    window.show_view("machine")
    return window.docks["machine"].view.canvas


def test_keyboard_walks_and_enter_selects(window, qtbot):
    canvas = canvas_of(window)
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert canvas.focused == "gpu"
    assert canvas.accessibleDescription().startswith("GPU")
    assert "GB/s" in canvas.accessibleDescription()
    seen = {canvas.focused}
    for _ in canvas.ids:
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
        seen.add(canvas.focused)
    assert seen == set(canvas.ids)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert window.state.selection.device == canvas.focused


def test_a_click_selects_and_tips_have_units(window, qtbot):
    canvas = canvas_of(window)
    box = canvas.drawing.boxes["dimm2"]
    at = QPoint(int(box.middle[0]), int(box.middle[1] + 20))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert window.state.selection.device == "dimm2"
    text = canvas.text_of("dimm2")
    assert "DIMM 2" in text
    assert "of 53.35 GB/s" in text
    assert "weights:" in text
    wire = canvas.text_of("pcie")
    assert "PCIe to GPU" in wire
    assert "PCIe to DIMMs" in wire
    assert "peak 64" in wire


def test_it_follows_the_cursor(window, qtbot):
    canvas = canvas_of(window)
    window.state.cursor.seek(0)
    prefill = canvas.traffic
    window.state.cursor.seek(5)
    assert canvas.traffic is not prefill
    assert canvas.traffic.links["pcie"].share != prefill.links["pcie"].share
    assert canvas.traffic.hottest
    for mode in ("light", "dark"):
        window.set_theme(mode)
        assert not canvas.grab().isNull()
