"""The next step's operations are there before it is."""

from app.viewmodels import grains
from app.viewmodels.composition import composition_of


def test_the_next_step_is_derived_while_stepping(window, qtbot):
    run, cursor = window.state.runs.current, window.state.cursor
    derived = []
    original = run.system.spans

    def spans(plan, record):
        derived.append(int(record["context_tokens"]) - 16)
        return original(plan, record)

    cursor.seek(1)
    qtbot.wait(50)
    run.system.spans, run._spans._entries = spans, {}
    try:
        cursor.seek(2)
        qtbot.waitUntil(lambda: 3 in derived, timeout=5000)
        cursor.seek(1)
        qtbot.waitUntil(lambda: 0 in derived, timeout=5000)
        derived.clear()
        cursor.seek(3)
        cursor.seek(2)  # known already, and so is 1
        qtbot.wait(50)
        assert not derived
    finally:
        del run.system.spans


def test_nothing_is_asked_beyond_the_run(window, qtbot):
    cursor, last = window.state.cursor, window.state.runs.length - 1
    cursor.seek(last - 1)
    cursor.seek(last)
    qtbot.wait(50)
    assert window.look_ahead._loader._thread.waiting is None


def test_what_is_said_of_the_next_step_is_there_too(window, qtbot):
    run, cursor = window.state.runs.current, window.state.cursor
    known = grains._CACHE.setdefault(run, {})
    cursor.seek(1)
    qtbot.wait(50)
    known.clear()
    composition_of(run)._totals.clear()
    cursor.seek(2)
    qtbot.waitUntil(lambda: 3 in known and 3 in composition_of(run)._totals, timeout=5000)
