"""PCIe from the wires up, and DIMM-links with hops and shared ways; by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.errors import ScenarioErrors, UnknownNameError
from simcore.hardware import dimm_link, links
from simcore.hardware.dimm_link import Topology, hops, move, route
from simcore.scenario.presets import presets
from simcore.scenario.schema import DimmLink


@pytest.mark.parametrize(
    ("generation", "raw", "coded", "payload"),
    [(3, 16.0, 15.754, 14.404), (4, 32.0, 31.508, 28.807), (5, 64.0, 63.015, 57.614)],
)
def test_pcie_from_the_wires_up(generation, raw, coded, payload):
    assert links.pcie_raw_GBps(generation, 16) == pytest.approx(raw)
    assert links.pcie_coded_GBps(generation, 16) == pytest.approx(coded, abs=1e-3)
    assert links.pcie_payload_GBps(generation, 16) == pytest.approx(payload, abs=1e-3)


def test_presets_of_one_direction_stay_below_what_packets_carry():
    for generation in (3, 4, 5):
        preset = presets("pcie")[f"pcie{generation}-x16"]
        rate = preset.values["bandwidth_GBps"]
        assert preset.info["raw_GBps_per_direction"] == pytest.approx(
            links.pcie_coded_GBps(generation, 16), abs=1e-3
        )
        assert 0.75 < rate / links.pcie_coded_GBps(generation, 16) < 0.85
        assert rate < links.pcie_payload_GBps(generation, 16)


def test_the_64_of_hermes_are_both_directions():
    rate = presets("pcie")["hermes-pcie4"].values["bandwidth_GBps"]
    assert rate == 2 * links.pcie_raw_GBps(4, 16)
    shown = links.pcie_derivations(rate, 1.0, 4)
    assert shown[3].value == pytest.approx(2.0)
    assert "both directions" in shown[3].source


def test_no_such_generation():
    with pytest.raises(UnknownNameError, match="PCIe generation"):
        links.pcie_raw_GBps(9, 16)


def test_short_transfers_pay_the_latency():
    # 25 kB in one microsecond of latency and one of moving.
    assert links.half_size(25, 1).value == pytest.approx(25)
    assert links.reached_GBps([25_000, 10**9], 25, 1).tolist() == pytest.approx(
        [12.5, 25.0], rel=1e-3
    )
    assert links.reached_GBps(100, 25, 0) == pytest.approx(25)


def test_ways_by_hand():
    assert route(Topology.CHAIN, 6, 4, 1) == (4, 3, 2, 1)
    assert route(Topology.RING, 6, 5, 1) == (5, 0, 1)
    assert route(Topology.RING, 5, 0, 3) == (0, 4, 3)
    assert route(Topology.PAIRS, 6, 4, 1) == (4, 1)
    assert route(Topology.RING, 4, 2, 2) == (2,)
    assert hops(Topology.CHAIN, 8).max() == 7
    assert hops(Topology.RING, 8).max() == 4
    assert hops(Topology.PAIRS, 8).max() == 1


def test_transfers_share_the_links_of_a_chain():
    # 0 to 2 and 1 to 2, 25 kB each: the link 1-2 carries both; 50 kB at 25 GB/s and two hops.
    traffic = np.zeros((4, 4), np.int64)
    traffic[0, 2] = traffic[1, 2] = 25_000
    found = move(DimmLink(), Topology.CHAIN, traffic)
    assert found.load_bytes[1, 2] == 50_000
    assert found.busiest == (1, 2)
    assert found.time_ps == 2_000_000 + 2 * 500_000
    apart = move(DimmLink(), Topology.PAIRS, traffic)
    assert apart.time_ps == 1_000_000 + 500_000


def test_directions_do_not_share():
    traffic = np.zeros((2, 2), np.int64)
    traffic[0, 1] = traffic[1, 0] = 25_000
    assert move(DimmLink(), Topology.CHAIN, traffic).time_ps == 1_500_000


@pytest.mark.parametrize("topology", list(Topology))
def test_nothing_moved_takes_no_time(topology):
    found = move(DimmLink(), topology, np.diag([5, 5, 5]))
    assert (found.time_ps, found.busiest) == (0, (-1, -1))
    with pytest.raises(ScenarioErrors, match="square"):
        move(DimmLink(), topology, np.zeros((2, 3)))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(0, 2**32 - 1), st.sampled_from(list(Topology)))
def test_load_is_traffic_times_hops(count, seed, topology):
    traffic = np.random.default_rng(seed).integers(0, 10**6, (count, count))
    np.fill_diagonal(traffic, 0)
    found = move(DimmLink(), topology, traffic)
    assert found.load_bytes.sum() == (traffic * found.hops).sum()
    # Only neighbours are linked, and no way has fewer links than a link for every pair.
    assert (found.load_bytes[found.hops > 1] == 0).all()
    assert found.time_ps >= move(DimmLink(), Topology.PAIRS, traffic).time_ps


def test_exchange_of_eight_by_hand():
    found = {d.what.split(", ")[1]: d for d in dimm_link.derivations(DimmLink(), 8)[1:]}
    # 65.5 kB at 25 GB/s is 2.62 us.
    assert found["a link for every pair"].value == pytest.approx(2.6214 + 0.5, abs=1e-3)
    # The middle link of a chain carries 4 x 4 of them, and the ends are 7 hops apart.
    assert found["a chain"].value == pytest.approx(16 * 2.62144 + 7 * 0.5, abs=1e-3)
    assert found["a chain"].formula.startswith("16 x 65.5 kB")
    assert found["a link for every pair"].value < found["a ring"].value < found["a chain"].value


def test_what_the_module_says_is_what_systems_do():
    """Every pair of DIMMs has a lane of its own in Hermes."""
    from simcore.registry import SYSTEMS
    from tests.builders import hermes

    plan = SYSTEMS.get("hermes").prepare(hermes())
    lanes = [lane for lane in plan.lanes if lane.group == "DIMM-link"]
    assert len(lanes) == plan.scenario.hardware.ndp_dimms.count // 2
    assert dimm_link.hops(Topology.PAIRS, 4).max() == 1
