"""Random machines and models either run and add up, or say what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.results.run import KIND_PREFILL
from simcore.scenario.schema import (
    FixedWorkload,
    Gpu,
    Hardware,
    Host,
    Model,
    Pcie,
    Scenario,
    UnevenWorkload,
)
from simcore.systems.hybridserve.policy import (
    HybridServePolicy,
    SwapPolicy,
    ZeroPolicy,
    ZigZagPolicy,
)

POLICIES = {
    "hybridserve": HybridServePolicy,
    "hybridserve-flexgen": ZigZagPolicy,
    "deepspeed-inference": ZeroPolicy,
    "vllm-swap": SwapPolicy,
}


@st.composite
def scenarios(draw, system):
    heads = draw(st.sampled_from([1, 4, 6]))
    dim = draw(st.sampled_from([8, 64]))
    model = Model(
        title="random",
        layers=draw(st.integers(1, 5)),
        hidden=heads * dim,
        heads=heads,
        kv_heads=draw(st.sampled_from([n for n in (1, 2, heads) if heads % n == 0])),
        head_dim=dim,
        ffn=draw(st.integers(1, 600)),
        ffn_matrices=draw(st.sampled_from([2, 3])),
        vocab=draw(st.integers(1, 2000)),
        tied_embeddings=draw(st.booleans()),
        bytes_per_weight=draw(st.sampled_from([1, 2])),
        bytes_per_kv=draw(st.sampled_from([1, 2])),
    )
    common = {"batch": draw(st.integers(1, 9)), "output_tokens": draw(st.integers(1, 24))}
    low = draw(st.integers(1, 70))
    if draw(st.booleans()):
        load = FixedWorkload(prompt_tokens=low, **common)
    else:
        high = low + draw(st.integers(0, 50))
        load = UnevenWorkload(prompt_tokens=low, longest_prompt_tokens=high, **common)
    policy = {
        "gemm_share": draw(st.sampled_from([1e-5, 1e-3, 1.0])),
        "gpu_weights_percent": draw(st.sampled_from([None, None, 0, 33, 100])),
        "prefill_tokens": draw(st.sampled_from([1, 32, 4096])),
        "host_reserve_GB": 0.0,
    }
    if system == "hybridserve":
        policy["cache"] = draw(st.sampled_from(["hybrid", "act", "kv", "recompute"]))
        policy["act_share"] = draw(st.sampled_from([None, 0.0, 0.3, 1.0]))
        policy["packing"] = draw(st.sampled_from(["balanced", "arrival"]))
        policy["act_point"] = draw(st.sampled_from(["post_ln", "pre_ln"]))
        policy["gpu_cache_GB"] = draw(st.sampled_from([None, 0.0]))
    if system in ("hybridserve", "vllm-swap"):
        policy["block_tokens"] = draw(st.sampled_from([1, 4, 16]))
    return Scenario(
        name="random",
        system=system,
        hardware=Hardware(
            gpu=Gpu(
                memory_GiB=draw(st.sampled_from([0.0005, 0.002, 0.01, 1.0])),
                reserve_GB=0.0,
                kernel_launch_us=draw(st.sampled_from([0.0, 1.0])),
            ),
            pcie=Pcie(bandwidth_GBps=draw(st.sampled_from([0.1, 25.0]))),
            host=Host(memory_GiB=draw(st.sampled_from([0.002, 16.0]))),
        ),
        model=model,
        workload=load,
        policy=POLICIES[system](**policy),
        seed=draw(st.integers(0, 3)),
    )


@pytest.mark.parametrize("system", POLICIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_run_adds_up_or_says_what_is_missing(system, data):
    scenario = data.draw(scenarios(system))
    missing = None
    try:
        run = simulate(scenario)
    except CapacityError as error:
        missing = error
    event(f"{system} does not fit: {missing.device}" if missing else f"{system} runs")
    if missing:
        assert missing.needed_bytes > missing.available_bytes
        return
    load = scenario.workload
    assert run.column("tokens").sum() == load.batch * load.output_tokens
    used = run.column("memory_bytes")
    assert (used >= 0).all()
    capacity = np.array([device.capacity_bytes for device in run.plan.memory])
    assert (used.sum(axis=2) <= capacity).all()
    decode = np.flatnonzero(run.column("kind") != KIND_PREFILL)
    for index in {0, int(decode[0]), len(run) - 1}:
        spans, record = run.spans(index), run.record(index)
        for lane in range(len(run.lanes)):
            mine = spans.lane == lane
            start, end = spans.start_ps[mine], spans.end_ps[mine]
            assert start[0] == 0
            assert end[-1] == record["duration_ps"]
            assert np.array_equal(start[1:], end[:-1])
        total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
        np.add.at(total, (spans.lane, spans.op), spans.amount_bytes)
        assert np.array_equal(total, record["lane_op_bytes"])
        grid = run.placement(index, 1)
        assert (grid.category < len(grid.categories)).all()
