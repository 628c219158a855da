"""The window goes first: processes and threads that work for it are less urgent."""

import ctypes
import os
import platform
import struct
import subprocess
import sys
import threading

import pytest

from simcore.remote.parent import Worker
from simcore.remote.priority import (
    OTHER_SLICE_US,
    THREAD_NICE,
    WINDOW_SLICE_US,
    WORKER_NICE,
    _slice,
    lower_thread,
    raise_thread,
)
from tests.simcore.remote.tasks import Where

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have none")


def in_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_a_worker_lets_the_window_go_first_whoever_starts_it():
    base = os.getpriority(os.PRIO_PROCESS, 0)

    def started():
        lower_thread()
        worker = Worker()
        try:
            pid, *_ = next(iter(worker.work(Where())))
            nices = {
                os.getpriority(os.PRIO_PROCESS, int(t)) for t in os.listdir(f"/proc/{pid}/task")
            }
        finally:
            worker.close()
        return os.getpriority(os.PRIO_PROCESS, 0), nices

    assert in_a_thread(started) == (max(base, THREAD_NICE), {max(base, WORKER_NICE)})
    assert os.getpriority(os.PRIO_PROCESS, 0) == base


def test_who_is_modest_already_stays_so():
    code = (
        "import os; os.nice(15); from simcore.remote.priority import *; "
        "before = os.nice(0); lower_thread(); lower_process(); print(os.nice(0) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def slice_of(thread=0):
    """Nice value and length of the turns a thread asks for, in ns."""
    attributes = ctypes.create_string_buffer(56)
    number = {"x86_64": 315, "aarch64": 275}[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, thread, attributes, 56, 0) == 0
    _, _, _, nice, _, runtime, _, _ = struct.unpack_from("=IIQiIQQQ", attributes.raw)
    return nice, runtime


@pytest.fixture
def asked():
    """Nice value and turns of a thread that does something, before and after."""
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("the number of the system's call is not known here")
    usual = in_a_thread(slice_of)[1]
    if in_a_thread(lambda: (_slice(700), slice_of())[1])[1] != 700_000:
        pytest.skip("kernels before 6.12 know no turns")
    return usual


def test_the_window_asks_for_short_turns_for_itself_alone(asked):
    def raised():
        before = os.getpriority(os.PRIO_PROCESS, 0)
        raise_thread()
        code = "import os; print(os.getpid())"
        with subprocess.Popen(
            [sys.executable, "-c", code + "; input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            pid = int(child.stdout.readline())
            child_asks = slice_of(pid)
            child.communicate("\n")
        return (before, slice_of(), child_asks, in_a_thread(slice_of))

    base, own, child, thread = in_a_thread(raised)
    assert own == (base, WINDOW_SLICE_US * 1000)
    assert child == thread == (base, asked)


def test_who_gives_way_asks_for_long_turns(asked):
    base = os.getpriority(os.PRIO_PROCESS, 0)

    def lowered():
        raise_thread()
        return in_a_thread(lambda: (lower_thread(), slice_of())[1]), slice_of()

    other, own = in_a_thread(lowered)
    assert other == (max(base, THREAD_NICE), OTHER_SLICE_US * 1000)
    assert own == (base, WINDOW_SLICE_US * 1000)


def test_who_is_scheduled_in_another_way_stays_so(asked):
    def idle():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        raise_thread()
        lower_thread()
        return os.sched_getscheduler(0)

    assert in_a_thread(idle) == os.SCHED_IDLE


def test_a_system_that_answers_nothing_is_left_alone(monkeypatch):
    def unknown(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "sched_getscheduler", unknown)
    in_a_thread(raise_thread)
    assert in_a_thread(lambda: (lower_thread(), "goes on")[1]) == "goes on"
