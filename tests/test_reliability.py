"""The page of results is what the results say, and nothing in them failed."""

import json
import re

from tests import reliability
from tests.fuzz.targets import TARGETS
from tests.reliability import HERE, PAGE, page
from tests.soak.long_runs import STORIES
from tests.soak.run import WARM_EDITS


def test_the_page_is_written_from_the_results():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_results_are_of_all_inputs_and_clean():
    fuzz = json.loads((HERE / "fuzz/results.json").read_text(encoding="utf-8"))
    assert {name for name, _, _ in fuzz["outcomes"]} == set(TARGETS)
    assert sum(count for _, _, count in fuzz["outcomes"]) == fuzz["cases"]
    assert fuzz["failed"] == 0
    soak = json.loads((HERE / "soak/results.json").read_text(encoding="utf-8"))
    assert set(soak) == {"window", "edits", "long runs"}
    assert set(soak["long runs"]) == set(STORIES)
    for one in (soak["window"], soak["edits"], *soak["long runs"].values()):
        assert one["problems"] == []
    assert soak["edits"]["edits"] >= WARM_EDITS + 500
    for name, one in soak["long runs"].items():
        assert one["steps"] >= STORIES[name].steps


def test_the_page_tells_whether_packages_were_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(reliability, "_AUDIT", tmp_path / "audit.json")
    assert "nothing is claimed" in page()
    found = {
        "date": "2030-01-02",
        "service": "osv",
        "packages": 9,
        "vulnerable": {"x 1": ["CVE-3"]},
    }
    (tmp_path / "audit.json").write_text(json.dumps(found), encoding="utf-8")
    assert "nothing is claimed" not in page()
    assert "Known vulnerabilities: x 1: CVE-3." in page()


def test_tests_it_names_are_there():
    for name in re.findall(r"`(tests/[\w/.]+)`", PAGE.read_text(encoding="utf-8")):
        assert (HERE.parent / name).exists(), name
