"""The window goes first: processes and threads that work for it are less urgent."""

import os
import subprocess
import sys
import threading

import pytest

from simcore.remote.parent import Worker
from simcore.remote.priority import THREAD_NICE, WORKER_NICE, lower_thread
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
