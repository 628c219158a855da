"""SIGKILL while a file is written: what was saved before is still there, whole.

Kills elsewhere: unsaved edits (`tests/app/test_autosave.py`), a sweep and a worker of its pool
(`tests/simcore/sweep/test_runner.py`), signals to the command line (`tests/cli/test_outcomes.py`).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.killed import KINDS

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 25


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_writer_leaves_a_whole_file(tmp_path, kind):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", kind, str(tmp_path), str(ROUNDS)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "DIMMSCOPE_STATE": str(tmp_path / "state")},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kills, writes = map(int, re.findall(r"\d+", done.stdout))
    assert kills == ROUNDS
    assert writes > 0
    # Nothing with another name but the hidden remains of what was being written.
    strangers = [
        path.name
        for path in tmp_path.iterdir()
        if path.name != "state" and not path.name.startswith(("file", ".file", ".state"))
    ]
    assert not strangers
