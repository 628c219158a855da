"""How the published numbers of HybridServe are resolved."""

from __future__ import annotations

import pytest

from simcore.reproduce import hybridserve as rules
from simcore.reproduce.fitted import use_of
from simcore.reproduce.names import Unresolved, system_id
from simcore.reproduce.table import reproduce
from simcore.reproduce.targets import load_targets, shipped_file
from simcore.reproduce.tolerance import Verdict
from tests.simcore.reproduce.builders import measured, target

FLEXGEN = "hybridserve.overall.hybrid-vs-flexgen.speedup"
ACT = "hybridserve.overall.hybrid-vs-act.speedup"


@pytest.fixture(scope="module")
def rows():
    mine = [t for t in load_targets(shipped_file()) if t.system == "hybridserve"]
    return {row.target.id: row for row in reproduce(mine)}


def test_every_target_is_resolved(rows):
    assert len(rows) == 4
    assert not [id for id, row in rows.items() if row.verdict is Verdict.UNRESOLVED]


def test_both_averages_are_within_a_tenth(rows):
    """One set of constants; only the second was used to set one of them."""
    assert abs(rows[FLEXGEN].error) < 0.10
    assert abs(rows[ACT].error) < 0.10
    assert (use_of(FLEXGEN), use_of(ACT)) == ("checked", "fitted")


def test_activations_are_half_of_keys_and_values(rows):
    assert rows["hybridserve.act-kv.bytes.ratio"].simulated == 0.5


def test_an_upper_end_is_a_largest_value(rows):
    row = rows["hybridserve.readme.vs-vllm.speedup"]
    assert row.verdict is Verdict.INFO
    assert row.reason.endswith("the largest.")


def made(**config):
    return target("hybridserve.x.hybrid-vs-act.speedup", system="hybridserve", **config)


def test_means_over_models_and_prompts(monkeypatch):
    """Speeds 8 and 2 over 1 and 1: means 4, 5 and 3.2."""
    speeds = {("hybridserve", 64): 8.0, ("hybridserve", 32): 2.0}
    seen = measured(
        monkeypatch, lambda case: {"tokens_per_s": speeds.get((case.system, case.prompt_tokens), 1)}
    )
    common = {"model": "OPT-13B", "batch": 4, "output_len": 16, "prompts": "64, 32"}
    for kind, value in (("geometric", 4.0), ("arithmetic", 5.0), ("harmonic", 3.2), (None, 4.0)):
        more = {"mean": kind} if kind else {}
        row = reproduce([made(**common, **more)])[0]
        assert row.simulated == pytest.approx(value)
    assert {(case.system, case.model, case.batch, case.output_tokens) for case in seen} == {
        ("hybridserve", "opt-13b", 4, 16),
        ("hybridserve-act-only", "opt-13b", 4, 16),
    }


def test_names_of_one_family_carry_on(monkeypatch):
    seen = measured(monkeypatch, lambda case: {"tokens_per_s": 1.0})
    reproduce([made(models="OPT-6.7B, 13B, LLaMA3-8B", input_len=64, gpu="RTX 4090")])
    assert {case.model for case in seen} == {"opt-6.7b", "opt-13b", "llama3-8b"}
    assert {case.settings for case in seen} == {(("hardware.gpu", "rtx-4090"),)}
    assert {(case.batch, case.output_tokens) for case in seen} == {(128, 128)}


@pytest.mark.parametrize(
    ("mine", "reason"),
    [
        (made(mean="median"), "mean 'median'"),
        (made(prompts="short"), "prompt lengths 'short'"),
        (made(batch="1, 2"), "several batches"),
        (made(models="OPT-6.7B, 9B"), "no model 'OPT-9B'"),
        (made(baseline="alisa"), "'alisa' is not part"),
        (
            target(
                "hybridserve.x.bytes.ratio",
                system="hybridserve",
                attention="MHA",
                model="LLaMA3-8B",
            ),
            "fewer heads",
        ),
    ],
)
def test_what_cannot_be_resolved_says_why(monkeypatch, mine, reason):
    measured(monkeypatch, lambda case: {"tokens_per_s": 1.0})
    row = reproduce([mine])[0]
    assert row.verdict is Verdict.UNRESOLVED
    assert reason in row.reason


def test_means_by_hand():
    assert rules.mean("geometric", [1, 4]) == pytest.approx(2)
    assert rules.mean("harmonic", [1, 3]) == pytest.approx(1.5)
    with pytest.raises(Unresolved, match="not one of"):
        rules.mean("mode", [1])


def test_words_of_the_paper():
    assert system_id("hybrid-cache", "hybridserve") == "hybridserve"
    assert system_id("flexgen", "hybridserve") == "hybridserve-flexgen"
    assert system_id("flexgen") == "flexgen"
