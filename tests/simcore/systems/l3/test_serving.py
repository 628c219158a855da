"""Served requests: nothing lost, memory kept, blocks equal single steps, weaker never faster."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import Simulator, simulate
from simcore.errors import CapacityError, ScenarioErrors
from simcore.export.chart_file import chart_data, export_chart
from simcore.results.io import load_run, save_run
from simcore.results.run import Run
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.systems.l3.causes import Causes
from simcore.systems.l3.history import request_intervals, states_at, table_of
from simcore.systems.l3.predictors import fit_predictors
from simcore.systems.l3.steps import causes_of, segments
from simcore.systems.l3.work import durations_ps, make_times
from simcore.workload.batching import DONE, RUNNING, SWAPPED
from tests.simcore.engine.plain_totals import totals

IDS = (
    "l3",
    "l3-fill-first",
    "l3-no-overlap",
    "l3-relayout",
    "l3-base",
    "r-pim",
    "gpu-only",
    "hbm-pim",
    "hbm-pim-ext",
    "hbm-pim-single-batch",
    "cpu-offload",
)
MODEL = {
    "preset": "gpt3-175b",
    "layers": 6,
    "hidden": 1024,
    "heads": 8,
    "kv_heads": 8,
    "ffn": 4096,
    "vocab": 1000,
}


def scenario(system: str, changes: dict[str, Any] | None = None, **workload: Any):
    base = {
        "version": 1,
        "system": system,
        "model": MODEL,
        "hardware": {"gpu": {"preset": "l3-a100-80gb-x8", "count": 4}},
        "workload": {
            "kind": "serving",
            "lengths": "custom",
            "prompt_mean": 40,
            "prompt_std": 30,
            "output_mean": 120,
            "output_std": 100,
            "requests": 24,
            **workload,
        },
        "policy": {"tensor_parallel": 4},
    }
    document = Document.from_text(json.dumps(base))
    for path, value in (changes or {}).items():
        document = document.with_value(path, value)
    return document.resolve()


def tight(system: str) -> dict[str, float]:
    """So little memory for KV that requests must leave."""
    if system in ("gpu-only", "hbm-pim", "hbm-pim-single-batch"):
        return {"policy.capacity_fraction": 5e-5}
    size = {"hbm-pim-ext": 320, "cpu-offload": 2048}.get(system, 2048)
    return {"policy.capacity_fraction": 0.016 / size}


@cache
def run_of(system: str, short: bool = False) -> Run:
    return simulate(scenario(system, tight(system) if short else None))


@pytest.mark.parametrize("system", IDS)
@pytest.mark.parametrize("short", [False, True], ids=["roomy", "tight"])
def test_every_request_finishes_and_no_token_is_lost(system, short):
    run = run_of(system, short)
    plan: Any = run.plan
    assert run.status.finished
    assert int(run.column("tokens").sum()) == int(plan.requests.output.sum()) * plan.replicas
    assert int(run.column("prompt_tokens").sum()) >= int(plan.requests.prompt.sum())
    assert run.total_steps == len(run)
    intervals = request_intervals(plan, run)
    assert set(intervals.request.tolist()) == set(range(len(plan.requests)))
    assert DONE not in intervals.state


@pytest.mark.parametrize("system", IDS)
def test_memory_is_never_exceeded_and_tight_memory_is_used(system):
    run = run_of(system, True)
    plan: Any = run.plan
    held = run.column("kv_tokens")
    assert held.max() <= plan.capacity_tokens
    assert held.max() > 0.8 * plan.capacity_tokens
    used = run.column("memory_bytes").sum(axis=2)
    assert (used <= [device.capacity_bytes for device in plan.memory]).all()
    assert run.end_ps > run_of(system).end_ps


@pytest.mark.parametrize("name", ["l3-fill-first", "l3"])
def test_the_states_of_a_growing_run_are_those_of_the_whole(name):
    simulator = Simulator(scenario(name, tight(name)))
    run, seen, steps = simulator.run, [], 0
    for block in itertools.cycle([1, 2, 5, 40, 3]):
        more = simulator.advance(block)
        if not more:
            break
        seen += [states_at(run.plan, run, index).copy() for index in range(steps, steps + more)]
        steps += more
        assert table_of(run.plan, run).steps == len(run)
    whole = run.until(len(run))  # has read nothing yet
    assert len(seen) == len(run)
    assert np.array_equal(seen, [states_at(run.plan, whole, index) for index in range(len(run))])
    assert np.array_equal(table_of(run.plan, run).first, table_of(run.plan, whole).first)
    assert {RUNNING, SWAPPED, DONE} <= set(np.concatenate(seen).tolist())


def test_a_full_memory_moves_the_youngest_out_and_back():
    run = run_of("l3-fill-first", True)
    causes = causes_of(run.plan, run, 0, len(run))
    assert causes.get("swap_out").sum() > 0
    assert causes.get("swap_out").sum() == causes.get("swap_in").sum()
    dropped = simulate(
        scenario("l3-fill-first", {**tight("l3-fill-first"), "policy.preemption": "recompute"})
    )
    assert dropped.column("prompt_tokens").sum() > run.column("prompt_tokens").sum()
    reserved = simulate(
        scenario("l3-fill-first", {**tight("l3-fill-first"), "policy.admission": "reserve"})
    )
    assert causes_of(reserved.plan, reserved, 0, len(reserved)).get("swap_out").sum() == 0
    assert reserved.column("batch").max() <= run.column("batch").max()


@pytest.mark.parametrize("system", ["l3", "l3-fill-first", "gpu-only"])
@settings(max_examples=8, deadline=None)
@given(limits=st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_blocks_of_any_size_give_the_same_bytes(system, limits):
    whole = run_of(system, True)
    simulator = Simulator(scenario(system, tight(system)))
    at = 0
    while simulator.advance(limits[at % len(limits)]):
        at += 1
    for name in whole.column_names:
        assert np.array_equal(simulator.run.column(name), whole.column(name)), name
    for name, arrays in whole.attachments.items():
        assert len(arrays) == len(simulator.run.attachments[name])
        for one, other in zip(arrays, simulator.run.attachments[name], strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("system", IDS)
def test_lengths_of_steps_are_those_of_their_operations(system):
    run = run_of(system, True)
    plan: Any = run.plan
    causes = causes_of(plan, run, 0, len(run))
    assert np.array_equal(durations_ps(plan, make_times(plan, causes)), run.column("duration_ps"))
    for index in range(0, len(run), max(1, len(run) // 7)):
        laid = [(t, w) for t, w, _ in segments(plan, run.record(index))]
        sums = totals(laid)
        assert sums.duration_ps == run.step(index).duration_ps
        assert np.array_equal(sums.time_ps, run.value("lane_op_ps", index))
        assert np.array_equal(sums.amount_bytes, run.value("lane_op_bytes", index))
        assert np.array_equal(sums.flops, run.value("lane_op_flops", index))


def test_a_request_is_with_another_rankset_in_every_layer():
    run = run_of("l3", True)
    plan: Any = run.plan
    lanes, index = plan.side.lanes, len(run) - 1
    assert lanes > 1
    _, (_, work, _) = segments(plan, run.record(index))
    where = plan.layer.slice("side.0")
    first = work.time_ps[0, where].tolist()
    assert len(set(first)) > 1
    for layer in range(plan.model.layers):
        turned = [first[(lane - layer) % lanes] for lane in range(lanes)]
        assert work.time_ps[layer, where].tolist() == turned
        assert (work.amount_bytes[layer, where] > 0).tolist() == [time > 0 for time in turned]


@pytest.mark.parametrize(
    "weaker",
    [
        {"hardware.dimm_pim.ranks_per_dimm": 1},
        {"hardware.dimm_pim.nCCD_L": 16},
        {"hardware.pcie.bandwidth_GBps": 4},
        {"hardware.gpu.bandwidth_GBps": 400},
        {"policy.overlap": False},
        {"policy.pipelined": False},
        {"policy.units": "rank"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_weaker_machine_is_never_faster(weaker):
    before = simulate(scenario("l3-fill-first"))
    assert simulate(scenario("l3-fill-first", weaker)).end_ps >= before.end_ps


def test_the_ladder_of_optimisations():
    times = [
        run_of(system).end_ps for system in ("r-pim", "l3-base", "l3-relayout", "l3-fill-first")
    ]
    assert times == sorted(times, reverse=True)


def test_arrivals_over_time_leave_idle_steps():
    run = simulate(scenario("l3", arrivals="poisson", rate_per_s=0.5, requests=8))
    plan: Any = run.plan
    idle = causes_of(plan, run, 0, len(run)).get("idle_ps")
    assert (idle > 0).sum() >= 3
    assert int(run.column("tokens").sum()) == int(plan.requests.output.sum())
    step = int(np.flatnonzero(idle)[0])
    spans = run.spans(step)
    assert set(spans.lane.tolist()) == set(range(len(run.lanes)))
    assert (
        "no request"
        in run.explain(step, int(np.flatnonzero(spans.op == run.plan.op_index("idle"))[0])).text()
    )
    intervals = request_intervals(plan, run)
    assert (intervals.start_ps >= plan.requests.arrival_ps[intervals.request]).all()


def test_long_prompts_are_chunked():
    run = simulate(
        scenario(
            "l3",
            {"policy.prefill_chunk_tokens": 256},
            prompt_mean=1000,
            prompt_std=0,
            requests=4,
        )
    )
    assert run.column("prompt_tokens").max() <= 512
    assert run.column("prompt_tokens").sum() == 4000


def test_predictors_are_close():
    plan: Any = run_of("l3").plan
    fitted = fit_predictors(plan)
    assert fitted.gpu_error < 0.01
    assert fitted.side_error < 0.05


def test_aligned_batches_shorten_the_time_between_tokens():
    big = {"model.layers": 12, "model.heads": 32, "model.kv_heads": 32, "model.hidden": 4096}
    lengths = {"requests": 60, "output_mean": 3000, "output_std": 2000}
    aligned = simulate(scenario("l3", big, **lengths))
    filled = simulate(scenario("l3-fill-first", big, **lengths))
    mean = {run.system.id: run.column("batch").mean() for run in (aligned, filled)}
    assert mean["l3"] <= mean["l3-fill-first"]
    assert aligned.column("tokens").sum() == filled.column("tokens").sum()


def test_replicas_share_requests_and_memory():
    run = simulate(scenario("l3", {"policy.tensor_parallel": 2}, requests=25))
    plan: Any = run.plan
    assert (plan.replicas, plan.gpus, len(plan.requests)) == (2, 2, 12)
    assert plan.side.lanes == 2
    assert plan.memory[1].capacity_bytes == 1024 << 30
    assert run.column("tokens").sum() == 2 * plan.requests.output.sum()


def test_longer_outputs_than_memory_are_cut_and_said_so():
    run = run_of("gpu-only", True)
    plan: Any = run.plan
    assert (plan.requests.prompt + plan.requests.output <= plan.capacity_tokens).all()
    tiny = {"policy.capacity_fraction": 1e-7}
    with pytest.raises(CapacityError):
        simulate(scenario("gpu-only", tiny))
    with pytest.raises(CapacityError, match="tensor_parallel"):
        simulate(scenario("gpu-only", {"hardware.gpu.memory_GiB": 0.01}))


def test_other_systems_refuse_serving():
    with pytest.raises(ScenarioErrors, match=r"workload\.kind"):
        scenario("hermes", {"policy": {}})


def test_saved_runs_come_back(tmp_path):
    run = run_of("l3", True)
    save_run(run, tmp_path / "run.npz")
    again = load_run(tmp_path / "run.npz")
    assert again.end_ps == run.end_ps
    for name in run.column_names:
        assert np.array_equal(again.column(name), run.column(name)), name
    assert again.total_steps == len(run)


def test_summary_series_and_charts(tmp_path):
    run = run_of("l3", True)
    found = summarise(run)["placement"]
    assert 0 < found["kv_use"] <= 1
    assert found["imbalance"] >= 1
    assert found["energy_total_J_per_token"] == pytest.approx(
        sum(
            found[f"energy_{part}_J_per_token"]
            for part in ("fc", "attention", "background", "other")
        )
    )
    for name, (unit, values) in run.system.series(run.plan, run).items():  # type: ignore[attr-defined]
        assert unit
        assert len(values) == len(run), name
        assert np.isfinite(values).all()
    for chart in ("batch", "requests", "timeline", "memory", "step-time"):
        export_chart(run, chart, tmp_path / f"{chart}.svg")
    data = chart_data(run, "requests")
    assert set(data["request"].tolist()) == set(range(24))
    assert (data["end"] > data["start"]).all()


def test_intervals_of_a_request_follow_each_other():
    run = run_of("l3-fill-first", True)
    found = request_intervals(run.plan, run)  # type: ignore[arg-type]
    same = found.request[1:] == found.request[:-1]
    assert (found.start_ps[1:][same] == found.end_ps[:-1][same]).all()


def test_grid_shows_rotation_by_layer():
    run = run_of("l3-fill-first")
    grid = run.placement(3)
    ranks = grid.rows // 4
    first, second = grid.active[:ranks, 0], grid.active[ranks : 2 * ranks, 1]
    assert np.array_equal(first, second)


def test_causes_are_linear():
    run = run_of("l3-fill-first")
    stretch = run.column("stretch")
    longest = int(np.bincount(stretch).argmax())
    steps = np.flatnonzero(stretch == longest)[1:]
    values: Causes = causes_of(run.plan, run, int(steps[0]), int(steps[-1]) + 1)  # type: ignore[arg-type]
    change = np.diff(values.values, axis=0)
    assert (change == change[0]).all()
