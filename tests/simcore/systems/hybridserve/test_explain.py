"""Explanations: the numbers add up, the note says what the ratio balances."""

from __future__ import annotations

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.reproduce.cases import RunCase


@pytest.fixture(scope="module")
def run():
    return simulate(RunCase("hybridserve", "opt-13b", 128, 512, 4).scenario())


def text_of(run, op, step=2):
    spans = run.spans(step)
    found = np.flatnonzero(spans.op == run.plan.op_index(op))
    return run.explain(step, int(found[0])).text()


def test_regeneration_is_bound_by_matrix_products(run):
    text = text_of(run, "regenerate")
    assert "bound by: compute" in text
    assert "share = 0.425" in text
    assert "calibrated" in text
    assert f"{run.plan.chosen.share[0]:.1%} of the blocks hold activations" in text


def test_loads_are_bound_by_the_link(run):
    text = text_of(run, "load_kv")
    assert "bound by: link" in text
    assert "rate = 25 GB/s" in text


def test_weights_have_no_note_on_the_ratio(run):
    assert "of the blocks" not in text_of(run, "stream")


def test_staging_is_bound_by_the_host():
    flexgen = simulate(RunCase("hybridserve-flexgen", "opt-13b", 128, 512, 4).scenario())
    text = text_of(flexgen, "stage")
    assert "bound by: host copy" in text
    assert "rate = 12 GB/s" in text
