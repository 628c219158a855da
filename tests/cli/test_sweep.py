"""`dimmscope sweep`: from arguments to a table, without a trace of where it ran."""

import contextlib
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simcore.cli import main
from simcore.cli.console import Console, duration
from simcore.sweep.files import list_sweeps
from tests.simcore.export.rendering import check_drawn, pixels
from tests.simcore.sweep.conftest import SMALL

ROOT = Path(__file__).parents[2]
SWEEP = """\
# How fast.
name: a question
scenario: small.yaml
vary:
  workload.batch: [1, 2]
  hardware.lpddr.bandwidth_GBps: {from: 100, to: 300, points: 3}
objectives: {tokens_per_s: max, energy_J_per_token: min}
constraints: [tokens_per_s >= 1]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    return tmp_path


@pytest.fixture
def sweep(dimmscope, files):
    def run(source, *arguments):
        return dimmscope("sweep", files / source, "--store", files / "s.sqlite", *arguments)

    return run


def test_a_scenario_with_vary(sweep, files):
    code, out, err = sweep(
        "small.yaml",
        "--vary",
        "workload.batch=1,2,4",
        "--out",
        files / "t.csv",
        files / "t.parquet",
    )
    assert code == 0
    assert err.splitlines() == [f"wrote {files}/t.csv", f"wrote {files}/t.parquet"]
    assert "workload.batch" in out
    assert "3 points, 0 failed" in out
    rows = list(csv.DictReader((files / "t.csv").read_text().splitlines()))
    assert [row["workload.batch"] for row in rows] == ["1", "2", "4"]
    shown = [line.split()[0] for line in out.splitlines()[2:5]]
    ranked = sorted(rows, key=lambda row: -float(row["tokens_per_s"]))
    assert shown == [row["workload.batch"] for row in ranked]


def test_the_same_numbers_as_run(sweep, dimmscope, files):
    out = sweep("small.yaml", "--vary", "workload.batch=1,4", "--json", "-")[1]
    rows = json.loads(out)["rows"]
    out = dimmscope(
        "run", files / "small.yaml", "--set", "workload.batch=4", "--json", "-"
    )[1]  # fmt: skip
    run = json.loads(out)
    assert rows[1]["tokens_per_s"] == run["tokens_per_s"]
    assert rows[1]["energy_J"] == run["energy_J"]["total"]


def test_a_sweep_file_and_what_the_command_line_changes(sweep):
    code, out, _ = sweep("sweep.yaml", "--json", "-")
    assert code == 0
    found = json.loads(out)
    assert found["name"] == "a question"
    assert found["points"] == 6
    assert found["objectives"] == {"tokens_per_s": "max", "energy_J_per_token": "min"}
    assert set(found["sensitivity"]["tokens_per_s"]) == {a["path"] for a in found["axes"]}
    assert found["pareto"]
    out = sweep(
        "sweep.yaml", "--json", "-", "--vary", "seed=1:9:3", "--set", "workload.batch=3",
        "--method", "lhs", "--points", "4", "--seed", "7", "--objective", "step_ms.p95:max",
        "--constraint", "fits", "--price", "hbm=5",
    )[1]  # fmt: skip
    found = json.loads(out)
    assert [axis["path"] for axis in found["axes"]] == ["seed"]
    assert (found["method"], found["seed"], found["points"]) == ("lhs", 7, 4)
    assert found["objectives"] == {"step_ms.p95": "max"}
    assert found["constraints"] == ["fits == 1"]
    assert found["prices_USD"] == {"hbm": 5}


def test_running_again_takes_what_is_there(sweep):
    first = sweep("sweep.yaml", "--json", "-")[1]
    code, again, err = sweep("sweep.yaml", "--json", "-")
    assert code == 0
    assert "6 of 6 points were done before" in err
    assert again == first


def test_charts(sweep, files):
    names = [files / f"x-{chart}.svg" for chart in ("curves", "heatmap", "pareto")]
    code, _, err = sweep("sweep.yaml", "--out", *names)
    assert code == 0
    for name in names:
        check_drawn(pixels(name))
        assert f"wrote {name}" in err


def test_failed_points_are_told_and_the_rest_is_shown(sweep):
    code, out, err = sweep(
        "small.yaml",
        "--vary=hardware.hbm.capacity_GB=0.000001,96",
    )
    assert code == 0
    assert "2 points, 1 failed" in out
    assert "does not fit" in out
    assert "needs" in err


def test_a_missing_price_is_told(sweep):
    code, out, err = sweep("small.yaml", "--vary=seed=1,2", "--objective=tokens_per_s_per_USD")
    assert code == 0
    assert "price: no sourced price; give prices.hbm of the sweep" in err
    code, out, err = sweep(
        "small.yaml", "--vary=seed=1,2", "--objective=tokens_per_s_per_USD", "--price=hbm=1",
        "--price=hbm_npu=1", "--price=lpddr=1", "--price=lpddr_npu=1",
    )  # fmt: skip
    assert "no sourced price" not in err
    assert "-" not in out.splitlines()[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--vary: a scenario alone is no sweep"),
        (["--vary", "workload.bach=1"], "did you mean 'workload.batch'?"),
        (["--vary", "workload.batch"], "write PATH=VALUES"),
        (["--vary", "workload.batch=0"], "too small (got 0); allowed: 1 to 1024"),
        (["--vary", "seed=1,2", "--method", "gird"], "did you mean 'grid'?"),
        (["--vary", "seed=1,2", "--points", "x"], "--points: a whole number is needed"),
        (["--vary", "seed=1,2", "--points", "5"], "a grid has as many points"),
        (["--vary", "seed=1,2", "--workers", "0"], "--workers: a whole number is needed"),
        (["--vary", "seed=1,2", "--workers", "1", "--scheduler", "x"], "one of both"),
        (["--vary", "seed=1,2", "--objective", "token_per_s"], "did you mean 'tokens_per_s'?"),
        (["--vary", "seed=1,2", "--objective", "fits:most"], "max | min"),
        (["--vary", "seed=1,2", "--constraint", "fast"], "such as tokens_per_s >= 10"),
        (["--vary", "seed=1,2", "--price", "gpu"], "such as ndp_dimms=120"),
        (["--vary", "seed=1,2", "--price", "gpus=3"], "did you mean 'gpu'?"),
        (["--vary", "seed=1,2", "--sort", "speed"], "no such figure"),
        (["--vary", "seed=1,2", "--out", "t.xlsx"], "a table is written to .csv, .parquet"),
        (["--vary", "seed=1,2", "--out", "t.svg"], "which chart?"),
        (["--vary", "seed=1,2", "--out", "/none/t.csv"], "no such folder"),
        (["--vary", "seed=1,2", "--set", "workload.batch=0"], "workload.batch: too small"),
        (["--vary", "seed=1,2", "--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers"),
    ],
)
def test_wrong_arguments_are_told(sweep, monkeypatch, arguments, told):
    monkeypatch.setattr("simcore.sweep.executors.CONNECT_S", 0.3)
    code, out, err = sweep("small.yaml", *arguments)
    assert code == 2
    assert told in err
    assert out == ""


def test_a_wrong_store_is_told(dimmscope, files):
    code, _, err = dimmscope(
        "sweep", files / "small.yaml", "--vary=seed=1,2", "--store", files / "small.yaml"
    )
    assert code == 2
    assert "give another file" in err
    assert (files / "small.yaml").read_text() == SMALL


def test_an_unknown_source(dimmscope):
    code, _, err = dimmscope("sweep", "ndp-dims-per-model", "--vary", "seed=1,2")
    assert code == 2
    assert "no file" in err


def test_shipped_sweeps_are_listed(dimmscope):
    code, out, _ = dimmscope("list", "sweeps", "--json")
    assert code == 0
    listed = json.loads(out)
    assert [one["id"] for one in listed] == [path.stem for path in list_sweeps()]
    assert all(one["shows"] and one["points"] for one in listed)


def _stored(path):
    """How many points another process has stored by now."""
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        try:
            return store.execute("SELECT COUNT(*) FROM points").fetchone()[0]
        except sqlite3.OperationalError:  # its tables are being made
            return 0


def test_ctrl_c_keeps_what_is_done(files):
    command = [
        *(sys.executable, "-m", "simcore.cli", "sweep", str(files / "small.yaml")),
        *("--vary", "seed=1:2000:2000", "--store", str(files / "s.sqlite"), "--workers", "1"),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    sweep = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 30
        while not _stored(files / "s.sqlite") and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(sweep.pid, signal.SIGINT)  # a terminal sends it to the workers, too
        _, err = sweep.communicate(timeout=20)
    finally:
        sweep.kill()
    assert sweep.returncode == 3
    assert "Traceback" not in err
    done = int(err.split(" of 2000 points are done and kept")[0].split()[-1])
    assert 0 < done < 2000
    from simcore.sweep.store import Store

    with Store(files / "s.sqlite") as store:
        assert len(store) == done


def test_the_progress_bar_says_what_is_left(monkeypatch):
    err = io.StringIO()
    err.isatty = lambda: True
    now = [100.0]
    monkeypatch.setattr("simcore.cli.console.time.monotonic", lambda: now[0])
    show = Console(io.StringIO(), err).progress("a sweep", "points", left=True)
    now[0] += 10
    show(20, 100)
    assert "20/100 points, 2.0/s, 0:40 left" in err.getvalue()
    assert [duration(s) for s in (0, 59.6, 3725)] == ["0:00", "1:00", "1:02:05"]


def test_help_says_all_of_it(capsys):
    assert main(["sweep", "--help"]) == 0
    out = capsys.readouterr().out
    for word in ("--vary", "--scheduler", "--store", "log:FROM:TO:N", "parquet", "examples:"):
        assert word in out
