"""`dimmscope dram`."""

import json

import pytest

from simcore.hardware.dram.presets import dram_presets


def test_a_table_with_the_arithmetic(dimmscope):
    code, out, err = dimmscope("dram", "ddr4-3200-8gb-x8", "--pattern", "gather")
    assert (code, err) == (0, "")
    for text in ("64 B / (nBL 4 x 0.625 ns)", "nFAW", "pJ/bit", "nREFI 12480", "without refresh"):
        assert text in out


def test_json_has_what_was_asked_and_used(dimmscope):
    code, out, _ = dimmscope(
        *("dram", "hbm3-6400-16gb-8hi", "--pattern", "gather", "--granule", 1024),
        *("--layout", "linear", "--set", "nFAW=16", "nRP=20", "nRC=65", "--json", "-"),
    )
    assert code == 0
    found = json.loads(out)
    assert found["preset"] == "hbm3-6400-16gb-8hi"
    assert found["method"] == "analytic"
    assert 0 < found["fraction_of_peak"] < 1
    assert found["bandwidth_GBps"] == pytest.approx(found["fraction_of_peak"] * found["peak_GBps"])
    assert found["peak_GBps"] == pytest.approx(51.2)
    assert found["energy_pJ_per_bit"] is None
    assert found["limited_by"]
    assert found["inputs"]["queue"] == 64
    assert found["inputs"]["set"] == {"nFAW": 16, "nRP": 20, "nRC": 65}
    assert found["timing"]["nFAW"] == 16
    assert found["timing_sources"]["nFAW"]["class"] == "user"
    assert found["timing_sources"]["nRCD"]["class"] == "public"


def test_both_methods_agree(dimmscope):
    arguments = ("dram", "ddr4-3200-8gb-x8", "--pattern", "gather", "--granule", 512, "--json", "-")
    shares = []
    for method in ("analytic", "command"):
        code, out, _ = dimmscope(*arguments, "--method", method, "--bursts", 8000)
        assert code == 0
        shares.append(json.loads(out)["fraction_of_peak"])
    assert shares[0] == pytest.approx(shares[1], abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ddr4-3200-8gb-x9",), ("did you mean 'ddr4-3200-8gb-x8'",)),
        ((), ("a preset is needed", "hbm2-2000-8gb")),
        (("ddr4-3200-8gb-x8", "--set", "nFAV=3"), ("did you mean 'nFAW'", "nRRD_S")),
        (("ddr4-3200-8gb-x8", "--set", "nFAW"), ("write NAME=VALUE",)),
        (("ddr4-3200-8gb-x8", "--set", "nFAW=1.5"), ("whole number",)),
        (("ddr4-3200-8gb-x8", "--set", "nCCD_L=1"), ("shorter than nCCD_S",)),
        (("ddr4-3200-8gb-x8", "--layout", "lin"), ("did you mean 'linear'", "mop4")),
        (("ddr4-3200-8gb-x8", "--pattern", "random"), ("stream | gather",)),
        (("ddr4-3200-8gb-x8", "--granule", "0", "--queue", "x"), ("--granule", "--queue")),
        (("ddr4-3200-8gb-x8", "--writes", "2"), ("0 to 1",)),
        (("ddr4-3200-8gb-x8", "--ranks", "99"), ("1 to 16",)),
        (("ddr4-3200-8gb-x8", "--scope", "bank", "--method", "command"), ("analytic",)),
    ],
)
def test_bad_input_says_what_is_allowed(dimmscope, arguments, words):
    code, out, err = dimmscope("dram", *arguments)
    assert (code, out) == (2, "")
    for word in words:
        assert word in err


def test_list_hardware_has_the_derived_figures(dimmscope):
    code, out, _ = dimmscope("list", "hardware", "--json")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out) if row["component"] == "dram"}
    assert set(rows) == set(dram_presets())
    found = rows["ddr4-3200-8gb-x8"]["derived"]
    assert found["channel"]["stream_bank_group_GBps"] == pytest.approx(24.3, abs=0.1)
    assert found["bank"]["peak_GBps"] == pytest.approx(2 * 204.8)
    assert found["rank"]["gather_64B_GBps"] > 0
