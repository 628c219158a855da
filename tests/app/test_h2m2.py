"""The window on H2M2: no DIMMs, no prefill, no neurons, and every view still says something."""

from __future__ import annotations

import pytest

from app.viewmodels.hover import step_name
from app.viewmodels.load import load_group
from app.viewmodels.placement import ColourBy
from tests.app.conftest import wait_for_run

SMALL = """\
version: 1
name: two small memories
system: {system}
hardware:
  hbm: {{preset: h2m2-hbm3, capacity_GB: 0.004}}
  mmu: {{preset: h2m2-mmu, page_KiB: 4, tlb_entries: 64}}
model: {{preset: gpt3-175b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, vocab: 1000, bytes_per_weight: 1, bytes_per_kv: 1}}
workload: {{kind: {kind}, batch: 8, prompt_tokens: 256, output_tokens: 24}}
seed: 1
"""


def opened(window, qtbot, path, system, kind="fixed"):
    path.write_text(SMALL.format(system=system, kind=kind), encoding="utf-8")
    assert window.files.open_path(path)
    wait_for_run(qtbot, window)
    return window


def view(window, id):
    return window.docks[id].view


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("h2m2", "fixed"),
        ("h2m2", "turnover"),
        ("lpddr-only", "fixed"),
        ("hierarchical", "fixed"),
        ("8-hbm", "fixed"),
    ],
)
def test_every_view_draws_without_a_warning(empty_window, qtbot, tmp_path, system, kind):
    window = opened(empty_window, qtbot, tmp_path / "small.yaml", system, kind)
    assert len(window.state.runs.current) == 24
    window.state.cursor.seek(20)
    for id in window.docks:
        window.show_view(id)
        qtbot.waitUntil(lambda: view(window, "placement")._picture is not None)
        qtbot.wait(60)
        assert not window.grab().isNull()
    window.state.window.show_step(20)
    for by in ColourBy:
        view(window, "placement").set_colour_by(by)
        qtbot.wait(60)
        assert not window.grab().isNull()


def test_figures_and_names(empty_window, qtbot, tmp_path):
    window = opened(empty_window, qtbot, tmp_path / "small.yaml", "h2m2")
    metrics = view(window, "metrics")
    assert metrics.text("run", "Steps") == "24 of 24"
    # What computes says how busy it is; only what moves bytes says how many.
    assert metrics.text("lanes", "HBM").endswith("MB")
    assert metrics.text("lanes", "HBM chip MV units").endswith(" %")
    run = window.state.runs.current
    assert step_name(run, 0) == "token 1"
    assert step_name(run, 23) == "token 24"
    assert "token 1/24" in window.transport.position.text()
    assert {run.lanes[lane].group for lane in load_group(run)} == {"MV units"}


def test_the_shipped_scenario_opens(empty_window, qtbot):
    from simcore.data import data_root

    window = empty_window
    assert window.files.open_path(data_root() / "scenarios" / "h2m2-gpt3-175b.yaml")
    wait_for_run(qtbot, window)
    assert len(window.state.runs.current) == 128
    assert not window.grab().isNull()


def test_an_edit_of_a_component_runs_again(empty_window, qtbot, tmp_path):
    window = opened(empty_window, qtbot, tmp_path / "small.yaml", "h2m2")
    before = window.state.runs.current.end_ps
    window.state.session.set_value("hardware.lpddr.bandwidth_GBps", 100.0)
    qtbot.waitUntil(lambda: window.state.runs.stale or window.controller.busy)
    wait_for_run(qtbot, window)
    assert window.state.runs.current.end_ps > before
