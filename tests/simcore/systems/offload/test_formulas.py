"""The offloading systems: their cost models by hand, their capacities, their published speeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.results.run import Run
from simcore.results.spans import WaitReason
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.scenario.schema import FixedWorkload, Gpu, Hardware, Host, Model, Pcie, Scenario
from simcore.systems.offload.accelerate import layer_room
from simcore.systems.offload.dejavu import pieces, predictor_bytes
from simcore.systems.offload.machine import block_bytes, fill_in_order, fill_layers
from simcore.systems.offload.policy import AcceleratePolicy, DejaVuPolicy, FlexGenPolicy

# Blocks of a layer: QKV 4 x 12 x 2 = 96 B, projection 4 x 4 x 2 = 32 B, MLP 2 x 4 x 8 x 2 = 128 B.
TOY = Model(
    title="toy",
    layers=3,
    hidden=4,
    heads=2,
    kv_heads=2,
    head_dim=2,
    ffn=8,
    ffn_matrices=2,
    vocab=10,
)
POLICIES = {"flexgen": FlexGenPolicy, "hf": AcceleratePolicy, "dejavu": DejaVuPolicy}


def toy(system: str, *, batch: int = 1, gpu: Gpu | None = None, **policy) -> Scenario:
    """Rates at which a byte takes whole nanoseconds: staging 1, link 2, GPU 4 GB/s."""
    knobs = {"dispatch_us": 0.0, "staging_GBps": 1.0, **policy}
    gpu = gpu or Gpu(bandwidth_GBps=4.0, kernel_launch_us=0.0, reserve_GB=0.0, memory_GiB=1e-3)
    return Scenario(
        system=system,
        hardware=Hardware(gpu=gpu, pcie=Pcie(bandwidth_GBps=4.0, sync_us=0.0), host=Host()),
        model=TOY,
        workload=FixedWorkload(batch=batch, prompt_tokens=4, output_tokens=3),
        policy=POLICIES[system](**knobs),
    )


def op_ps(run: Run, index: int, lane: str, op: str) -> int:
    plan = run.plan
    return int(run.value("lane_op_ps", index)[plan.lane_index(lane), plan.op_index(op)])


def preset(system: str, model: str, batch: int = 1, **more) -> Scenario:
    lines = [f"system: {system}", f"model: {model}", f"workload: {{kind: fixed, batch: {batch}}}"]
    lines += [f"{key}: {value}" for key, value in more.items()]
    return Document.from_text("\n".join(["version: 1", *lines])).resolve()


def speed(system: str, model: str, batch: int = 1) -> float:
    run = simulate(preset(system, model, batch), items=False)
    return summarise(run)["tokens_per_s"]


def test_blocks_of_a_layer() -> None:
    assert block_bytes(TOY).tolist() == [96, 32, 128]


def test_flexgen_streams_every_weight_in_every_step() -> None:
    run = simulate(toy("flexgen"))
    # Three layers of 256 B and the output table of 10 x 4 x 2 = 80 B, at 1 ns a byte.
    assert op_ps(run, 1, "pcie_up", "stream") == (3 * 256 + 80) * 1000
    assert op_ps(run, 1, "host", "stage") == (3 * 256 + 80) * 1000
    # Nothing follows the last token: its first layer is not fetched again.
    assert op_ps(run, 3, "pcie_up", "stream") == (2 * 256 + 80) * 1000
    # The GPU hides below: layers 0 and 1 beside 256 B, layer 2 beside the table, then the head.
    layer_ps = 256 * 250 + 2 * 2 * 2 * 2 * 5 * 250  # weights, and K and V of 5 tokens
    kv_ps = 2 * 4 * 2 * 5 * 250
    assert layer_ps == 256 * 250 + kv_ps
    tokens_ps = 8 * 500
    last = max(80_000, layer_ps)
    head = max(256_000, 80 * 250 + tokens_ps)
    assert run.step(1).duration_ps == 2 * 256_000 + last + head


def test_flexgen_prefill_is_one_layer_ahead() -> None:
    run = simulate(toy("flexgen"))
    # First layer alone, then each of three beside the next; the last beside the first token's.
    assert run.step(0).duration_ps == 4 * 256_000
    assert op_ps(run, 0, "gpu", "prefill") == 3 * 256 * 250


def test_flexgen_zig_zag_reads_a_layer_once_for_each_part() -> None:
    one, two = (simulate(toy("flexgen", batch=2, gpu_batches=n)) for n in (1, 2))
    for name in ("qkv", "projection", "mlp"):
        assert op_ps(two, 1, "gpu", name) == 2 * op_ps(one, 1, "gpu", name)
    assert op_ps(two, 1, "pcie_up", "stream") == op_ps(one, 1, "pcie_up", "stream")


def test_flexgen_keeps_what_it_is_told() -> None:
    run = simulate(toy("flexgen", gpu_weights_percent=50))
    assert op_ps(run, 1, "pcie_up", "stream") == (3 * 128 + 80) * 1000
    half = simulate(toy("flexgen", kv_gpu_percent=50))
    # Half of K and V of 5 tokens, 16 B a token, for each of three layers, at 1 ns a byte.
    assert op_ps(half, 1, "pcie_up", "load_kv") == 3 * 40 * 1000
    assert op_ps(half, 1, "pcie_down", "store_kv") == 3 * 8 * 1000


def test_accelerate_takes_turns() -> None:
    # Room for one layer of 256 B; two are brought by 9 modules with hooks of 1 us each. A byte
    # takes 1 ns to stage and half of that to move, in turns.
    run = simulate(toy("hf", gpu_weights_GB=300e-9, hook_us=1.0))
    assert op_ps(run, 1, "host", "hooks") == (2 * 9 + 1) * 1_000_000
    copied = (2 * 256 + 80) * 1500
    assert op_ps(run, 1, "host", "stage") == op_ps(run, 1, "pcie_up", "stream") == copied
    gpu = 3 * (256 + 80) * 250 + 80 * 250
    assert run.step(1).duration_ps == 19_000_000 + copied + gpu + 8 * 500


def test_whole_layers_stay_in_order() -> None:
    sizes = np.array([96, 32, 128])
    assert fill_layers(3, sizes, 700).tolist() == [[96, 32, 128], [96, 32, 128], [0, 0, 0]]
    assert fill_in_order(3, sizes, 400).tolist() == [[96, 32, 128], [96, 32, 0], [0, 0, 0]]


@pytest.mark.parametrize(("model", "share"), [("opt-13b", 0.80), ("opt-66b", 0.15)])
def test_the_share_of_a_model_that_fits_is_the_published_one(model: str, share: float) -> None:
    scenario = preset("hf", model)
    room = layer_room(scenario, scenario.hardware.gpu)
    weights = scenario.model.layers * int(block_bytes(scenario.model).sum())
    assert room / weights == pytest.approx(share, abs=0.02)


def test_deja_vu_pieces_and_predictors() -> None:
    assert pieces(TOY) == (3, 2)
    # Three layers, width 5: (4 to 5 to 4) for QKV and (4 to 5 to 8) for the MLP, two bytes each.
    assert predictor_bytes(TOY, 5) == 3 * (4 * 5 + 5 * 4 + 4 * 5 + 5 * 8) * 2
    # The published 2 GB for LLaMA-7B is of this order.
    assert 1e9 < predictor_bytes(preset("dejavu", "llama-7b").model, 1000) < 2.5e9


def small_dejavu(**policy) -> Run:
    gpu = Gpu(bandwidth_GBps=4.0, kernel_launch_us=0.0, reserve_GB=0.0, memory_GiB=1.1e-6)
    return simulate(toy("dejavu", gpu=gpu, predictor_rank=1, **policy))


def test_deja_vu_fetches_only_what_fires_and_is_missing() -> None:
    run = small_dejavu(copies="pieces", copy_call_us=1.0)
    plan = run.plan
    for index in range(1, len(run)):
        missing = run.value("missing", index).astype(np.int64)
        assert (missing <= run.value("active", index)).all()
        moved = missing @ np.array([24, 16])  # bytes of a QKV input and of an MLP neuron
        up = run.value("lane_op_bytes", index)[plan.lane_index("pcie_up")]
        assert up[plan.op_index("fetch")] == moved.sum()
        # A call for each piece, then 1 ns a byte to stage it and half of that to move it.
        calls = int((missing @ np.array([3, 2])).sum()) * 1_000_000
        assert op_ps(run, index, "pcie_up", "fetch") == calls + int(moved.sum()) * 1500


def test_deja_vu_streams_a_block_where_pieces_take_longer() -> None:
    whole, single = small_dejavu(copy_call_us=1.0), small_dejavu(copies="pieces", copy_call_us=1.0)
    assert whole.end_ps < single.end_ps
    assert op_ps(whole, 1, "pcie_up", "fetch") == 0
    free = small_dejavu(copy_call_us=0.0)
    assert free.end_ps <= small_dejavu(copies="pieces", copy_call_us=0.0).end_ps


def test_hottest_neurons_are_missed_less_often() -> None:
    layers, hottest = (
        simulate(preset("dejavu", "opt-13b", policy=f"{{residency: {rule}}}"), items=False)
        for rule in ("layers", "hottest")
    )
    assert hottest.column("missing").sum() < 0.2 * layers.column("missing").sum()
    assert hottest.end_ps < layers.end_ps


def test_the_gpu_waits_for_copies() -> None:
    run = simulate(toy("hf", gpu_weights_GB=0.0))
    spans, plan = run.spans(1), run.plan
    mine = spans.lane == plan.lane_index("gpu")
    reasons = {plan.ops[op].reason for op in spans.op[mine]} - {None}
    assert reasons == {WaitReason.DEPENDENCY, WaitReason.SYNC}


@pytest.mark.parametrize("system", ["flexgen", "hf", "dejavu"])
@pytest.mark.parametrize("batch", [1, 16])
def test_communication_is_a_share(system: str, batch: int) -> None:
    run = simulate(preset(system, "opt-30b", batch, seed=2), items=False)
    assert 0.9 < run.system.summary(run.plan, run)["communication_share"] < 1


def test_shares_of_deja_vu_on_opt_13b() -> None:
    run = simulate(preset("dejavu", "opt-13b"), items=False)
    figures = run.system.summary(run.plan, run)
    assert figures["communication_share"] == pytest.approx(0.89, abs=0.05)
    assert figures["predictor_share_of_computation"] == pytest.approx(0.181, abs=0.05)


@pytest.mark.parametrize("system", ["flexgen", "hf", "dejavu"])
def test_too_small_a_machine_is_refused(system: str) -> None:
    scenario = toy(system)
    with pytest.raises(CapacityError, match="host memory"):
        simulate(replace(scenario, hardware=replace(scenario.hardware, host=Host(memory_GiB=1e-9))))
    tiny = replace(scenario.hardware.gpu, memory_GiB=1e-7)
    with pytest.raises(CapacityError, match="GPU"):
        simulate(replace(scenario, hardware=replace(scenario.hardware, gpu=tiny)))


def test_flexgen_moves_the_kv_cache_out_when_it_does_not_fit() -> None:
    run = simulate(preset("flexgen", "opt-66b", 64), items=False)
    assert 0 < run.plan.kv_gpu_share < 1
    used = run.column("memory_bytes").sum(axis=2)[:, 0]
    assert used.max() <= run.plan.memory[0].capacity_bytes


@pytest.mark.parametrize(
    ("system", "model", "batch", "published", "within"),
    [
        ("flexgen", "opt-13b", 1, 0.46, 0.02),
        ("flexgen", "opt-30b", 1, 0.20, 0.02),
        ("flexgen", "opt-66b", 1, 0.09, 0.02),
        ("dejavu", "opt-13b", 1, 1.37, 0.10),
        ("dejavu", "opt-30b", 1, 0.34, 0.10),
        ("dejavu", "opt-66b", 1, 0.16, 0.10),
        ("hf", "opt-30b", 1, 0.11, 0.35),
        ("hf", "opt-66b", 1, 0.04, 0.35),
        ("hf", "relullama2-13b", 1, 0.91, 0.15),
        ("hf", "relullama2-70b", 1, 0.04, 0.35),
        ("hf", "relullama2-70b", 4, 0.24, 0.20),
        ("hf", "relullama2-70b", 16, 1.05, 0.30),
    ],
)
def test_published_speeds(
    system: str, model: str, batch: int, published: float, within: float
) -> None:
    assert speed(system, model, batch) == pytest.approx(published, rel=within)
