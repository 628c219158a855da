"""Timing sets: presets, validation, changes."""

import dataclasses

import pytest

from simcore.errors import ScenarioErrors, UnknownNameError
from simcore.hardware.dram.presets import dram_preset, dram_presets
from simcore.hardware.dram.timing import timing_fields


def test_every_preset_has_a_source_for_every_value_it_gives():
    assert len(dram_presets()) >= 12
    for preset in dram_presets().values():
        for name, spec in timing_fields().items():
            value = getattr(preset.timing, name)
            assert value == spec.default or preset.provenance[name].source, (preset.id, name)


@pytest.mark.parametrize(
    ("id", "peak_GBps", "gibibytes"),
    [
        ("ddr4-2400-8gb-x8", 19.2, 8),
        ("ddr4-3200-8gb-x8", 25.6, 8),
        ("ddr4-3200-8gb-x4", 25.6, 16),
        ("ddr4-3200-16gb-x8", 25.6, 16),
        ("ddr5-4800-16gb-x8", 19.2, 8),  # one sub-channel of 32 bits
        ("ddr5-6400-16gb-x8", 25.6, 8),
        ("lpddr5-6400-16gb-x16", 12.8, 2),
        ("lpddr5x-8533-16gb-x16", 17.07, 2),
        ("hbm2-2000-8gb", 32.0, 2),
        ("hbm2e-3600-16gb", 57.6, 4),
        ("hbm3-6400-16gb-8hi", 51.2, 1),
        ("hbm4-8000-32gb-8hi", 64.0, 1),
        ("hermes-ddr4-3200", 25.6, 8),
        ("l3-ddr4-3200", 25.397, 32),
    ],
)
def test_peak_and_capacity_follow_from_the_preset(id, peak_GBps, gibibytes):
    timing = dram_preset(id).timing
    # The tables round clocks to picoseconds: 416 ps for 2400 MHz.
    assert timing.peak_GBps == pytest.approx(peak_GBps, rel=0.002)
    if "hbm" not in id:
        assert timing.capacity_bytes == gibibytes * 2**30


@pytest.mark.parametrize(
    ("id", "before"),
    [("lpddr5x-8533-16gb-x16", "lpddr5-6400-16gb-x16"), ("hbm2e-3600-16gb", "hbm2-2000-8gb")],
)
def test_times_carried_over_are_at_most_a_cycle_longer(id, before):
    preset, old = dram_preset(id), dram_preset(before).timing
    new = preset.timing
    for name in ("nRCD", "nRP", "nRAS", "nFAW", "nRRD_S", "nRRD_L", "nRTP", "nWR", "nRFC", "nCL"):
        longer = getattr(new, name) * new.tCK_ps - getattr(old, name) * old.tCK_ps
        assert 0 <= longer < new.tCK_ps, name
        assert preset.provenance[name].source_class == "derived"
    # Eight channels of a stack: 460.8 GB/s; two channels to a 32-bit device: 34.1.
    assert new.peak_GBps > old.peak_GBps


def test_hermes_table_is_the_papers():
    t = dram_preset("hermes-ddr4-3200").timing
    assert (t.nRC, t.nRCD, t.nCL, t.nRP, t.nBL, t.nFAW) == (76, 24, 24, 24, 4, 26)
    assert (t.nCCD_S, t.nCCD_L, t.nRRD_S, t.nRRD_L) == (4, 8, 4, 6)
    assert (t.bank_groups, t.banks_per_group) == (2, 4)


def test_changes_are_checked_all_at_once():
    timing = dram_preset("ddr4-3200-8gb-x8").timing
    assert timing.with_values({"nFAW": 16}).nFAW == 16
    with pytest.raises(ScenarioErrors) as caught:
        timing.with_values({"nFAV": 16, "nRP": 0})
    assert "did you mean 'nFAW'?" in str(caught.value)
    assert "nRP: too small" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"nCCD_L": 2}, "shorter than nCCD_S"),
        ({"nCCD_S": 2}, "bursts would overlap"),
        ({"nRC": 90}, "is not nRAS + nRP"),
        ({"nREFI": 600}, "no time to read"),
        ({"row_bytes": 8000 + 8}, "not whole bursts"),
    ],
)
def test_contradictions_are_refused(changes, word):
    with pytest.raises(ScenarioErrors, match=word.replace("+", r"\+")):
        dram_preset("ddr4-3200-8gb-x8").timing.with_values(changes)


def test_refresh_can_be_left_out():
    timing = dram_preset("ddr4-3200-8gb-x8").timing
    assert dataclasses.replace(timing, nREFI=0).nREFI == 0


def test_unknown_preset_is_told_the_closest():
    with pytest.raises(UnknownNameError, match="did you mean 'ddr4-3200-8gb-x8'"):
        dram_preset("ddr4-3200-8gb-x9")
