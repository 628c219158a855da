"""Targets made by hand: which runs they need, and what follows from the figures."""

import math
import random

import pytest

from simcore.reproduce import table
from simcore.reproduce.cases import ActivityCase, Outcome, RunCase, measure
from simcore.reproduce.names import Unresolved, batches, model_preset, system_and_dimms
from simcore.reproduce.table import choose, document, missed, reproduce
from simcore.reproduce.targets import load_targets, shipped_file
from tests.simcore.reproduce.builders import measured, speeds, target


def one(rows):
    assert len(rows) == 1
    return rows[0]


def test_a_speed_of_another_model_batch_and_variant(monkeypatch):
    seen = measured(monkeypatch, lambda case: {"tokens_per_s": 12.0})
    row = one(
        reproduce(
            [
                target(
                    "hermes.mine.tokps",
                    10.0,
                    tolerance="rel 0.2",
                    model="opt-6.7b",
                    batch=3,
                    variant="hermes-base",
                    input_len=64,
                    output_len=32,
                    dimms=4,
                    multipliers=128,
                    gpu="rtx-3090",
                )
            ]
        )
    )
    settings = (
        ("hardware.gpu", "rtx-3090"),
        ("hardware.ndp_dimms.count", 4),
        ("hardware.ndp_dimms.multipliers", 128),
    )
    assert seen == [RunCase("hermes-base", "opt-6.7b", 3, 64, 32, settings)]
    assert (row.simulated, row.verdict, row.use) == (12.0, "met", "checked")
    assert row.error == pytest.approx(0.2)


def test_settings_reach_the_scenario():
    case = RunCase("hermes", "opt-13b", 2, 64, 32, (("hardware.gpu", "rtx-3090"), ("seed", 7)))
    scenario = case.scenario()
    assert scenario.hardware.gpu.preset == "rtx-3090"
    assert (scenario.seed, scenario.workload.batch, scenario.workload.output_tokens) == (7, 2, 32)


def test_each_run_is_simulated_once(monkeypatch):
    seen = measured(monkeypatch, lambda case: {"tokens_per_s": 1.0, "prefill_share": 0.3})
    config = {"model": "OPT-13B", "batch": 1}
    rows = reproduce(
        [
            target("hermes.a.tokps", **config),
            target("hermes.b.tokps", variant="hermes", **config),
            target("hermes.b1.prompt.share", 0.3, **config),
            target("hermes.a.hermes-vs-base.speedup", **config),
        ]
    )
    assert [row.verdict for row in rows] == ["met"] * 4
    assert sorted(case.system for case in seen) == ["hermes", "hermes-base"]


def by_system(values):
    return lambda case: {"tokens_per_s": values[case.system, case.model, case.batch]}


VALUES = {
    ("hermes", "opt-13b", 1): 8.0,
    ("hermes-base", "opt-13b", 1): 4.0,
    ("hermes", "opt-66b", 1): 8.0,
    ("hermes-base", "opt-66b", 1): 1.0,
    ("hermes", "relullama2-70b", 1): 3.0,
    ("hermes-base", "relullama2-70b", 1): 1.0,
}
FILE = speeds(
    *(("OPT-13B", 1, v) for v in ("hermes", "hermes-base")),
    *(("OPT-66B", 1, v) for v in ("hermes", "hermes-base")),
    *(("LLaMA2-70B", 1, v) for v in ("hermes", "hermes-base")),
    ("Falcon-40B", 1, "hermes"),
)


@pytest.mark.parametrize(
    ("paper", "simulated", "config"),
    [
        (5.0, 5.0, {"models": "OPT"}),
        (4.0, 4.0, {"models": "OPT"}),
        (1.0, 5.0, {"models": "OPT", "aggregate": "arithmetic mean"}),
        (9.0, 4.0, {"models": "OPT", "aggregate": "geometric mean"}),
        (9.0, 8.0, {"models": "OPT", "aggregate": "max"}),
        (9.0, 2.0, {"models": "OPT-13B"}),
        (9.0, 3.0, {"model": "LLaMA-70B"}),
        (9.0, 13 / 3, {}),
        (1.0, 48 ** (1 / 3), {}),
    ],
)
def test_an_average_is_computed_both_ways_and_the_nearer_is_judged(
    monkeypatch, paper, simulated, config
):
    measured(monkeypatch, by_system(VALUES))
    mine = target("hermes.avg.hermes-vs-base.speedup", paper, batch=1, **config)
    row = one(reproduce([mine], known=FILE))
    assert row.simulated == pytest.approx(simulated)
    if "aggregate" not in config and "model" not in config and config.get("models") != "OPT-13B":
        assert "arithmetic mean" in row.reason
        assert "geometric mean" in row.reason


def test_smallest_and_largest(monkeypatch):
    measured(monkeypatch, by_system(VALUES))
    for word, expected in (("min", 2.0), ("max", 8.0)):
        mine = target(f"hermes.{word}.hermes-vs-base.speedup", 1.0, batch=1)
        assert one(reproduce([mine], known=FILE)).simulated == expected


def test_a_figure_of_the_paper_names_models_and_batches(monkeypatch):
    seen = measured(monkeypatch, lambda case: {"tokens_per_s": 1.0})
    known = [
        *speeds(("OPT-13B", 1, "hermes"), source="Fig. 9"),
        *speeds(("OPT-66B", 1, "hermes"), ("LLaMA2-70B", 4, "hermes"), source="Fig. 11"),
    ]
    for models, expected in (("OPT (Fig. 11)", {"opt-66b"}), ("Fig. 11 models", {"opt-66b"})):
        seen.clear()
        mine = target("hermes.a.hermes-vs-base.speedup", models=models, batch="1-4")
        reproduce([mine], known=known)
        assert {case.batch for case in seen} == {1, 2, 4}
        assert {case.model for case in seen} >= expected
        assert "opt-13b" not in {case.model for case in seen}


def test_latency_is_divided_the_other_way_round(monkeypatch):
    slow = {"hermes": 2.0, "hermes-random": 6.0}
    seen = measured(monkeypatch, lambda case: {"mlp_latency_s": slow[case.system]})
    mine = target(
        "hermes.ablation.full-vs-random.speedup",
        3.0,
        models="LLaMA-13B, opt-6.7b",
        batch="1, 4",
        metric="MLP-block latency",
    )
    assert one(reproduce([mine])).simulated == pytest.approx(3.0)
    assert {(case.model, case.batch) for case in seen} == {
        (model, batch) for model in ("relullama2-13b", "opt-6.7b") for batch in (1, 4)
    }


def test_a_baseline_with_another_number_of_dimms(monkeypatch):
    counts = {16: 5.0, 2: 4.0}
    seen = measured(monkeypatch, lambda case: {"tokens_per_s": counts[case.settings[0][1]]})
    mine = target("hermes.x.ratio", 1.25, model="OPT-13B", dimms=16, baseline="hermes with 2 DIMMs")
    assert one(reproduce([mine])).simulated == pytest.approx(1.25)
    assert len(seen) == 2


def test_an_unnamed_model_means_those_with_published_speeds(monkeypatch):
    shares = {"opt-13b": 0.2, "opt-66b": 0.4}
    measured(monkeypatch, lambda case: {"prefill_share": shares[case.model]})
    known = speeds(("OPT-13B", 1, "hermes"), ("OPT-66B", 1, "hermes"), ("OPT-30B", 1, "hf"))
    for tolerance, expected in (("abs 0.1", 0.3), ("max", 0.4), ("min", 0.2)):
        mine = target(
            "hermes.b1.prompt.share", 0.3, tolerance=tolerance, batch=1, model="not named"
        )
        assert one(reproduce([mine], known=known)).simulated == pytest.approx(expected)


def test_properties_of_activations_need_no_machine(monkeypatch):
    seen = measured(monkeypatch, lambda case: {case.quantity: 0.8})
    rows = reproduce(
        [
            target("hermes.s.similarity.adjacent", 0.9, tolerance="min", distance=1),
            target("hermes.s.similarity.far", 0.7, model="OPT-6.7B", distance=">10"),
            target("hermes.m.hot.compute-share", 0.8, model="OPT-13B", hot_fraction=0.3),
            target("hermes.m.hot-drift.share", 0.5, model="OPT-13B"),
        ]
    )
    assert [row.verdict for row in rows] == ["missed", "missed", "met", "missed"]
    assert ActivityCase("opt-6.7b", "similarity", -1.0) in seen
    assert ActivityCase("opt-13b", "hot_compute_share", 0.3) in seen


def test_what_is_known_by_construction_is_not_judged():
    row = one(reproduce([target("hermes.dimmlink.vs-host.speedup", 62, tolerance="min")]))
    assert (row.verdict, row.simulated, row.use) == ("info", 62.0, "fitted")
    assert "By construction" in row.reason


def test_state_table_of_a_model():
    mine = target("hermes.p.state-table.kb", 232, tolerance="exact", model="LLaMA-7B")
    assert one(reproduce([mine])).simulated == pytest.approx(32 * (4096 + 11008) / 2 / 1024)


UNRESOLVED = [
    (target("hermes.x.tokps", model="OPT-13B", variant="warp-drive"), "'warp-drive' is not part"),
    (target("hermes.x.tokps", model="OPT-14B"), "no model 'OPT-14B'. Did you mean 'opt-13b'"),
    (target("hermes.x.tokps", model="OPT-13B", batch="many"), "batch 'many'"),
    (target("hermes.x.tokps", model="OPT-13B", batch=0), "batch 0"),
    (target("hermes.x.tokps", model="OPT-13B", trace="OpenR1"), "setting 'trace'"),
    (target("hermes.x.tokps", model="OPT-13B", output_len="long"), "output length 'long'"),
    (target("hermes.x.joules", model="OPT-13B"), "called 'joules'"),
    (target("hermes.x.speedup", model="OPT-13B"), "no baseline"),
    (target("hermes.x.hermes-vs-base.speedup", model="OPT-13B", metric="luck"), "metric 'luck'"),
    (target("hermes.x.similarity.far", distance="far"), "distance 'far'"),
    (target("hermes.x.migration.share", model="OPT-13B", path="mail"), "path 'mail'"),
    (target("hermes.x.usd"), "prices are not simulated"),
    (target("hermes.x.state-table.kb"), "names no model"),
    (target("l3.x.throughput", system="l3", model="GPT-1"), "no model 'GPT-1'"),
    (target("l3.x.throughput", system="l3", trace="Mars"), "trace 'mars'"),
    (target("l3.x.throughput", system="l3", luck=1), "'luck' of its config"),
    (target("l3.x.luck", system="l3"), "called 'luck'"),
    (target("h2m2.x.order", "a > b", tolerance="exact", system="h2m2"), "Nothing that is simul"),
    (target("hybridserve.x.speedup", system="hybridserve"), "names no baseline"),
]


@pytest.mark.parametrize(("mine", "reason"), UNRESOLVED)
def test_nothing_is_skipped_silently(mine, reason):
    row = one(reproduce([mine]))
    assert (row.simulated, row.error, row.verdict) == (None, None, "unresolved")
    assert reason in row.reason
    assert row.reason[0].isupper()
    assert row.reason.rstrip()[-1] in ".?"


def test_a_family_without_its_system_says_so(monkeypatch):
    monkeypatch.delitem(table.MAIN_SYSTEM, "hybridserve")
    row = one(reproduce([target("hybridserve.x.speedup", system="hybridserve")]))
    assert row.reason == "HybridServe is not part of this version."


def test_a_configuration_that_does_not_fit_says_so():
    """Two DIMMs of 32 GiB do not hold 131 GB of weights; the run is really attempted."""
    row = one(reproduce([target("hermes.x.tokps", model="OPT-66B", dimms=2)]))
    assert row.verdict == "unresolved"
    assert "hardware.ndp_dimms.count" in row.reason


def test_cells_that_cannot_be_simulated_are_named(monkeypatch):
    measured(
        monkeypatch,
        lambda case: "too large" if case.model == "opt-66b" else {"tokens_per_s": 2.0},
    )
    mine = target("hermes.x.hermes-vs-base.speedup", 1.0, models="OPT-13B, OPT-66B")
    row = one(reproduce([mine]))
    assert row.simulated == 1.0
    assert "left out: opt-66b b1" in row.reason
    assert "too large" in row.reason


def test_nothing_is_divided_by_zero(monkeypatch):
    measured(monkeypatch, lambda case: {"tokens_per_s": 0.0})
    mine = target("hermes.x.hermes-vs-base.speedup", model="OPT-13B")
    assert one(reproduce([mine])).verdict == "unresolved"


def test_rows_and_summary_as_plain_data(monkeypatch):
    measured(monkeypatch, lambda case: {"tokens_per_s": 2.75})
    config = {"model": "LLaMA2-70B", "variant": "hermes-base"}
    rows = reproduce(
        [
            target("hermes.llama2-70b.b1.hermes-base.tokps", 2.45, batch=1, **config),
            target("hermes.llama2-70b.b32.hermes-base.tokps", 2.5, batch=32, **config),
            target("hermes.zero.tokps", 0.0, tolerance="info", batch=1, **config),
            target("hermes.bound.tokps", 1.0, tolerance="min", batch=1, **config),
            target("l3.x.tbt", system="l3"),
        ]
    )
    found = document(rows)
    assert list(found["rows"][0]) == [
        *("id", "paper", "simulated", "error", "class", "tolerance", "verdict", "use", "reason")
    ]
    first, second, zero, _, away = found["rows"]
    assert (first["use"], second["use"]) == ("fitted", "checked")
    assert first["error"] == pytest.approx(2.75 / 2.45 - 1)
    assert (first["verdict"], second["verdict"]) == ("missed", "met")
    assert zero["error"] is None
    assert (away["simulated"], away["verdict"]) == (None, "unresolved")
    summary = found["summary"]
    assert summary["verdicts"] == {"met": 2, "missed": 1, "info": 1, "unresolved": 1}
    assert summary["by_use"]["fitted"]["median_abs_error"] == pytest.approx(2.75 / 2.45 - 1)
    assert summary["by_use"]["checked"]["median_abs_error"] == pytest.approx(0.1)
    medians = summary["by_variant"]["hermes"]["hermes-base"]
    assert medians["checked"] == {"targets": 1, "median_abs_error": pytest.approx(0.1)}
    assert [row.target.id for row in missed(rows)] == ["hermes.llama2-70b.b1.hermes-base.tokps"]


def test_choosing():
    targets = [*FILE, target("l3.x.tbt", system="l3")]
    assert len(choose(targets)) == 8
    assert len(choose(targets, ["l3"])) == 1
    assert len(choose(targets, pattern="OPT")) == 4
    assert len(choose(targets, pattern="*.hermes.tokps")) == 4
    assert choose(targets, ["l3"], "tokps") == []


def test_names():
    assert model_preset("LLaMA-13B") == "relullama2-13b"
    assert model_preset("Falcon-40B") == "relufalcon-40b"
    assert model_preset("llama-7b") == "llama-7b"
    assert batches("1-16") == (1, 2, 4, 8, 16)
    assert batches("1, 4, 16") == (1, 4, 16)
    assert batches("not stated") == ()
    assert system_and_dimms("hermes with 8 DIMMs") == ("hermes", 8)
    for wrong in ("4-1", "x", -1, "1,,2", 1e400):
        with pytest.raises(Unresolved):
            batches(wrong)


def test_all_rows_of_a_pool_are_those_of_one_process():
    targets = [
        target("hermes.a.tokps", 1.0, model="opt-125m", variant="hermes-base", output_len=4),
        target("hermes.b.tokps", 1.0, model="opt-125m", batch=2, variant="hermes", output_len=4),
    ]
    done: list[tuple[int, int]] = []
    alone = reproduce(targets, progress=lambda *at: done.append(at))
    assert done == [(1, 2), (2, 2)]
    assert reproduce(targets, workers=2) == alone
    assert all(row.simulated is not None and math.isfinite(row.simulated) for row in alone)


def test_every_figure_of_the_second_pass_was_asked_for_in_the_first(monkeypatch):
    """What is not asked for beforehand need not have been computed."""

    class Drawn(dict):
        """Has every figure; another value for each that is asked for."""

        def __init__(self, seed, wanted):
            self.draw, self.wanted = random.Random(seed), wanted

        def __contains__(self, name):
            assert name in self.wanted
            return True

        def __getitem__(self, name):
            return self.draw.uniform(0.1, 10.0)

    targets = load_targets(shipped_file())
    for seed in range(5):
        monkeypatch.setattr(
            "simcore.reproduce.table.measure_all",
            lambda cases, seed=seed, **_: {
                case: Outcome(Drawn(f"{seed} {case}", names)) for case, names in cases.items()
            },
        )
        rows = reproduce(targets)
        assert sum(row.simulated is not None for row in rows) > len(targets) / 2


def test_only_what_is_asked_for_is_laid_out():
    case = RunCase("hermes-base", "opt-125m", output_tokens=4)
    found = measure(case).figures
    few = measure(case, {"tokens_per_s"}).figures
    assert {"communication_share", "mlp_latency_s"} == set(found) - set(few)
    assert {**found, **few} == found
    assert measure(case, {"mlp_latency_s"}).figures["mlp_latency_s"] == found["mlp_latency_s"]
