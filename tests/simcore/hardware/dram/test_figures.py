"""Figures of papers out of timing, layouts, energy."""

import numpy as np
import pytest

from simcore.hardware.dram.analytic import Access, Pattern, Scope, estimate
from simcore.hardware.dram.energy import energy_per_bit
from simcore.hardware.dram.figures import derived
from simcore.hardware.dram.layout import Layout, gather, place, stream
from simcore.hardware.dram.presets import dram_preset, dram_presets

DDR4 = dram_preset("ddr4-3200-8gb-x8")
HBM2 = dram_preset("hbm2-2000-8gb")


def test_derived_figures_rise_from_channel_to_bank():
    for preset in dram_presets().values():
        found = derived(preset)
        peaks = [found[scope.value]["peak_GBps"] for scope in Scope]
        assert peaks == sorted(peaks)
        for scope in Scope:
            figures = found[scope.value]
            assert all(0 < value <= figures["peak_GBps"] for value in figures.values())


def test_layouts_by_hand():
    # One rank of 4 x 4 banks, rows of 128 bursts.
    burst = np.array([0, 1, 127, 128, 512, 2048])
    bank, row = place(DDR4.timing, Layout.LINEAR, 1, burst)
    assert bank.tolist() == [0, 0, 0, 4, 1, 0]  # next row of bursts: next bank group
    assert row.tolist() == [0, 0, 0, 0, 0, 1]
    bank, _ = place(DDR4.timing, Layout.BANK_GROUP, 1, burst)
    assert bank.tolist() == [0, 4, 12, 0, 1, 0]
    bank, _ = place(DDR4.timing, Layout.MOP4, 1, np.array([0, 3, 4, 16, 64]))
    assert bank.tolist() == [0, 0, 4, 1, 0]
    bank, _ = place(DDR4.timing, Layout.RANK, 2, np.array([0, 1, 2]))
    assert bank.tolist() == [0, 16, 4]
    bank, row = place(DDR4.timing, Layout.ONE_BANK, 2, np.array([0, 127, 128]))
    assert (bank.tolist(), row.tolist()) == ([0, 0, 0], [0, 0, 1])
    # HBM: the pseudo-channel changes with every burst.
    bank, _ = place(HBM2.timing, Layout.LINEAR, 1, np.array([0, 1, 2]))
    assert bank.tolist() == [0, 16, 0]


def test_granules_are_whole_and_random():
    found = gather(DDR4.timing, Layout.LINEAR, 1, 4000, 1000, seed=3)  # 16 bursts
    bank, row = found.bank.reshape(-1, 16), found.row.reshape(-1, 16)
    assert (bank == bank[:, :1]).all()
    assert (row == row[:, :1]).all()
    assert len(np.unique(bank[:, 0])) == 16
    again = stream(DDR4.timing, Layout.BANK_GROUP, 2, 100, 4, seed=3)
    assert len(again.bank) == 100


def test_energy_by_hand():
    # 4.2 nJ an activate over 64 B = 8.2 pJ/bit; 5.44 array, 4.0 interface;
    # standby 0.5 W over the bandwidth.
    access = Access(Pattern.GATHER, Layout.LINEAR)
    one = estimate(DDR4.timing, access)
    found = energy_per_bit(DDR4, access, one)
    assert found.activate == pytest.approx(4200 / 512)
    assert found.background == pytest.approx(0.5 / (one.bandwidth_GBps * 8) * 1e3)
    assert found.total == pytest.approx(4200 / 512 + 5.44 + 4.0 + found.background)
    assert found.missing == ("refresh",)


def test_energy_falls_with_the_granule():
    totals = []
    for granule in (64, 128, 512, 4096):
        access = Access(Pattern.GATHER, Layout.LINEAR, granule_bytes=granule)
        found = energy_per_bit(DDR4, access, estimate(DDR4.timing, access))
        totals.append(found.activate)
    assert totals == sorted(totals, reverse=True)


def test_no_figure_is_invented():
    preset = dram_preset("ddr5-4800-16gb-x8")
    access = Access()
    found = energy_per_bit(preset, access, estimate(preset.timing, access))
    assert found.total is None
    assert set(found.missing) == {"activate", "array", "io", "background", "refresh"}
    banks = Access(scope=Scope.BANK)
    assert energy_per_bit(DDR4, banks, estimate(DDR4.timing, banks)).total is None
    assert energy_per_bit(HBM2, banks, estimate(HBM2.timing, banks)).total == pytest.approx(0.55)


def test_hbm2_energy_is_the_published_sum():
    access = Access(queue=64)
    found = energy_per_bit(HBM2, access, estimate(HBM2.timing, access))
    assert found.total == pytest.approx(3.97)
