"""The simulation waits while the window works, and only then."""

import threading
import time

from app.workers import courtesy
from app.workers.courtesy import Courtesy
from simcore.engine.courtesy import courteous, give_way


def test_a_wait_is_for_one_thread_and_one_block():
    calls = []
    with courteous(lambda: calls.append(threading.get_ident())):
        give_way()
        other = threading.Thread(target=give_way)
        other.start()
        other.join()
    give_way()
    assert calls == [threading.get_ident()]


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_the_simulation_waits_for_a_late_window_but_not_for_ever(qtbot, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(courtesy, "time", clock)
    heart = Courtesy()

    def waited():
        begin = clock.now
        heart.wait()
        return clock.now - begin

    assert waited() == 0  # not beating: nothing to wait for
    heart.start()
    assert waited() == 0  # on time
    clock.now += 2 * courtesy.LATE_S  # the window works and its timers are late
    first = waited()
    assert courtesy.LONGEST_WAIT_S <= first <= courtesy.LONGEST_WAIT_S + courtesy.NAP_S
    assert waited() == 0  # now it is the turn of the simulation
    clock.now += courtesy.FAIR_SHARE * first + courtesy.NAP_S
    assert waited() >= courtesy.LONGEST_WAIT_S
    heart.stop()
    clock.now += 1.0
    assert waited() == 0


def test_it_goes_on_as_soon_as_the_window_is_done(qtbot):
    heart = Courtesy()
    heart.start()
    ended = []

    def simulate():
        time.sleep(2 * courtesy.LATE_S)
        heart.wait()
        ended.append(time.perf_counter())

    thread = threading.Thread(target=simulate)
    thread.start()
    time.sleep(5 * courtesy.LATE_S)  # the window works
    free = time.perf_counter()
    qtbot.waitUntil(lambda: bool(ended), timeout=2000)
    thread.join()
    assert ended[0] >= free
    heart.stop()
