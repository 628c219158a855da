"""``./dev fuzz [--cases N] [--seed S]``: spoilt input of every kind, in batches.

Every case follows from the seed and its number alone, so a finding is repeated with
``--seed S --first N --cases 1``.
"""

import argparse
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

BATCH = 500
_SILENCE_S = 120.0
"""A case that says nothing for so long hangs where the worker cannot notice it."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Found:
    """What came of all cases so far."""

    outcomes: Counter = field(default_factory=Counter)
    problems: list[dict] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[float, str] = (0.0, "")

    @property
    def cases(self) -> int:
        """How many cases were run."""
        return sum(self.outcomes.values())

    def add(self, one: dict) -> None:
        """Count a case."""
        outcome = "failed" if one["problem"] else one["outcome"]
        self.outcomes[one["target"], outcome] += 1
        if one["problem"]:
            self.problems.append(one)
        self.slowest = max(self.slowest, (one.get("seconds", 0.0), one["target"]))
        self.largest = max(self.largest, (one.get("megabytes", 0.0), one["target"]))

    def table(self) -> str:
        """A line for each target."""
        lines = [f"{'input':20}{'cases':>8}{'read':>8}{'refused':>9}{'failed':>8}"]
        for name in sorted({target for target, _ in self.outcomes}):
            read, refused, failed = (
                self.outcomes[name, what] for what in ("read", "refused", "failed")
            )
            all_ = read + refused + failed
            lines.append(f"{name:20}{all_:8}{read:8}{refused:9}{failed:8}")
        return "\n".join(lines)


def run(seed: int, first: int, cases: int, only: str = "", *, quiet: bool = True) -> Found:
    """Run cases in worker processes; a dead or silent worker is a finding, the rest goes on."""
    found = Found()
    number, stop, begin = first, first + cases, time.monotonic()
    while number < stop:
        number = _batch(seed, number, min(BATCH, stop - number), only, found)
        if not quiet:
            sys.stderr.write(
                f"{number - first} of {cases} cases, {len(found.problems)} failed, "
                f"{time.monotonic() - begin:.0f} s\n"
            )
    return found


def _batch(seed: int, first: int, count: int, only: str, found: Found) -> int:
    """Run a batch; returns the number of the case to go on with."""
    folder = tempfile.mkdtemp(prefix="fuzz-")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "tests.fuzz.worker"]
    command += [*map(str, (seed, first, count)), folder, *([only] if only else [])]
    current, done = first, first
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, cwd=_ROOT, env=environment
        ) as worker,
    ):
        why = ""
        with selectors.DefaultSelector() as waiting:
            assert worker.stdout is not None
            waiting.register(worker.stdout, selectors.EVENT_READ)
            rest = b""
            while True:
                if not waiting.select(_SILENCE_S):
                    why = f"silent for {_SILENCE_S:g} s"
                    worker.kill()
                    break
                data = os.read(worker.stdout.fileno(), 1 << 16)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    one = json.loads(line)
                    if "begin" in one:
                        current = one["begin"]
                    else:
                        found.add(one)
                        done = one["case"] + 1
        code = worker.wait()
        if done < first + count:
            said.seek(0)
            trace = said.read()[-3000:].decode("utf-8", "replace")
            found.add(
                {
                    "case": current,
                    "target": only or "worker",
                    "outcome": "failed",
                    "problem": why or f"the process ended with {code}",
                    "trace": trace,
                }
            )
            done = current + 1
    shutil.rmtree(folder, ignore_errors=True)
    return done


def main() -> int:
    """Run, print a summary, write it for the page of results if asked."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--target", default="", help="only this kind of input")
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    given = parser.parse_args()
    found = run(given.seed, given.first, given.cases, given.target, quiet=False)
    shown: Counter = Counter()
    for one in found.problems:
        key = (one["target"], one["problem"])
        shown[key] += 1
        if shown[key] == 1:
            sys.stdout.write(
                f"\n--seed {given.seed} --first {one['case']} --cases 1: {one['target']}: "
                f"{one['problem']}\n{one.get('trace', '')}\n"
            )
    sys.stdout.write("\n" + found.table() + "\n")
    for (target, problem), count in shown.most_common():
        sys.stdout.write(f"{count:5} × {target}: {problem}\n")
    sys.stdout.write(
        f"\n{found.cases} cases of seed {given.seed}, {len(found.problems)} failed; slowest "
        f"{found.slowest[0]:.2f} s ({found.slowest[1]}), most memory {found.largest[0]:.0f} MB "
        f"({found.largest[1]})\n"
    )
    if given.json:
        data = {
            "seed": given.seed,
            "cases": found.cases,
            "failed": len(found.problems),
            "slowest_s": round(found.slowest[0], 1),
            "largest_MB": round(found.largest[0]),
            "outcomes": [[*key, count] for key, count in sorted(found.outcomes.items())],
        }
        given.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
