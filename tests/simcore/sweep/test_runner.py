"""Running a sweep: results, order, cancelling, resuming, and surviving what goes wrong."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from simcore.engine.simulator import simulate
from simcore.errors import Cancelled, UserError
from simcore.results.summary import summarise
from simcore.sweep import runner
from simcore.sweep.evaluate import Failure, Report, evaluate_many
from simcore.sweep.executors import LONG, LocalPool
from simcore.sweep.points import listed_points
from simcore.sweep.resolve import PointResolver, code_version, point_document
from simcore.sweep.runner import Progress, run_sweep
from simcore.sweep.spec import Method
from simcore.sweep.store import Store
from tests.simcore.sweep.conftest import SMALL

ROOT = Path(__file__).resolve().parents[3]
TWO = ("workload.batch=1,2,4", "hardware.lpddr.bandwidth_GBps=lin:100:300:3")


class Here:
    """Evaluates in this process, at once; `hook` may stand in for the simulator."""

    slots = 2

    def __init__(self, hook=evaluate_many):
        self.hook = hook
        self.tasks = []
        self.cancels = 0
        self.not_yet = 0
        self.asked = 0

    def ready(self):
        self.asked += 1
        return self.asked > self.not_yet

    def submit(self, scenarios):
        self.tasks.append(len(scenarios))
        future = Future()
        try:
            future.set_result(self.hook(scenarios))
        except Exception as error:
            future.set_exception(error)
        return future

    def died(self, error):
        return isinstance(error, EOFError)

    def renew(self):
        pass

    def cancel(self):
        self.cancels += 1

    def close(self):
        pass


def test_rows_are_the_runs_of_their_points(make, store, pool):
    spec = make(*TWO)
    seen: list[Progress] = []
    rows = run_sweep(
        spec, store, pool, on_rows=lambda new, p: seen.append((len(new), p.done, p.left_s))
    )
    assert [row.values for row in rows] == list(listed_points(spec))
    assert [row.index for row in rows] == list(range(9))
    for row in (rows[0], rows[5]):
        run = simulate(point_document(spec.document, spec.axes, row.values).resolve())
        summary = summarise(run)
        assert row.figures["tokens_per_s"] == summary["tokens_per_s"]
        assert row.figures["step_ms.p95"] == summary["step_ms"]["p95"]
        assert row.figures["energy_J"] == summary["energy_J"]["total"]
        memory = summary["memory"]["hbm"]["peak_bytes"]
        assert row.figures["memory.hbm.peak_bytes"] == memory
    assert sum(count for count, _, _ in seen) == 9
    assert seen[-1][1] == 9
    assert seen[-1][2] == 0
    assert all(left is not None and left >= 0 for _, _, left in seen)


def test_a_second_time_nothing_is_simulated(make, store, pool):
    spec = make(*TWO)
    rows = run_sweep(spec, store, pool)
    nobody = Here(lambda scenarios: pytest.fail("simulated again"))
    last = []
    again = run_sweep(spec, store, nobody, on_rows=lambda _, p: last.append(p.stored))
    assert again == rows
    assert last[-1] == 9
    more = run_sweep(make("workload.batch=1,2,4,8", TWO[1]), store, here := Here())
    assert sum(here.tasks) == 3  # the new column only
    assert [row.figures for row in more[:9]] == [row.figures for row in rows]


def test_points_of_the_same_scenario_are_simulated_once(make, store):
    spec = make("workload.batch=lin:1:3:2", method=Method.RANDOM, points=300)
    rows = run_sweep(spec, store, here := Here())
    assert sum(here.tasks) == 3
    assert len(rows) == 300
    assert {row.values for row in rows} == {(1,), (2,), (3,)}
    assert len({(row.values, row.figures["tokens_per_s"]) for row in rows}) == 3


def test_failed_points_are_recorded_and_do_not_stop_the_sweep(make, store, pool):
    spec = make("hardware.hbm.capacity_GB=0.000001,96", "workload.batch=1,8")
    spec = make(
        "hardware.hbm.capacity_GB=0.000001,96",
        "hardware.lpddr.capacity_GB=0.000001,512",
        constraints=["fits"],
    )
    rows = run_sweep(spec, store, pool)
    tiny, *others = rows
    assert tiny.outcome.failure is Failure.CAPACITY
    assert "needs" in tiny.outcome.error
    assert tiny.figures["fits"] is False
    assert not tiny.feasible
    assert others[-1].feasible
    assert others[-1].status == "done"
    nobody = Here(lambda scenarios: pytest.fail("a lasting failure was tried again"))
    assert run_sweep(spec, store, nobody) == rows


def test_points_that_are_no_scenario_say_why(make, store, pool):
    rows = run_sweep(make("model.heads=8,7"), store, pool)
    assert rows[0].status == "done"
    assert rows[1].outcome.failure is Failure.INPUT
    assert "cannot share 8 key/value heads" in rows[1].outcome.error


def test_a_bug_at_one_point_is_its_own(make, store, monkeypatch):
    def broken(run):
        if run.scenario.workload.batch == 2:
            raise ZeroDivisionError("a bug")
        return {"tokens_per_s": 1.0}

    monkeypatch.setattr("simcore.sweep.evaluate.figures_of", broken)
    rows = run_sweep(make("workload.batch=1,2,3"), store, Here())
    assert [row.status for row in rows] == ["done", "simulator failed", "done"]
    assert rows[1].outcome.error == "ZeroDivisionError: a bug"
    monkeypatch.undo()
    again = run_sweep(make("workload.batch=1,2,3"), store, here := Here())
    assert [row.status for row in again] == ["done"] * 3
    assert sum(here.tasks) == 1  # only what may have been an accident


def test_the_point_that_takes_its_worker_along_is_found(make, store):
    def deadly(scenarios):
        if any(scenario.workload.batch == 13 for scenario in scenarios):
            raise EOFError("the worker is gone")
        return evaluate_many(scenarios)

    spec = make("workload.batch=lin:1:40:40")
    rows = run_sweep(spec, store, Here(deadly))
    assert [row.values[0] for row in rows if row.status == "worker died"] == [13]
    assert sum(row.status == "done" for row in rows) == 39


def test_points_are_resolved_while_workers_start(make, store, monkeypatch):
    resolved, waited = [], []
    original = PointResolver.scenario
    monkeypatch.setattr(
        PointResolver, "scenario", lambda self, v: (resolved.append(v), original(self, v))[1]
    )
    late = Here(lambda scenarios: (waited.append(len(resolved)), evaluate_many(scenarios))[1])
    late.not_yet = 3
    rows = run_sweep(make("seed=lin:0:99:100"), store, late)
    assert late.asked == 4
    assert waited[0] > 30
    assert len(resolved) == 100
    with Store(store.path.with_name("other.sqlite")) as other:
        assert rows == run_sweep(make("seed=lin:0:99:100"), other, Here())


def test_no_worker_starts_for_what_is_stored(make, store):
    spec = make("seed=lin:0:9:10")
    run_sweep(spec, store, Here())
    run_sweep(spec, store, here := Here())
    assert here.asked == 0


def test_long_stretches_of_stored_points_do_not_hold_up_the_rest(make, store, monkeypatch):
    run_sweep(make("seed=lin:1:300:300"), store, Here())
    monkeypatch.setattr(runner, "_READ_S", 0.0)
    looked = []
    here = Here()
    rows = run_sweep(
        make("seed=lin:0:301:302"), store, here, cancelled=lambda: bool(looked.append(0))
    )
    assert len(rows) == 302
    assert all(row.status == "done" for row in rows)
    assert sum(here.tasks) == 2
    assert len(looked) > 300 / runner._LOOK_UP


def test_what_goes_wrong_before_workers_are_forked_is_left_to_them(tmp_path):
    (tmp_path / "numba.py").write_text("raise AttributeError('not for this numpy')\n")
    program = "import simcore.sweep.with_loops; print('goes on')"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.stdout, done.stderr) == ("goes on\n", "")


def test_a_process_that_cannot_be_forked_from_is_told(make, store, monkeypatch):
    pool = LocalPool(1)

    def ended(*_):
        raise EOFError("unexpected EOF")

    monkeypatch.setattr(pool._pool, "submit", ended)
    try:
        with pytest.raises(UserError, match="no worker can be started"):
            run_sweep(make("seed=1,2"), store, pool)
    finally:
        pool.close()


def test_a_sweep_given_up_while_workers_start_ends(make, store):
    pool = LocalPool(1)
    looked = []
    try:
        with pytest.raises(Cancelled):
            run_sweep(
                make("seed=lin:0:9:10"),
                store,
                pool,
                cancelled=lambda: len(looked) > 3 or looked.append(0),
            )
    finally:
        pool.close()
    assert len(store) < 10


def test_workers_are_no_more_than_points():
    assert LocalPool(8, 3).slots == 3
    assert LocalPool(2, 1000).slots == 2
    assert LocalPool(2).slots == 2


@pytest.mark.parametrize(("points", "loaded"), [(LONG, True), (LONG - 1, False)])
def test_workers_of_a_long_sweep_are_forked_with_loops(points, loaded):
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("nothing is forked here")
    program = (
        "from simcore.sweep.executors import LocalPool\n"
        "from tests.simcore.sweep.test_runner import has_loops\n"
        f"pool = LocalPool(1, {points})\n"
        "print(pool._pool.submit(has_loops).result())\n"
        "pool.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{loaded}\n", "")


def has_loops():
    """Whether the loops are loaded before anything was simulated: asked in a worker."""
    from simcore.engine import rows

    return rows._loops is not None


def test_a_killed_worker_of_the_pool_costs_no_point(make, store):
    from multiprocessing import active_children

    pool = LocalPool(2)
    killed = []

    def kill_one(_, progress):
        if progress.done > 30 and not killed:
            killed.append(active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    try:
        rows = run_sweep(make("seed=lin:0:149:150"), store, pool, on_rows=kill_one)
    finally:
        pool.close()
    assert killed
    assert all(row.status == "done" for row in rows)
    assert len(rows) == 150


def test_cancelling_keeps_what_is_done(make, store, pool):
    spec = make("seed=lin:0:199:200")
    done = []

    def on_rows(rows, progress):
        done.extend(rows)

    with pytest.raises(Cancelled):
        run_sweep(spec, store, here := Here(), on_rows=on_rows, cancelled=lambda: len(done) > 20)
    assert here.cancels == 1
    assert 20 < len(done) < 200
    assert len(store) == len(done)
    before = sum(here.tasks)
    rows = run_sweep(spec, store, here := Here())
    assert before + sum(here.tasks) == 200
    assert [rows[row.index] for row in done] == done


def test_running_tasks_return_what_they_have(make, store):
    pool = LocalPool(1)
    spec = make("seed=lin:0:399:400", "workload.output_tokens=64")
    done = []
    try:
        with pytest.raises(Cancelled):
            run_sweep(
                spec,
                store,
                pool,
                on_rows=lambda rows, _: done.extend(rows),
                cancelled=lambda: len(done) >= 30,
            )
    finally:
        pool.close()
    assert len(store) == len(done) < 400


def test_another_version_of_a_worker_is_refused(make, store):
    with pytest.raises(UserError, match="install the same version"):
        run_sweep(make("seed=1,2"), store, Here(lambda scenarios: Report("0.0+old", ())))
    assert len(store) == 0
    assert "+" in code_version()


def test_bugs_of_the_executor_are_not_hidden(make, store):
    def broken(scenarios):
        raise RuntimeError("no such thing")

    with pytest.raises(RuntimeError, match="no such thing"):
        run_sweep(make("seed=1,2"), store, Here(broken))


SCRIPT = """\
import sys
from simcore.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def children_of(pid):
    out = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    ).stdout
    children = [int(word) for word in out.split()]
    return [*children, *(pid for child in children for pid in children_of(child))]


def alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    """SIGKILL to the sweep itself: no finished point is lost, no worker stays, no file breaks."""
    (tmp_path / "small.yaml").write_text(SMALL)
    script = tmp_path / "main.py"
    script.write_text(SCRIPT)
    store, table = tmp_path / "results.sqlite", tmp_path / "table.csv"
    command = [
        *(sys.executable, str(script), "sweep", str(tmp_path / "small.yaml")),
        *("--vary", "seed=lin:0:399:400", "--set", "workload.output_tokens=32"),
        *("--workers", "2", "--store", str(store), "--out", str(table)),
    ]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}

    def stored():
        if not store.exists():
            return 0
        try:
            with Store(store) as opened:
                return len(opened)
        except UserError:
            return 0

    victim = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while stored() < 40 and time.monotonic() < deadline:
            time.sleep(0.02)
        workers = children_of(victim.pid)
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
    finally:
        victim.kill()
    finished = stored()
    assert 40 <= finished < 400
    assert len(workers) >= 2
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert f"{finished} of 400 points were done before" in again.stderr
    assert stored() == 400
    lines = table.read_text().splitlines()
    assert len(lines) == 401
    fresh = [*command[:-3], str(tmp_path / "fresh.sqlite"), "--out", str(tmp_path / "fresh.csv")]
    subprocess.run(fresh, env=environment, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "fresh.csv").read_text() == table.read_text()
