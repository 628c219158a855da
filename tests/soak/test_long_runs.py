"""The stories of long runs, on small sizes, and that what they judge can fail."""

import json
import subprocess
import sys

import pytest

from tests.soak import results
from tests.soak.long_runs import _ROOT, SLOW, STORIES, LongRun, in_a_process, judged


@pytest.mark.parametrize(("name", "steps"), [("tokens", 30), ("iterations", 3000)])
def test_a_short_long_run_is_clean(name, steps):
    found = in_a_process(name, steps)
    assert untimed(found) == []
    assert found["steps"] >= steps
    assert found["simulated_s"] > 0
    assert found["records_MB"][0] < found["records_MB"][1] < found["resident_MB"][1]
    assert STORIES[name].steps >= 10_000


def untimed(found):
    """What is wrong but for how long something took: the machine may be busy."""
    return [problem for problem in found["problems"] if not problem.startswith(SLOW)]


def test_a_run_with_neurons_keeps_to_its_budget():
    found = in_a_process("neurons", 200)
    assert untimed(found) == []
    assert found["file_MB"] > 100
    assert found["anonymous_MB"][1] - found["anonymous_MB"][0] < 40
    assert STORIES["neurons"].steps >= 3_000


def _found(**changes):
    plain = {
        "steps": 10, "wall_s": 1.0, "steps_per_s": 10.0, "simulated_s": 1.0,
        "resident_MB": (0.0, 0.0), "anonymous_MB": (0.0, 0.0),
        "records_MB": (0.0, 0.0), "file_MB": 0.0, "slope_MB_per_1000": (0.0, 0.0),
        "seek_ms": (1.0, 2.0), "problems": [],
    }  # fmt: skip
    return LongRun(**{**plain, **changes})


def test_memory_beyond_the_records_is_a_problem():
    steps = range(0, 41_000, 1000)
    kept = [(at, 100 + at / 100, 90 + at / 100, at / 100) for at in steps]
    fine = judged(_found(), kept)
    assert fine.problems == []
    assert fine.slope_MB_per_1000 == (10.0, 0.0)
    assert fine.anonymous_MB == (130.0, 490.0)
    assert judged(_found(), kept, budget_MB=360).problems == []  # 400 MB in all
    assert "with a budget of 350 MB" in judged(_found(), kept, budget_MB=350).problems[0]
    more = [(at, resident + at / 500, anonymous, mine) for at, resident, anonymous, mine in kept]
    leak = judged(_found(), more)
    assert "MB more than the records take" in leak.problems[0]
    assert leak.slope_MB_per_1000 == (12.0, 2.0)
    assert "a step is reached" in judged(_found(seek_ms=(40.0, 90.0)), kept).problems[0]


def test_a_few_edits_through_the_command(tmp_path):
    """The window, one file, edits one after the other; results of other kinds stay."""
    file = tmp_path / "results.json"
    results.put(file, {"window": {"minutes": 1}, "long runs": {"tokens": {"steps": 5}}})
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--edits", "20", "--json", str(file)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["edits"]["edits"] == 40, done.stderr  # half of them to warm up
    assert found["edits"]["opens"] == 1
    assert not [text for text in found["edits"]["problems"] if not text.startswith("memory")]
    assert found["window"] == {"minutes": 1}
    results.put(file, {"long runs": {"iterations": {"steps": 7}}})
    assert results.read(file)["long runs"] == {"tokens": {"steps": 5}, "iterations": {"steps": 7}}
    assert "Traceback" not in done.stderr
