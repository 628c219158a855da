"""Tensor parallelism: dealing, ring and layer times by hand, capacity, published speeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.results.run import Run
from simcore.results.spans import WaitReason
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.scenario.schema import FixedWorkload, Gpu, Hardware, Model, Scenario
from simcore.systems.tensor_parallel.machine import deal, make_shares
from simcore.systems.tensor_parallel.policy import TensorParallelPolicy
from simcore.systems.tensor_parallel.work import ring_bytes

TOY = Model(
    title="toy",
    layers=2,
    hidden=8,
    heads=6,
    kv_heads=3,
    head_dim=4,
    ffn=10,
    ffn_matrices=2,
    vocab=12,
)


def toy(count: int = 2, **gpu) -> Scenario:
    """GPU memory read at 1 GB/s, links at 1 GB/s, a hop of 1 ns."""
    values = {"bandwidth_GBps": 1.0, "kernel_launch_us": 0.0, "reserve_GB": 0.0, "count": count}
    return Scenario(
        system="tensorrt-llm",
        hardware=Hardware(gpu=Gpu(**{**values, **gpu})),
        model=TOY,
        workload=FixedWorkload(prompt_tokens=4, output_tokens=2),
        policy=TensorParallelPolicy(link_GBps=1.0, hop_us=0.001, memory_efficiency=1.0),
    )


def lane_ops(run: Run, index: int, lane: str) -> dict[str, int]:
    times = run.value("lane_op_ps", index)[run.plan.lane_index(lane)]
    return {op.id: int(t) for op, t in zip(run.ops, times, strict=True) if t}


def preset(model: str, batch: int = 1) -> Scenario:
    text = f"version: 1\nsystem: tensorrt-llm\nmodel: {model}\n"
    return Document.from_text(text + f"workload: {{kind: fixed, batch: {batch}}}").resolve()


def test_items_are_dealt_evenly() -> None:
    assert deal(8, 5).tolist() == [2, 2, 2, 1, 1]
    shares = make_shares(TOY, 2)
    assert shares.kv.tolist() == [2, 1]
    assert shares.queries.tolist() == [4, 2]
    assert shares.neurons.tolist() == [5, 5]


def test_key_value_heads_are_copied_when_there_are_too_few() -> None:
    shares = make_shares(TOY, 4)
    assert shares.queries.tolist() == [2, 2, 1, 1]
    assert shares.kv.tolist() == [1, 1, 1, 1]


def test_ring_carries_twice_all_but_one_part() -> None:
    assert ring_bytes(1000, 5) == 2 * 4 * 200
    assert ring_bytes(1000, 1) == 0


def test_a_decode_step_by_hand() -> None:
    run = simulate(toy())
    # A head row is 8 x 4 x 2 = 64 B. GPU 0: (4 + 2 x 2) x 64, GPU 1: (2 + 2 x 1) x 64; K and V of
    # 5 tokens: 2 heads x 16 B x 5; the projection 4 or 2 rows; 5 neurons of 2 x 8 x 2 = 32 B.
    first, second = lane_ops(run, 1, "gpu0"), lane_ops(run, 1, "gpu1")
    assert first["qkv"] == 2 * 512_000
    assert second["qkv"] == 2 * 256_000
    assert first["attention"] == 2 * 160_000
    assert first["projection"] == 2 * 256_000
    assert first["mlp"] == second["mlp"] == 2 * 160_000
    assert first["lm_head"] == second["lm_head"] == 6 * 8 * 2 * 1000
    # All-reduce of 8 x 2 = 16 B: 2 hops of 1 ns and 2 x 8 B; gather: a hop and 8 B.
    assert lane_ops(run, 1, "nvlink0")["all_reduce"] == 4 * (2_000 + 16_000)
    assert lane_ops(run, 1, "nvlink0")["gather"] == 1_000 + 8_000
    heads = 512_000 + 160_000 + 256_000
    expected = 2 * (heads + 18_000 + 160_000 + 18_000) + 96_000 + 9_000
    assert run.step(1).duration_ps == expected


def test_the_lighter_gpu_waits_for_the_heavier() -> None:
    run = simulate(toy())
    spans, plan = run.spans(1), run.plan
    mine = spans.lane == plan.lane_index("gpu1")
    assert WaitReason.IMBALANCE in {plan.ops[op].reason for op in spans.op[mine]}
    assert run.system.summary(plan, run)["weight_imbalance"] > 1


def test_one_gpu_needs_no_links() -> None:
    run = simulate(toy(count=1))
    assert [lane.id for lane in run.lanes] == ["gpu0"]
    assert run.step(1).duration_ps > 0


def test_capacity_names_the_remedy() -> None:
    with pytest.raises(CapacityError, match=r"hardware\.gpu\.count"):
        simulate(toy(memory_GiB=1e-6))
    large = preset("relullama2-70b")
    few = replace(large.hardware.gpu, count=3)
    with pytest.raises(CapacityError):
        simulate(replace(large, hardware=replace(large.hardware, gpu=few)))


def test_the_default_machine_is_that_of_the_paper() -> None:
    gpu = preset("relullama2-70b").hardware.gpu
    assert (gpu.count, gpu.memory_GiB, gpu.bandwidth_GBps) == (5, 40, 1555)


@pytest.mark.parametrize(("batch", "published", "within"), [(1, 17.4, 0.05), (16, 233.7, 0.20)])
def test_published_speeds(batch: int, published: float, within: float) -> None:
    run = simulate(preset("relullama2-70b", batch), items=False)
    assert summarise(run)["tokens_per_s"] == pytest.approx(published, rel=within)
