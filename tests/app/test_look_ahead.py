"""The next step's operations are there before it is."""

import threading

import numpy as np

from app.state import turns as turns_module
from app.state.cursor import Cursor
from app.viewmodels import grains
from app.viewmodels.composition import composition_of
from app.viewmodels.time_axis import steps_around


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
        qtbot.waitUntil(lambda: 3 in derived)
        cursor.seek(1)
        qtbot.waitUntil(lambda: 0 in derived)
        derived.clear()
        cursor.seek(3)
        cursor.seek(2)  # known already, and so is 1
        qtbot.wait(50)
        assert not derived
    finally:
        del run.system.spans


def test_nothing_is_asked_beyond_the_run(window, qtbot, monkeypatch):
    cursor, last = window.state.cursor, window.state.runs.length - 1
    derived = []
    monkeypatch.setattr("app.workers.look_ahead.derive", lambda _, step: derived.append(step))
    cursor.seek(last - 2)
    cursor.seek(last - 1)
    qtbot.waitUntil(lambda: last in derived)
    cursor.seek(last)
    ahead = window.look_ahead
    qtbot.waitUntil(lambda: not (ahead._pause.isActive() or window.state.turns.waits(ahead._ask)))
    qtbot.wait(50)
    assert max(derived) == last


def test_what_is_said_of_the_next_step_is_there_too(window, qtbot):
    run, cursor = window.state.runs.current, window.state.cursor
    known = grains._CACHE.setdefault(run, {})
    cursor.seek(1)
    qtbot.wait(50)
    known.clear()
    composition_of(run)._totals.clear()
    cursor.seek(2)
    qtbot.waitUntil(lambda: 3 in known and 3 in composition_of(run)._totals)


def test_a_jump_does_not_wait_for_the_operations_of_its_step(window, qtbot):
    run, cursor, here = window.state.runs.current, window.state.cursor, threading.get_ident()
    derived, go_on = [], threading.Event()
    original = run.system.spans

    def spans(plan, record):
        derived.append(threading.get_ident())
        if derived[-1] != here:
            assert go_on.wait(60)
        return original(plan, record)

    cursor.seek(1)
    qtbot.wait(50)
    run.system.spans, run._spans._entries = spans, {}
    grains._CACHE[run].clear()
    try:
        cursor.seek(9, 5)
        shown = window.transport.position.text()
        assert shown.startswith("token 9/")
        assert not cursor.known
        assert here not in derived
        go_on.set()
        qtbot.waitUntil(lambda: cursor.known)
        qtbot.waitUntil(lambda: window.transport.position.text() != shown)
        op = run.ops[int(run.spans(9).op[cursor.op()])].id
        assert op in window.transport.position.text()
    finally:
        go_on.set()
        del run.system.spans


def test_without_anybody_who_derives_the_operations_are_there_at_once(window):
    cursor = Cursor(window.state.runs)
    window.state.runs.current._spans._entries = {}
    cursor.seek(7)
    assert cursor.known
    assert cursor.op() >= 0


def test_steps_are_derived_before_they_come_into_sight(window, qtbot):
    run, span = window.state.runs.current, window.state.window
    run._spans._entries = {}
    first, last = float(run.start_ps(4)), float(run.start_ps(6))
    span.set(first, last)
    qtbot.waitUntil(lambda: all(run.has_spans(step) for step in (3, 4, 5, 6)))


def test_from_afar_nothing_is_derived():
    edges = np.arange(200.0)
    assert steps_around(edges, 0.0, 150.0) == []
    assert steps_around(edges, 50.0, 54.0) == [50, 51, 52, 53, 49, 54]
    assert steps_around(edges, 0.0, 4.0)[:4] == [0, 1, 2, 3]


def test_other_threads_begin_when_the_views_have_drawn(window, qtbot, monkeypatch):
    """While both compute they hold up each other."""
    monkeypatch.setattr(turns_module, "PATIENCE_S", 60.0)  # however busy the machine is
    turns, order = window.state.turns, []
    view, ahead = window.docks["placement"].view, window.look_ahead
    window.show_view("placement")
    window.state.cursor.seek(1)
    qtbot.wait(200)
    monkeypatch.setattr(view._loader, "request", lambda *_: order.append("map"))
    monkeypatch.setattr(ahead._loader, "request", lambda *_: order.append("ahead"))
    window.state.cursor.seek(2)
    assert order == []
    ahead._pause.stop()
    ahead._pause.timeout.emit()
    turns.ask(lambda: order.append("a view"), 5)
    turns.ask(lambda: order.append("the first view"), 0)
    turns.flush()
    assert order == ["the first view", "a view", "map", "ahead"]
