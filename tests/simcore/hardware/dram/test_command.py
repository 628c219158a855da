"""The command-level model: its traces keep every constraint, and it re-creates measured rows."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simcore.hardware.dram.analytic import Access, Pattern
from simcore.hardware.dram.command import Kind, Trace, serve
from simcore.hardware.dram.layout import Bursts, Layout
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.dram.reference import by_group, reference_rows, served
from simcore.hardware.dram.timing import DramTiming
from simcore.hardware.dram.verify import violations
from tests.simcore.hardware.dram.sets import by_commands, timings

DDR4 = dram_preset("ddr4-3200-8gb-x8").timing


def bursts(*places: tuple[int, int]) -> Bursts:
    """Reads of (bank, row)."""
    data = np.array(places, dtype=np.int64)
    return Bursts(data[:, 0], data[:, 1], np.zeros(len(data), bool))


def test_two_reads_of_a_row_by_hand():
    # ACT at 0, first read nRCD = 22 later, the second nCCD_L = 8 after it in the same group.
    found = serve(DDR4, bursts((0, 5), (0, 5)), refresh=False, keep_trace=True)
    assert found.trace.cycle.tolist() == [0, 22, 30]
    assert found.trace.kind.tolist() == [Kind.ACT, Kind.READ, Kind.READ]
    assert found.cycles == 30 + 4


def test_a_conflict_by_hand():
    # The bank opens for row 1, is read at 22, may close at nRAS = 52 (nRTP is over), opens again
    # nRP = 22 later (nRC = 74 at the same time) and is read nRCD = 22 after that.
    found = serve(DDR4, bursts((0, 1), (0, 2)), refresh=False, keep_trace=True)
    assert found.trace.cycle.tolist() == [0, 22, 52, 74, 96]


def test_four_activates_then_the_window_by_hand():
    # ACT every nRRD_S = 4 between groups. The fifth may follow nFAW = 34 after the first, but the
    # read of the fourth bank is ready at 12 + nRCD = 34 as well and comes first.
    found = serve(
        DDR4, bursts((0, 1), (4, 1), (8, 1), (12, 1), (1, 1)), refresh=False, keep_trace=True
    )
    acts = found.trace.cycle[found.trace.kind == Kind.ACT]
    assert acts.tolist() == [0, 4, 8, 12, 35]


def test_refresh_stops_everything_for_nrfc():
    access = Access(Pattern.STREAM, Layout.BANK_GROUP)
    found = by_commands(DDR4, access, 8000, keep_trace=True)
    at = found.trace.cycle[found.trace.kind == Kind.REFRESH]
    assert len(at) == 2
    for refresh in at:
        during = (found.trace.cycle > refresh) & (found.trace.cycle < refresh + DDR4.nRFC)
        assert not during.any()


SLOW_PRECHARGE = DramTiming(
    tCK_ps=1250, burst_bytes=32, nBL=2, nCL=17, nCWL=9, nRCD=8, nRP=30, nRAS=34, nRC=64, nFAW=16,
    nRRD_S=4, nRRD_L=4, nCCD_S=2, nCCD_L=4, nCCD_R=0, nRTP=8, nWR=28, nWTR_S=2, nWTR_L=5, nRFC=224,
    nREFI=3125, nCS=2, nRPab=17, bank_groups=4, banks_per_group=4, stack_ids=1, rows=65536,
    row_bytes=2048, pseudo_channels=1, act_parts=2, act_slots=2, pre_slots=2, column_slots=2,
    split_buses=False,
)  # fmt: skip
"""One bank alone takes longer to precharge than all together."""


@settings(max_examples=40, deadline=None)
@example(SLOW_PRECHARGE, Layout.LINEAR, 64, 1, 1, 0.3)
@given(
    timings(),
    st.sampled_from(list(Layout)),
    st.sampled_from([64, 256, 1024, 4096]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 4, 32]),
    st.sampled_from([0.0, 0.3]),
)
def test_traces_keep_every_constraint(timing, layout, granule, ranks, queue, writes):
    access = Access(
        Pattern.GATHER,
        layout,
        granule_bytes=granule,
        ranks=ranks,
        queue=queue,
        write_share=writes,
    )
    found = by_commands(timing, access, 700, keep_trace=True)
    assert violations(timing, found.trace, ranks) == []
    served_ = (found.trace.kind == Kind.READ) | (found.trace.kind == Kind.WRITE)
    assert served_.sum() == found.bursts == 700
    assert 0 < found.fraction_of_peak <= 1


@pytest.mark.parametrize(
    "name",
    [
        *("nRCD", "nRP", "nRAS", "nRC", "nFAW", "nRRD_S", "nRRD_L", "nCCD_S", "nCCD_L", "nRTP"),
        *("nWR", "nWTR_L", "nRFC", "nCS"),
    ],
)
def test_the_verifier_sees_what_a_longer_time_would_forbid(name):
    """A trace made with one time is wrong for the same channel with that time longer."""
    write = 0.3 if name in ("nWR", "nWTR_L") else 0.0
    granule = 64 if name in ("nRC", "nFAW", "nRRD_S", "nRRD_L", "nRAS") else 512
    timing = DDR4
    if name == "nRRD_L":
        timing = dataclasses.replace(DDR4, nFAW=8)
    if name in ("nRAS", "nRC"):
        timing = dataclasses.replace(DDR4, nFAW=8, nRRD_L=4)
    access = Access(
        Pattern.GATHER, Layout.LINEAR, granule_bytes=granule, ranks=2, write_share=write
    )
    layout = Layout.LINEAR if name != "nCCD_S" else Layout.BANK_GROUP
    access = dataclasses.replace(access, layout=layout)
    trace = by_commands(timing, access, 6000, keep_trace=True).trace
    assert violations(timing, trace, 2) == []
    changes = {name: getattr(timing, name) + 1}
    if name == "nRRD_S":
        changes["nFAW"] = timing.nFAW
    assert any(
        name in text or "bursts" in text or "ACT" in text
        for text in violations(timing.with_values(changes), trace, 2)
    )


def test_the_verifier_sees_a_closed_row_and_a_taken_bus():
    wrong = Trace(
        np.array([0, 0, 30]),
        np.array([Kind.ACT, Kind.ACT, Kind.READ], dtype=np.int8),
        np.array([0, 4, 1]),
        np.array([1, 1, 1]),
    )
    found = " ".join(violations(DDR4, wrong))
    assert "is not open" in found
    assert "bus is taken" in found
    assert "nRRD_S" in found


def test_measured_rows_of_the_same_controller_are_recreated():
    rows = [r for r in reference_rows() if r.same_controller and r.access.streams == 1]
    found = [served(row, 15_000) for row in rows[3::17]]
    errors = np.array([abs(one.error) for one in found])
    assert len(errors) > 20
    assert np.median(errors) < 0.01
    assert np.quantile(errors, 0.95) < 0.03
    assert errors.max() < 0.04, by_group(found)


def test_equal_seeds_give_equal_traces():
    access = Access(Pattern.GATHER, Layout.LINEAR, granule_bytes=256, write_share=0.2)
    one = by_commands(DDR4, access, 1000, keep_trace=True)
    two = by_commands(DDR4, access, 1000, keep_trace=True)
    assert np.array_equal(one.trace.cycle, two.trace.cycle)
    assert one.cycles == two.cycles
