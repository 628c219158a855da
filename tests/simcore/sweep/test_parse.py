"""What can be said about a sweep, and what is answered when it is wrong."""

import pytest

from simcore.errors import ScenarioErrors, UnknownNameError
from simcore.sweep.files import find_sweep, is_sweep_file, list_sweeps, load_spec, spec_text
from simcore.sweep.parse import axis_fields, make_spec, read_values, read_vary, values_text
from simcore.sweep.spec import Constraint, Method, Objective, Scale
from tests.simcore.sweep.conftest import SMALL

FILE = """\
# How fast, how dear.
version: 1
name: a question
scenario: small.yaml
set: {workload.output_tokens: 3}
vary:
  workload.batch: [1, 2, 4]
  hardware.lpddr.bandwidth_GBps: {from: 100, to: 1000, points: 4, scale: log}
method: {kind: lhs, points: 12}
objectives: {tokens_per_s: max, energy_J_per_token: min}
constraints: [tokens_per_s >= 1e2, fits]
prices: {hbm: 900, hbm_npu: 500, lpddr: 100, lpddr_npu: 300}
seed: 5
"""


@pytest.fixture
def sweep_file(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)

    def write(text):
        path = tmp_path / "sweep.yaml"
        path.write_text(text)
        return path

    return write


def problems(call, *arguments, **options):
    with pytest.raises(ScenarioErrors) as caught:
        call(*arguments, **options)
    return caught.value.problems


def test_a_file(sweep_file):
    spec = load_spec(sweep_file(FILE))
    assert spec.name == "a question"
    assert spec.document.resolve().workload.output_tokens == 3
    batch, bandwidth = spec.axes
    assert batch.values == (1, 2, 4)
    assert bandwidth.header == "hardware.lpddr.bandwidth_GBps (GB/s)"
    assert bandwidth.label == "lpddr.bandwidth_GBps"
    assert bandwidth.grid()[1] == pytest.approx(100 * 10 ** (1 / 3))
    assert (bandwidth.grid()[0], bandwidth.grid()[-1]) == (100.0, 1000.0)
    assert (spec.method, spec.points, spec.size) == (Method.LATIN_HYPERCUBE, 12, 12)
    assert spec.objectives == (Objective("tokens_per_s"), Objective("energy_J_per_token", False))
    assert spec.constraints == (
        Constraint("tokens_per_s", ">=", 100.0),
        Constraint("fits", "==", 1),
    )
    assert spec.prices["lpddr"] == 100
    assert spec.seed == 5


def test_a_file_written_reads_as_the_same_sweep(sweep_file):
    spec = load_spec(sweep_file(FILE), edits=[("workload.prompt_tokens", 32)])
    assert spec.document.resolve().workload.prompt_tokens == 32
    again = load_spec(sweep_file(spec_text(spec)))
    for name in ("name", "axes", "method", "points", "objectives", "constraints", "prices", "seed"):
        assert getattr(again, name) == getattr(spec, name)


def test_every_mistake_of_a_file_at_once_with_its_line(sweep_file):
    text = FILE.replace("batch: [1, 2, 4]", "bach: [1, 2, 4]").replace("points: 4", "points: one")
    text = text.replace("lhs", "lsh").replace("energy_J_per_token: min", "energy: less")
    text = text.replace("lpddr: 100", "lpdr: 100") + "colour: red\n"
    found = {p.path: p for p in problems(load_spec, sweep_file(text))}
    assert found["vary.workload.bach"].hint == "did you mean 'workload.batch'?"
    assert found["vary.workload.bach"].line == 7
    assert "2 to 10000" in found["vary.hardware.lpddr.bandwidth_GBps.points"].allowed
    assert found["method"].hint == "did you mean 'lhs'?"
    assert "energy_J" in found["objectives"].allowed
    assert found["prices.lpdr"].hint == "did you mean 'lpddr'?"
    assert found["colour"].line == 14


def test_a_wrong_scenario_of_a_file_is_shown_at_the_place(sweep_file):
    wrong = FILE.replace("output_tokens: 3", "output_tokens: 0")
    (one,) = problems(load_spec, sweep_file(wrong))
    assert (one.path, one.line) == ("workload.output_tokens", 5)
    (one,) = problems(load_spec, sweep_file(FILE.replace("small.yaml", "h2m2-llama2-7b")))
    assert "did you mean 'h2m2-llama2-70b'" in one.message
    (one,) = problems(load_spec, sweep_file("vary: {seed: [1]}\n"))
    assert one.message == "a scenario is needed"
    assert problems(load_spec, sweep_file("vary: [\n"))[0].line > 0


def test_values_as_typed():
    assert read_values("1, 2,4") == [1, 2, 4]
    assert read_values("a,true,null,1e3") == ["a", True, None, 1000.0]
    assert read_values("lin:1:9:5") == {"from": 1, "to": 9, "points": 5, "scale": "linear"}
    assert read_values("1:9:5") == read_values("lin:1:9:5")
    assert read_values("log:1:8") == {"from": 1, "to": 8, "scale": "log"}
    assert read_values("presets:rtx-*") == {"presets": "rtx-*"}
    assert read_values("presets:a, b") == {"presets": ["a", "b"]}
    assert read_vary("workload.batch=1,2") == ("workload.batch", [1, 2])
    for text in ("workload.batch", "=1", "workload.batch="):
        assert "PATH=VALUES" in problems(read_vary, text)[0].message


@pytest.mark.parametrize("text", ["1, 2, 8", "log:1:64:4", "lin:2:10:3"])
def test_values_typed_and_shown_are_the_same(make, text):
    axis = make(f"workload.batch={text}").axes[0]
    assert values_text(axis) == text


def test_axes(make):
    axis = make("workload.batch=log:1:64:7").axes[0]
    assert axis.grid() == (1, 2, 4, 8, 16, 32, 64)
    assert make("workload.batch=lin:1:3:9").axes[0].grid() == (1, 2, 3)  # whole numbers stand once
    assert make("model=presets:opt-*").axes[0].grid()[0].startswith("opt-")
    assert len(make("model=presets:all").axes[0].grid()) > 20
    assert make("system=h2m2,lpddr-only").axes[0].values == ("h2m2", "lpddr-only")
    assert not make("model=presets:opt-*").axes[0].numeric
    assert make("seed=1:9:3").axes[0].numeric


@pytest.mark.parametrize(
    ("vary", "message", "allowed"),
    [
        ("workload.batch=0,1", "too small", "1 to 1024"),
        ("workload.batch=1.5", "a whole number is expected", "1 to 1024"),
        ("workload.batch=1,1", "stands twice", ""),
        ("workload.batch=lin:1:9999:3", "too large", "1 to 1024"),
        ("workload.batch=lin:9:1:3", "must be more than from", ""),
        ("workload.batch=lin:1", "a value is needed", "1 to 1024"),
        ("hardware.lpddr.bandwidth_GBps=log:0:10:3", "too small", "more than 0"),
        ("seed=log:0:10:3", "a logarithmic range begins above 0", ""),
        ("workload.batch=lin:1:9:1", "a whole number is needed", "2 to 10000"),
        ("workload.batch=lin:1:9:3:4", "a whole number is needed", "2 to 10000"),
        ("model=lin:1:2:3", "a range needs a field of numbers", "a list"),
        ("model=opt-13c", "not one of the allowed words", "opt-13b"),
        ("model=presets:gpt9*", "no preset of that pattern", "opt-13b"),
        ("workload.batch=presets:all", "only fields with a list of names", ""),
        ("hardware.gpu=rtx-4090", "no such field in this scenario", "hardware.hbm"),
    ],
)
def test_a_wrong_axis_says_what_is_allowed(make, vary, message, allowed):
    (one,) = problems(make, vary)
    assert one.path.startswith("vary.")
    assert message in one.message
    assert allowed in one.allowed


def test_limits_of_the_whole(make):
    assert "1 to 4 fields" in problems(make)[0].allowed
    five = [f"policy.{name}=1,2" for name in "abcde"]
    assert any("1 to 4 fields" in p.allowed for p in problems(make, *five))
    (one,) = problems(make, "seed=1:1000:1000", "workload.batch=1:1000:1000")
    assert "1,000,000 points" in one.message
    assert "stands twice" in problems(make, "seed=1", "seed=2")[0].message
    assert "grid" in problems(make, "seed=1", points=3)[0].message
    assert "1 to 100000" in problems(make, "seed=1", points=0, method=Method.RANDOM)[0].allowed


@pytest.mark.parametrize("text", ["tokens_per_s", "> 3", "tokens_per_s >= many", "a b", "fit"])
def test_a_wrong_constraint(make, text):
    assert problems(make, "seed=1", constraints=[text])[0].path == "constraints"


def test_constraints_hold_or_not():
    least = Constraint("x", ">=", 2.0)
    assert least.holds(2)
    assert not least.holds(1.9)
    assert not least.holds(None)
    assert not least.holds(float("nan"))
    assert least.excess(1.5) == 0.5
    assert Constraint("x", "<=", 2.0).excess(5) == 3
    assert Constraint("fits", "==", 1).holds(True)
    assert not Constraint("fits", "==", 1).holds(False)


def test_which_files_are_sweeps(sweep_file, tmp_path):
    assert is_sweep_file(sweep_file(FILE))
    assert not is_sweep_file(tmp_path / "small.yaml")
    assert not is_sweep_file(tmp_path / "none.yaml")
    with pytest.raises(UnknownNameError, match="no sweep named 'nothing'"):
        find_sweep("nothing")


@pytest.mark.parametrize("path", list_sweeps(), ids=lambda path: path.stem)
def test_shipped_sweeps_are_good(path):
    spec = load_spec(path)
    assert path.read_text().startswith("# ")
    assert 1 <= spec.size <= 1000
    assert spec.name != path.stem


def test_fields_are_those_of_the_form(document):
    fields = axis_fields(document)
    assert "workload.batch" in fields
    assert "name" not in fields
    assert fields["workload.batch"].knob.le == 1024


def test_scale_words_of_files(document):
    given = {"from": 1, "to": 4, "points": 3, "scale": "log"}
    spec = make_spec(document, [("workload.batch", given)])
    assert spec.axes[0].range.scale is Scale.LOG
    (one,) = problems(make_spec, document, [("workload.batch", given | {"scale": "cubic"})])
    assert one.allowed == "linear | log"
