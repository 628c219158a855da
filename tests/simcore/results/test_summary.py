"""Summaries add up, hold no NaN and have every field of the contract."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from simcore.registry import SYSTEMS
from simcore.results.diff import difference
from simcore.results.energy import CONSTANTS, background_W, energy, energy_table
from simcore.results.run import Run
from simcore.results.summary import plain, summarise
from simcore.results.totals import totals
from tests.builders import hermes
from tests.fakes import fake_run, fake_scenario


@pytest.fixture(scope="module")
def run():
    return fake_run()


def test_has_every_field_of_the_contract(run):
    summary = summarise(run)
    assert {
        "scenario",
        "system",
        "tokens",
        "tokens_per_s",
        "decode_tokens_per_s",
        "prefill_s",
        "step_ms",
        "lanes",
        "memory",
        "energy_J",
        "placement",
        "compare",
        "simulator",
    } <= summary.keys()
    assert set(summary["step_ms"]) == {"mean", "p50", "p95", "max"}
    assert set(summary["simulator"]) >= {
        "wall_s",
        "steps_per_s",
        "peak_rss_bytes",
        "version",
        "seed",
    }
    for device in summary["memory"].values():
        assert device.keys() >= {"capacity_bytes", "used_bytes", "peak_bytes", "by_kind"}
    json.dumps(summary, allow_nan=False)


def test_rates_follow_from_the_columns(run):
    summary = summarise(run)
    length_s = run.end_ps / 1e12
    assert summary["tokens"] == 12
    assert summary["tokens_per_s"] == pytest.approx(12 / length_s)
    assert summary["prefill_s"] == pytest.approx(run.value("duration_ps", 0) / 1e12)
    assert summary["decode_tokens_per_s"] == pytest.approx(11 / (length_s - summary["prefill_s"]))
    steps = run.column("duration_ps")[1:] / 1e9
    assert summary["step_ms"]["p95"] == pytest.approx(np.percentile(steps, 95))


def test_shares_of_a_lane_add_up_to_one(run):
    for lane in summarise(run)["lanes"].values():
        assert lane["busy"] + sum(lane["wait"].values()) == pytest.approx(1.0)
        assert lane["GBps"] <= lane["busy_GBps"]


def test_a_figure_that_is_no_number_becomes_null(run):
    assert summarise(run)["placement"]["imbalance"] is None
    assert plain({"a": float("inf"), "b": np.float32(2), "c": (1, np.arange(2))}) == {
        "a": None,
        "b": 2.0,
        "c": [1, [0, 1]],
    }


def test_an_empty_run_has_a_summary():
    fake_run(1)
    system = SYSTEMS.get("fake")
    empty = Run(system.prepare(fake_scenario()), system)
    summary = summarise(empty)
    assert summary["tokens_per_s"] == 0
    json.dumps(summary, allow_nan=False)


def test_only_a_prefill_has_no_decode_rate():
    summary = summarise(fake_run(1))
    assert summary["decode_tokens_per_s"] == 0
    assert summary["step_ms"]["max"] == 0


def test_energy_is_bytes_times_constant(run):
    sums = totals(run)
    found = energy(run.plan, sums)
    dimms = 8 * sums.lane_op_bytes[2:4].sum()
    per_bit = CONSTANTS["ddr4_read"].value + CONSTANTS["ddr4_activate"].value
    assert found.joules["dimm_memory"] == pytest.approx(dimms * per_bit * 1e-12)
    assert found.joules["pcie"] == pytest.approx(8 * sums.lane_op_bytes[1].sum() * 4.4e-12)
    assert found.joules["compute"] == pytest.approx(sums.lane_op_flops.sum() / 2 * 0.32e-12)
    parts = [value for name, value in found.joules.items() if name != "total"]
    assert found.joules["total"] == pytest.approx(math.fsum(parts))
    assert any("paper" in note for note in found.notes)


def test_energy_by_part_adds_up_and_is_per_token(run):
    sums = totals(run)
    table = energy_table(run.plan, sums)
    dynamic = [
        value
        for parts in table.joules.values()
        for part, value in parts.items()
        if part != "background"
    ]
    assert math.fsum(dynamic) == pytest.approx(energy(run.plan, sums).joules["total"])
    assert table.joules["dimm_memory"]["array"] == pytest.approx(
        8 * sums.lane_op_bytes[2:4].sum() * 5.44e-12
    )
    assert table.joules["dimm_memory"]["activate"] == pytest.approx(
        8 * sums.lane_op_bytes[2:4].sum() * 0.064e-12
    )
    each = table.per_token["compute"]["MAC"]
    assert each * sums.tokens == pytest.approx(table.joules["compute"]["MAC"])
    json.dumps(summarise(run)["energy"], allow_nan=False)


@pytest.mark.parametrize(
    ("system", "component", "watts"),
    [
        ("hermes", "dimm_memory", 4 * 4 * 0.5),  # 4 DIMMs of 4 ranks
        ("l3", "dimm_memory", 4 * 2 * 2 * 0.5),  # 4 channels x 2 DIMMs x 2 ranks
        ("flexgen", "host_memory", 256 / 8 * 0.5),
    ],
)
def test_background_is_ranks_times_time(system, component, watts):
    made = SYSTEMS.get(system)
    plan = made.prepare(hermes(system=system))
    assert background_W(plan) == {component: pytest.approx(watts)}
    run = Run(plan, made)
    run.extend(made.advance_many(plan, made.start(plan, run), run, 1))
    table = energy_table(plan, totals(run))
    spent = table.joules[component]["background"]
    assert spent == pytest.approx(watts * run.end_ps / 1e12)
    assert table.total_J == pytest.approx(table.dynamic_J + spent)
    assert "gpu_memory" in table.missing


def test_energy_counts_every_replica():
    """Tokens are those of all replicas, so is the energy: 8 GPUs in replicas of 4 double it."""
    made = SYSTEMS.get("l3")
    one = hermes(system="l3")
    two = replace(one, hardware=replace(one.hardware, gpu=replace(one.hardware.gpu, count=8)))
    two = replace(two, workload=replace(two.workload, batch=2))
    found = []
    for scenario in (one, two):
        plan = made.prepare(scenario)
        run = Run(plan, made)
        run.extend(made.advance_many(plan, made.start(plan, run), run, 1))
        found.append((plan.replicas, energy(plan, totals(run)).joules["compute"]))
    (few, less), (many, more) = found
    assert (few, many) == (1, 2)
    assert more == pytest.approx(2 * less)


def test_units_in_hbm_banks_pay_less_than_the_interface():
    made = SYSTEMS.get("hbm-pim")
    plan = made.prepare(hermes(system="hbm-pim"))
    run = Run(plan, made)
    state = made.start(plan, run)
    for _ in range(5):
        run.extend(made.advance_many(plan, state, run, 1))
    sums = totals(run)
    inside = 8 * sums.lane_op_bytes[plan.lane_index("hbm")].sum()
    assert inside > 0
    assert energy(plan, sums).joules["hbm_pim"] == pytest.approx(inside * 0.55e-12)


def test_every_energy_constant_has_a_source():
    for constant in CONSTANTS.values():
        assert constant.source
        assert constant.source_class
        assert constant.note or constant.source_class == "paper"


def test_totals_of_parts_add_up(run):
    whole, first, second = totals(run), totals(run, 0, 5), totals(run, 5)
    assert whole.duration_ps == first.duration_ps + second.duration_ps == run.end_ps
    assert np.array_equal(whole.lane_op_ps, first.lane_op_ps + second.lane_op_ps)
    assert (whole.lane_op_ps.sum(axis=1) == run.end_ps).all()


def test_difference_names_settings_and_figures(run):
    slow = fake_run(12, speed=0.5)
    found = difference(summarise(run), summarise(slow))
    assert [(s.path, s.a, s.b) for s in found.settings] == [("policy.speed", 1.0, 0.5)]
    assert found.speedup < 1
    titles = {figure.path: figure for figure in found.changed()}
    assert titles["tokens_per_s"].change == pytest.approx(found.speedup - 1)
    assert titles["lanes.dimm0.busy"].title == "DIMM 0: busy"
    assert titles["lanes.dimm0.busy_ms"].unit == "ms"
    assert "tokens" not in titles


def test_a_run_does_not_differ_from_itself(run):
    found = difference(summarise(run), summarise(run))
    assert not found.settings
    assert not found.changed()
    assert found.speedup == 1
