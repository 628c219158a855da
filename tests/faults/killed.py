"""Kills writers of one kind of file at odd moments and looks at what is left; run as a program.

``python -m tests.faults.killed KIND FOLDER ROUNDS``; prints how many rounds, and how many writes in
all had been finished when the writer was killed. A file that cannot be read ends it with a trace.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import simcore.systems  # noqa: F401
from app.persistence import sidecar
from simcore.engine.simulator import simulate
from simcore.results.io import load_run, save_run
from simcore.scenario.document import Document
from simcore.sweep.evaluate import Outcome
from simcore.sweep.store import Store
from tests.fuzz.targets import SMALL

_TAIL = "# " + "x" * 78 + "\n"


def scenario(path: Path, number: int) -> None:
    """Save a scenario of 400 kB."""
    text = SMALL.replace("seed: 1", f"seed: {number}") + _TAIL * 5000
    Document.from_text(text).save(path)


def check_scenario(path: Path) -> int:
    """Whole, to the last line."""
    document = Document.from_file(path)
    assert document.text().endswith(_TAIL * 5000)
    return int(document.resolve().seed)


_RUN: list = []


def saved_run(path: Path, number: int) -> None:
    """Save a run whose seed tells which it is."""
    if not _RUN:
        _RUN.extend(
            simulate(Document.from_text(SMALL.replace("seed: 1", f"seed: {seed}")).resolve())
            for seed in range(3)
        )
    save_run(_RUN[number % 3], path)


def check_saved_run(path: Path) -> int:
    """Read back in full."""
    run = load_run(path)
    assert len(run) == len(_RUN[0])
    return int(run.scenario.seed)


def session(path: Path, number: int) -> None:
    """Write the session of a scenario."""
    values = {"cursor": {"step": number, "share": 0.5}, "notes": ["y" * 70] * 3000}
    sidecar.write(path, sidecar.text_of(values))


def check_session(path: Path) -> int:
    """Not damaged, so nothing is set aside."""
    found = sidecar.read(path)
    assert found.found, found.problem
    assert len(found.values["notes"]) == 3000
    return int(found.values["cursor"]["step"])


def results(path: Path, number: int) -> None:
    """Put twenty results of a sweep, all or none."""
    with Store(path) as store:
        store.put({f"{number}/{n}": Outcome({"tokens_per_s": n}, None, "", 0.1) for n in range(20)})


def check_results(path: Path) -> int:
    """No task is stored by half."""
    with Store(path) as store:
        count = len(store)
        assert count % 20 == 0
        keys = [f"{number}/{n}" for number in range(count // 20) for n in range(20)]
        assert len(store.get(keys)) == count
    return count // 20 - 1


KINDS = {
    "scenario": (scenario, check_scenario),
    "saved run": (saved_run, check_saved_run),
    "session": (session, check_session),
    "results": (results, check_results),
}


def main(kind: str, folder: Path, rounds: int) -> None:
    """Fork a writer, kill it, look; again and again on the same file."""
    write, check = KINDS[kind]
    path = folder / "file"
    draw, number, done = random.Random(kind), 1, 0
    write(path, 0)
    for _ in range(rounds):
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            while True:
                write(path, number)
                number += 1
                os.write(tell, b"x")
        os.close(tell)
        time.sleep(draw.uniform(0.001, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        finished = b""
        while data := os.read(told, 65536):
            finished += data
        os.close(told)
        done += len(finished)
        last, next_ = check(path), number + len(finished)
        # The last that was finished, or the one that just was when the signal came.
        found = [n for n in (next_ - 1, next_) if last == (n % 3 if kind == "saved run" else n)]
        assert found, (last, next_)
        number = found[0] + 1
    write(path, number)
    check(path)
    sys.stdout.write(f"{rounds} kills, {done} writes\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
