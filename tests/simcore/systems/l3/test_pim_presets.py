"""PIM devices in a scenario: decode attention takes what their bandwidth inside says, by hand."""

from __future__ import annotations

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.hardware.hbm_pim import passes
from simcore.results.run import Run
from simcore.scenario.document import Document
from simcore.scenario.schema import HbmPim

TEXT = """
system: {system}
hardware: {{gpu: {{preset: a100-sxm-80gb, count: {gpus}}}, hbm_pim: {device}}}
model: {model}
workload: {{kind: fixed, batch: 2, prompt_tokens: 1000, output_tokens: 4}}
policy: {{sub_batches: 1, tensor_parallel: {gpus}}}
"""


def made(system: str, device: str, model: str, gpus: int = 4) -> Run:
    text = TEXT.format(system=system, device=device, model=model, gpus=gpus)
    return simulate(Document.from_text(text).resolve(), items=False)


def attention_us(run: Run) -> float:
    """Attention on the device in one layer of the last step, from its spans."""
    last = len(run) - 1
    spans = run.spans(last)
    lanes = [i for i, lane in enumerate(run.lanes) if lane.group == "HBM-PIM"]
    mine = (spans.op == run.plan.op_index("attention")) & np.isin(spans.lane, lanes)
    assert mine.sum() == run.plan.model.layers
    return float(spans.duration_ps[mine].mean()) / 1e6


@pytest.mark.parametrize(
    ("system", "device", "model", "GBps", "share", "reads"),
    [
        # 320 chips of 64 GB/s x 16; eight query heads share a KV head: read eight times
        ("hbm-pim-ext", "gddr6-aim", "llama2-70b", 327_680, 0.653, 8),
        # 32 devices of 1024 GB/s x 15.625, the 512 TB/s of the paper
        ("hbm-pim-ext", "cent-device", "llama2-70b", 512_000, 0.653, 8),
        # with a KV head for each query head nothing is read twice
        ("hbm-pim-ext", "cent-device", "opt-66b", 512_000, 0.653, 1),
        # the GPUs' own memory: 4 x 16 chips of 1024 GB/s
        ("hbm-pim", "gddr6-aim", "llama2-70b", 65_536, 0.653, 8),
        # 4 GPUs x 5 stacks of 307.2 GB/s x 4
        ("hbm-pim", "aquabolt-xl", "llama2-70b", 24_576, 0.85, 8),
        # units that serve all queries with one read: 20 modules of 407.5 GB/s x 16
        ("hbm-pim-ext", "l3-hbm2e-pim", "llama2-70b", 130_400, 0.85, 1),
    ],
)
def test_attention_follows_from_the_bandwidth_inside(system, device, model, GBps, share, reads):
    """KV of two contexts in one layer, over the sustained bandwidth, and 2.5 us a kernel.

    LLaMA2-70B keeps 4,096 B a token and layer, OPT-66B 36,864 B.
    """
    run = made(system, device, model)
    tokens = 2 * int(run.value("context_tokens", len(run) - 1))
    assert 2000 <= tokens <= 2008
    token = {"llama2-70b": 4096, "opt-66b": 36_864}[model]
    by_hand = 2.5 + tokens * token * reads / (GBps * share) / 1e3
    assert attention_us(run) == pytest.approx(by_hand, abs=2e-5)


def test_twice_the_bandwidth_takes_half_the_time():
    slow, fast = (
        attention_us(made("hbm-pim-ext", f"{{preset: gddr6-aim, stack_GBps: {rate}}}", "opt-66b"))
        for rate in (64, 128)
    )
    assert (slow - 2.5) / (fast - 2.5) == pytest.approx(2, rel=1e-4)


def test_capacity_is_that_of_the_device():
    for device, GiB in (("gddr6-aim", 320), ("cent-device", 512)):
        run = made("hbm-pim-ext", device, "opt-66b")
        assert run.plan.memory[-1].capacity_bytes == GiB * 2**30


def test_reads_of_grouped_queries():
    assert passes(HbmPim(), 8) == 1
    assert [passes(HbmPim(queries_per_read=n), 8) for n in (1, 2, 3, 8, 16)] == [8, 4, 3, 1, 1]


def test_explanation_says_how_often_keys_are_read():
    for device, shown in (("gddr6-aim", ["8"]), ("l3-hbm2e-pim", [])):
        run = made("hbm-pim-ext", device, "llama2-70b")
        last = len(run) - 1
        spans = run.spans(last)
        found = next(
            i
            for i in range(len(spans.op))
            if run.lanes[spans.lane[i]].group == "HBM-PIM"
            and spans.op[i] == run.plan.op_index("attention")
        )
        terms = run.explain(last, found).terms
        assert [term.value for term in terms if term.symbol == "reads"] == shown
