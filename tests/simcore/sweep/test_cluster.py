"""A real Dask scheduler and workers over TCP on this machine."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simcore.errors import Cancelled, UserError
from simcore.sweep.executors import DaskCluster
from simcore.sweep.runner import run_sweep
from simcore.sweep.store import Store
from simcore.sweep.table import write_rows

ROOT = Path(__file__).parents[3]
POINTS = ("seed=lin:0:49:50", "workload.batch=1,2,4,1000", "workload.output_tokens=16")


class Cluster:
    """Processes of a cluster; each is ended by its own handle."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
        }
        file = folder / "scheduler.json"
        self.scheduler = self.start(
            "distributed.cli.dask_scheduler",
            *("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(file)),
        )
        self.workers = []
        self.address = self.wait_for(lambda: self.read(file))

    def start(self, module, *arguments):
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def add_worker(self):
        self.workers.append(
            self.start(
                "distributed.cli.dask_worker",
                *(self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
                *("--host", "127.0.0.1", "--local-directory", str(self.folder)),
            )
        )

    @staticmethod
    def read(file):
        try:
            return json.loads(file.read_text())["address"]
        except (FileNotFoundError, ValueError):
            return None

    @staticmethod
    def wait_for(ask, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := ask():
                return found
            time.sleep(0.05)
        raise TimeoutError

    def connect(self, workers):
        def ready():
            from distributed import Client

            with Client(self.address, timeout=10, set_as_default=False) as client:
                return len(client.scheduler_info(n_workers=-1)["workers"]) == workers

        self.wait_for(ready)
        return DaskCluster(self.address)

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(3)


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


def test_a_cluster_that_loses_a_worker_gives_the_table_of_the_pool(make, tmp_path, cluster, pool):
    """200 points; one of two workers is killed in the middle."""
    spec = make(*POINTS)
    assert spec.size == 200
    cluster.add_worker()
    cluster.add_worker()
    executor = cluster.connect(2)
    assert executor.slots == 2
    counts = []

    def kill_one(_, progress):
        if progress.done >= 60 and cluster.workers[0].poll() is None:
            cluster.workers[0].kill()
            cluster.workers[0].wait(10)
            counts.append(progress.done)

    try:
        with Store(tmp_path / "cluster.sqlite") as store:
            there = run_sweep(spec, store, executor, on_rows=kill_one)
    finally:
        executor.close()
    assert 60 <= counts[0] < 190
    with Store(tmp_path / "pool.sqlite") as store:
        here = run_sweep(spec, store, pool)
    assert there == here
    for name, rows in (("there", there), ("here", here)):
        write_rows(spec, rows, tmp_path / f"{name}.csv")
    text = (tmp_path / "there.csv").read_bytes()
    assert text == (tmp_path / "here.csv").read_bytes()
    assert len(text.splitlines()) == 201


def test_a_sweep_on_a_cluster_is_cancelled_and_goes_on(make, tmp_path, cluster):
    spec = make(*POINTS)
    cluster.add_worker()
    done = []
    with Store(tmp_path / "s.sqlite") as store:
        executor = cluster.connect(1)
        with pytest.raises(Cancelled):
            run_sweep(
                spec,
                store,
                executor,
                on_rows=lambda rows, _: done.extend(rows),
                cancelled=lambda: len(done) >= 20,
            )
        executor.close()
        assert 20 <= len(done) < 200
        assert len(store) == len({row.key for row in done})
        executor = cluster.connect(1)
        seen = []
        rows = run_sweep(spec, store, executor, on_rows=lambda _, p: seen.append(p.stored))
        executor.close()
    assert seen[-1] == len(done)
    assert len(rows) == 200
    assert [rows[row.index] for row in done] == done


def test_what_is_wrong_with_a_cluster_is_said(cluster, monkeypatch):
    with pytest.raises(UserError, match="no workers"):
        DaskCluster(cluster.address)
    cluster.add_worker()
    monkeypatch.setattr("simcore.sweep.executors.code_version", lambda: "9.9+other")
    with pytest.raises(UserError, match=r"run simcore .*this is 9\.9\+other"):
        cluster.connect(1)


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr("simcore.sweep.executors.CONNECT_S", 0.5)
    with pytest.raises(UserError, match="no Dask scheduler answers at tcp://127"):
        DaskCluster("tcp://127.0.0.1:9")
    with pytest.raises(UserError, match="no Dask scheduler answers at nonsense"):
        DaskCluster("nonsense://x")


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"dimmscope\[cluster\]"):
        DaskCluster("tcp://127.0.0.1:9")
