"""DIMM-PIM and HBM-PIM: what follows from their DRAM timing, by hand."""

import dataclasses

import pytest

from simcore.errors import ScenarioErrors
from simcore.hardware import dimm_pim, hbm_pim
from simcore.hardware.dimm_pim import MacMode
from simcore.hardware.dram.analytic import Scope
from simcore.hardware.dram.presets import dram_preset
from simcore.scenario.schema import DimmPim, HbmPim

PIM = DimmPim()


def test_default_fields_are_the_preset():
    assert dimm_pim.timing(PIM) == dram_preset(dimm_pim.DRAM).timing
    assert dimm_pim.ranks(PIM) * dimm_pim.timing(PIM).capacity_bytes == PIM.capacity_GiB * 2**30


def test_a_timing_of_the_scenario_changes_every_rate_that_depends_on_it():
    slow = dataclasses.replace(PIM, nCCD_L=16)
    assert dimm_pim.all_bank_units_GBps(slow) == pytest.approx(13003.17 / 2, abs=0.01)
    assert dimm_pim.host_GBps(slow) == dimm_pim.host_GBps(PIM)
    # 64 B / (4 x 1.26 ns) = 12.70 GB/s.
    assert dimm_pim.channel_GBps(dataclasses.replace(PIM, tCK_ns=1.26)) == pytest.approx(
        12.698, abs=1e-3
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nBL": 8}, "hardware.dimm_pim.nCCD_S"),
        ({"nCCD_S": 16}, "hardware.dimm_pim.nCCD_L"),
        ({"tCK_ns": 0.01}, "hardware.dimm_pim.tCK_ns"),
        ({"nBL": 2, "nCCD_S": 2, "nCCD_L": 2, "tCK_ns": 30.0}, "hardware.dimm_pim.tCK_ns"),
    ],
)
def test_timings_that_contradict_each_other_are_named_by_their_path(change, path):
    with pytest.raises(ScenarioErrors) as caught:
        dimm_pim.channel_GBps(dataclasses.replace(PIM, **change))
    assert path in [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize("mode", list(MacMode))
def test_column_accesses_by_hand(mode):
    # 512 tokens, a head over 8 chips: 16 elements a chip and token, 4 an access; 32 tokens a bank.
    assert dimm_pim.accesses(PIM, 512, 128, 8, mode) == 128
    # Fewer tokens than banks still need a whole token, or 16 elements of one group.
    assert dimm_pim.accesses(PIM, 1, 128, 8, mode) == (4 if mode is MacMode.ADDER_TREE else 16)


def test_accesses_take_as_long_as_the_rate_says():
    """Reading K of one head in a rank: accesses x nCCD_L = bytes / (banks x chips x unit rate)."""
    count = dimm_pim.accesses(PIM, 4096, 128, 8, MacMode.ADDER_TREE)
    by_accesses_ns = float(count) * 8 * 0.63
    by_rate_ns = 4096 * 128 * 2 / dimm_pim.rank_units_GBps(PIM)
    assert by_accesses_ns == pytest.approx(by_rate_ns)


def test_only_the_rankset_on_the_bus_stops():
    assert dimm_pim.computing_share(4) == pytest.approx(0.75)
    assert dimm_pim.computing_share(3) == pytest.approx(2 / 3)
    assert dimm_pim.computing_share(4, [0, 4, 9]).tolist() == [1.0, 0.0, 0.0]


def test_sustained_is_below_peak_by_refresh_and_rows():
    bank = dimm_pim.sustained(PIM, Scope.BANK)
    assert bank.peak_GBps * PIM.channels == pytest.approx(dimm_pim.all_bank_units_GBps(PIM))
    # 1024 of 1072 cycles of a row, less refresh (12 + 22 + 560 + 22) / 12480.
    assert bank.fraction_of_peak == pytest.approx(1024 / 1072 * (1 - 616 / 12480))
    assert dimm_pim.sustained(PIM, Scope.BANK, 64).fraction_of_peak < 0.1
    rank = dimm_pim.sustained(PIM, Scope.RANK)
    assert rank.peak_GBps * PIM.channels == pytest.approx(dimm_pim.all_rank_units_GBps(PIM))


def test_banks_in_step_wait_for_the_activates_of_all():
    # 16 banks open four every nFAW 34: 102 cycles more, 1174 instead of 1072.
    in_step = dimm_pim.timing_efficiency(PIM)
    assert in_step == pytest.approx(1024 / 1174 * (1 - 616 / 12480))
    assert abs(in_step - PIM.efficiency) < 0.03
    wide = dataclasses.replace(PIM, bank_groups=1)
    assert dimm_pim.timing_efficiency(wide) > in_step


def test_hbm_pim_of_l3():
    # 8 GPUs x 5 stacks x 407.5 GB/s, 16 times inside: 260.8 TB/s; 20 stacks: 130.4.
    pim = HbmPim()
    dram = dram_preset(hbm_pim.DRAM).timing
    assert hbm_pim.timing_gain(dram) == pytest.approx(pim.internal_scale)
    assert hbm_pim.internal_GBps(pim, 8 * pim.stacks_per_gpu) == pytest.approx(260_800)
    assert hbm_pim.internal_GBps(pim, pim.extra_stacks) == pytest.approx(130_400)
    assert (
        hbm_pim.sustained(dram, in_step=True).fraction_of_peak
        < hbm_pim.sustained(dram).fraction_of_peak
        < 1
    )


def test_derivations_are_the_figures_of_table_1():
    found = {d.what: d.value for d in dimm_pim.derivations(PIM)}
    assert found["one channel, one rank"] == pytest.approx(25.40, abs=0.005)
    assert found["host, all channels"] == pytest.approx(406.3, abs=0.1)
    assert found["rank units together"] == pytest.approx(1625, abs=1)
    assert found["bank units together"] == pytest.approx(13_003, abs=1)
    assert found["one bank unit of a chip"] == pytest.approx(1.587, abs=0.001)
    assert found["computing that goes on while one rankset is on the bus"] == 75
