"""Resolution: precedence, checks, all problems at once, sources of every value."""

import dataclasses
import json
import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simcore.data import list_scenarios
from simcore.errors import ScenarioErrors, UserError
from simcore.results.summary import scenario_dict
from simcore.scenario import edit
from simcore.scenario.document import Document, scenario_fields
from simcore.scenario.fields import SourceClass
from simcore.scenario.migrate import migrate
from simcore.scenario.schema import SCHEMA_VERSION
from tests.fakes import register
from tests.simcore.scenario.texts import COMMENTED


def resolve(text):
    return Document.from_text(text).resolve()


def problems(text):
    return {problem.path: problem for problem in Document.from_text(text).problems()}


def test_least_scenario_gets_the_presets_of_its_system():
    scenario = resolve("model: relullama2-70b")
    assert scenario.system == "hermes"
    assert scenario.hardware.gpu.preset == "hermes-rtx-4090"
    assert scenario.hardware.gpu.bandwidth_GBps == 936
    assert scenario.hardware.host.bandwidth_GBps == 89.6
    assert scenario.workload.output_tokens == 128
    assert scenario.policy.window_tokens == 5


def test_file_over_preset_over_default():
    scenario = resolve("model: relullama2-70b\nhardware: {gpu: {preset: rtx-3090, memory_GiB: 12}}")
    gpu = scenario.hardware.gpu
    assert (gpu.memory_GiB, gpu.bandwidth_GBps, gpu.reserve_GB) == (12, 936.2, 2)
    source = {
        name: scenario.provenance[f"hardware.gpu.{name}"].source_class
        for name in ("memory_GiB", "bandwidth_GBps", "reserve_GB")
    }
    assert source == {
        "memory_GiB": SourceClass.USER,
        "bandwidth_GBps": SourceClass.PUBLIC,
        "reserve_GB": SourceClass.CALIBRATED,
    }


def test_overrides_without_a_preset_stand_on_the_system_s_own():
    gpu = resolve("model: opt-13b\nhardware: {gpu: {memory_GiB: 12}}").hardware.gpu
    assert (gpu.preset, gpu.memory_GiB, gpu.fp16_TFLOPS) == ("hermes-rtx-4090", 12, 330)


def test_model_overrides():
    model = resolve("model: {preset: opt-30b, layers: 2, stats: {mlp_density: 0.5}}").model
    assert (model.layers, model.hidden, model.stats.mlp_density) == (2, 7168, 0.5)
    assert model.stats.block_share_for_80pct == 0.26


def test_model_without_preset():
    text = (
        "model: {layers: 2, hidden: 64, heads: 4, kv_heads: 2, head_dim: 16, ffn: 256,"
        " ffn_matrices: 3, vocab: 100}"
    )
    assert resolve(text).model.kv_heads == 2
    found = problems(text.replace("ffn: 256, ", ""))
    assert list(found) == ["model.ffn"]
    assert found["model.ffn"].message == "a value is needed"
    assert found["model.ffn"].line == 1


def test_variant_policy_is_the_default_and_the_file_wins():
    scenario = resolve("system: hermes-adjustment\nmodel: opt-13b")
    assert scenario.policy.window_remap is False
    assert "hermes-adjustment" not in scenario.provenance["policy.window_remap"].source
    assert scenario.provenance["policy.window_remap"].source_class is SourceClass.PAPER
    text = "system: hermes-adjustment\nmodel: opt-13b\npolicy: {window_remap: true}"
    assert resolve(text).policy.window_remap is True


def test_numbers_of_the_other_kind():
    scenario = resolve("model: opt-13b\nseed: 2.0\nhardware: {gpu: {memory_GiB: 12}}")
    assert scenario.seed == 2
    assert type(scenario.seed) is int
    assert type(scenario.hardware.gpu.memory_GiB) is float


@pytest.mark.parametrize(
    ("text", "path", "words", "hint"),
    [
        ("systm: hermes", "systm", "unknown key", "did you mean 'system'?"),
        ("system: herms", "system", "no such system", "did you mean 'hermes'?"),
        ("system: 3", "system", "text is expected", "put it in quotes"),
        ("hardware: {gpuu: t4}", "hardware.gpuu", "unknown key", "did you mean 'gpu'?"),
        ("hardware: {gpu: rtx-409}", "hardware.gpu", "no such preset", "did you mean 'rtx-4090'?"),
        ("hardware: {gpu: 3}", "hardware.gpu", "no such preset", ""),
        ("hardware: [gpu]", "hardware", "keys with values", ""),
        ("hardware: {gpu: [t4]}", "hardware.gpu", "keys with values", ""),
        ("hardware: {gpu: {count: 0}}", "hardware.gpu.count", "too small", ""),
        ("hardware: {gpu: {count: 65}}", "hardware.gpu.count", "too large", ""),
        ("hardware: {gpu: {count: 1.5}}", "hardware.gpu.count", "whole number", ""),
        ("hardware: {gpu: {count: true}}", "hardware.gpu.count", "whole number", ""),
        ("hardware: {gpu: {count: null}}", "hardware.gpu.count", "a value is needed", ""),
        ("hardware: {gpu: {memory_GiB: 0}}", "hardware.gpu.memory_GiB", "too small", ""),
        ("hardware: {gpu: {memory_GiB: .nan}}", "hardware.gpu.memory_GiB", "finite", ""),
        ("hardware: {gpu: {memory_GiB: .inf}}", "hardware.gpu.memory_GiB", "finite", ""),
        ("hardware: {gpu: {memory_GiB: 24GB}}", "hardware.gpu.memory_GiB", "a number", "unit"),
        ("hardware: {gpu: {memory_GiB: '24'}}", "hardware.gpu.memory_GiB", "a number", "quotes"),
        (
            "hardware: {gpu: {bandwith_GBps: 1}}",
            "hardware.gpu.bandwith_GBps",
            "unknown",
            "bandwidth",
        ),
        ("workload: {kind: fixd}", "workload.kind", "no such kind", "did you mean 'fixed'?"),
        ("workload: {kind: 3}", "workload.kind", "no such kind", ""),
        ("workload: fixed", "workload", "keys with values", "{kind: fixed}"),
        ("workload: {prompt_tokens: 0}", "workload.prompt_tokens", "too small", ""),
        ("workload: {output_tokens: -1}", "workload.output_tokens", "too small", ""),
        ("activations: {source: recordd}", "activations.source", "no such source", "recorded"),
        ("activations: {file: x}", "activations.file", "unknown key", ""),
        ("policy: {window_tokens: 8}", "policy.window_tokens", "too large", ""),
        (
            "policy: {online_adjustment: yes}",
            "policy.online_adjustment",
            "true or false",
            "write true",
        ),
        ("policy: {online_adjustment: 1}", "policy.online_adjustment", "true or false", ""),
        ("policy: {predictor: bth}", "policy.predictor", "allowed words", "did you mean 'both'?"),
        ("policy: 3", "policy", "keys with values", ""),
        ("compare: hermes", "compare", "a list", "[a, b]"),
        ("compare: [hermse]", "compare.0", "no such system", "did you mean 'hermes'?"),
        ("compare: [hermes, hermes]", "compare.1", "stands twice", ""),
        ("compare: [[hermes]]", "compare.0", "no such system", ""),
        ("seed: -1", "seed", "too small", ""),
        ("seed: 9223372036854775808", "seed", "too large", ""),
        ("seed: 1e400", "seed", "whole number", ""),
        ("version: 99", "version", "newer version", "update"),
        ("version: 0", "version", "whole number", ""),
        ("version: one", "version", "whole number", ""),
        ("version: true", "version", "whole number", ""),
        ("name: 3", "name", "text is expected", "put it in quotes"),
        ("name: [a]", "name", "text is expected", ""),
        (f"name: {'x' * 2000}", "name", "too long", ""),
    ],
)
def test_wrong_values(text, path, words, hint):
    found = problems(f"model: opt-13b\n{text}\n")
    assert list(found) == [path]
    assert words in found[path].message
    assert hint in found[path].hint
    assert found[path].line == 2


@pytest.mark.parametrize(
    ("model", "path", "words"),
    [
        ("", "model", "a model is needed"),
        ("model:", "model", "a model is needed"),
        ("model: opt-13", "model", "no such preset"),
        ("model: {preset: opt-13, layers: 3}", "model", "no such preset"),
        ("model: {preset: opt-13b, heads: 7}", "model.kv_heads", "evenly"),
        ("model: {preset: opt-13b, kv_heads: 3}", "model.kv_heads", "evenly"),
        ("model: {preset: opt-13b, ffn_matrices: 4}", "model.ffn_matrices", "too large"),
        ("model: {preset: opt-13b, ffn_matrices: 1}", "model.ffn_matrices", "too small"),
        (
            "model: {preset: opt-13b, stats: {mlp_density: 0}}",
            "model.stats.mlp_density",
            "too small",
        ),
        ("model: {preset: opt-13b, stats: dense}", "model.stats", "keys with values"),
    ],
)
def test_wrong_models(model, path, words):
    found = problems(model)
    assert list(found) == [path]
    assert words in found[path].message


def test_a_problem_says_everything_about_itself():
    text = COMMENTED.replace("count: 8", "count: 800")
    problem = Document.from_text(text, "m.yaml").problems()[0]
    assert dataclasses.astuple(problem) == (
        "hardware.ndp_dimms.count",
        "too large",
        "1 to 64",
        "",
        8,
        48,
        "800",
    )


def test_all_problems_at_once_in_order_of_the_file():
    text = """\
version: 1
sytem: hermes
hardware: {gpu: nope, ndp_dimms: {count: 0, ranks: x}}
model: {preset: opt-13b, kv_heads: 3}
workload: {kind: nope}
policy: {window_tokens: 100}
compare: [nope]
seed: -1
"""
    with pytest.raises(ScenarioErrors) as caught:
        Document.from_text(text, "bad.yaml").resolve()
    lines = [problem.line for problem in caught.value.problems]
    assert lines == [2, 3, 3, 3, 4, 5, 6, 7, 8]
    assert str(caught.value).count("bad.yaml:") == 9


def test_component_of_another_machine_may_be_left_out():
    scenario = resolve("model: opt-13b\nhardware: {gpu: null}")
    assert scenario.hardware.gpu.preset == "hermes-rtx-4090"
    register()
    scenario = resolve("system: fake\nmodel: opt-13b")
    assert scenario.hardware.host is None
    assert scenario.hardware.gpu.preset == ""
    assert resolve("system: fake\nmodel: opt-13b\nhardware: {host: dgx-a100-host}").hardware.host


@pytest.mark.parametrize("path", list_scenarios(), ids=lambda path: path.stem)
def test_shipped_scenarios(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "opens with a comment that says what it shows"
    scenario = Document.from_file(path).resolve()
    again = Document.from_text(json.dumps(scenario_dict(scenario))).resolve()
    assert again == scenario


def test_every_described_value_has_a_source():
    scenario = Document.from_text(COMMENTED, "dir/file.yaml").resolve()
    for info in scenario_fields(scenario):
        if info.path.startswith("hardware.") and info.path.endswith("price_USD"):
            continue  # a price nobody published has no source
        if info.provenance is None:
            assert info.path in {
                "model",
                "workload.kind",
                "activations.source",
                *(f"hardware.{name}" for name in ("gpu", "pcie", "ndp_dimms", "dimm_link", "host")),
            }
    assert scenario.provenance["policy.window_tokens"].source == "file.yaml"
    assert scenario.provenance["activations.coupling"].source_class is SourceClass.USER


def test_fields_match_what_a_document_takes():
    """Every listed field can be set to its own value, and then nothing changes."""
    document = Document.from_text(COMMENTED)
    scenario = document.resolve()
    paths = [info.path for info in scenario_fields(scenario)]
    assert len(paths) == len(set(paths))
    for info in scenario_fields(scenario):
        assert document.with_value(info.path, info.value).resolve() == scenario, info.path
        if info.knob.choices:
            assert info.value in info.knob.choices, info.path


def test_every_preset_choice_resolves():
    document = Document.from_text(COMMENTED)
    for info in scenario_fields(document.resolve()):
        if info.path == "model" or (
            info.path.startswith("hardware.") and info.path.count(".") == 1
        ):
            for choice in info.knob.choices:
                assert document.with_value(info.path, choice).problems() == ()


def test_migrations_run_in_order_and_keep_comments():
    chain = {
        1: lambda document: document.with_value("seed", document.get("sead")).without("sead"),
        2: lambda document: document.with_value("seed", document.get("seed") + 1),
    }
    old = Document.from_text("version: 1\nsead: 4\n# kept\nname: x\n")
    new = migrate(old, chain, target=3)
    assert new.data() == {"version": 3, "name": "x", "seed": 5}
    assert "# kept" in new.text()


@pytest.mark.parametrize("version", ["3", "99", "x", "null", "[1]"])
def test_versions_without_a_migration_stay(version):
    document = Document.from_text(f"version: {version}\n")
    assert migrate(document, {}, target=3).text() == document.text()


def test_no_migration_is_missing():
    from simcore.scenario.migrate import MIGRATIONS

    assert set(MIGRATIONS) == set(range(1, SCHEMA_VERSION))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["hermes", "rtx-4090", "opt-13b", "recorded", "", "~", "*a", "&a x", "!!int 3"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = [info.path for info in scenario_fields(Document.from_text(COMMENTED).resolve())]
PATHS += ["hardware", "policy", "compare", "version", "workload", "activations", "hardware.x.y"]
FUZZ = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def check_ends_well(text):
    """Resolving gives a scenario of finite numbers, or a UserError; nothing else."""
    try:
        scenario = Document.from_text(text).resolve()
    except UserError:
        return
    for info in scenario_fields(scenario):
        assert not info.knob.problem(info.value)
        assert not isinstance(info.value, float) or math.isfinite(info.value)


@FUZZ
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=4))
def test_fuzzed_values(edits):
    document = Document.from_text(COMMENTED)
    for path, value in edits:
        try:
            after = document.with_value(path, value)
        except UserError:
            continue
        assert edit.same(after.get(path), edit.plain_data(value))
        document = after
    check_ends_well(document.text())


@FUZZ
@given(st.text(max_size=200))
def test_fuzzed_texts(text):
    check_ends_well(text)


@FUZZ
@given(st.randoms(use_true_random=False))
def test_fuzzed_damage(source: random.Random):
    text = COMMENTED
    for _ in range(source.randint(1, 6)):
        at, to = source.randrange(len(text) + 1), source.randrange(len(text) + 1)
        kind = source.randrange(4)
        if kind == 0:
            text = text[:at] + source.choice("{}[]:,#&*!|>'\"%@`\t\n -~\0é\u2028") + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + source.randint(1, 20) :]
        elif kind == 2:
            text = text[:at] + text[to : to + 30] + text[at:]
        else:
            text = text[:at] + str(source.choice([0, -1, 1e308, "nan", 10**30])) + text[at:]
    check_ends_well(text)


@FUZZ
@given(st.binary(max_size=100))
def test_fuzzed_files(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(raw)
    try:
        document = Document.from_file(path)
    except UserError:
        return
    check_ends_well(document.text())


def test_a_form_offers_the_workloads_the_system_can_run():
    from simcore.scenario.listing import scenario_fields

    def kinds(system, model):
        scenario = Document.from_text(f"system: {system}\nmodel: {model}").resolve()
        fields = {field.path: field for field in scenario_fields(scenario)}
        return fields["workload.kind"].knob.choices

    assert kinds("hermes-base", "opt-13b") == ("fixed",)
    assert kinds("h2m2", "gpt3-13b") == ("fixed", "turnover")
