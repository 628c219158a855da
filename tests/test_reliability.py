"""The page of results is what the results say, and nothing in them failed."""

import json
import re

from tests.fuzz.targets import TARGETS
from tests.reliability import HERE, PAGE, page


def test_the_page_is_written_from_the_results():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_results_are_of_all_inputs_and_clean():
    fuzz = json.loads((HERE / "fuzz/results.json").read_text(encoding="utf-8"))
    assert {name for name, _, _ in fuzz["outcomes"]} == set(TARGETS)
    assert sum(count for _, _, count in fuzz["outcomes"]) == fuzz["cases"]
    assert fuzz["failed"] == 0
    assert json.loads((HERE / "soak/results.json").read_text(encoding="utf-8"))["problems"] == []


def test_tests_it_names_are_there():
    for name in re.findall(r"`(tests/[\w/.]+)`", PAGE.read_text(encoding="utf-8")):
        assert (HERE.parent / name).exists(), name
