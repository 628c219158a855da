"""Published numbers of L3: every one has a rule, and those that need no run are met."""

import pytest

from simcore.reproduce import l3
from simcore.reproduce.ask import Answer, Figures
from simcore.reproduce.cases import measure
from simcore.reproduce.serving_case import ServingCase
from simcore.reproduce.table import MAIN_SYSTEM, reproduce
from simcore.reproduce.targets import load_targets, shipped_file
from simcore.reproduce.tolerance import Verdict

L3 = [target for target in load_targets(shipped_file()) if target.system == "l3"]
PURE = ("l3.v2.attn.", "l3.v2.hw.", "l3.v2.layout.", "l3.v2.opt-66b.kv", "l3.v2.gpt-175b.pcie.")


def test_every_number_has_a_rule():
    assert MAIN_SYSTEM["l3"] == "l3"
    plan = Figures()
    for target in L3:
        assert isinstance(l3.answer(target, plan), Answer), target.id
    assert all(isinstance(case, ServingCase) for case in plan.needed)
    assert 60 < len(plan.needed) < 120


@pytest.mark.parametrize(
    "target", [t for t in L3 if t.id.startswith(PURE)], ids=lambda target: target.id
)
def test_numbers_without_a_run_are_met(target):
    (row,) = reproduce([target])
    assert row.verdict is Verdict.MET, row


def test_a_case_is_measured(monkeypatch):
    monkeypatch.setattr("simcore.reproduce.serving_case.REQUESTS", 16)
    case = ServingCase("l3-fill-first", "gpt3-175b", "dolphin-short", energy=True)
    figures = measure(case).figures
    assert figures["tokens_per_s"] > 0
    assert figures["mean_batch"] <= 16
    assert figures["energy_total"] == pytest.approx(
        sum(figures[f"energy_{part}"] for part in ("fc", "attention", "background", "other"))
    )


def test_names():
    assert l3.SYSTEM_NAMES["chime"] == "l3-fill-first"
    assert set(l3.POLICIES.values()) == {"l3", "l3-fill-first"}
