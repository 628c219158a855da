"""Runs of H2M2 and the machines beside it: conservation, moves, monotony, errors, switches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import CapacityError, ScenarioErrors, UserError
from simcore.export.chart_file import chart_data, render
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.results.spans import WaitReason
from simcore.results.summary import summarise
from simcore.results.variants import variant_scenario
from simcore.scenario.document import Document
from simcore.scenario.schema import FixedWorkload, Scenario, TurnoverWorkload
from simcore.systems.h2m2.curves import mapping_curve
from tests.builders import hermes
from tests.simcore.systems.h2m2.cases import CELLS, scenario

IDS = ("h2m2", *SYSTEMS.get("h2m2").variants)
MAPPED = tuple(id for id in IDS if id.startswith("h2m2"))
GROWING = FixedWorkload(batch=4, prompt_tokens=512, output_tokens=90)


def small(system: str = "h2m2", *, seed: int = 1, workload: Any = None, **changes: Any) -> Scenario:
    """The small model, with what `changes` says of components ("hbm": {...}) and policy."""
    variant = SYSTEMS.get(system).variant
    policy = {**(variant.policy if variant else {}), **changes.pop("policy", {})}
    made = hermes(system=system, policy=policy, workload=workload or GROWING, seed=seed)
    for name, values in changes.items():
        part = replace(getattr(made.hardware, name), **values)
        made = replace(made, hardware=replace(made.hardware, **{name: part}))
    return made


def turnover(**changes: Any) -> TurnoverWorkload:
    values = {
        "batch": 4,
        "prompt_tokens": 200,
        "longest_prompt_tokens": 700,
        "max_tokens": 800,
        "output_tokens": 60,
        "end_probability": 0.05,
    }
    return TurnoverWorkload(**{**values, **changes})


@pytest.fixture(scope="module")
def growing() -> Run:
    return simulate(small())


def mean_ms(*args: Any, **changes: Any) -> float:
    run = simulate(scenario(*args, **changes), items=False)
    return float(run.column("duration_ps").mean() / 1e9)


@pytest.mark.parametrize("model", CELLS)
@pytest.mark.parametrize("system", IDS)
def test_every_system_runs_every_model(system: str, model: str) -> None:
    batch, shortest = CELLS[model]
    run = simulate(scenario(system, model, shortest * 2, 3), items=False)
    assert len(run) == 3
    assert run.column("tokens").tolist() == [batch] * 3
    assert run.column("context_tokens").tolist() == [shortest * 2 + i for i in range(3)]
    assert summarise(run)["prefill_s"] == 0


def test_pages_are_conserved(growing: Run) -> None:
    """Pages of both sides hold everything, and no more than a page a tensor too much."""
    plan = growing.plan
    page = plan.parts.mmu.page_KiB * 1024
    pages = growing.column("pages").sum(axis=(1, 2))
    kinds = growing.column("memory_bytes")[:, :, :3].sum(axis=(1, 2))
    assert (pages * page >= kinds).all()
    tensors = 2 * plan.model.layers * (1 + 4 + 2)
    assert (pages * page <= kinds + tensors * page).all()


def test_capacity_is_never_exceeded() -> None:
    for system in MAPPED:
        for load in (GROWING, turnover()):
            run = simulate(small(system, workload=load))
            used = run.column("memory_bytes").sum(axis=2)
            assert (used <= [d.capacity_bytes for d in run.plan.memory]).all(), system


def test_growth_moves_pages_out_of_hbm(growing: Run) -> None:
    moved_out = growing.column("out_bytes").sum()
    assert moved_out > 0
    mapping = growing.column("mapping").astype(int)
    changes = (np.diff(mapping, axis=0) != 0).any(axis=1)
    assert np.array_equal(growing.column("moved_pages").any(axis=1)[1:], changes)
    assert not growing.column("moved_pages")[0].any()
    link = growing.plan.lane_index("link")
    move = growing.plan.op_index("move")
    carried = growing.column("lane_op_bytes")[:, link, move]
    total = growing.column("out_bytes").sum(axis=1) + growing.column("in_bytes").sum(axis=1)
    assert np.array_equal(carried, total)


def test_compute_waits_while_the_first_layer_moves(growing: Run) -> None:
    step = int(np.flatnonzero(growing.column("moved_pages").any(axis=1))[0])
    spans = growing.spans(step)
    reasons = {growing.ops[op].reason for op in spans.op[spans.layer == -1]}
    assert WaitReason.MEMORY_FULL in reasons
    grid = growing.placement(step)
    assert grid.flags.any()
    assert not growing.placement(0).flags.any()
    column = int(np.flatnonzero(grid.flags[0])[0])
    assert "moving" in dict(growing.item(step, 0, column).facts)


@pytest.mark.parametrize("load", [GROWING, turnover()], ids=["growing", "turnover"])
@pytest.mark.parametrize("copy", ["overlapped", "serial"])
@pytest.mark.parametrize("stall", ["overlapped", "exposed"])
def test_spans_of_steps_that_move_pages_add_up(load: Any, copy: str, stall: str) -> None:
    run = simulate(small(workload=load, policy={"activation_copy": copy, "tlb_stall": stall}))
    steps = np.flatnonzero(run.column("moved_pages").any(axis=1))
    assert len(steps)
    for index in steps[:3].tolist():
        spans, record = run.spans(index), run.record(index)
        for column, values in (
            ("lane_op_ps", spans.duration_ps),
            ("lane_op_bytes", spans.amount_bytes),
            ("lane_op_flops", spans.flops),
        ):
            total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
            np.add.at(total, (spans.lane, spans.op), values)
            assert np.array_equal(total, record[column]), column
        assert spans.end_ps.max() == record["duration_ps"]
        for lane in range(len(run.lanes)):
            mine = spans.lane == lane
            assert spans.duration_ps[mine].sum() == record["duration_ps"]


def test_requests_come_and_go() -> None:
    run = simulate(small(workload=turnover()))
    assert run.column("replaced").sum() > 0
    assert run.column("in_bytes").sum() > 0  # room in HBM is used again
    assert run.column("out_bytes").sum() > 0
    again = simulate(small(workload=turnover()))
    other = simulate(small(workload=turnover(), seed=2))
    assert run.end_ps == again.end_ps != other.end_ps


def test_a_solver_slower_than_a_layer_is_seen() -> None:
    quick, slow = (
        simulate(small(policy={"solver_us": us})).column("duration_ps") for us in (0.0, 1000.0)
    )
    assert (slow > quick).all()
    assert (slow <= quick + 1_000_000_000).all()


def test_sharing_out_on_change_alone_solves_less() -> None:
    run = simulate(small(policy={"solver_when": "on_change"}, workload=turnover()))
    every = simulate(small(workload=turnover()))
    assert 0 < run.column("solved").sum() < every.column("solved").sum()
    used = run.column("memory_bytes").sum(axis=2)
    assert (used <= [d.capacity_bytes for d in run.plan.memory]).all()


def test_long_runs_are_the_same_in_any_stretches() -> None:
    """Stretches of steps join without a seam: the first 70 steps of 90 are those of 70."""
    whole, part = simulate(small()), simulate(small(workload=replace(GROWING, output_tokens=70)))
    for name in ("duration_ps", "mapping", "out_bytes", "lane_op_ps"):
        assert np.array_equal(whole.column(name, 0, 70), part.column(name)), name


@pytest.mark.parametrize(
    "better",
    [
        {"hbm": {"capacity_GB": 0.006}},
        {"hbm": {"bandwidth_GBps": 6000.0}},
        {"lpddr": {"bandwidth_GBps": 1088.0}},
        {"lpddr_npu": {"clock_GHz": 2.0}},
        {"hbm_npu": {"clock_GHz": 2.0}},
        {"chip_link": {"bandwidth_GBps": 9600.0}},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("system", ["h2m2-oracle", "h2m2-naive", "lpddr-only", "hierarchical"])
def test_a_better_machine_is_never_slower(system: str, better: dict[str, Any]) -> None:
    assert simulate(small(system, **better)).end_ps <= simulate(small(system)).end_ps


@pytest.mark.parametrize("model", CELLS)
def test_the_oracle_is_the_fastest_mapping(model: str) -> None:
    length = CELLS[model][1] * 4
    best = mean_ms("h2m2-oracle", model, length)
    for system in MAPPED:
        if system != "h2m2-naive":  # its chips reach into both memories
            assert best <= mean_ms(system, model, length), system


def test_total_overhead_is_the_product_of_its_parts() -> None:
    """H2M2 = oracle / (1 + total), with 1 + total = (1 + paging) (1 + greedy)."""
    full, free = mean_ms(length=1024), mean_ms(length=1024, paging=False)
    best = mean_ms("h2m2-oracle", length=1024)
    total = (full / free) * (free / best) - 1
    assert best * (1 + total) == pytest.approx(full)
    assert 0 < full / free - 1 < 0.05
    assert 0 < free / best - 1 < 0.1


def test_everything_in_hbm_leaves_lpddr_without_work() -> None:
    run = simulate(
        scenario(
            model="llama2-70b", mapping="flexgen", flexgen_weight_share=1.0, flexgen_kv_share=1.0
        )
    )
    lanes = summarise(run)["lanes"]
    assert lanes["lpddr"]["bytes"] == 0
    assert lanes["c1_mm"]["busy"] == 0
    assert lanes["hbm"]["bytes"] > 0


def test_memories_are_read_once_an_iteration() -> None:
    """All weights pass once, and all keys and values, on whichever side they are."""
    run = simulate(scenario(length=512))
    moved = run.value("lane_op_bytes", 0)
    reads = [run.plan.op_index(op) for op in ("read_weights", "read_kv")]
    lanes = [run.plan.lane_index(lane) for lane in ("hbm", "lpddr")]
    weights, kv = moved[lanes][:, reads].sum(axis=0)
    assert weights == 96 * 12 * 12288**2
    assert kv == 96 * 2 * 12288 * 32 * (512 + 1)  # read, and the new token written


def test_lpddr_only_by_hand() -> None:
    """GPT3 at S = 256: 174 GB and 19.3 GB at 544 GB/s, 5 x 96 launches; both chips keep up."""
    weights, kv = 96 * 12 * 12288**2, 96 * 2 * 12288 * 32 * 257
    least = (weights + kv) / 544e9 * 1e3 + 5 * 96 * 1e-3
    assert least < mean_ms("lpddr-only") < least * 1.01


def test_the_tile_model_decides_how_fast_gemms_run() -> None:
    slow, quick = (mean_ms(tile_model=model) for model in ("mm_serial", "bandwidth"))
    assert quick < mean_ms() < slow


def test_shared_reads_make_attention_cheaper() -> None:
    each, once = (
        mean_ms(model="llama2-70b", gqa_traffic=word) for word in ("per_q_head", "shared")
    )
    assert once < each


def test_what_does_not_fit_says_what_is_missing() -> None:
    with pytest.raises(CapacityError, match=r"keys and values of 320,000 tokens .* are missing"):
        simulate(scenario(length=10_000))
    for system in ("lpddr-only", "hierarchical"):
        hardware = {"lpddr": {"capacity_GB": 100}}
        with pytest.raises(CapacityError, match=r"hardware\.lpddr\.capacity_GB"):
            simulate(scenario(system, hardware=hardware))
    with pytest.raises(CapacityError, match=r"hardware\.hbm\.capacity_GB"):
        simulate(scenario("8-hbm", hardware={"hbm": {"capacity_GB": 20}}))
    with pytest.raises(CapacityError, match="flexgen_weight_share"):
        simulate(scenario("h2m2-flexgen", flexgen_weight_share=1.0))
    with pytest.raises(UserError, match="scratchpads"):
        simulate(scenario(hardware={"hbm_npu": {"scratchpad_MiB": 0.1}}))


def test_the_workload_must_be_one_the_system_can_run() -> None:
    text = "system: hermes-base\nmodel: opt-13b\nworkload: {kind: turnover}"
    with pytest.raises(ScenarioErrors, match="does not take workloads of this kind"):
        Document.from_text(text).resolve()


def test_a_comparison_keeps_the_readings_of_the_user() -> None:
    mine = scenario(model="llama2-70b", gqa_traffic="shared")
    other = variant_scenario(mine, "lpddr-only")
    assert other.policy.gqa_traffic == "shared"
    assert other.policy.machine == "lpddr_only"


@pytest.mark.parametrize("sublayer", ["qkv", "attention", "fc"])
def test_curves_agree_with_the_record(growing: Run, sublayer: str) -> None:
    record = growing.record(50)
    curve = mapping_curve(growing.plan, record, sublayer)
    assert curve.chosen == record["mapping"][["qkv", "attention", "fc"].index(sublayer)]
    assert curve.fits[curve.chosen]
    assert (np.diff(curve.hbm_ps) >= 0).all()
    assert (np.diff(curve.lpddr_ps) <= 0).all()
    assert curve.slower_ps[curve.balanced] == curve.slower_ps.min()
    oracle = simulate(small("h2m2-oracle"))
    best = mapping_curve(oracle.plan, oracle.record(50), sublayer)
    assert best.slower_ps[best.chosen] == best.slower_ps[best.optimum]


def test_curves_need_two_sides() -> None:
    run = simulate(small("lpddr-only"))
    with pytest.raises(UserError, match="one kind of memory"):
        mapping_curve(run.plan, run.record(0), "fc")
    other = simulate(small())
    with pytest.raises(UserError, match="no sublayer"):
        mapping_curve(other.plan, other.record(0), "mlp")


def test_energy_counts_memory_accesses() -> None:
    run = simulate(scenario(length=512))
    summary = summarise(run)
    hbm, lpddr = summary["lanes"]["hbm"]["bytes"], summary["lanes"]["lpddr"]["bytes"]
    assert summary["energy_J"]["hbm_memory"] == pytest.approx(hbm * 8 * 3.97e-12)
    assert summary["energy_J"]["lpddr_memory"] == pytest.approx(lpddr * 8 * 9.9e-12)
    both = summary["energy_J"]["hbm_memory"] + summary["energy_J"]["lpddr_memory"]
    assert summary["placement"]["memory_energy_J_per_token"] == pytest.approx(both / 32)


def test_series_cover_every_step(growing: Run) -> None:
    found = SYSTEMS.get("h2m2").series(growing.plan, growing)
    assert {"FC on the HBM side", "pages moved", "TLB misses, HBM chip"} <= set(found)
    assert all(len(values) == len(growing) for _, values in found.values())


def test_page_map(growing: Run) -> None:
    """Every page is somewhere; what is used agrees with the memory of the step."""
    for step in (0, 30, len(growing) - 1):
        found = growing.system.page_map(growing.plan, growing, step)
        held = growing.value("memory_bytes", step)
        for side in (0, 1):
            mine = found.side == side
            whole = growing.plan.capacity[side] // found.page_bytes
            assert found.pages[mine].sum() == whole
            assert (found.pages[mine] >= 0).all()
            assert (found.used_bytes[mine] <= found.pages[mine] * found.page_bytes).all()
            used = held[side].sum() if held.shape[0] == 2 else None
            if used is not None:
                in_use = mine & (found.owner < len(found.owners) - 1)
                assert found.pages[in_use].sum() * found.page_bytes == used
    moved = np.flatnonzero(growing.column("moved_pages").reshape(len(growing), -1).sum(axis=1))
    step = int(moved[moved > 0][0])
    found = growing.system.page_map(growing.plan, growing, step)
    assert found.moved.sum() == growing.value("moved_pages", step).sum()


def test_page_chart(growing: Run) -> None:
    data = chart_data(growing, "pages", 0, 5)
    assert len(data) == len(data["pages"])
    assert b"<svg" in render(data, "svg")
    only = simulate(small("lpddr-only"))
    with pytest.raises(UserError, match="no pages in two memories"):
        chart_data(only, "pages", 0, 1)
