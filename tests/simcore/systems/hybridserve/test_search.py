"""The search against trying everything, and the bound it leaves candidates out by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simcore.engine.simulator import simulate
from simcore.scenario.schema import Gpu, Host, Pcie
from simcore.systems.hybridserve import search
from simcore.systems.hybridserve.caching import Cache
from simcore.systems.hybridserve.machine import Costs, Parts, make_lanes
from simcore.systems.hybridserve.policy import HybridServePolicy
from tests.builders import SMALL_MODEL, hermes
from tests.simcore.systems.hybridserve.scenarios import with_gpu

MHA = replace(SMALL_MODEL, kv_heads=8, layers=3)


def made(prompts, output, *, gemm=0.001, link=8.0, room=0.004, **policy):
    gpu = Gpu(memory_GiB=room, reserve_GB=0.0, kernel_launch_us=0.0)
    parts = Parts(gpu, Pcie(bandwidth_GBps=link, sync_us=0.0), Host())
    knobs = HybridServePolicy(gemm_share=gemm, block_tokens=4, prefill_tokens=32, **policy)
    return Cache(Costs(parts, MHA, knobs), np.array(prompts), output, 0), make_lanes(parts)


def everything(cache, lanes):
    """Time and bound of every candidate that fits, over all numbers of mini-batches."""
    times, bounds = [], []
    for count in search.parts_of(cache):
        some = cache.settings(search.shares_of(cache), count)
        some = some.rows(np.flatnonzero(search.fits(cache, some)))
        if not len(some.share):
            continue
        templates = search.make_templates(cache, lanes, count)
        single = search.make_templates(cache, lanes, 1)
        times.append(search.run_ps(cache, templates, some))
        bounds.append(search.run_ps(cache, single, some, bound=True))
    return np.concatenate(times), np.concatenate(bounds)


@settings(max_examples=40, deadline=None)
@example([1, 1, 1, 5, 42], 20, 1e-4, 0.5, 0.0042, "recompute")
@given(
    prompts=st.lists(st.integers(1, 60), min_size=1, max_size=7),
    output=st.integers(1, 20),
    gemm=st.sampled_from([1e-4, 1e-3, 1e-2, 0.4]),
    link=st.sampled_from([0.5, 8.0, 64.0]),
    room=st.sampled_from([0.0042, 0.006]),
    cache=st.sampled_from(["hybrid", "recompute"]),
)
def test_the_search_finds_what_trying_everything_finds(prompts, output, gemm, link, room, cache):
    mine, lanes = made(prompts, output, gemm=gemm, link=link, room=room, cache=cache)
    times, bounds = everything(mine, lanes)
    assert (bounds <= times).all()
    chosen, templates = search.choose(mine, lanes)
    assert search.run_ps(mine, templates, chosen)[0] == times.min()


def test_the_estimate_of_a_short_run_is_the_run():
    load = replace(hermes().workload, batch=4, prompt_tokens=24, output_tokens=12)
    run = simulate(with_gpu(hermes(system="hybridserve", workload=load), memory_GiB=0.0034))
    plan = run.plan
    assert search.run_ps(plan.cache, plan.templates, plan.chosen)[0] == run.end_ps


def test_the_estimate_of_a_long_run_is_near_it():
    """Contexts grow ninefold here; between the sampled lengths the busier lane changes once."""
    load = replace(hermes().workload, batch=4, prompt_tokens=24, output_tokens=200)
    run = simulate(with_gpu(hermes(system="hybridserve", workload=load), memory_GiB=0.0036))
    plan = run.plan
    estimate = search.run_ps(plan.cache, plan.templates, plan.chosen)[0]
    assert estimate == pytest.approx(run.end_ps, rel=0.02)


@pytest.mark.parametrize("output", [1, 16, 17, 128, 1000])
def test_sampled_steps_stand_for_all(output):
    """A straight line is summed exactly: its mean is that of its ends."""
    step, weight = search.sampled_steps(output)
    assert weight.sum() == pytest.approx(output)
    assert (step * weight).sum() == pytest.approx(output * (output + 1) / 2)
    assert step[0] == 1
    assert step[-1] == output
