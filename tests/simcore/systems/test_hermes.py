"""Hermes: its cost model by hand, its capacities, its headline."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.activations import bitplanes as bp
from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.results.run import Run
from simcore.scenario.schema import (
    FixedWorkload,
    Gpu,
    NdpDimms,
    RecordedActivations,
    StatisticalActivations,
)
from tests.builders import LLAMA2_70B, SMALL_MODEL, TINY_MODEL, hermes
from tests.simcore.systems.plain_hermes import PlainHermes


@pytest.fixture(scope="module")
def run() -> Run:
    moving = StatisticalActivations(drift_per_token=0.03, prompt_shift=0.2)
    return simulate(hermes(activations=moving))


@pytest.fixture(scope="module")
def large() -> Run:
    """The paper's default configuration."""
    workload = FixedWorkload(prompt_tokens=128, output_tokens=128)
    return simulate(hermes(model=LLAMA2_70B, dimms=NdpDimms(), workload=workload), items=False)


def test_every_predicted_neuron_is_computed_once(run: Run) -> None:
    done = run.column("n_gpu") + run.column("n_dimm").sum(axis=-1)
    assert np.array_equal(done, run.column("predicted"))


def test_bytes_of_sparse_work_are_those_of_the_neurons(run: Run) -> None:
    plan = run.plan
    sizes = np.array([b.neuron_bytes for b in plan.space.blocks])
    for index in range(1, len(run)):
        read = run.value("lane_op_bytes", index)
        for side, column in (("hot", "n_gpu"), ("cold", "n_dimm")):
            counts = run.value(column, index).reshape(SMALL_MODEL.layers, 2, -1).sum(axis=(0, 2))
            got = [read[:, plan.op_index(f"{b.id}_{side}")].sum() for b in plan.space.blocks]
            assert got == (counts * sizes).tolist()


def test_dropped_work_is_what_the_predictor_missed(run: Run) -> None:
    for index in range(1, len(run)):
        active, predicted = run.value("active_bits", index), run.value("predicted_bits", index)
        assert bp.count(active & predicted).sum() == run.value("hits", index).sum()


def test_duration_of_a_layer_by_hand() -> None:
    """One DIMM-only layer step recomputed from its counts."""
    run = simulate(hermes(policy={"gpu_hot_GB": 0.0}, dimms=NdpDimms(count=2)))
    plan, index = run.plan, 5
    record = run.record(index)
    assert not record["n_gpu"].any()
    dimm = run.scenario.hardware.ndp_dimms
    rate = 8 * 3.2 * dimm.ranks * dimm.read_efficiency
    macs = 128 * dimm.gemv_utilisation
    spans = run.spans(index)
    for block, op in ((0, "qkv_cold"), (1, "mlp_cold")):
        size = plan.space.blocks[block].neuron_bytes
        for layer in range(SMALL_MODEL.layers):
            for j in range(2):
                n = int(record["n_dimm"][layer, block, j])
                expected = n * size * 1e3 / rate + n * (size // 2) * 1e3 / macs
                mine = (
                    (spans.layer == layer)
                    & (spans.lane == plan.lane_index(f"dimm{j}"))
                    & (spans.op == plan.op_index(op))
                )
                assert int(spans.duration_ps[mine].sum()) == pytest.approx(expected, abs=3)


def test_prefill_streams_all_weights_at_the_link_rate(large: Run) -> None:
    """137.95 GB / 64 GB/s = 2.155 s; the hot neurons stay as they pass."""
    stream = large.value("lane_op_ps", 0)[1, large.plan.op_index("stream")] / 1e12
    assert stream == pytest.approx(2.155, abs=0.003)
    assert not large.value("lane_op_bytes", 0)[1, large.plan.op_index("load_hot")]


def test_hot_neurons_loaded_after_prefill_fill_their_room() -> None:
    run = simulate(hermes(policy={"hot_load": "after"}))
    loaded = run.value("lane_op_bytes", 0)[1, run.plan.op_index("load_hot")]
    assert 0.99 * run.plan.hot_room_bytes < loaded <= run.plan.hot_room_bytes


def test_projection_of_llama2_70b(large: Run) -> None:
    """11.5 ms a token at 936 GB/s, plus 80 launches of 1 us."""
    time = large.value("lane_op_ps", 2)[0, large.plan.op_index("projection")] / 1e9
    assert time == pytest.approx(11.472 + 0.08, abs=0.005)


def test_headline_is_near_the_paper(large: Run) -> None:
    """13.75 tokens/s, 128 in and 128 out, prefill inside."""
    assert 128 / (large.end_ps / 1e12) == pytest.approx(13.75, rel=0.15)


def test_copies_stay_in_the_projections_shadow(run: Run) -> None:
    plan = run.plan
    time = run.column("lane_op_ps")[1:]
    copies = time[:, 1, plan.op_index("swap_in")]
    assert copies.sum() > 0
    assert (copies <= time[:, 0, plan.op_index("projection")]).all()


def test_gpu_copies_keep_their_number(run: Run) -> None:
    """A copy overwrites another: the GPU never holds more than at the start."""
    counts = {int(bp.count(run.value("gpu_bits", i)).sum()) for i in range(len(run))}
    assert len(counts) == 1


def test_home_dimms_stay_a_partition(run: Run) -> None:
    assert len(run.attachments["home"]) == 3  # at the start and after 5 and 10 tokens
    valid = run.plan.space.valid()
    for number in run.attachments["home"]:
        assert not (number & ~valid).any()


def test_without_moves_nothing_moves() -> None:
    still = simulate(hermes(policy={"online_adjustment": False, "window_remap": False}))
    assert not still.column("swap_in").any()
    assert not still.column("remap").any()
    assert len(still.attachments["home"]) == 1


def test_too_few_dimms_says_how_many_are_needed() -> None:
    with pytest.raises(CapacityError, match="at least 5"):
        simulate(hermes(model=LLAMA2_70B, dimms=NdpDimms(count=4)))


def test_a_gpu_too_small_for_the_dense_part_is_refused() -> None:
    with pytest.raises(CapacityError, match="GPU"):
        simulate(hermes(model=LLAMA2_70B, dimms=NdpDimms(), gpu=Gpu(memory_GiB=12)))


@pytest.mark.parametrize("dimms", [1, 2, 3, 7, 16])
def test_any_number_of_dimms_runs(dimms: int) -> None:
    run = simulate(hermes(dimms=NdpDimms(count=dimms)))
    assert run.status.finished
    homes = run.placement(3, 1).category
    assert set(np.unique(homes)) <= {*range(dimms + 1), 255}


def test_recorded_masks_drive_the_run() -> None:
    scenario = hermes(
        model=TINY_MODEL, activations=RecordedActivations(), policy={"gpu_hot_GB": 0.0008}
    )
    scenario = replace(scenario, workload=FixedWorkload(prompt_tokens=64, output_tokens=20))
    run = simulate(scenario)
    # The recorded model fires 4 % of its MLP neurons; its QKV inputs are dense.
    mlp = run.column("active")[1:, :, 1].mean() / 768
    assert 0.02 < mlp < 0.08
    assert (run.column("active")[1:, :, 0] == 192).all()
    assert (run.column("predicted")[5:, :, 0] == 192).all()


BASE_SPEEDS = {1: 2.45, 2: 3.95, 4: 5.72, 8: 7.36, 16: 8.59}


@pytest.mark.parametrize("batch", BASE_SPEEDS)
def test_hermes_base_over_the_batch(batch: int) -> None:
    """Fig. 11, LLaMA2-70B; the DIMMs' two rates were fitted on these five, so this is a fit."""
    scenario = hermes(
        system="hermes-base",
        model=LLAMA2_70B,
        dimms=NdpDimms(),
        workload=FixedWorkload(batch=batch, prompt_tokens=128, output_tokens=128),
    )
    run = simulate(scenario, items=False)
    assert 128 * batch / (run.end_ps / 1e12) == pytest.approx(BASE_SPEEDS[batch], rel=0.01)
    # More than 80 % of the computation goes to the DIMMs (Hermes, V).
    assert run.system.summary(run.plan, run)["dimm_compute_share"] > 0.8


def test_the_integer_program_can_place_the_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both placements are near each other; the summary says which was used and how good it is."""
    greedy = simulate(hermes(), items=False)
    exact = simulate(hermes(policy={"partition": "ilp"}), items=False)
    said = exact.system.summary(exact.plan, exact)["partition"]
    assert said["method"] == "ilp"
    assert 0 <= said["gap"] <= 0.002
    assert said["expected_ms"] == pytest.approx(said["bound_ms"], rel=0.02)
    assert exact.end_ps == pytest.approx(greedy.end_ps, rel=0.02)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    other = hermes(policy={"partition": "ilp"}, workload=FixedWorkload(batch=2))
    without = simulate(other, items=False)
    said = without.system.summary(without.plan, without)["partition"]
    assert said["method"] == "greedy"
    assert "not used" in said["note"]


@pytest.mark.parametrize("batch", [1, 5])
def test_every_count_is_that_of_the_plain_step(batch: int) -> None:
    workload = FixedWorkload(prompt_tokens=16, output_tokens=12, batch=batch)
    activations = StatisticalActivations(drift_per_token=0.02)
    simulated = simulate(hermes(workload=workload, activations=activations))
    plain = PlainHermes(simulated.plan)
    for token in range(12):
        for name, expected in plain.step(token).items():
            found = simulated.record(token + 1)[name]
            assert np.array_equal(found, expected), (token, name)
    assert simulated.column("swap_in").any()
    assert simulated.column("remap").any()
