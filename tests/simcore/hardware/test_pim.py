"""DIMM-PIM and HBM-PIM: bandwidths, the head mapping, rankset overlap; by hand."""

import dataclasses

import numpy as np
import pytest

from simcore.errors import ScenarioErrors
from simcore.hardware.dram.analytic import Scope
from simcore.hardware.dram.presets import dram_preset
from simcore.hardware.hbm_pim import HbmPim
from simcore.hardware.hbm_pim import sustained as hbm_sustained
from simcore.hardware.pim_timing import (
    BankPace,
    MacMode,
    accesses,
    communication_s,
    computation_s,
    computing_share,
    exposed_s,
    l3_dimm_pim,
    sustained,
    widest_head,
)

MHA = l3_dimm_pim()
GQA8 = l3_dimm_pim(macs_per_element=8)


def test_the_three_bandwidths_and_the_size():
    assert MHA.ranks == 64
    assert MHA.ranksets == 4
    assert MHA.host_GBps == pytest.approx(406.3, abs=0.1)
    assert MHA.rank_level_GBps == pytest.approx(1625, abs=1)
    assert MHA.bank_level_GBps == pytest.approx(13_003, abs=1)
    assert MHA.bank_unit_GBps == pytest.approx(1.587, abs=0.001)
    assert MHA.capacity_bytes == 2 * 2**40
    # "more than 30 times" the host, eight times the ranks.
    assert MHA.bank_level_GBps / MHA.host_GBps == pytest.approx(32)
    assert MHA.bank_level_GBps / MHA.rank_level_GBps == pytest.approx(8)


def test_equation_1():
    # 128 x 25.4 / (1.587 x 16 x 8) = 16, and a query group of eight shares it: 2.
    assert widest_head(MHA, 128, 1) == pytest.approx(16)
    assert widest_head(GQA8, 128, 8) == pytest.approx(2)
    # With nCCD_S, the 8 and 1 the paper prints.
    assert widest_head(dataclasses.replace(MHA, pace=BankPace.CCD_S), 128, 1) == pytest.approx(8)
    assert widest_head(dataclasses.replace(GQA8, pace=BankPace.CCD_S), 128, 8) == pytest.approx(1)


def test_communication_over_computation_at_eight_chips_a_head():
    tokens = np.array([1000, 8192])
    mha = communication_s(MHA, tokens, 1) / computation_s(MHA, tokens, 128, 1, 8)
    gqa = communication_s(GQA8, tokens, 8) / computation_s(GQA8, tokens, 128, 8, 8)
    assert mha == pytest.approx(0.5)
    assert gqa == pytest.approx(4.0)


def test_computation_by_hand():
    # 1000 tokens x 128 x 2 B / (1.587 GB/s x 16 banks x 8 chips) = 1260 ns.
    assert computation_s(MHA, 1000, 128, 1, 8) == pytest.approx(1260e-9, rel=1e-3)
    # Eight queries with one product an element take eight rounds.
    assert computation_s(MHA, 1000, 128, 8, 8) == pytest.approx(8 * 1260e-9, rel=1e-3)


@pytest.mark.parametrize("mode", list(MacMode))
def test_column_accesses_by_hand(mode):
    # 512 tokens, a head over 8 chips: 16 elements a chip and token, 4 an access; 32 tokens a bank.
    assert accesses(MHA, 512, 128, 8, mode) == 128
    # Fewer tokens than banks still need a whole token, or 16 elements of one group.
    assert accesses(MHA, 1, 128, 8, mode) == (4 if mode is MacMode.ADDER_TREE else 16)


def test_only_the_rankset_on_the_bus_stops():
    assert computing_share(MHA) == pytest.approx(0.75)
    three = dataclasses.replace(MHA, dimms_per_channel=3, ranks_per_dimm=1)
    assert computing_share(three) == pytest.approx(2 / 3)
    assert computing_share(MHA, [0, 4, 9]).tolist() == [1.0, 0.0, 0.0]
    assert exposed_s(MHA, 1.0) == pytest.approx(0.25)
    assert exposed_s(MHA, 1.0, overlap=False) == pytest.approx(1.0)


def test_sustained_is_below_peak_by_refresh_and_rows():
    bank = sustained(MHA, Scope.BANK)
    assert bank.peak_GBps * 16 == pytest.approx(MHA.bank_level_GBps)
    # 1024 of 1072 cycles of a row, less refresh (12 + 22 + 560 + 22) / 12480.
    assert bank.fraction_of_peak == pytest.approx(1024 / 1072 * (1 - 616 / 12480))
    assert sustained(MHA, Scope.BANK, 64).fraction_of_peak < 0.1
    assert sustained(MHA, Scope.RANK).peak_GBps * 16 == pytest.approx(MHA.rank_level_GBps)


def test_nothing_less_than_one():
    with pytest.raises(ScenarioErrors, match="channels"):
        dataclasses.replace(MHA, channels=0)
    with pytest.raises(ScenarioErrors, match="stacks"):
        HbmPim(timing=MHA.timing, stacks=0, stack_GBps=1)


def test_hbm_pim_of_l3():
    # 8 GPUs x 2.039 TB/s over 5 stacks each, 16 times inside: 260.8 TB/s; 20 stacks: 130.4.
    timing = dram_preset("hbm3-6400-16gb-8hi").timing
    pim = HbmPim(timing=timing, stacks=40, stack_GBps=2039 / 5)
    assert pim.gain == pytest.approx(16)
    assert pim.bank_level_GBps / 1e3 == pytest.approx(260.8, abs=0.3)
    assert dataclasses.replace(pim, stacks=20).bank_level_GBps / 1e3 == pytest.approx(
        130.4, abs=0.2
    )
    assert 0.3 < hbm_sustained(pim).fraction_of_peak < 1
