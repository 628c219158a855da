"""The machine of every system as devices and links, with figures; kernels on their rooflines."""

from dataclasses import fields, replace

import numpy as np
import pytest

from simcore import load_scenario
from simcore.hardware.device_facts import derivations, dram_of, link_derivations
from simcore.hardware.devices import DeviceKind, machine
from simcore.hardware.dram.analytic import fractions
from simcore.hardware.kernel_points import kernel_points, roof_GFLOPS, run_points
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.results.spans import LaneKind
from tests.builders import hermes

ALL = tuple(sorted(SYSTEMS))


def only_what_it_needs(system):
    """A small scenario with the components of its system and no others, as the loader makes it."""
    scenario = hermes(system=system)
    needed = SYSTEMS.get(system).components
    absent = {f.name: None for f in fields(scenario.hardware) if f.name not in needed}
    variant = SYSTEMS.get(system).variant
    return replace(
        scenario,
        hardware=replace(scenario.hardware, **absent),
        policy=replace(scenario.policy, **(variant.policy if variant else {})),
    )


def short_run(system, steps=3):
    made = SYSTEMS.get(system)
    plan = made.prepare(only_what_it_needs(system))
    run = Run(plan, made)
    state = made.start(plan, run)
    while len(run) < steps:
        columns = made.advance_many(plan, state, run, 1)
        if columns is None:
            break
        run.extend(columns)
    return run


@pytest.mark.parametrize("system", ALL)
def test_every_lane_and_memory_has_one_place(system):
    plan = SYSTEMS.get(system).prepare(only_what_it_needs(system))
    made = machine(plan)
    units = [lane for d in made.devices for lane in d.lanes]
    assert sorted(units) == [i for i, x in enumerate(plan.lanes) if x.kind is not LaneKind.LINK]
    wires = {lane for one in made.links for lane in one.lanes}
    for index, lane in enumerate(plan.lanes):
        if lane.kind is LaneKind.LINK and lane.peak_GBps:
            assert index in wires, lane.id
    memories = [d.memory for d in made.devices if d.memory >= 0]
    assert sorted(memories) == list(range(len(plan.memory)))
    ids = [d.id for d in made.devices]
    assert len(set(ids)) == len(ids)
    for one in made.links:
        assert one.ends
        assert set(one.ends) <= set(ids), one
        assert one.peak_GBps > 0
    for d in made.devices:
        assert not d.inside or d.inside in ids
        assert not d.component or getattr(plan.scenario.hardware, d.component) is not None


@pytest.mark.parametrize("system", ALL)
def test_every_figure_has_arithmetic_and_a_source(system):
    scenario = only_what_it_needs(system)
    made = machine(SYSTEMS.get(system).prepare(scenario))
    found = [d for device in made.devices for d in derivations(scenario, device)]
    found += [d for one in made.links for d in link_derivations(scenario, one)]
    assert found
    for one in found:
        assert one.what
        assert one.source, one
        assert np.isfinite(one.value)
        assert one.value >= 0, one
    for device in made.devices:
        dram = dram_of(scenario, device)
        if dram is not None:
            shares = fractions(dram.timing, dram.access, [64, 4096])
            assert (shares > 0).all()
            assert (shares <= 1).all()
            assert dram.note


@pytest.mark.parametrize("system", ALL)
def test_no_kernel_is_above_its_roof(system):
    run = short_run(system)
    points = 0
    for device in machine(run.plan).devices:
        for point in run_points(run, device):
            points += 1
            if device.peak_GBps and device.kind is not DeviceKind.OTHER:
                assert point.GBps < device.peak_GBps * 1.001, (device.id, point)
            over = point.GFLOPS / roof_GFLOPS(device, point.intensity)
            if device.peak_GFLOPS and point.flops > 1e4:
                assert over < 1.01, (device.id, point)
    assert points


def test_points_by_hand():
    run = short_run("hermes")
    device = machine(run.plan).device("gpu")
    shape = (len(run.plan.lanes), len(run.plan.ops))
    times, amounts, flops = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    op = run.plan.op_index("projection")
    times[0, op], amounts[0, op], flops[0, op] = 2_000_000, 1_000_000, 4_000_000
    (point,) = kernel_points(run.plan, device, times, amounts, flops)
    # 1 MB in 2 us: 500 GB/s; 4 MFLOP in 2 us: 2 TFLOPS.
    assert (point.intensity, point.GBps, point.GFLOPS) == (4.0, 500.0, 2000.0)
    assert roof_GFLOPS(device, [1.0, 1e6]).tolist() == [936.0, 330_000.0]


def test_the_machines_of_the_shipped_scenarios():
    wanted = {
        "hermes-llama2-70b": ({"gpu", "gpu.memory", "dimm7", "host"}, {"pcie", "dimm_link"}),
        "l3-gpt-175b": ({"gpu", "gpu.memory", "rankset3", "kv", "host"}, {"pcie", "channels"}),
        "h2m2-gpt3-175b": ({"c0", "c1", "hbm", "lpddr", "host"}, {"link", "hbm_bus", "lpddr_bus"}),
    }
    for name, (devices, links) in wanted.items():
        scenario = load_scenario(f"scenarios/{name}.yaml")
        made = machine(SYSTEMS.get(scenario.system).prepare(scenario, items=False))
        assert devices <= {d.id for d in made.devices}
        assert links <= {one.id for one in made.links}


def test_rank_units_and_bank_units_differ():
    made = {s: machine(SYSTEMS.get(s).prepare(only_what_it_needs(s))) for s in ("l3", "r-pim")}
    bank, rank = (made[s].device("rankset0") for s in ("l3", "r-pim"))
    assert bank.peak_GBps == pytest.approx(8 * rank.peak_GBps)
    assert bank.peak_GFLOPS > 0
    assert rank.peak_GFLOPS == 0
    assert "bank units" in bank.parts
    assert "beside each" in rank.parts
