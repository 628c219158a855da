"""Where benchmarks keep their rows, what they tell pytest-benchmark, and when its plugin is on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.measure import Told, copying, keep, once_s
from tests.performance import bytes_of_a_step, growth

ROOT = Path(__file__).parents[1]
HERE = {"processor": "x"}


def test_rows_are_replaced_one_by_one(tmp_path):
    path = tmp_path / "results.json"
    keep(path, "a", {"ms": 1.0, "old": 3.0}, {"processor": "before"})
    keep(path, "b", {"ms": 2.0}, HERE)
    keep(path, "a", {"ms": 4.0}, HERE)
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept == {"machine": HERE, "rows": {"a": {"ms": 4.0}, "b": {"ms": 2.0}}}
    assert list(kept["rows"]) == ["a", "b"]  # rows stay where they are


def test_a_told_clock_goes_on_by_what_it_is_told():
    clock = Told()
    begin = clock()
    assert clock() == begin
    clock.go_on(1.5)
    clock.go_on(0.25)
    assert clock() - begin == 1.75


def test_references_take_time():
    copy = copying(1.0)
    assert 0 < copy() < 1e3
    assert once_s(lambda: None) < 0.1


BENCH = """
import pytest
from tests.bench.measure import elsewhere, record, tell, timed

def bench_here(benchmark):
    ms = timed(benchmark, lambda: sum(range(1000)), 7)
    assert len(benchmark.stats.stats.data) == 7
    assert ms == pytest.approx(benchmark.stats.stats.median * 1e3)
    record(benchmark, "here", ms=ms)

@elsewhere
@pytest.mark.parametrize("seconds", [1.0, 2.0])
def bench_there(benchmark, seconds):
    assert tell(benchmark, [seconds, 3 * seconds, 8 * seconds]) == 3e3 * seconds
    assert benchmark.stats.stats.data == pytest.approx([seconds, 3 * seconds, 8 * seconds])
    record(benchmark, f"there {seconds}", s=seconds)

def bench_unmarked(benchmark):
    with pytest.raises(RuntimeError, match="elsewhere"):
        tell(benchmark, [1.0])
"""


def run_bench(tmp_path, *arguments):
    """Pytest as `./dev bench` calls it, on a small file."""
    (tmp_path / "bench_small.py").write_text(BENCH, encoding="utf-8")
    options = "-o python_files=bench_*.py -o python_functions=bench_* -p no:cacheprovider"
    settings = ["-c", ROOT / "pyproject.toml", *options.split()]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *settings, *arguments, tmp_path / "bench_small.py"],
        cwd=ROOT,
        env={
            "PYTHONPATH": str(ROOT),
            "DIMMSCOPE_BENCH_RESULTS": str(tmp_path / "results.json"),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )


def test_times_here_and_elsewhere_are_in_table_and_rows(tmp_path):
    saved = tmp_path / "saved.json"
    done = run_bench(tmp_path, "-p", "benchmark", f"--benchmark-json={saved}")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["rows"]
    assert list(rows) == ["here", "there 1.0", "there 2.0"]
    assert set(rows["there 2.0"]) == {"s", "copies", "kernels"}
    benches = {one["name"]: one for one in json.loads(saved.read_text())["benchmarks"]}
    there = benches["bench_there[2.0]"]
    assert there["stats"]["median"] == pytest.approx(6.0)
    info = there["extra_info"]
    assert info["row"] == "there 2.0"
    assert info["in_copies"] == pytest.approx(6e3 / info["copies"])


def test_without_times_nothing_is_kept(tmp_path):
    done = run_bench(tmp_path, "-p", "benchmark", "--benchmark-disable")
    assert "4 skipped" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "results.json").exists()


def test_the_plugin_is_off_in_tests(tmp_path, pytestconfig):
    assert not pytestconfig.pluginmanager.has_plugin("benchmark")
    assert not hasattr(pytestconfig, "_benchmarksession")
    done = run_bench(tmp_path)
    assert "fixture 'benchmark' not found" in done.stdout


def test_exponents_by_hand():
    rows = {
        f"growth x of y: {value}": {"value": value, "seconds": value**2 / 100, "MB": 5.0}
        for value in (4.0, 1.0, 2.0)
    }
    (line,) = growth({**rows, "other": {"ms": 1.0}})
    assert line == "| x of y | 1: 0.01, 2: 0.04, 4: 0.16 | 2.00 | 0.00 |"


def test_bytes_of_a_step_are_added_up():
    sums = dict.fromkeys(("MB", "limit_ms", "times"), 1.0)
    numbers = {"step_ms": 2.0, "GBps": 20.0, "first_GBps": 15.0, **sums}
    numbers |= {"best_ms": 1.9, "best_times": 0.9, "memory_GBps": 10.0}
    numbers |= {"memory_limit_ms": 2.0, "memory_times": 1.0}
    numbers |= {f"{kind}_{name}": 3.0 for kind in ("all", "plain") for name in sums}
    for name, size in {"small": 0.01, "more": 4.0, "less": 1.0}.items():
        numbers |= {f"read_MB {name}": size, f"written_MB {name}": 0.0, f"plain_MB {name}": 8.0}
    lines = [
        line for line in bytes_of_a_step({"hermes bytes": numbers}).splitlines() if "|" in line
    ]
    assert lines[2:] == [
        "| more | 4.00 | 0.00 | 8.00 |",
        "| less | 1.00 | 0.00 | 8.00 |",
        "| all else | 0.01 | 0.00 | 8.00 |",
        "| together | 5.01 | 0.00 | 24.00 |",
    ]
