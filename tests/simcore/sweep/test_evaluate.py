"""What a worker does, whichever way it adds up rows."""

from __future__ import annotations

from simcore.engine import rows
from simcore.scenario.document import open_document
from simcore.sweep import evaluate as module
from simcore.sweep.evaluate import evaluate_many


def test_a_worker_loads_the_loops_when_they_pay_and_gives_the_same(monkeypatch):
    document = open_document("h2m2-llama2-70b").with_value("workload.output_tokens", 3)
    points = [document.with_value("workload.batch", n).resolve() for n in (16, 32, 48)]
    monkeypatch.setattr(rows, "_loops", None)
    monkeypatch.setattr(module, "_evaluated", module.LOOPS_AFTER - 2)
    mixed = evaluate_many(points[:2])
    assert rows._loops is None
    last = evaluate_many(points[2:])
    assert rows._loops is not None
    again = evaluate_many(points)
    assert (*mixed.outcomes, *last.outcomes) == again.outcomes
    assert all(outcome.failure is None for outcome in again.outcomes)
