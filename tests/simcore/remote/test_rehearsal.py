"""A working process loads what a run needs before anybody asks for one."""

from simcore.engine.simulator import Simulator
from simcore.remote import rehearsal
from simcore.remote.rehearsal import rehearse


def test_a_whole_run_is_made_with_remapping_in_it(monkeypatch):
    made = []

    def keep(*arguments, **named):
        made.append(Simulator(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(rehearsal, "Simulator", keep)
    rehearse(lambda: False)
    (simulator,) = made
    assert simulator.run.status.finished
    assert len(simulator.run) > simulator.run.plan.policy.window_tokens


def test_work_comes_first(monkeypatch):
    asked = []

    def wanted():
        asked.append(1)
        return len(asked) > 2

    made = []
    monkeypatch.setattr(
        rehearsal, "Simulator", lambda *a, **k: made.append(Simulator(*a, **k)) or made[-1]
    )
    rehearse(wanted)
    assert len(asked) == 3
    assert not made or not made[0].run.status.finished


def test_nothing_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(rehearsal, "_SCENARIO", "no-such-scenario")
    rehearse(lambda: False)
