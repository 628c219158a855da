"""Files of published numbers: the shipped one, the grammar, all problems at once."""

import json
import math

import pytest

from simcore.errors import DataFileError, ScenarioErrors
from simcore.reproduce.targets import load_targets, parse_targets, shipped_file
from simcore.reproduce.tolerance import Tolerance, Verdict

GOOD = """\
- id: hermes.opt-13b.b1.hermes.tokps
  system: hermes
  quantity: speed
  unit: tokens/s
  config: {model: OPT-13B, batch: 1, variant: hermes}
  value: 135.64
  class: paper
  source: Fig. 9
  tolerance: rel 0.15
"""

BAD = """\
- id: hermes.a.tokps
  system: hermse
  quantity: speed
  unit: tokens/s
  config: [1]
  value: .nan
  class: guess
  source: Fig. 9
  tolerance: about right
- id: hermes.a.tokps
  system: hermes
  quantity: speed
  config: {model: {size: 13}}
  value: true
  clas: paper
  class: paper
  source: Fig. 9
  tolerance: rel
- just text
- id: not an id
  system: l3
  quantity: order
  unit: '-'
  config: {}
  value: a > b
  class: paper
  source: Fig. 1
  tolerance: rel 0.1
"""


def test_the_shipped_file():
    targets = load_targets(shipped_file())
    assert len(targets) == 238
    assert sum(t.system == "hermes" for t in targets) == 80
    assert len({t.id for t in targets}) == 238
    assert "../" not in shipped_file().read_text(encoding="utf-8")
    assert (shipped_file().parent / "README.md").is_file()


def test_every_kind_of_value():
    one = parse_targets(GOOD)[0]
    assert (one.value, one.cls, one.tolerance) == (135.64, "paper", Tolerance("rel", 0.15))
    assert one.parts[-1] == "tokps"
    text = GOOD.replace("135.64", "A over B").replace("rel 0.15", "exact")
    assert parse_targets(text)[0].value == "A over B"


@pytest.mark.parametrize("prefix", ["---\n", "# a comment\n", "# a comment\n---\n", "\n\n"])
def test_what_may_stand_before_the_list(prefix):
    assert len(parse_targets(prefix + GOOD)) == 1


def test_json_is_a_list_too():
    entry = parse_targets(GOOD)[0]
    raw = {
        "id": entry.id,
        "system": "hermes",
        "quantity": "speed",
        "unit": "x",
        "config": {"model": "OPT-13B"},
        "value": 1,
        "class": "paper",
        "source": "Fig. 9",
        "tolerance": "info",
    }
    for indent in (None, 2):
        assert parse_targets(json.dumps([raw], indent=indent))[0].value == 1.0


def test_all_problems_at_once_with_lines():
    with pytest.raises(ScenarioErrors) as caught:
        parse_targets(BAD, "mine.yaml")
    found = {(p.path, p.line) for p in caught.value.problems}
    assert {
        ("hermes.a.tokps.system", 2),
        ("hermes.a.tokps.config", 5),
        ("hermes.a.tokps.value", 6),
        ("hermes.a.tokps.class", 7),
        ("hermes.a.tokps.tolerance", 9),
        ("hermes.a.tokps.id", 10),
        ("hermes.a.tokps.value", 14),
        ("hermes.a.tokps.clas", 15),
        ("hermes.a.tokps.tolerance", 18),
        ("target 3", 19),
        ("not an id.id", 20),
        ("not an id.tolerance", 28),
    } <= found
    text = str(caught.value)
    assert "no unit" in text
    assert "did you mean 'hermes'" in text
    assert "did you mean 'class'" in text
    assert text.startswith("mine.yaml:")


@pytest.mark.parametrize("text", ["", "[]", "targets: 1", "a: [1]\nb: 2", "x", "- [1", "- &a *a"])
def test_what_is_no_list_of_targets(text):
    with pytest.raises(ScenarioErrors):
        parse_targets(text)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataFileError, match="cannot be read"):
        load_targets(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"- id: \xe4")
    with pytest.raises(DataFileError, match="UTF-8"):
        load_targets(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("tolerance", "paper", "simulated", "verdict"),
    [
        ("rel 0.1", 10.0, 11.0, "met"),
        ("rel 0.1", 10.0, 9.0, "met"),
        ("rel 0.1", 10.0, 11.01, "missed"),
        ("rel 0.1", -10.0, -10.5, "met"),
        ("rel .1", 0.0, 0.01, "missed"),
        ("abs 0.05", 0.89, 0.94, "met"),
        ("abs 0.05", 0.89, 0.9401, "missed"),
        ("abs 5e-2", 0.0, 0.05, "met"),
        ("max", 0.05, 0.05, "met"),
        ("max", 0.05, 0.051, "missed"),
        ("min", 62.0, 100.0, "met"),
        ("min", 62.0, 61.9, "missed"),
        ("exact", 232.0, 232.0, "met"),
        ("exact", 232.0, 236.0, "missed"),
        ("info", 1.2, 99.0, "info"),
        ("rel 0.1", 10.0, None, "unresolved"),
        ("info", 10.0, None, "unresolved"),
        ("exact", "a > b", "a > b", "met"),
        ("exact", "a > b", "b > a", "missed"),
    ],
)
def test_verdicts(tolerance, paper, simulated, verdict):
    parsed = Tolerance.parse(tolerance)
    assert parsed is not None
    assert parsed.judge(paper, simulated) is Verdict(verdict)


@pytest.mark.parametrize("text", ["", "rel", "rel x", "rel -0.1", "rel 1e999", "info 1", "abs0.1"])
def test_what_is_no_tolerance(text):
    assert Tolerance.parse(text) is None


def test_tolerances_print_as_they_are_written():
    for text in ("rel 0.15", "abs 0.05", "max", "min", "exact", "info"):
        assert str(Tolerance.parse(text)) == text
    assert math.isclose(Tolerance("rel", 0.15).limit, 0.15)
