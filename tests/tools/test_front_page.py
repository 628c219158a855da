"""README and home page show what the scenarios and the comparison say now."""

import re

from tests.test_docs import ROOT
from tools import front_page


def parts():
    return {
        "scenarios": front_page.scenarios(),
        "headline numbers": front_page.headline_numbers(),
    }


def test_the_generated_parts_are_fresh():
    for page in front_page.PAGES:
        text = page.read_text(encoding="utf-8")
        assert front_page.filled(text, parts()) == text, f"{page.name}: python tools/front_page.py"
        for part in parts().values():
            assert part in text


def test_an_edited_number_is_noticed():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = re.sub(r"\| (\d+\.\d+) \| (\d+\.\d+) \|", r"| \1 | 99.9 |", text, count=1)
    assert changed != text
    assert front_page.filled(changed, parts()) == text


def test_every_headline_number_has_words_and_a_row():
    ids = front_page.headline_ids()
    assert set(ids) == set(front_page.WORDS)
    assert front_page.headline_numbers().count("\n") == len(ids) + 2
    assert {id.split(".")[0] for id in ids} == {"hermes", "l3", "h2m2", "hybridserve"}
    assert "**missed**" in front_page.headline_numbers()


def test_scenarios_are_shipped_ones():
    for name in front_page.SCENARIOS:
        assert (ROOT / "scenarios" / f"{name}.yaml").is_file()
    assert len(front_page.SCENARIOS) == 10
