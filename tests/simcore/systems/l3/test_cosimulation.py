"""Against a public simulator of the same machine: AttAcc, A100a GPUs, GPT-175B, context 2049."""

from __future__ import annotations

import json
from typing import Any

import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.results.run import Run
from simcore.scenario.document import Document

TOTAL_MS = {
    ("gpu-only", 1): 30.92,
    ("gpu-only", 32): 46.10,
    ("hbm-pim-single-batch", 1): 27.33,
    ("hbm-pim-single-batch", 32): 32.14,
}
PARTS_MS = {
    1: {"qkv": 4.294, "projection": 1.342, "mlp": 11.092, "all_reduce": 8.182, "norm": 2.126},
    32: {"qkv": 5.778, "projection": 1.464, "mlp": 11.536, "all_reduce": 9.334, "norm": 2.467},
}
ATTENTION_MS = {
    ("gpu-only", 1): 3.850,
    ("gpu-only", 32): 15.401,
    ("hbm-pim-single-batch", 1): 0.290,
    ("hbm-pim-single-batch", 32): 1.546,
}


def decode(system: str, batch: int) -> Run:
    base = {
        "version": 1,
        "system": system,
        "model": "gpt3-175b",
        "hardware": {"gpu": "attacc-a100a-x8"},
        "policy": {"prefill_chunk_tokens": 1_000_000},  # all prompts in the first step
        "workload": {"kind": "fixed", "batch": batch, "prompt_tokens": 2048, "output_tokens": 1},
    }
    if system != "gpu-only":
        base["hardware"]["hbm_pim"] = "attacc-hbm3-pim"  # type: ignore[index]
    return simulate(Document.from_text(json.dumps(base)).resolve())


@pytest.mark.parametrize(("system", "batch"), list(TOTAL_MS))
def test_decode_step(system, batch):
    run = decode(system, batch)
    last = len(run) - 1
    time = run.value("lane_op_ps", last)
    by_op = {op.id: int(time[:, index].sum()) / 1e9 for index, op in enumerate(run.ops)}
    # The public breakdown has no output table.
    total = run.step(last).duration_ps / 1e9 - by_op["lm_head"]
    assert total == pytest.approx(TOTAL_MS[system, batch], rel=0.15)
    assert by_op["attention"] == pytest.approx(ATTENTION_MS[system, batch], rel=0.10)
    for op, published in PARTS_MS[batch].items():
        assert by_op[op] == pytest.approx(published, rel=0.10), op


@pytest.mark.parametrize(("system", "batch"), list(TOTAL_MS))
def test_no_step_beats_its_bytes(system, batch):
    run = decode(system, batch)
    plan: Any = run.plan
    spans = run.spans(len(run) - 1)
    peak = {index: lane.peak_GBps for index, lane in enumerate(run.lanes)}
    for lane, amount, length in zip(spans.lane, spans.amount_bytes, spans.duration_ps, strict=True):
        if amount and peak[int(lane)]:
            assert length >= amount * 1e3 / peak[int(lane)] - 1
    weights = plan.memory_kinds.index("weights")
    floor_ps = run.value("memory_bytes", len(run) - 1)[0, weights] * 1e3 / (8 * 3352)
    assert run.step(len(run) - 1).duration_ps > floor_ps
