"""Scenarios without neurons or NDP-DIMMs in the window: served requests."""

import pytest

from simcore.data import list_scenarios
from tests.app.conftest import wait_for_run

L3 = """\
version: 1
name: small serving machine
system: l3
hardware: {gpu: {preset: l3-a100-80gb-x8, count: 4}}
model: {preset: gpt3-175b, layers: 8, hidden: 1024, heads: 8, kv_heads: 8, ffn: 4096, vocab: 1000}
workload: {kind: serving, lengths: custom, requests: 12, output_mean: 60, output_std: 30}
policy: {tensor_parallel: 4}
"""


@pytest.fixture
def serving(empty_window, tmp_path, qtbot):
    path = tmp_path / "serving.yaml"
    path.write_text(L3, encoding="utf-8")
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    return empty_window


def test_every_view_shows_a_serving_run(serving, qtbot):
    run = serving.state.runs.current
    assert run.status.finished
    assert run.column("tokens").sum() == run.plan.requests.output.sum()
    for dock in serving.docks.values():
        dock.show()
        dock.raise_()
    qtbot.wait(50)
    for step in (0, len(run) // 2, len(run) - 1):
        serving.state.cursor.seek(step)
        qtbot.wait(20)
    assert not serving.grab().isNull()


def test_steps_are_iterations(serving):
    serving.state.cursor.seek(7)
    assert "iteration 7/" in serving.transport.position.text()


def test_the_number_of_steps_becomes_known_with_the_end(serving):
    runs = serving.state.runs
    assert runs.total_steps == len(runs.current) == runs.current.total_steps


@pytest.mark.parametrize(
    "name", [path.stem for path in list_scenarios() if path.stem.startswith("l3-")]
)
def test_shipped_scenarios_open(empty_window, qtbot, name):
    path = next(path for path in list_scenarios() if path.stem == name)
    assert empty_window.files.open_path(path)
    wait_for_run(qtbot, empty_window)
    assert not empty_window.grab().isNull()


def test_the_map_of_requests_says_nothing_of_neurons(serving, qtbot):
    serving.resize(1600, 1000)
    placement = serving.docks["placement"].view
    serving.show_view("placement")
    placement.canvas.show_all()
    qtbot.waitUntil(lambda: placement._picture is not None and placement._picture.per_cell == 1)
    qtbot.waitUntil(lambda: "every one drawn" in placement._zoom.text())
    assert "false alarm" not in placement._zoom.text()
    qtbot.waitUntil(lambda: bool(placement._legend._buttons))
    tips = [button.toolTip() for button in placement._legend._buttons]
    assert not any("neurons" in tip for tip in tips)
