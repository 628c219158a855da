"""Where the time goes: what is counted for whom, what is kept, and the table of it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pyinstrument.frame import SELF_TIME_FRAME_IDENTIFIER, Frame

from simcore.tokenizer import split_words
from tests.bench import profiling
from tests.bench.profiling import PATHS, TOP, keep, own_times, profiled, summary
from tests.performance import PROFILES, profiles

ROOT = Path(__file__).parents[1]


def frame(function, file, seconds, *children):
    made = Frame(f"{function}\0{file}\0{1}", time=seconds)
    made.add_children(children)
    return made


def test_time_goes_to_the_innermost_function_of_the_program():
    own = Frame(SELF_TIME_FRAME_IDENTIFIER, time=0.25)
    library = frame("sum", "/lib/numpy/core.py", 1.0, Frame(SELF_TIME_FRAME_IDENTIFIER, time=1.0))
    inner = frame("learn", "/x/simcore/placement/remap.py", 2.0)
    step = frame("step", "/x/app/simcore/engine/simulator.py", 3.25, own, library, inner)
    idle = frame("_idle", profiling.__file__, 5.0, frame("sleep", "<built-in>", 5.0))
    events = frame(
        "_handle_events", profiling.__file__, 1.5, frame("paint", "/x/app/views/map.py", 0.5)
    )
    root = frame("work", profiling.__file__, 10.0, step, idle, events)
    assert own_times(root) == {
        "engine/simulator.py: step": 1.25,
        "placement/remap.py: learn": 2.0,
        "Qt: events, layout, styles, painting": 1.0,
        "app/views/map.py: paint": 0.5,
    }


def test_a_summary_has_shares_of_all_that_was_at_work():
    times = Counter({f"f{number}": float(number) for number in range(1, 8)})
    found = summary(times, 0.25)
    assert found["ms"] == 250.0
    assert [name for name, _ in found["top"]] == ["f7", "f6", "f5", "f4", "f3"]
    assert found["top"][0][1] == pytest.approx(7 / 28)


def test_a_function_that_works_is_found():
    def work():
        for _ in range(3):
            split_words("a few words " * 5000)
        return 3

    session, each_s = profiled(work)
    assert each_s > 0
    assert "tokenizer.py: split_words" in own_times(session.root_frame())


def test_versions_and_paths_are_kept_side_by_side(tmp_path):
    path = tmp_path / "profiles.json"
    keep(path, "before", "a", {"ms": 1.0})
    keep(path, "now", "a", {"ms": 2.0})
    keep(path, "now", "b", {"ms": 3.0})
    keep(path, "now", "a", {"ms": 4.0})
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept == {"before": {"a": {"ms": 1.0}}, "now": {"a": {"ms": 4.0}, "b": {"ms": 3.0}}}


def test_the_table_by_hand():
    kept = {
        "before": {"a": {"title": "A", "ms": 20.0, "top": [["x", 0.5], ["y", 0.25]]}},
        "now": {
            "a": {"title": "A", "ms": 2.0, "top": [["z", 0.75]]},
            "b": {"title": "B", "ms": 1.0, "top": [["w", 0.1]]},
        },
    }
    assert profiles(kept) == [
        "| path | now | share | before | share |",
        "|---|---|---:|---|---:|",
        "| **A** | 2 ms |  | 20 ms |  |",
        "| | z | 75 % | x | 50 % |",
        "| |  |  | y | 25 % |",
        "| **B** | 1 ms |  |  |  |",
        "| | w | 10 % |  |  |",
    ]


def test_every_path_is_on_record_beside_an_older_version():
    kept = json.loads(PROFILES.read_text(encoding="utf-8"))
    assert len(kept) > 1
    assert set(kept["now"]) == set(PATHS)
    for version in kept.values():
        for one in version.values():
            assert len(one["top"]) == TOP
            assert 0 < sum(share for _, share in one["top"]) <= 1


def test_an_unknown_path_is_named():
    done = subprocess.run(
        [sys.executable, "-P", profiling.__file__, "hermess"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "no such path: hermess; there are hermes, l3" in done.stderr
