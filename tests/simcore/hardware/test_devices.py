"""Device times by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simcore.hardware import gpu, ndp_dimm
from simcore.hardware.cold_units import of_dimms, of_host
from simcore.scenario.schema import Gpu, Host, NdpDimms
from simcore.units import transfer_ps

DIMM = NdpDimms()


def test_ranks_of_the_paper() -> None:
    """8 B x 3200 MT/s = 25.6 GB/s; 4 ranks 102.4; 8 DIMMs 819.2 GB/s."""
    assert ndp_dimm.rank_peak_GBps(DIMM) == pytest.approx(25.6)
    assert ndp_dimm.peak_GBps(DIMM) == pytest.approx(102.4)
    assert 8 * ndp_dimm.internal_GBps(replace(DIMM, internal_bandwidth="ranks")) == pytest.approx(
        819.2
    )


def test_readings_of_the_internal_bandwidth() -> None:
    """tBL 4 over tCCD_L 8 halves the ranks; two bank groups double them (8 x 204.8 = 1.6 TB/s)."""
    reading = {
        name: ndp_dimm.internal_GBps(replace(DIMM, internal_bandwidth=name))
        for name in ("ccd_l", "ranks", "bank_groups", "calibrated")
    }
    assert reading["ccd_l"] == pytest.approx(51.2)
    assert 8 * reading["bank_groups"] == pytest.approx(1638.4)
    assert reading["calibrated"] == pytest.approx(53.35, abs=0.01)


def test_gemv_unit() -> None:
    """256 x 8 / 16 = 128 GMAC/s peak at 1 GHz."""
    assert ndp_dimm.gemv_peak_GMACps(DIMM) == pytest.approx(128)
    assert ndp_dimm.gemv_GMACps(DIMM) == pytest.approx(74.75, abs=0.01)


def test_reading_and_computing_add_up_or_overlap() -> None:
    """53.35 MB at 53.35 GB/s is 1 ms; 74.752 MMAC at 74.752 GMAC/s is 1 ms."""
    amount, macs = int(102.4e6 * 0.521), 74_752_000
    assert ndp_dimm.gemv_ps(DIMM, amount, macs) == pytest.approx(2e9, rel=1e-5)
    overlapped = replace(DIMM, overlap="max")
    assert ndp_dimm.gemv_ps(overlapped, amount, macs) == pytest.approx(1e9, rel=1e-5)


def test_softmax_takes_three_passes() -> None:
    """2560 scores, 3 passes, 256 lanes at 1 GHz: 30 ns."""
    assert ndp_dimm.softmax_ps(DIMM, 2560) == 30_000


def test_projection_kernel_of_llama2_70b() -> None:
    """8192^2 x 2 B = 134.2 MB at 936 GB/s = 143.4 us, plus a launch of 1 us."""
    card = Gpu()
    time = int(gpu.kernel_ps(card, 8192 * 8192 * 2, 2 * 8192 * 8192))
    assert time / 1e6 == pytest.approx(143.396 + 1, abs=0.01)


def test_a_large_batch_is_bound_by_compute() -> None:
    card = Gpu(kernel_launch_us=0)
    assert int(gpu.kernel_ps(card, 1, 330_000_000_000)) == pytest.approx(1e9)


def test_a_transfer_never_beats_its_peak() -> None:
    assert int(transfer_ps(1, 64.0)) == 16  # 15.6 ps rounded up


def test_the_host_pays_for_every_section_it_starts() -> None:
    """Rows at 0.34 x 89.6 GB/s; the start of a section is kept apart from the rate."""
    units = of_host(Host())
    assert units.bandwidth_GBps == pytest.approx(30.464)
    assert units.dispatch_ps == 110_000_000
    assert of_dimms(DIMM).dispatch_ps == 0
