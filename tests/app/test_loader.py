"""Work in the background: results and failures are those of what was asked for last."""

import gc
import threading
import weakref

import pytest

from app.workers import baseline as baseline_module
from app.workers import sensitivity as sensitivity_module
from app.workers.loader import LatestLoader
from tests.app.conftest import wait_for_run


class Big:
    """Stands for a run."""


@pytest.fixture
def loader():
    loader = LatestLoader()
    yield loader
    loader.shut_down()


def test_it_keeps_nothing_of_what_is_done(loader, qtbot):
    """A run that is closed must be freed, even if nothing else is loaded afterwards."""
    alive = []

    def work(key):
        big = Big()
        alive.append(weakref.ref(big))
        return big, key

    def ask():
        key = Big()
        alive.append(weakref.ref(key))
        loader.request(key, lambda: work(key))

    with qtbot.waitSignal(loader.loaded):
        ask()
    del ask

    def freed():
        gc.collect()
        return len(alive) == 2 and all(one() is None for one in alive)

    qtbot.waitUntil(freed)


def test_a_failure_says_of_what(loader, qtbot):
    def work():
        raise ZeroDivisionError("x")

    with qtbot.waitSignal(loader.failed) as told:
        loader.request("this", work)
    error, key = told.args
    assert isinstance(error, ZeroDivisionError)
    assert key == "this"


def _late_failure(monkeypatch, module, method):
    """The first job fails by a bug, but only when it is told to."""
    go, real, first = threading.Event(), getattr(module._Job, method), []

    def work(job, *arguments):
        if not first:
            first.append(job)
            go.wait(20)
            raise ZeroDivisionError("a bug")
        return real(job, *arguments)

    monkeypatch.setattr(module._Job, method, work)
    return go, first


def test_a_failure_of_a_baseline_given_up_leaves_the_next_alone(window, qtbot, monkeypatch):
    wait_for_run(qtbot, window)
    go, first = _late_failure(monkeypatch, baseline_module, "work")
    runner, scenario = window.state.baseline, window.state.runs.current.scenario
    runner.start(scenario, "flexgen")
    qtbot.waitUntil(lambda: bool(first))
    runner.start(scenario, "hf")
    go.set()
    qtbot.waitUntil(lambda: not runner.system)
    assert window.state.comparison.frozen is not None
    assert window.state.comparison.frozen.scenario.system == "hf"
    assert not any("failed" in message.text for message in window.state.messages.entries)


def test_a_failure_of_a_sensitivity_given_up_leaves_the_next_alone(window, qtbot, monkeypatch):
    wait_for_run(qtbot, window)
    go, first = _late_failure(monkeypatch, sensitivity_module, "work")
    found = window.state.sensitivities
    found.start(1)
    qtbot.waitUntil(lambda: bool(first))
    found.start(2)
    go.set()
    qtbot.waitUntil(lambda: not found.busy)
    assert found.effects
    assert not found.error
