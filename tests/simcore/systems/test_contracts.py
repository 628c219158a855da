"""What every registered system promises (one run a system, shared by the tests)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.engine.simulator import Simulator, simulate
from simcore.registry import SYSTEMS
from simcore.results.run import COMMON_COLUMNS, Run
from simcore.scenario.schema import FixedWorkload, Gpu, NdpDimms, Pcie
from tests.builders import hermes

IDS = tuple(SYSTEMS)


def scenario(system_id: str, **changes):
    variant = SYSTEMS.get(system_id).variant
    return hermes(system=system_id, policy=dict(variant.policy) if variant else {}, **changes)


@cache
def run_of(system_id: str) -> Run:
    return simulate(scenario(system_id))


@pytest.fixture(params=IDS)
def run(request: pytest.FixtureRequest) -> Run:
    return run_of(request.param)


def test_every_step_is_there(run: Run) -> None:
    assert run.status.finished
    prefill = int(SYSTEMS.get(run.scenario.system).prefills)
    assert len(run) == run.plan.total_steps == 12 + prefill
    assert (run.column("kind") == 0).sum() == prefill
    assert set(COMMON_COLUMNS) <= set(run.column_names)
    assert run.column("tokens").sum() == 12


def test_spans_cover_every_lane_without_overlap_or_gap(run: Run) -> None:
    for index in range(len(run)):
        spans, duration = run.spans(index), run.step(index).duration_ps
        for lane in range(len(run.lanes)):
            mine = spans.lane == lane
            start, end = spans.start_ps[mine], spans.end_ps[mine]
            assert start[0] == 0
            assert end[-1] == duration
            assert np.array_equal(start[1:], end[:-1])
            assert (end > start).all()


def test_every_wait_has_a_reason_and_a_cause_that_ends_later(run: Run) -> None:
    spans = run.spans(1)
    waits = np.array([op.is_wait for op in run.ops])[spans.op]
    assert all(run.ops[op].reason is not None for op in set(spans.op[waits].tolist()))
    cause = spans.cause[waits]
    known = cause >= 0
    assert known.all()
    assert (spans.end_ps[cause[known]] >= spans.end_ps[waits][known]).all()
    assert (spans.cause[~waits] == -1).all()


def test_span_totals_equal_the_record(run: Run) -> None:
    for index in (0, 1, len(run) - 1):
        spans = run.spans(index)
        for column, values in (
            ("lane_op_ps", spans.duration_ps),
            ("lane_op_bytes", spans.amount_bytes),
            ("lane_op_flops", spans.flops),
        ):
            total = np.zeros((len(run.lanes), len(run.ops)), np.int64)
            np.add.at(total, (spans.lane, spans.op), values)
            assert np.array_equal(total, run.value(column, index))


def test_nothing_moves_faster_than_its_peak(run: Run) -> None:
    spans = run.spans(len(run) - 1)
    peak = np.array([lane.peak_GBps for lane in run.lanes])[spans.lane]
    bound = (spans.amount_bytes > 0) & (peak > 0)
    rate = spans.amount_bytes[bound] * 1e3 / spans.duration_ps[bound]
    assert (rate <= peak[bound] * (1 + 1e-9)).all()


def test_memory_stays_inside_its_capacity(run: Run) -> None:
    used = run.column("memory_bytes").sum(axis=2)
    capacity = np.array([device.capacity_bytes for device in run.plan.memory])
    assert (used <= capacity).all()
    assert (used >= 0).all()


def test_steps_back_and_forth_are_the_same(run: Run) -> None:
    there = [{k: np.copy(v) for k, v in run.step(i).record().items()} for i in range(len(run))]
    for index in reversed(range(len(run))):
        again = run.step(index).record()
        assert all(np.array_equal(there[index][name], again[name]) for name in again)


@pytest.mark.parametrize("system_id", IDS)
def test_the_same_scenario_gives_the_same_run(system_id: str) -> None:
    first, second = run_of(system_id), simulate(scenario(system_id))
    for name in first.column_names:
        assert np.array_equal(first.column(name), second.column(name)), name


@pytest.mark.parametrize("steps", [1, 5])
def test_blocks_of_any_length_give_the_same_records(run: Run, steps: int) -> None:
    simulator = Simulator(run.scenario)
    while simulator.advance(steps):
        pass
    for name in run.column_names:
        assert np.array_equal(simulator.run.column(name), run.column(name)), name


@pytest.mark.parametrize("system_id", IDS)
def test_the_seed_matters_where_the_system_says_so(system_id: str) -> None:
    other = simulate(scenario(system_id, seed=2))
    differs = run_of(system_id).end_ps != other.end_ps
    assert differs is SYSTEMS.get(system_id).stochastic


@pytest.mark.parametrize("system_id", IDS)
def test_single_items_do_not_change_the_figures(system_id: str) -> None:
    lean = simulate(scenario(system_id), items=False)
    assert lean.end_ps == run_of(system_id).end_ps
    assert np.array_equal(lean.column("lane_op_bytes"), run_of(system_id).column("lane_op_bytes"))


@pytest.mark.parametrize("system_id", IDS)
@pytest.mark.parametrize(
    "weaker",
    [
        {"gpu": Gpu(bandwidth_GBps=300)},
        {"pcie": Pcie(bandwidth_GBps=16)},
        {"dimms": NdpDimms(count=4, multipliers=64)},
        {"dimms": NdpDimms(count=4, data_rate_MTps=1600)},
        {"dimms": NdpDimms(count=2)},
    ],
    ids=["gpu", "pcie", "multipliers", "data rate", "dimms"],
)
def test_a_weaker_machine_is_never_faster(system_id: str, weaker: dict) -> None:
    assert simulate(scenario(system_id, **weaker), items=False).end_ps >= run_of(system_id).end_ps


def test_placement_is_a_partition_at_every_zoom(run: Run) -> None:
    exact = run.placement(3, 1)
    assert exact.items_per_cell == 1
    assert exact.category.shape == (exact.rows, exact.columns)
    inside = np.zeros(exact.columns, bool)
    for section in exact.sections:
        inside[section.start : section.stop] = True
    assert (exact.category[:, inside] < len(exact.categories)).all()
    assert (exact.category[:, ~inside] == 255).all()
    for width in (8, 16, 64, 256):
        coarse = run.placement(3, width)
        cells = -(-exact.columns // width)
        assert coarse.category.shape == (exact.rows, cells)
        flags = np.zeros((exact.rows, cells * width), np.uint8)
        flags[:, : exact.columns] = exact.flags
        merged = np.bitwise_or.reduce(flags.reshape(exact.rows, cells, width), axis=2)
        assert np.array_equal(coarse.flags, merged)
        if coarse.counts is not None:
            items = np.zeros(cells * width, np.int64)
            items[: exact.columns] = inside
            assert (coarse.counts.sum(axis=0) == items.reshape(cells, width).sum(axis=1)).all()


def test_every_op_and_wait_can_be_explained(run: Run) -> None:
    for index in (0, 2):
        spans = run.spans(index)
        seen = set()
        for span in range(len(spans)):
            key = (int(spans.lane[span]), int(spans.op[span]))
            if key not in seen:
                seen.add(key)
                text = run.explain(index, span).text()
                assert len(text.splitlines()) >= 3
                assert "nan" not in text


def test_hover_names_an_item(run: Run) -> None:
    info = run.item(4, 2, run.placement(4, 64).sections[-1].start)
    assert info.title
    assert info.facts


@pytest.mark.parametrize("system_id", IDS)
def test_batches_share_reads(system_id: str) -> None:
    """Twice the sequences read less than twice the weights."""
    base = FixedWorkload(prompt_tokens=16, output_tokens=12)
    two = simulate(scenario(system_id, workload=replace(base, batch=2)), items=False)
    one = run_of(system_id)
    assert two.column("tokens").sum() == 24
    assert one.end_ps < two.end_ps < 2 * one.end_ps
