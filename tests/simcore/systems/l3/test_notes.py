"""Sub-batches and bubbles of spans."""

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.scenario.document import Document

TEXT = """\
version: 1
name: two sub-batches
system: {system}
hardware: {{gpu: {{preset: l3-a100-80gb-x8, count: 4}}}}
model: {{preset: gpt3-175b, layers: 4, hidden: 1024, heads: 8, kv_heads: 8, ffn: 4096, vocab: 100}}
workload: {{kind: serving, lengths: custom, requests: 12, output_mean: 60, output_std: 30}}
policy: {{tensor_parallel: 4}}
"""


def run_of(system):
    return simulate(Document.from_text(TEXT.format(system=system)).resolve())


def notes(run, step, lane, op):
    spans, at = run.spans(step), run.plan.lane_index(lane)
    mine = np.flatnonzero((spans.lane == at) & (spans.op == run.plan.op_index(op)))
    return [(int(spans.layer[span]), run.note(step, int(span))) for span in mine]


@pytest.mark.parametrize("system", ["l3", "hbm-pim", "cpu-offload"])
def test_the_sides_work_on_different_sub_batches(system):
    run = run_of(system)
    step = len(run) // 2
    gpu = notes(run, step, "gpu", "mlp")
    assert gpu == [(layer, f"sub-batch {half}") for layer in range(4) for half in (0, 1)]
    units = [lane.id for lane in run.lanes if lane.group in ("DIMM-PIM", "HBM-PIM", "Host CPU")]
    for unit in units:
        found = notes(run, step, unit, "attention")
        assert found
        for layer in range(4):
            mine = [note for at, note in found if at == layer]
            assert mine in (["sub-batch 1", "sub-batch 0"], ["sub-batch 1"], ["sub-batch 0"], [])


def test_waits_of_either_side_are_bubbles_with_a_name():
    run = run_of("l3")
    spans = run.spans(len(run) // 2)
    found = {
        run.note(len(run) // 2, span)
        for span in range(len(spans))
        if run.ops[int(spans.op[span])].is_wait
    }
    assert any("wait for the GPUs" in note or "busiest" in note for note in found)
    explained = run.explain(len(run) // 2, int(np.flatnonzero(spans.layer >= 0)[0]))
    assert explained.notes[0].startswith(("sub-batch", "bubble"))


def test_one_batch_has_no_sub_batches():
    run = run_of("gpu-only")
    assert {note for _, note in notes(run, len(run) // 2, "gpu", "mlp")} == {""}
