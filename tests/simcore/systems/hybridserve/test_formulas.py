"""Sizes and times worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.reproduce.cases import RunCase
from simcore.scenario.schema import FixedWorkload, Gpu, Host, Pcie
from simcore.systems.hybridserve.caching import Cache
from simcore.systems.hybridserve.machine import Costs, Parts, parts_of
from simcore.systems.hybridserve.policy import HybridServePolicy
from tests.builders import SMALL_MODEL, hermes
from tests.simcore.systems.hybridserve.scenarios import with_gpu

MHA = replace(SMALL_MODEL, kv_heads=8)


def costs_of(model: str) -> Costs:
    scenario = RunCase("hybridserve", model).scenario()
    return Costs(parts_of(scenario), scenario.model, scenario.policy)


# Model: layers, hidden, bytes of K and V of a token in all layers, FLOP to regenerate them.
TABLE = {
    "opt-6.7b": (32, 4096, 524_288, 2.147e9),
    "opt-13b": (40, 5120, 819_200, 4.194e9),
    "opt-30b": (48, 7168, 1_376_256, 9.865e9),
    "opt-66b": (64, 9216, 2_359_296, 21.743e9),
}


@pytest.mark.parametrize("model", TABLE)
def test_sizes_of_the_models(model):
    layers, hidden, kv, flops = TABLE[model]
    costs = costs_of(model)
    assert (costs.model.layers, costs.model.hidden) == (layers, hidden)
    assert costs.kv_bytes * layers == kv == 4 * hidden * layers
    assert costs.act_bytes * 2 == costs.kv_bytes
    cache = Cache(costs, np.array([16]), 1, 0)
    assert layers * int(cache.again_flops(np.array(1))) == pytest.approx(flops, rel=1e-3)


def test_grouped_queries_make_activations_the_larger_block():
    """LLaMA3-70B: 8192 values against keys and values of 8 heads of 128."""
    costs = costs_of("llama3-70b")
    assert (costs.act_bytes, costs.kv_bytes) == (16_384, 4096)


def test_recomputing_a_token_takes_six_times_the_arithmetic_of_regenerating():
    """12 h^2 weights of a layer against the 2 h^2 of keys and values."""
    costs = costs_of("opt-66b")
    regenerate, recompute = (
        int(
            Cache(
                replace(costs, policy=HybridServePolicy(cache=kind)), np.array([16]), 1, 0
            ).again_flops(np.array(1))
        )
        for kind in ("hybrid", "recompute")
    )
    assert recompute == 6 * regenerate


# 1000 GB/s over the link is a byte in a picosecond; 1 TFLOPS is a FLOP in a picosecond.
GPU_1 = Gpu(
    memory_GiB=1.0, bandwidth_GBps=1e5, fp16_TFLOPS=1.0, reserve_GB=0.0, kernel_launch_us=0.0
)
LINK_1 = Pcie(bandwidth_GBps=1000.0, sync_us=0.0)


def small(**policy) -> Cache:
    """Two requests of 32 tokens on a machine of round numbers, nothing cached on the GPU."""
    costs = Costs(Parts(GPU_1, LINK_1, Host()), MHA, HybridServePolicy(gemm_share=1.0, **policy))
    return Cache(costs, np.array([32, 32]), 8, MHA.layers * costs.layer_bytes)


def test_balance_of_link_and_gpu():
    """Where 4 h^2 a = (a S_act + (n - a) S_kv) of 64 tokens: with h = 256, S_act = 512, S_kv =
    1024 and one FLOP or byte a picosecond, 262,144 a = 512 a + 1024 (64 - a), a = 0.2495 tokens.
    """
    cache = small()
    h, act, kv = 256, cache.costs.act_bytes, cache.costs.kv_bytes
    assert (act, kv) == (512, 1024)
    again = cache.again_flops(np.array(1))
    assert again == 4 * h * h
    a = kv * 64 / (again + kv - act)
    assert a == pytest.approx(0.2495, abs=1e-4)
    light, rest = a * again, a * act + (64 - a) * kv
    assert light == pytest.approx(rest)


def test_what_a_mini_batch_loads_and_computes():
    """Half of two blocks of 16: one block of activations, one of KV for each request; 32 cached."""
    cache = small()
    settings = cache.settings(np.array([0.5]), 1)
    none = replace(settings, light_quota=np.array([0]), kv_quota=np.array([0]))
    parts = cache.parts(np.array([[32, 32]]), none)
    assert parts.requests.tolist() == [[2]]
    assert parts.tokens.tolist() == [[66]], "the new tokens attend to themselves as well"
    assert parts.kv_host.tolist() == [[32]]
    assert parts.light_host.tolist() == [[32]]
    # Token 33 opens the third block: floor(1.5 + 1/4) = 1 stays, floor(1.5 + 3/4) = 2 grows.
    assert (parts.new_kv.item(), parts.new_light.item()) == (1, 1)


def test_activations_on_the_gpu_are_not_loaded():
    cache = small()
    settings = cache.settings(np.array([0.5]), 1)
    host = replace(settings, light_quota=np.array([0]), kv_quota=np.array([0]))
    gpu = replace(settings, light_quota=np.array([9]), kv_quota=np.array([0]))
    there, here = (cache.parts(np.array([[32, 32]]), s) for s in (host, gpu))
    assert (there.light_host.item(), there.light_gpu.item()) == (32, 0)
    assert (here.light_host.item(), here.light_gpu.item()) == (0, 32)
    assert here.kv_host.item() == there.kv_host.item()


def run(**policy):
    """Two layers of weights fit the GPU beside the output table, little of the cache does."""
    load = FixedWorkload(batch=4, prompt_tokens=40, output_tokens=12)
    scenario = hermes(system="hybridserve", model=MHA, workload=load, policy=policy)
    return simulate(with_gpu(scenario, memory_GiB=0.0038))


def test_the_ends_of_the_ratio_are_the_caches_of_one_kind():
    for share, kind in ((0.0, "kv"), (1.0, "act")):
        one, other = run(act_share=share), run(cache=kind)
        assert np.array_equal(one.column("duration_ps"), other.column("duration_ps"))
        assert np.array_equal(one.column("lane_op_bytes"), other.column("lane_op_bytes"))


@pytest.mark.parametrize("rate", [0.001, 0.01, 1.0])
def test_the_chosen_ratio_is_never_slower_than_either_end(rate):
    """Short runs are tried whole, so this holds exactly, however fast the GPU is."""
    best, ends = run(gemm_share=rate), [run(cache=kind, gemm_share=rate) for kind in ("kv", "act")]
    assert best.end_ps <= min(end.end_ps for end in ends)


def test_a_second_normalisation_reads_more_but_computes_alike():
    post, pre = (
        run(cache="act", mini_batches=1),
        run(cache="act", mini_batches=1, act_point="pre_ln"),
    )
    op = post.plan.op_index("regenerate")
    assert (
        pre.column("lane_op_bytes")[:, 0, op].sum() > post.column("lane_op_bytes")[:, 0, op].sum()
    )
    flops = [r.column("lane_op_flops")[:, 0, op].sum() for r in (pre, post)]
    assert flops[0] == flops[1] > 0
