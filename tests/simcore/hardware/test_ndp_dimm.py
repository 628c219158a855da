"""What the DRAM timing of an NDP-DIMM sustains, beside what Hermes says and what is calibrated."""

import dataclasses

import pytest

from simcore.errors import ScenarioErrors
from simcore.hardware import ndp_dimm
from simcore.hardware.dram.layout import Layout
from simcore.hardware.dram.presets import dram_preset
from simcore.registry import SYSTEMS
from simcore.results.run import Run
from simcore.scenario.schema import NdpDimms
from tests.builders import hermes

DIMM = NdpDimms()


def test_default_fields_are_the_preset():
    assert ndp_dimm.timing(DIMM) == dram_preset(ndp_dimm.DRAM).timing
    assert ndp_dimm.timing(DIMM).peak_GBps == ndp_dimm.rank_peak_GBps(DIMM)


def test_a_rank_unit_sustains_four_ranks_less_refresh():
    stream = ndp_dimm.sustained(DIMM)
    assert stream.peak_GBps == ndp_dimm.peak_GBps(DIMM) == 102.4
    # (12 + 24 + 576 + 24) / 12480 of the time is refresh.
    assert stream.fraction_of_peak == pytest.approx(1 - 636 / 12480, abs=0.005)


def test_rows_in_order_are_near_the_calibrated_share():
    """Whole neurons of LLaMA2-70B (16 KiB a matrix) in one row after the other: 0.52 to 0.62."""
    neurons = ndp_dimm.sustained(DIMM, 16384, Layout.LINEAR)
    assert "nCCD_L" in neurons.limited_by
    assert neurons.fraction_of_peak == pytest.approx(DIMM.read_efficiency, abs=0.05)
    assert ndp_dimm.sustained(DIMM, 0, Layout.LINEAR).bandwidth_GBps < 0.7 * 102.4


def test_timing_changes_what_is_derived():
    fast = dataclasses.replace(DIMM, nCCD_L=4)
    slow = ndp_dimm.sustained(DIMM, 0, Layout.LINEAR).bandwidth_GBps
    assert ndp_dimm.sustained(fast, 0, Layout.LINEAR).bandwidth_GBps > 1.3 * slow
    with pytest.raises(ScenarioErrors, match=r"hardware\.ndp_dimms\.nCCD_L"):
        ndp_dimm.timing(dataclasses.replace(DIMM, nCCD_L=2))


@pytest.mark.parametrize("reading", ["calibrated", "ccd_l", "ranks", "bank_groups"])
def test_one_reading_is_marked_as_used_and_is_the_one(reading):
    dimm = dataclasses.replace(DIMM, internal_bandwidth=reading)
    used = [d for d in ndp_dimm.derivations(dimm) if d.used and d.unit == "GB/s"]
    assert [d.value for d in used] == [pytest.approx(ndp_dimm.internal_GBps(dimm))]


def test_derivations_show_stated_timed_and_calibrated_values():
    values = {d.what: d.value for d in ndp_dimm.derivations(DIMM)}
    assert values["every bank group at the rank's peak"] * 8 == pytest.approx(1638.4)
    assert values["all ranks, peak"] * 8 == pytest.approx(819.2)
    assert values["streams, bank groups in turn"] == pytest.approx(97.2, abs=0.1)
    assert values["sustained, calibrated"] * 8 == pytest.approx(427, abs=1)


def test_the_host_takes_one_rank_of_four():
    assert ndp_dimm.reading_share(DIMM, 0) == 1
    assert ndp_dimm.reading_share(DIMM, 12.8) == pytest.approx(0.875)
    assert ndp_dimm.reading_share(DIMM, 25.6) == pytest.approx(0.75)
    assert ndp_dimm.reading_share(DIMM, 1000) == pytest.approx(0.75)


def test_partial_sums_in_the_buffer():
    # 8192 sums of 4 B fit 256 KiB eight times.
    assert ndp_dimm.buffer_passes(8192, 1) == 1
    assert ndp_dimm.buffer_passes(8192, 8) == 1
    assert ndp_dimm.buffer_passes(8192, 9) == 2


def test_bulk_copies_by_the_host_never_meet_a_computing_core():
    """Why no rank is blocked in the simulation: copies run while the cores are idle."""
    system = SYSTEMS.get("hermes")
    plan = system.prepare(hermes())
    run = Run(plan, system)
    state = system.start(plan, run)
    for _ in range(4):
        run.append(system.advance(plan, state, run))
    spans = run.spans(3)
    bulk = {plan.op_index(name) for name in ("swap_in", "stream", "load_hot")}
    copies = [i for i in range(len(spans)) if int(spans.op[i]) in bulk and spans.amount_bytes[i]]
    cores = [
        i
        for i in range(len(spans))
        if plan.lanes[spans.lane[i]].group == "DIMM" and not plan.ops[spans.op[i]].is_wait
    ]
    assert copies
    for i in copies:
        assert not any(
            spans.start_ps[i] < spans.end_ps[j] and spans.start_ps[j] < spans.end_ps[i]
            for j in cores
        )
