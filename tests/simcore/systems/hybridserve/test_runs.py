"""Runs: what the search finds, budgets, memory, block maps, FlexGen's policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.engine.simulator import Simulator, simulate
from simcore.errors import CapacityError
from simcore.reproduce.cases import RunCase
from simcore.scenario.schema import FixedWorkload
from simcore.systems.hybridserve.block_map import KINDS
from simcore.systems.hybridserve.flexgen import ZigZag
from simcore.systems.hybridserve.machine import Costs, parts_of
from tests.builders import hermes
from tests.simcore.systems.hybridserve.scenarios import with_gpu, with_host

LOAD = FixedWorkload(batch=6, prompt_tokens=30, output_tokens=24)
ROOM = {"memory_GiB": 0.0034}


def small(system="hybridserve", **policy):
    scenario = hermes(system=system, workload=LOAD, policy=policy)
    return with_gpu(scenario, **ROOM) if system.startswith("hybridserve") else scenario


def opt(system, model="opt-30b", prompt=512, **settings):
    pairs = tuple((path.replace("__", "."), value) for path, value in settings.items())
    return RunCase(system, model, 128, prompt, 128, pairs).scenario()


def chosen(scenario):
    return Simulator(scenario).run.plan.chosen


def test_bytes_over_the_link_are_those_of_the_records():
    """All weights once a step; every cached token on the host once a layer, by its type."""
    run = simulate(small(act_share=0.5))
    plan, cache = run.plan, run.plan.cache
    amount = run.column("lane_op_bytes")
    for op, column, size in (
        ("load_kv", "mb_kv_host", cache.costs.kv_bytes),
        ("load_act", "mb_light_host", cache.light_bytes),
    ):
        moved = amount[:, 1, plan.op_index(op)]
        layers = plan.model.layers
        held = run.column(column)
        # A step loads its own tokens but for the first mini-batch of its first layer, which came
        # in the step before, and that of the next step instead.
        following = run.column("next_" + column.removeprefix("mb_"))
        expected = held.sum(axis=1) * layers - held[:, 0] + following
        assert np.array_equal(moved[1:], expected[1:] * size)
        assert moved[0] == following[0] * size
    streamed = amount[:, 1, plan.op_index("stream")]
    whole = plan.model.layers * plan.costs.layer_bytes
    assert streamed[0] == whole + plan.costs.layer_bytes
    assert (streamed[1:-1] == whole).all()
    assert streamed[-1] == whole - plan.costs.layer_bytes


def test_what_is_stored_is_what_is_held():
    """Everything on the host at the end came over the link once."""
    run = simulate(small(act_share=0.4))
    plan = run.plan
    stored = run.column("lane_op_bytes")[:, 2].sum(axis=0)
    held = run.value("held_tokens", len(run) - 1)
    layers = plan.model.layers
    assert stored[plan.op_index("store_kv")] == held[0] * plan.costs.kv_bytes * layers
    assert stored[plan.op_index("store_act")] == held[2] * plan.cache.light_bytes * layers
    assert held.sum() == 6 * (30 + 24)


def test_memory_is_what_the_block_map_shows():
    run = simulate(small(act_share=0.5))
    for index in (0, 5, len(run) - 1):
        blocks = run.system.block_map(run.plan, run.record(index))
        context = int(run.value("context_tokens", index))
        columns = blocks.kind.shape[1]
        tokens = np.clip(context - np.arange(columns) * blocks.tokens, 0, blocks.tokens)
        held = run.value("held_tokens", index)
        for place, kind in enumerate(KINDS[:4]):
            found = (tokens[None, :] * (blocks.kind == KINDS.index(kind))).sum()
            assert found == held[place]


def test_recomputed_tokens_take_no_memory_and_no_link():
    run = simulate(small("hybridserve-recompute", cache="recompute", act_share=0.5))
    assert run.column("held_tokens")[-1, 2] > 0
    used = run.column("memory_bytes")[-1]
    assert used[:, run.plan.memory_kinds.index("activations")].sum() == 0
    assert run.column("lane_op_bytes")[:, 1, run.plan.op_index("load_act")].sum() == 0
    assert run.column("lane_op_flops")[:, 0, run.plan.op_index("recompute")].sum() > 0


def test_a_host_budget_makes_more_activations():
    """30 tokens and 24 more of six requests: less host memory leaves room for larger shares only.

    Here an activation takes as much as keys and values, so this needs heads of its own.
    """
    mha = replace(small().model, kv_heads=8)
    free = with_gpu(replace(small(gemm_share=1e-4), model=mha), memory_GiB=0.004)
    ample = chosen(free)
    assert ample.share[0] < 0.9, "a slow GPU should regenerate little"
    budget = 0.8 * int(ample.host_needed[0]) / 1e9
    tight = chosen(replace(free, policy=replace(free.policy, host_cache_GB=budget)))
    assert tight.share[0] > ample.share[0]
    assert tight.host_needed[0] <= budget * 1e9
    with pytest.raises(CapacityError, match=r"policy\.host_cache_GB"):
        simulate(replace(free, policy=replace(free.policy, host_cache_GB=budget, act_share=0.0)))


def test_what_does_not_fit_says_what_is_needed():
    with pytest.raises(CapacityError, match="two layers of weights"):
        simulate(with_gpu(small(), memory_GiB=0.002))
    with pytest.raises(CapacityError, match=r"hardware\.host\.memory_GiB"):
        simulate(with_host(small(), memory_GiB=0.001))
    with pytest.raises(CapacityError, match="cache budget"):
        simulate(small(host_cache_GB=1000.0))
    for system in ("hybridserve-flexgen", "deepspeed-inference", "vllm-swap"):
        with pytest.raises(CapacityError, match=r"hardware\.gpu\.memory_GiB"):
            simulate(with_gpu(small(system), memory_GiB=0.0005))


def test_a_slower_link_moves_the_ratio_to_activations_a_slower_gpu_away():
    usual = chosen(opt("hybridserve"))
    slow_link = chosen(opt("hybridserve", hardware__pcie__bandwidth_GBps=12))
    slow_gpu = chosen(opt("hybridserve", policy__gemm_share=0.2))
    assert slow_gpu.share[0] < usual.share[0] < slow_link.share[0]


def test_grouped_queries_are_left_without_activations():
    """Activations of LLaMA3 take four times the bytes of keys and values: nobody has to say so."""
    assert chosen(opt("hybridserve", "llama3-70b")).share[0] == 0
    assert chosen(opt("hybridserve", "llama3-8b")).share[0] == 0


@pytest.mark.parametrize("model", ["opt-6.7b", "opt-66b"])
def test_the_ratio_curve_has_its_least_where_the_run_is(model):
    run = Simulator(opt("hybridserve", model)).run
    plan = run.plan
    curve = run.system.ratio_curve(plan, {"context_tokens": 512 + 64})
    assert curve.share[curve.chosen] == plan.chosen.share[0]
    # One share serves the whole run, so at one length it may miss the least by a little.
    assert curve.step_ps[curve.chosen] <= 1.02 * curve.step_ps[curve.fits].min()
    assert (curve.step_ps >= np.maximum(curve.pcie_ps, curve.gpu_ps)).all()
    assert (np.diff(curve.gpu_ps) >= 0).all()
    assert curve.pcie_ps[0] > curve.pcie_ps[-1]


def test_weights_stay_where_the_model_fits():
    assert Simulator(opt("hybridserve", "opt-6.7b")).run.plan.streamed_bytes == 0
    plan = Simulator(opt("hybridserve", "opt-13b")).run.plan
    assert plan.streamed_bytes == plan.costs.layer_bytes
    half = Simulator(opt("hybridserve", "opt-13b", policy__gpu_weights_percent=25)).run.plan
    assert half.streamed_bytes == pytest.approx(0.75 * half.costs.layer_bytes, rel=1e-6)


def test_flexgen_fills_the_gpu_with_cache_before_weights():
    plan = Simulator(opt("hybridserve-flexgen", "opt-13b")).run.plan
    assert plan.weights_percent == 0
    assert plan.kv_percent > 0
    free = ZigZag(plan.costs, plan.prompts, 128)
    more = free.policies(plan.batches)
    assert plan.kv_percent == more.kv[0], "as much as fits"


def test_flexgen_gains_from_staging_until_the_link_is_the_limit():
    speeds = [
        simulate(opt("hybridserve-flexgen", policy__staging_GBps=rate), items=False).end_ps
        for rate in (6.0, 12.0, 24.0, 200.0)
    ]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[0] / speeds[1] > 1.5 > speeds[2] / speeds[3]


def test_scores_of_prompts_limit_flexgens_batches():
    """72 heads of 1920 x 1920 scores of 2 B are 0.53 GB a request: 128 would need 68 GB."""
    scenario = opt("hybridserve-flexgen", "opt-66b", 1920)
    costs = Costs(parts_of(scenario), scenario.model, scenario.policy)
    zigzag = ZigZag(costs, np.full(128, 1920), 128)
    scores = 72 * 1920**2 * 2
    assert zigzag.needed_bytes(1) - zigzag.needed_bytes(2) > 64 * scores
    assert (zigzag.policies(1).kv == -1).all()


@pytest.mark.parametrize("model", ["opt-6.7b", "opt-13b", "opt-30b", "opt-66b"])
@pytest.mark.parametrize("prompt", [128, 1920])
def test_every_model_and_length_of_the_paper_runs(model, prompt):
    for system in ("hybridserve", "hybridserve-act-only", "hybridserve-flexgen"):
        run = simulate(opt(system, model, prompt), items=False)
        assert run.column("tokens").sum() == 128 * 128
        assert (run.column("memory_bytes").sum(axis=2) <= capacities(run)).all()


def capacities(run):
    return np.array([device.capacity_bytes for device in run.plan.memory])
