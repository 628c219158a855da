"""`dimmscope reproduce`: output, exit codes, bad files."""

import json

import pytest

ENTRY = """\
- id: {id}
  system: {system}
  quantity: speed
  unit: tokens/s
  config: {config}
  value: {value}
  class: paper
  source: Fig. 9
  tolerance: {tolerance}
"""


def entry(id="hermes.mine.tokps", system="hermes", value=1.0, tolerance="rel 0.1", **config):
    config = {"model": "opt-125m", "variant": "hermes-base", "output_len": 4, **config}
    return ENTRY.format(
        id=id, system=system, value=value, tolerance=tolerance, config=json.dumps(config)
    )


@pytest.fixture
def mine(tmp_path):
    def write(*entries):
        path = tmp_path / "mine.yaml"
        path.write_text("".join(entries), encoding="utf-8")
        return path

    return write


def test_json_is_all_that_is_on_stdout(dimmscope, mine):
    path = mine(entry(tolerance="min"), entry("l3.x.tbt", system="l3"))
    code, out, err = dimmscope("reproduce", "--targets", path, "--json", "-")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {"rows", "summary"}
    row, away = found["rows"]
    assert row["simulated"] > 1
    assert row["verdict"] == "met"
    assert away["verdict"] == "unresolved"
    assert found["summary"]["targets"] == 2


def test_the_table_names_everything(dimmscope, mine):
    path = mine(entry(), entry("hermes.x.usd"), entry("l3.x.tbt", system="l3"))
    code, out, _ = dimmscope("reproduce", "--targets", path)
    assert code == 0
    for word in ("hermes.mine.tokps", "missed", "hermes.x.usd", "l3.x.tbt", "3 targets", "checked"):
        assert word in out


def test_a_missed_number_fails_a_check(dimmscope, mine):
    path = mine(entry())
    assert dimmscope("reproduce", "--targets", path)[0] == 0
    code, _, err = dimmscope("reproduce", "--targets", path, "--check")
    assert code == 1
    assert "missed: hermes.mine.tokps (checked): published 1" in err


@pytest.mark.parametrize(
    "text", [entry(tolerance="min"), entry(tolerance="info"), entry(variant="nothing")]
)
def test_what_is_met_or_not_judged_passes_a_check(dimmscope, mine, text):
    assert dimmscope("reproduce", "--targets", mine(text), "--check")[0] == 0


def test_choosing_systems_and_ids(dimmscope, mine):
    path = mine(entry(), entry("hermes.other.usd"), entry("l3.x.tbt", system="l3"))

    def ids(*arguments):
        code, out, _ = dimmscope("reproduce", *arguments, "--targets", path, "--json", "-")
        assert code == 0
        return [row["id"] for row in json.loads(out)["rows"]]

    assert ids("l3") == ["l3.x.tbt"]
    assert ids("hermes", "--only", "*.usd") == ["hermes.other.usd"]
    assert ids("hermes", "l3", "--only", "x") == ["l3.x.tbt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["herms"], "did you mean 'hermes'"),
        (["hermes", "--only", "nothing-like-it"], "no target of hermes matches"),
        (["--targets", "/nowhere/x.yaml"], "cannot be read"),
        (["--json", "/nowhere/x.json"], "no such folder"),
        (["--write-docs", "/nowhere/x.md"], "no such folder"),
        (["--workers", "0"], "not a whole number"),
    ],
)
def test_bad_input(dimmscope, arguments, message):
    code, _, err = dimmscope("reproduce", *arguments)
    assert code == 2
    assert message in err


def test_a_bad_file_shows_all_problems(dimmscope, mine):
    path = mine(
        entry(value="[1]"),
        entry("hermes.b.tokps", system="warp"),
        entry("hermes.c.tokps", tolerance="near"),
        "- id: hermes.d.tokps\n",
    )
    code, out, err = dimmscope("reproduce", "--targets", path)
    assert (code, out) == (2, "")
    assert f"{path}:6: hermes.mine.tokps.value" in err
    assert "hermes.b.tokps.system" in err
    assert "hermes.c.tokps.tolerance" in err
    assert "no source" in err
    assert "problems in" in err


def test_the_targets_file_is_not_overwritten(dimmscope, mine):
    path = mine(entry())
    before = path.read_text()
    assert dimmscope("reproduce", "--targets", path, "--json", path)[0] == 2
    assert path.read_text() == before


def test_the_page(dimmscope, mine, tmp_path):
    page = tmp_path / "fidelity.md"
    code, _, err = dimmscope("reproduce", "--targets", mine(entry()), "--write-docs", page)
    assert code == 0
    assert "wrote" in err
    text = page.read_text(encoding="utf-8")
    assert "| `hermes.mine.tokps` |" in text
    assert "## Calibrated constants" in text
