"""Who is served when, by hand and for any lengths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.reproduce.cases import RunCase
from simcore.results.run import KIND_DECODE, KIND_PREFILL
from simcore.scenario.schema import FixedWorkload
from simcore.systems.hybridserve.rounds import in_groups, swapping
from tests.builders import hermes
from tests.simcore.systems.hybridserve.scenarios import with_gpu

P, D = KIND_PREFILL, KIND_DECODE


def test_groups_by_hand():
    """Three requests of 5, 6, 7 tokens, two tokens each, two at a time."""
    found = in_groups(np.array([5, 6, 7]), 2, 2)
    assert found.kind.tolist() == [P, D, D, P, D, D]
    assert found.requests.tolist() == [2, 2, 2, 1, 1, 1]
    assert found.tokens.tolist() == [11, 13, 15, 7, 8, 9]
    assert found.squares.tolist() == [61, 0, 0, 49, 0, 0]
    assert found.longest.tolist() == [6, 7, 8, 7, 8, 9]


def test_swapping_by_hand():
    """Two requests of 4 tokens, 4 more each, blocks of 4, three of them on the GPU.

    Both come in (two blocks). Their fifth tokens need four blocks: the younger leaves. The older
    decodes 4 tokens alone, in two blocks, then the younger comes back and does the same.
    """
    found = swapping(np.array([4, 4]), 4, 3, 4, watermark=0.0, prefill_tokens=99)
    assert found is not None
    assert found.kind.tolist() == [P, *[D] * 8]
    assert found.requests.tolist() == [2, *[1] * 8]
    assert found.tokens.tolist() == [8, 5, 6, 7, 8, 5, 6, 7, 8]
    assert found.out_tokens.tolist() == [0, 4, 0, 0, 0, 0, 0, 0, 0]
    assert found.in_tokens.tolist() == [0, 0, 0, 0, 0, 4, 0, 0, 0]
    assert found.host_tokens.tolist() == [0, 4, 4, 4, 4, 0, 0, 0, 0]


def test_prompts_beyond_the_limit_wait_for_the_next_iteration():
    found = swapping(np.array([4, 4, 4]), 1, 99, 4, watermark=0.0, prefill_tokens=8)
    assert found is not None
    assert found.kind.tolist() == [P, P, D]
    assert found.requests.tolist() == [2, 1, 3]


def test_blocks_kept_free_stop_a_request_but_not_the_only_one():
    """Ten blocks, half kept free: of three requests of three blocks one comes in at a time."""
    found = swapping(np.array([9, 9, 9]), 1, 10, 3, watermark=0.5, prefill_tokens=99)
    assert found is not None
    assert found.requests.tolist() == [1, 1, 1, 1, 1, 1]
    lone = swapping(np.array([9]), 1, 4, 3, watermark=0.9, prefill_tokens=99)
    assert lone is not None
    assert lone.requests.tolist() == [1, 1]


def test_a_request_that_does_not_fit_alone():
    assert swapping(np.array([9]), 4, 3, 4, watermark=0.0, prefill_tokens=9) is None


@given(
    prompts=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    output=st.integers(1, 12),
    more=st.integers(0, 30),
    block=st.sampled_from([1, 4]),
    watermark=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_every_request_gets_its_tokens_and_what_leaves_comes_back(
    prompts, output, more, block, watermark
):
    lengths = np.array(prompts)
    blocks = -(-(int(lengths.max()) + output) // block) + more
    found = swapping(lengths, output, blocks, block, watermark=watermark, prefill_tokens=16)
    assert found is not None
    decode = found.kind == D
    assert found.requests[decode].sum() == len(prompts) * output
    assert found.requests[~decode].sum() == len(prompts)
    assert found.tokens[~decode].sum() == lengths.sum()
    assert found.out_tokens.sum() == found.in_tokens.sum()
    assert (found.gpu_tokens <= blocks * block).all()
    ends = np.concatenate([found.host_tokens[-1:], found.in_tokens[-1:] * 0])
    assert (ends == 0).all()


def test_deepspeed_serves_in_groups_that_fit():
    load = FixedWorkload(batch=5, prompt_tokens=16, output_tokens=12)
    whole = simulate(hermes(system="deepspeed-inference", workload=load))
    assert whole.column("served").max() < 5, "not all fit at once"
    assert (whole.column("kind") == P).sum() > 1
    assert whole.column("tokens").sum() == 60
    one = simulate(hermes(system="deepspeed-inference", workload=load, policy={"group": 1}))
    assert one.end_ps > whole.end_ps
    with pytest.raises(CapacityError, match="smallest group must fit"):
        simulate(hermes(system="deepspeed-inference", workload=load, policy={"group": 5}))


def test_vllm_swaps_what_it_cannot_hold():
    load = FixedWorkload(batch=4, prompt_tokens=16, output_tokens=12)
    run = simulate(hermes(system="vllm-swap", workload=load))
    out, back = (
        run.column("lane_op_bytes")[:, lane, run.plan.op_index(op)].sum()
        for lane, op in ((2, "swap_out"), (1, "swap_in"))
    )
    token = run.plan.costs.kv_bytes * run.plan.model.layers
    assert out == back == run.column("out_tokens").sum() * token > 0
    assert run.column("tokens").sum() == 48
    ample = simulate(with_gpu(hermes(system="vllm-swap", workload=load), memory_GiB=1.0))
    assert ample.column("out_tokens").sum() == 0
    assert ample.plan.percent == 100, "weights that fit stay"
    assert ample.end_ps < run.end_ps


def test_what_an_iteration_of_prompts_needs_is_said():
    """With room for one request but not for the prompts of an iteration, more is needed."""
    case = RunCase("vllm-swap", "opt-6.7b", 32, 512, 8).scenario()
    gpu = replace(case.hardware.gpu, memory_GiB=3.0)
    with pytest.raises(CapacityError, match=r"prompts of an iteration.*prefill_tokens") as found:
        simulate(replace(case, hardware=replace(case.hardware, gpu=gpu)))
    assert found.value.needed_bytes > found.value.available_bytes
