"""The reader: what YAML 1.2 says, where values stand, and every limit."""

import math

import pytest

from simcore.errors import ScenarioErrors
from simcore.scenario.tree import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"\\u00e9"', "é"),
        ("9" * 400, "9" * 400),
    ],
)
def test_core_schema(text, value):
    data = parse(f"a: {text}\n").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_nan():
    assert math.isnan(parse("a: .nan").data["a"])


def test_places_count_characters_not_bytes():
    text = '# é 😀\na: "ü 😀"\nb: {c: x}\n'
    root = parse(text)
    a, c = root.values["a"], root.values["b"].values["c"]
    assert text[a.start : a.end] == '"ü 😀"'
    assert text[c.start : c.end] == "x"
    assert (c.line, c.column) == (3, 8)


def test_alias_repeats_the_anchored_value():
    assert parse("a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


def _bomb(levels=9):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "not valid YAML"),
        ("\ta: 1", "not valid YAML"),
        ("- a\n- b", "mapping"),
        ("just words", "mapping"),
        ("a: 1\nb: 2\na: 3", "stands twice"),
        ("a: {b: 1, b: 2}", "stands twice"),
        ("? [x]\n: 1", "key must be a word"),
        ("a: !!python/object/apply:os.system [x]", "tags are not supported"),
        ("a: !!int 3", "tags are not supported"),
        ("a: &x [*x]", "alias *x"),
        ("a: *nowhere", "alias *nowhere"),
        ("a: 1\n--- \nb: 2", "second document"),
        ("a: \x07", "not readable as text"),
        ('a: "\ud800"', "not valid YAML"),
        (_bomb(), "too many values"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: &x 1\nb: [" + "*x, " * (MAX_ALIASES + 1) + "]", "too many aliases"),
        ("a: [" + "1," * (MAX_NODES + 1) + "]", "too many values"),
        ("a: " + "x" * MAX_BYTES, "too large"),
        ("a: " + "é" * (MAX_BYTES // 2), "too large"),
    ],
)
def test_refused(text, words):
    with pytest.raises(ScenarioErrors) as caught:
        parse(text)
    assert words in str(caught.value)


def test_aliases_cannot_get_round_the_depth_limit():
    nested = "[" * 15 + "1" + "]" * 15
    assert parse(f"a: &x {nested}").data
    with pytest.raises(ScenarioErrors, match="nested too deeply"):
        parse(f"a: &x {nested}\nb: [[[[[[*x]]]]]]")
    assert MAX_DEPTH < 40


def test_problem_says_where():
    with pytest.raises(ScenarioErrors) as caught:
        parse("a: 1\nb:\n  c: 2\n  c: 3\n")
    problem = caught.value.problems[0]
    assert (problem.line, problem.column) == (4, 3)
    assert problem.hint == "first in line 3"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n", "{}"])
def test_nothing_is_an_empty_mapping(text):
    assert parse(text).data == {}
