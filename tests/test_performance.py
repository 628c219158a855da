"""The page about speed is what the results say, and every budget has one."""

import json

import pytest

from tests.performance import BUDGETS, PAGE, RESULTS, Budget, page


def test_the_page_is_written_from_the_results():
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: f"{budget.row} {budget.key}")
def test_every_budget_was_measured(budget):
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    value = budget.value(rows)
    assert value is not None
    assert value > 0


def test_a_ratio_by_hand():
    rows = {"x": {"steps_per_s": 100.0, "ms": 3.0, "seconds": 2.0, "copies": 2.0, "kernels": 4.0}}
    rate = Budget("", "x", "steps_per_s", 150, "steps/s", least=True, reference="copies")
    assert (rate.ratio(rows), rate.met(100.0), rate.met(150.0)) == ("5", False, True)
    time = Budget("", "x", "ms", 4, "ms", reference="kernels")
    assert (time.ratio(rows), time.met(3.0), time.met(5.0)) == ("0.75", True, False)
    long = Budget("", "x", "seconds", 4, "s", reference="copies")
    assert long.ratio(rows) == "1e+03"
