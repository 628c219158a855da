"""Any small machine, model and load: it runs and adds up, or says what does not fit."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import simulate
from simcore.errors import CapacityError
from simcore.registry import SYSTEMS
from simcore.scenario.schema import (
    ChipLink,
    FixedWorkload,
    Hardware,
    Mmu,
    Model,
    NpuChip,
    Scenario,
    SideMemory,
    TurnoverWorkload,
)
from simcore.systems.h2m2.policy import H2M2Policy

IDS = ("h2m2", *SYSTEMS.get("h2m2").variants)

MODELS = st.builds(
    Model,
    layers=st.sampled_from([1, 2, 5]),
    hidden=st.sampled_from([1, 64, 300]),
    heads=st.sampled_from([6, 12]),
    kv_heads=st.sampled_from([1, 2, 6]),
    head_dim=st.sampled_from([1, 32, 200]),
    ffn=st.sampled_from([1, 777]),
    ffn_matrices=st.sampled_from([2, 3]),
    vocab=st.just(10),
    bytes_per_weight=st.sampled_from([1, 2]),
    bytes_per_kv=st.sampled_from([1, 2]),
)
LOADS = st.one_of(
    st.builds(
        FixedWorkload,
        batch=st.sampled_from([1, 3, 64]),
        prompt_tokens=st.sampled_from([1, 1000]),
        output_tokens=st.sampled_from([1, 40]),
    ),
    st.builds(
        TurnoverWorkload,
        batch=st.sampled_from([1, 5]),
        prompt_tokens=st.sampled_from([1, 100]),
        longest_prompt_tokens=st.sampled_from([1, 500]),
        max_tokens=st.sampled_from([1, 600]),
        output_tokens=st.just(40),
        end_probability=st.sampled_from([0.0, 0.1, 1.0]),
    ),
)
CHIPS = st.builds(
    NpuChip,
    cores=st.sampled_from([1, 4]),
    array_rows=st.sampled_from([16, 128]),
    mv_units=st.sampled_from([1, 32]),
    mv_width=st.sampled_from([2, 100]),
)
KNOBS = st.fixed_dictionaries(
    {},
    optional={
        "gqa_traffic": st.sampled_from(["per_q_head", "shared"]),
        "tile_model": st.sampled_from(["mm_serial", "bandwidth"]),
        "fc_includes_outproj": st.booleans(),
        "tlb_stall": st.sampled_from(["exposed", "overlapped"]),
        "activation_copy": st.sampled_from(["serial", "overlapped"]),
        "solver_when": st.sampled_from(["on_change", "every_iteration"]),
        "naive_compute": st.sampled_from(["one", "both"]),
        "hier_policy": st.sampled_from(["lru", "pin_fraction"]),
        "capacity_unit": st.sampled_from(["GiB", "GB"]),
    },
)


def weight_bytes(model: Model) -> int:
    heads = model.heads + 2 * model.kv_heads
    attention = model.hidden * (heads + model.heads) * model.head_dim
    ffn = model.ffn_matrices * model.hidden * model.ffn
    return model.layers * (attention + ffn) * model.bytes_per_weight


@settings(max_examples=60, deadline=None)
@given(
    system=st.sampled_from(IDS),
    model=MODELS,
    load=LOADS,
    chips=st.tuples(CHIPS, CHIPS),
    sizes=st.tuples(st.sampled_from([0.1, 0.5, 5.0]), st.sampled_from([0.5, 5.0, 500.0])),
    mmu=st.builds(Mmu, page_KiB=st.sampled_from([4, 64]), tlb_entries=st.sampled_from([1, 64])),
    knobs=KNOBS,
    seed=st.integers(0, 1000),
)
def test_runs_add_up_or_say_what_does_not_fit(
    system, model, load, chips, sizes, mmu, knobs, seed
) -> None:
    assume(model.heads % model.kv_heads == 0)
    variant = SYSTEMS.get(system).variant
    hbm, lpddr = (max(1e-7, size * weight_bytes(model) / 1e9) for size in sizes)
    scenario = Scenario(
        system=system,
        hardware=Hardware(
            hbm=SideMemory(capacity_GB=hbm),
            hbm_npu=chips[0],
            lpddr=SideMemory(capacity_GB=lpddr, bandwidth_GBps=544.0),
            lpddr_npu=chips[1],
            chip_link=ChipLink(),
            mmu=mmu,
        ),
        model=model,
        workload=load,
        policy=H2M2Policy(**{**(variant.policy if variant else {}), **knobs}),
        seed=seed,
    )
    problem = ""
    try:
        run = simulate(scenario)
    except CapacityError as error:
        problem = str(error)
    if problem:
        assert "raise hardware." in problem or "lower policy." in problem
        return
    used = run.column("memory_bytes")
    assert (used >= 0).all()
    assert (used.sum(axis=2) <= [d.capacity_bytes for d in run.plan.memory]).all()
    moves = np.flatnonzero(run.column("moved_pages").any(axis=1))[:2].tolist()
    for index in {0, len(run) - 1, *moves}:
        spans, record = run.spans(index), run.record(index)
        for column, values in (
            ("lane_op_ps", spans.duration_ps),
            ("lane_op_bytes", spans.amount_bytes),
            ("lane_op_flops", spans.flops),
        ):
            total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
            np.add.at(total, (spans.lane, spans.op), values)
            assert np.array_equal(total, record[column]), column
        peak = np.array([lane.peak_GBps for lane in run.lanes])[spans.lane]
        bound = (spans.amount_bytes > 0) & (peak > 0)
        rate = spans.amount_bytes[bound] * 1e3 / spans.duration_ps[bound]
        assert (rate <= peak[bound] * (1 + 1e-9)).all()
        for span in range(0, len(spans), max(1, len(spans) // 8)):
            assert run.explain(index, span).text()
