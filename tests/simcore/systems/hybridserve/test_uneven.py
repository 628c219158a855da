"""Prompts of different lengths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import UserError
from simcore.scenario.schema import UnevenWorkload
from tests.builders import hermes
from tests.simcore.systems.hybridserve.scenarios import with_gpu

SYSTEMS = ("hybridserve", "hybridserve-flexgen", "deepspeed-inference", "vllm-swap")
LOAD = UnevenWorkload(batch=6, prompt_tokens=4, longest_prompt_tokens=40, output_tokens=12)


def small(system, load=LOAD, **changes):
    scenario = hermes(system=system, workload=load, **changes)
    return with_gpu(scenario, memory_GiB=0.0034 if system == "hybridserve" else 0.003_8)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_request_gets_its_tokens(system):
    run = simulate(small(system))
    prompts = run.plan.prompts
    assert 4 <= prompts.min() < prompts.max() <= 40
    assert run.column("tokens").sum() == 6 * 12
    assert run.column("context_tokens").max() == prompts.max() + 12


@pytest.mark.parametrize("system", SYSTEMS)
def test_lengths_come_from_the_seed(system):
    one, same, other = (simulate(small(system, seed=seed)).plan.prompts for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("system", SYSTEMS)
def test_equal_lengths_are_those_of_the_fixed_workload(system):
    from simcore.scenario.schema import FixedWorkload

    even = replace(LOAD, prompt_tokens=16, longest_prompt_tokens=16)
    fixed = FixedWorkload(batch=6, prompt_tokens=16, output_tokens=12)
    one, other = simulate(small(system, even)), simulate(small(system, fixed))
    assert np.array_equal(one.column("duration_ps"), other.column("duration_ps"))


def test_the_gpu_holds_as_many_blocks_of_each_request_as_fit_all():
    run = simulate(small("hybridserve", policy={"act_share": 0.5}))
    blocks = run.system.block_map(run.plan, run.record(len(run) - 1))
    mine = (blocks.kind == 3).sum(axis=1)
    quota = int(run.plan.chosen.light_quota[0])
    everything = ((blocks.kind == 2) | (blocks.kind == 3)).sum(axis=1)
    assert np.array_equal(mine, np.minimum(everything, quota))
    assert (blocks.kind[:, -1] == 5).any(), "shorter requests have fewer blocks"


def test_lengths_the_wrong_way_round():
    with pytest.raises(UserError, match=r"longest_prompt_tokens: 3 is less than"):
        simulate(small("hybridserve", replace(LOAD, longest_prompt_tokens=3)))
