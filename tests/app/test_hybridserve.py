"""The window on HybridServe: a map of requests by blocks, several prefills, no DIMMs."""

from __future__ import annotations

import pytest

from app.viewmodels.placement import ColourBy
from tests.app.conftest import wait_for_run

SMALL = """\
version: 1
name: a small GPU
system: {system}
hardware:
  gpu: {{preset: rtx-4090, memory_GiB: 0.0034, reserve_GB: 0.0}}
model: {{preset: opt-6.7b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, ffn_matrices: 3, vocab: 1000}}
workload: {{kind: fixed, batch: 3, prompt_tokens: 16, output_tokens: 12}}
seed: 1
"""


def view(window, id):
    return window.docks[id].view


@pytest.mark.parametrize(
    "system",
    [
        "hybridserve",
        "hybridserve-recompute",
        "hybridserve-flexgen",
        "deepspeed-inference",
        "vllm-swap",
    ],
)
def test_every_view_draws_without_a_warning(empty_window, qtbot, tmp_path, system):
    window, path = empty_window, tmp_path / "small.yaml"
    path.write_text(SMALL.format(system=system), encoding="utf-8")
    assert window.files.open_path(path)
    wait_for_run(qtbot, window)
    run = window.state.runs.current
    assert run.column("tokens").sum() == 36
    window.state.cursor.seek(len(run) - 2)
    for id in window.docks:
        window.show_view(id)
        qtbot.waitUntil(lambda: view(window, "placement")._picture is not None)
        qtbot.wait(60)
        assert not window.grab().isNull()
    window.state.window.show_step(len(run) - 2)
    for by in ColourBy:
        view(window, "placement").set_colour_by(by)
        qtbot.wait(60)
        assert not window.grab().isNull()


def test_an_edit_searches_the_ratio_again(empty_window, qtbot):
    from simcore.data import data_root

    window = empty_window
    assert window.files.open_path(data_root() / "scenarios" / "hybridserve-opt-13b.yaml")
    wait_for_run(qtbot, window)
    before = window.state.runs.current.plan.chosen.share[0]
    window.state.session.set_value("policy.gemm_share", 0.1)
    qtbot.waitUntil(lambda: window.state.runs.stale or window.controller.busy)
    wait_for_run(qtbot, window)
    assert window.state.runs.current.plan.chosen.share[0] < before
