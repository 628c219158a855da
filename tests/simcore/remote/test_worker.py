"""Working processes: messages, errors, giving up, and ends of every kind."""

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from simcore import errors
from simcore.remote import parent
from simcore.remote.parent import Assignment, RemoteTraceback, Worker, WorkerPool
from simcore.remote.simulate import Simulate
from simcore.remote.task import Begin
from simcore.remote.wire import receive, send
from simcore.scenario.document import Document
from tests.simcore.remote.tasks import Echo, Endless, Fails, Mute, Silent, Talkative, Where

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.close()


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 300_000])
def test_arrays_arrive_as_they_are(size):
    """8,192 numbers of 8 bytes are the first that travel beside the message."""
    sent = {"a": np.arange(size), "f": np.asfortranarray(np.ones((3, size))), "t": ("x", size)}
    file = io.BytesIO()
    send(file, sent)
    send(file, "next")
    file.seek(0)
    got = receive(file)
    assert receive(file) == "next"
    assert got["t"] == sent["t"]
    for name in "af":
        assert got[name].dtype == sent[name].dtype
        assert np.array_equal(got[name], sent[name])
        got[name][...] = 7  # the reader's own
    with pytest.raises(EOFError):
        receive(file)


def test_a_message_cut_short_is_an_end():
    file = io.BytesIO()
    send(file, np.arange(20_000))
    whole = file.getvalue()
    for length in (5, 30, len(whole) - 1):
        with pytest.raises(EOFError):
            receive(io.BytesIO(whole[:length]))


def test_a_task_says_things(worker):
    what = {"x": np.arange(50_000), "y": [1, 2]}
    for _ in range(2):
        got = list(worker.work(Echo(what)))
        assert len(got) == 2
        assert np.array_equal(got[1]["x"], what["x"])
        assert worker.usable


def test_it_is_another_process_with_these_surroundings(worker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIMMSCOPE_TEST", "one")
    ((pid, folder, names),) = worker.work(Where())
    assert pid == worker.pid != os.getpid()
    assert folder == str(tmp_path)
    assert names == {"DIMMSCOPE_TEST": "one"}
    monkeypatch.delenv("DIMMSCOPE_TEST")
    ((_, _, names),) = worker.work(Where())
    assert names == {}


def test_errors_come_back_whole(worker):
    with pytest.raises(errors.CapacityError, match="take a larger one") as raised:
        list(worker.work(Fails("user")))
    assert raised.value.needed_bytes == 2_000_000_000
    assert raised.value.__cause__ is None
    with pytest.raises(ZeroDivisionError, match="a bug in a task") as bug:
        list(worker.work(Fails("bug")))
    assert isinstance(bug.value.__cause__, RemoteTraceback)
    assert "tasks.py" in str(bug.value.__cause__)
    with pytest.raises(RuntimeError, match="Odd: an odd thing"):
        list(worker.work(Fails("odd")))
    with pytest.raises(errors.SimcoreError, match=r"^take another$"):
        list(worker.work(Fails("odd for users")))
    assert worker.usable


def test_what_fails_while_it_gets_ready_is_told_by_the_task(monkeypatch):
    """The process must not end without saying why nothing can be simulated."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    source = (ROOT / "scenarios/hermes-recorded.yaml").read_text(encoding="utf-8")
    worker = Worker()
    try:
        with pytest.raises(errors.UserError, match="NUMBA_DISABLE_JIT is set"):
            list(worker.work(Simulate(Document.from_text(source), 2)))
        assert worker.usable
    finally:
        worker.close()


def test_all_errors_of_the_tree_can_travel():
    samples = [
        errors.ScenarioErrors([errors.Problem("a.b", "is wrong", "1 to 2", line=3)], "x.yaml"),
        errors.CapacityError("GPU", 2, 1, "buy one"),
        errors.UnknownNameError("preset", "x", ["y", "z"]),
    ]
    taken = {type(sample) for sample in samples}

    def tree(kind):
        return {kind}.union(*(tree(below) for below in kind.__subclasses__()))

    for kind in tree(errors.SimcoreError) - taken:
        if kind.__init__ is errors.SimcoreError.__init__:
            samples.append(kind("some text"))
            taken.add(kind)
    ours = {kind for kind in tree(errors.SimcoreError) if kind.__module__.startswith("simcore.")}
    assert {kind.__name__ for kind in ours - taken} <= set()
    for sample in samples:
        again = pickle.loads(pickle.dumps(sample))
        assert type(again) is type(sample)
        assert str(again) == str(sample)
        assert vars(again) == vars(sample)


@pytest.mark.parametrize("task", [Endless(), Talkative()], ids=["silent", "talkative"])
def test_giving_up_is_quick_and_leaves_the_worker_usable(worker, task):
    assignment, begin = Assignment(task), []

    def listen():
        for _ in assignment.messages(worker):
            begin.append(time.monotonic())
            assignment.give_up()

    with pytest.raises(errors.Cancelled):
        listen()
    assert time.monotonic() - begin[0] < 5
    assert list(worker.work(Echo(1))) == [1, 1]


def test_given_up_from_another_thread_at_any_time(worker):
    for delay in (0.0, 0.0005, 0.002, 0.01):
        assignment = Assignment(Endless())
        timer = threading.Timer(delay, assignment.give_up)
        timer.start()
        with pytest.raises(errors.Cancelled):
            list(assignment.messages(worker))
        timer.join()
        assert assignment.given_up
    assert worker.usable


def test_given_up_just_before_the_worker_knows_of_it(worker, monkeypatch):
    """Also while another thread writes: whoever gives up is the window and must not wait."""
    assignment = Assignment(Mute())
    waited = []

    def sent(file, message):
        if isinstance(message, Begin):
            begin = time.monotonic()
            assignment.give_up()
            waited.append(time.monotonic() - begin)
        send(file, message)

    monkeypatch.setattr(parent, "send", sent)
    with pytest.raises(errors.Cancelled):
        list(assignment.messages(worker))
    assert waited[0] < 0.5
    assert worker.usable


def test_giving_up_does_not_wait_for_a_process_that_reads_nothing():
    worker = Worker()
    assert list(worker.work(Echo(1))) == [1, 1]
    os.kill(worker.pid, signal.SIGSTOP)
    assignment, ended = Assignment(Mute(bytes(8 << 20))), []  # more than the pipe holds

    def listen():
        try:
            list(assignment.messages(worker))
        except errors.Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    end = time.monotonic() + 20
    while not worker._lock.locked() and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.05)
    begin = time.monotonic()
    assignment.give_up()
    waited = time.monotonic() - begin
    assert thread.is_alive()
    os.kill(worker.pid, signal.SIGCONT)
    thread.join(20)
    assert waited < 0.05
    assert ended
    assert worker.usable
    worker.close()


def test_a_process_that_does_not_listen_is_ended(monkeypatch):
    monkeypatch.setattr(parent, "PATIENCE_S", 0.3)
    worker, assignment = Worker(), Assignment(Silent())
    begin = 0.0

    def listen():
        nonlocal begin
        for _ in assignment.messages(worker):
            begin = time.monotonic()
            assignment.give_up()
            assignment.give_up()

    with pytest.raises(errors.Cancelled):
        listen()
    assert 0.2 < time.monotonic() - begin < 10
    assert not worker.usable
    worker.close()


def test_a_process_that_does_not_listen_is_ended_at_once_for_somebody_who_waits():
    worker, assignment = Worker(), Assignment(Silent())
    begin = 0.0

    def listen():
        nonlocal begin
        for _ in assignment.messages(worker):
            begin = time.monotonic()
            assignment.give_up()
            assignment.give_up(hurry=True)

    with pytest.raises(errors.Cancelled):
        listen()
    assert parent.HURRY_S - 0.05 < time.monotonic() - begin < 2
    worker.close()


def test_a_frozen_process_that_does_nothing_is_closed_soon():
    worker = Worker()
    assert list(worker.work(Echo(1))) == [1, 1]
    os.kill(worker.pid, signal.SIGSTOP)
    begin = time.monotonic()
    worker.close()
    assert time.monotonic() - begin < 1.5
    assert not worker.usable


def test_a_process_that_listens_is_left_alone(worker, monkeypatch):
    monkeypatch.setattr(parent, "PATIENCE_S", 0.2)
    assignment = Assignment(Endless())

    def listen():
        for _ in assignment.messages(worker):
            assignment.give_up()

    with pytest.raises(errors.Cancelled):
        listen()
    time.sleep(0.4)
    assert list(worker.work(Echo(1))) == [1, 1]


def test_given_up_before_it_begins(worker):
    assignment = Assignment(Endless())
    assignment.give_up()
    with pytest.raises(errors.Cancelled):
        list(assignment.messages(worker))
    assert worker.usable


@pytest.mark.parametrize(
    ("how", "told"), [("killed", "signal 9; the system does that"), ("exits", "with code 3")]
)
def test_a_process_that_ends_is_told(how, told):
    worker = Worker()
    with pytest.raises(errors.WorkerLostError, match=told):
        list(worker.work(Fails(how)))
    assert not worker.usable
    worker.give_up()  # too late, and no harm
    worker.close()


def test_no_process_at_all(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(errors.WorkerLostError, match="no process can be started"):
        Worker()
    pool = WorkerPool()
    pool.warm()  # whoever takes one is told
    with pytest.raises(errors.WorkerLostError):
        pool.take()
    for nothing in ("", None):
        monkeypatch.setattr(sys, "executable", nothing)
        pool.warm()
        with pytest.raises(errors.WorkerLostError, match="no Python is known"):
            pool.take()


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_without_standard_files(closed, tmp_path):
    """As a program may be started that has no terminal."""
    program = (
        "from simcore.remote.parent import Worker\n"
        "from tests.simcore.remote.tasks import Echo\n"
        "worker = Worker()\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(repr(list(worker.work(Echo(3)))))\n"
        "worker.close()\n"
    )
    subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, program],
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (tmp_path / "said").read_text() == "[3, 3]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_copy_knows_no_workers():
    pool = parent.WORKERS
    pool.close()
    pool.warm()
    try:
        child = os.fork()
        if not child:
            os._exit(len(pool._idle))
        assert os.waitpid(child, 0)[1] == 0
        assert len(pool._idle) == 1
    finally:
        pool.close()


def test_a_pool_keeps_some_and_no_dead_ones():
    pool = WorkerPool(most_idle=1)
    pool.warm()
    first = pool.take()
    assert list(first.work(Echo(1))) == [1, 1]
    second = pool.take()
    assert second is not first
    pool.give_back(first)
    pool.give_back(second)  # one too many
    assert not second.usable
    assert pool.take() is first
    with pytest.raises(errors.WorkerLostError):
        list(first.work(Fails("killed")))
    pool.give_back(first)
    with pool.borrowed() as third:
        assert third is not first
        assert list(third.work(Echo(2))) == [2, 2]
    pool.close()
    assert not third.usable


def test_a_reader_that_stops_early_makes_the_worker_unusable():
    worker = Worker()
    for _ in worker.work(Talkative()):
        break
    assert not worker.usable
    worker.close()


def test_it_ends_with_the_process_that_started_it():
    program = (
        "import os, sys\n"
        "from simcore.remote.parent import Worker\n"
        "from tests.simcore.remote.tasks import Endless\n"
        "worker = Worker()\n"
        "print(worker.pid, flush=True)\n"
        "next(worker.work(Endless()))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == -9
    pid = int(done.stdout)
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}/status").exists() and time.monotonic() < end:
        if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            break  # ended; nobody collects it
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}").exists()
