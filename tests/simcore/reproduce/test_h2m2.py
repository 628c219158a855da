"""How the published numbers of H2M2 are resolved."""

from __future__ import annotations

import pytest

from simcore.reproduce import h2m2 as rules
from simcore.reproduce import table
from simcore.reproduce.names import Unresolved, system_id
from simcore.reproduce.table import reproduce
from simcore.reproduce.targets import load_targets, shipped_file
from simcore.reproduce.tolerance import Verdict
from tests.simcore.reproduce.builders import target


@pytest.fixture(scope="module")
def rows():
    mine = [t for t in load_targets(shipped_file()) if t.system == "h2m2"]
    return {row.target.id: row for row in reproduce(mine)}


def test_every_target_is_resolved(rows):
    assert len(rows) == 32
    assert not [id for id, row in rows.items() if row.verdict is Verdict.UNRESOLVED]


def test_speedups_are_near_the_published_ones(rows):
    """One set of constants for three models: none is off by more than a tenth."""
    errors = sorted(abs(row.error) for id, row in rows.items() if id.endswith("speedup"))
    assert len(errors) == 12
    assert errors[-1] < 0.10
    assert errors[len(errors) // 2] < 0.05


def test_exact_numbers(rows):
    assert rows["h2m2.gpt3-175b.mapping.space"].simulated == 884_736
    assert rows["h2m2.pagetable.bytes"].simulated == 4
    order = rows["h2m2.sensitivity.order"]
    assert order.simulated == order.target.value
    assert "hbm capacity" in order.reason
    assert order.as_dict()["error"] is None


def test_overheads_make_up_the_total(rows):
    for cell in ("gpt3-175b.b32", "chinchilla-70b.b64", "llama2-70b.b128"):
        paging, greedy, total = (
            rows[f"h2m2.{cell}.overhead.{part}"].simulated
            for part in ("abstraction", "greedy", "total")
        )
        assert (1 + paging) * (1 + greedy) == pytest.approx(1 + total)
        ratio = rows[f"h2m2.{cell}.h2m2-vs-oracle.ratio"].simulated
        assert ratio == pytest.approx(1 / (1 + total))


def test_both_readings_of_grouped_queries_are_given(rows):
    assert "policy.gqa_traffic shared" in rows["h2m2.llama2-70b.b128.h2m2.speedup"].reason
    assert "gqa_traffic" not in rows["h2m2.gpt3-175b.b32.h2m2.speedup"].reason


def test_what_is_an_input_is_not_judged(rows):
    assert rows["h2m2.solver.ms"].verdict is Verdict.INFO


def test_grids_and_means(monkeypatch):
    seen = []

    def figures(case):
        seen.append(case)
        return {"step_s": float(case.prompt_tokens if case.system == "lpddr-only" else 128)}

    monkeypatch.setattr(table, "measure_all", fake_measure(figures))
    config = {"model": "GPT3-175B", "batch": 32, "variant": "oracle", "baseline": "lpddr-only"}

    def value(**more):
        made = target("h2m2.x.speedup", system="h2m2", **config, **more)
        return reproduce([made])[0].simulated

    assert value() == pytest.approx((2 + 4 + 8 + 16) / 4)
    assert value(mean="geometric") == pytest.approx(2**2.5)
    assert value(mean="harmonic") == pytest.approx(4 / (1 / 2 + 1 / 4 + 1 / 8 + 1 / 16))
    assert value(grid="linear") == pytest.approx(9.0, rel=0.001)
    assert value(shortest=512) == pytest.approx((4 + 8 + 16) / 3)
    assert value(input_len=640) == pytest.approx(5.0)
    assert {case.system for case in seen} == {"h2m2-oracle", "lpddr-only"}
    assert all(("model.bytes_per_weight", 1) in case.settings for case in seen)


def fake_measure(figures):
    from simcore.reproduce.cases import Outcome

    def measure_all(cases, **_):
        return {case: Outcome(figures(case)) for case in cases}

    return measure_all


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (target("h2m2.x.speedup", system="h2m2", batch=32), "names no model"),
        (target("h2m2.x.speedup", system="h2m2", model="GPT3-175B"), "names no batch"),
        (
            target("h2m2.x.speedup", system="h2m2", model="OPT-66B", batch=4),
            "No range of lengths is known for opt-66b",
        ),
        (
            target("h2m2.x.speedup", system="h2m2", model="GPT3-175B", batch=4, grid="round"),
            "neither 'geometric' nor 'linear'",
        ),
        (
            target("h2m2.x.speedup", system="h2m2", model="GPT3-175B", batch=4, variant="warp"),
            "'warp' is not part",
        ),
        (
            target("h2m2.sensitivity.order", "colour > shape", system="h2m2", tolerance="exact"),
            "'colour' is not simulated",
        ),
    ],
)
def test_what_cannot_be_resolved_says_why(made, reason):
    row = reproduce([made])[0]
    assert row.verdict is Verdict.UNRESOLVED
    assert reason in row.reason


def test_names_of_a_family():
    assert system_id("oracle", "h2m2") == "h2m2-oracle"
    assert system_id("8-HBM", "h2m2") == "8-hbm"
    with pytest.raises(Unresolved):
        system_id("oracle")


@pytest.mark.parametrize(
    ("order", "held"),
    [
        ("A > (B, C) >> D", True),
        ("(A, B) > C > D", True),
        ("B > A", False),
        ("A >> B", False),
        ("C >> D", True),
    ],
)
def test_orders(order, held):
    assert rules.holds(order.lower(), {"a": 9.0, "b": 5.0, "c": 4.0, "d": 1.0}) is held
