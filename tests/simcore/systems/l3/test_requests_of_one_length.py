"""Requests of one length still come in waves when memory cannot hold them all at once."""

import io
import json

import pytest

import simcore.systems  # noqa: F401 - fills the registry
from simcore.cli.console import Console
from simcore.cli.tables import print_summary
from simcore.engine.simulator import Simulator, simulate
from simcore.export.chart_file import chart_data
from simcore.export.report.sections import run_sections
from simcore.results.diff import difference
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from tests.fakes import fake_run
from tests.simcore.systems.l3.test_serving import MODEL, tight

FIXED = {"kind": "fixed", "batch": 24, "prompt_tokens": 40, "output_tokens": 120}


def scenario():
    base = {
        "version": 1,
        "system": "l3",
        "model": MODEL,
        "hardware": {"gpu": {"preset": "l3-a100-80gb-x8", "count": 4}},
        "workload": FIXED,
        "policy": {"tensor_parallel": 4},
    }
    document = Document.from_text(json.dumps(base))
    for path, value in tight("l3").items():
        document = document.with_value(path, value)
    return document.resolve()


@pytest.fixture(scope="module")
def run():
    return simulate(scenario())


def test_a_run_has_as_many_steps_as_it_says(run):
    assert len(run) > 1 + FIXED["output_tokens"]  # they do not fit at once
    assert run.total_steps == len(run)
    assert int(run.column("tokens").sum()) == FIXED["batch"] * FIXED["output_tokens"]


def test_the_number_of_steps_asked_for_at_once_does_not_matter(run):
    one = Simulator(scenario())
    while one.advance(7):
        assert one.run.status.finished or one.run.total_steps > len(one.run)
    assert len(one.run) == len(run)
    assert one.run.end_ps == run.end_ps


def test_the_time_of_prompts_alone_is_not_called_the_prefill(run):
    summary = summarise(run)
    assert summary["prefill_s"] > 0
    out = io.StringIO()
    print_summary(summary, "L3", Console(out))
    name = "iterations of prompts only"
    assert name in out.getvalue()
    assert "\nprefill" not in out.getvalue()
    rows = [row[0] for row in run_sections(run, summary, "paper")[0].parts[0].rows]
    assert name in rows
    assert "prefill" not in rows
    (note,) = chart_data(run, "step-time").notes
    assert note.startswith("Iterations of prompts only are left out (")
    assert chart_data(run, "tokens").meta["band"] is False


def test_two_runs_are_compared_under_the_name_both_have(run):
    fake = summarise(fake_run())

    def title(a, b):
        return next(f.title for f in difference(a, b).figures if f.path == "prefill_s")

    assert title(fake, fake) == "prefill"
    assert title(summarise(run), summarise(run)) == "iterations of prompts only"
    assert title(fake, summarise(run)) == "prefill / iterations of prompts only"
