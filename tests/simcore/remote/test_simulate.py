"""A run from a working process is the run that is made here."""

import numpy as np
import pytest

from simcore.engine.simulator import simulate
from simcore.errors import Cancelled, ScenarioErrors
from simcore.remote.parent import Assignment, Worker
from simcore.remote.sensitivity import FindEffects
from simcore.remote.simulate import Prepared, Resolved, Simulate, Steps, begun, grow
from simcore.results.summary import summarise
from simcore.scenario.document import Document
from simcore.sweep.sensitivity import parameters, sensitivity, stretch_at
from tests.app.conftest import SMALL

SERVING = """\
version: 1
system: l3
model: {preset: opt-6.7b}
workload: {kind: serving, requests: 12, prompt_mean: 30, output_mean: 40}
"""


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.close()


def made(worker, source, **options):
    """The run, and the steps of each message."""
    run, counts, scenario = None, [], None
    for message in worker.work(Simulate(source, **options)):
        if isinstance(message, Resolved):
            scenario = message.scenario
        elif isinstance(message, Prepared):
            run = begun(message)
        elif isinstance(message, Steps):
            before = len(run)
            grow(run, message)
            counts.append(len(run) - before)
    assert run.scenario == scenario
    return run, counts


TEXTS = {
    "hermes": SMALL,
    "oracle": SMALL.replace("system: hermes", "system: hermes-oracle"),
    "l3": SERVING,
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_records_are_the_same(worker, name):
    document = Document.from_text(TEXTS[name])
    run, counts = made(worker, document)
    here = simulate(document.resolve())
    assert run.status.finished
    assert len(run) == len(here) == sum(counts)
    assert run.column_names == here.column_names
    for column in here.column_names:
        assert np.array_equal(run.column(column), here.column(column)), column
    assert run.attachments.keys() == here.attachments.keys()
    for key, arrays in here.attachments.items():
        assert all(map(np.array_equal, arrays, run.attachments[key])), key
    mine, its = summarise(here), summarise(run)
    for measured in (mine, its):
        del measured["simulator"]
    assert repr(its) == repr(mine)
    assert run.status.wall_s > 0
    assert run.status.peak_rss_bytes > 10_000_000


def test_the_first_steps_come_by_themselves(worker):
    assert made(worker, Document.from_text(SMALL))[1][0] == 2
    assert made(worker, Document.from_text(SMALL), first_steps=3)[1][0] == 3
    assert made(worker, Document.from_text(SMALL).resolve())[1][0] == 2  # a scenario will do


def test_problems_of_a_document_come_back(worker):
    wrong = Document.from_text(SMALL.replace("count: 4", "count: 4000"))
    with pytest.raises(ScenarioErrors) as raised:
        made(worker, wrong)
    assert raised.value.problems[0].path == "hardware.ndp_dimms.count"
    assert raised.value.problems[0].line == 7


def test_a_simulation_is_given_up_between_its_steps(worker):
    long = SMALL.replace("output_tokens: 12", "output_tokens: 100000")
    assignment, steps = Assignment(Simulate(Document.from_text(long))), []

    def listen():
        for message in assignment.messages(worker):
            if isinstance(message, Steps):
                steps.append(len(message.columns["start_ps"]))
                assignment.give_up()

    with pytest.raises(Cancelled):
        listen()
    assert 0 < sum(steps) < 100
    assert len(made(worker, Document.from_text(SMALL))[0]) == 13


def test_effects_are_the_same(worker):
    run = simulate(Document.from_text(SMALL).resolve(), items=False)
    wanted = parameters(run.scenario)[:4]
    found = list(worker.work(FindEffects(stretch_at(run, 5), wanted)))
    here = {effect.parameter: effect for effect in sensitivity(run, 5)}
    assert [effect.parameter for effect in found] == list(wanted)
    assert all(repr(here[effect.parameter]) == repr(effect) for effect in found)
