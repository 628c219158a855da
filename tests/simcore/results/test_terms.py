"""Words, units and values of what systems say of a run."""

import pytest

from simcore.results.terms import Term, facts, term_of, value_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_250_000_000, "B", "1.25 GB"),
        (12, "B", "12 B"),
        (0.0842, "share", "8.4 %"),
        (2131.04, "s", "2131 s"),
        (3, "us", "3 µs"),
        (466033, "tokens", "466,033 tokens"),
        (1.918, "x", "1.918 x"),
        (True, "", "yes"),
        (None, "B", "–"),
        ("greedy", "", "greedy"),
        ([1000, 2000], "B", "1 kB, 2 kB"),
        (list(range(9)), "", "0, 1, 2, 3, 4, 5, 6, 7, … (9)"),
    ],
)
def test_values(value, unit, text):
    assert value_text(value, unit) == text


@pytest.mark.parametrize(
    ("path", "term"),
    [
        ("page_table_bytes", Term("page table", "B")),
        ("hot_share", Term("hot share", "share")),
        ("partition.expected_ms", Term("partition: expected", "ms")),
        ("energy_fc_J_per_token", Term("energy fc", "J/token")),
        ("requests", Term("requests")),
        ("misses", Term("misses")),
    ],
)
def test_names_without_a_term(path, term):
    assert term_of({}, path) == term


def test_a_term_wins_and_the_order_stays():
    terms = {"b.c_s": Term("patience", "s", "How long.")}
    found = facts(terms, {"a": 1, "b": {"c_s": 2.5}})
    assert [(fact.path, fact.title, fact.text) for fact in found] == [
        ("a", "a", "1"),
        ("b.c_s", "patience", "2.5 s"),
    ]
