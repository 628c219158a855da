"""`dimmscope devices`."""

import json

import pytest

SMALL = """\
version: 1
system: hermes
hardware:
  ndp_dimms: {preset: hermes-ddr4-3200, count: 4}
model: {preset: relullama2-70b, layers: 6, hidden: 256, heads: 8, kv_heads: 4, head_dim: 32,
  ffn: 640, vocab: 1000}
workload: {kind: fixed, batch: 1, prompt_tokens: 16, output_tokens: 6}
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_tables_name_devices_and_links(dimmscope, small):
    code, out, err = dimmscope("devices", small)
    assert (code, err) == (0, "")
    for words in ("DIMM 3", "4 ranks behind one NDP core", "Memory channels", "gpu - host"):
        assert words in out


def test_one_device_in_full(dimmscope, small):
    code, out, _ = dimmscope("devices", small, "--device", "dimm1", "--step", 3)
    assert code == 0
    assert "4 ranks x 25.6 GB/s x 0.521 = 53.35 GB/s" in out
    assert "hardware.ndp_dimms.clock_GHz = 1.0 GHz  [paper: Hermes" in out
    assert "MLP cold" in out
    assert "DIMM 2" not in out


def test_json_has_the_step(dimmscope, small):
    code, out, _ = dimmscope("devices", small, "--step", 2, "--json", "-")
    assert code == 0
    found = json.loads(out)
    assert found["hottest"] in {one["id"] for one in found["links"]}
    pcie = next(one for one in found["links"] if one["id"] == "pcie")
    assert pcie["lanes"] == ["pcie_up", "pcie_down"]
    assert 0 < pcie["step"]["share"] < 1
    gpu = next(d for d in found["devices"] if d["id"] == "gpu")
    assert {k["title"] for k in gpu["kernels"]} >= {"projection"}
    dimm = next(d for d in found["devices"] if d["id"] == "dimm0")
    assert dimm["memory"] == "dimm0"
    assert dimm["step"]["capacity_bytes"] == 32 * 2**30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--device", "dimm7"), "did you mean"), (("--step", 99), "steps 0 to")],
)
def test_mistakes_are_explained(dimmscope, small, arguments, words):
    code, _, err = dimmscope("devices", small, *arguments)
    assert code == 2
    assert words in err
