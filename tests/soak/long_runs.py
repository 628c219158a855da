"""Runs as long as anybody will ask for, each in a process of its own, with what they hold.

The records of a run are kept, so memory grows with the steps; what must not grow is the rest. After
the last step the run is looked at as the window does: its clock adds up, and steps anywhere in it
are reached and laid out. Single neurons are recorded, as the window does, where the records go to a
file beyond a budget: there the whole process may grow by that budget and no more.
"""

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[2]
_SAMPLES = 40
_LOOKS = 200
MOST_MB_BEYOND_RECORDS = 40.0
"""What a run may take beyond its records after its first tenth: caches, blocks half filled."""
SLOW = "a step is reached in"
"""How the problem begins that a busy machine has too."""
MOST_SEEK_MS = 16.0
"""Median time to reach a step and its spans, the budget of a frame."""


@dataclass(frozen=True)
class Story:
    """A long run.

    Attributes:
        title: in words.
        scenario: shipped scenario.
        steps: how many it goes on for.
        unit: what a step is.
        edits: values of the scenario that make it so long.
        field: value that is the number of steps itself; empty if the run is cut.
        budget_MB: single neurons are recorded, and so much of the records may stay in memory; 0 for
            a run without single neurons and the usual budget.
    """

    title: str
    scenario: str
    steps: int
    unit: str
    edits: tuple[tuple[str, object], ...] = ()
    field: str = ""
    budget_MB: int = 0


STORIES = {
    "tokens": Story(
        "LLaMA2-70B, each neuron drawn (hermes-llama2-70b)",
        "hermes-llama2-70b",
        10_000,
        "tokens",
        field="workload.output_tokens",
    ),
    "neurons": Story(
        "LLaMA2-70B, each neuron kept, 32 MB of records in memory (hermes-llama2-70b)",
        "hermes-llama2-70b",
        3_000,
        "tokens",
        field="workload.output_tokens",
        budget_MB=32,
    ),
    "iterations": Story(
        "GPT-175B served to reasoning requests (l3-gpt-175b)",
        "l3-gpt-175b",
        300_000,
        "iterations",
        (("workload.requests", 2_000),),
    ),
}


@dataclass
class LongRun:
    """What came of a story.

    Attributes:
        steps, wall_s, steps_per_s: how far and how fast.
        simulated_s: time on the run's clock.
        resident_MB: at the first tenth and at the end.
        anonymous_MB: of these, what no file is behind (RssAnon).
        records_MB: of these, columns and attachments of the run, at the same moments.
        file_MB: records in the temporary file at the end.
        slope_MB_per_1000: of the resident memory, and of it without the records.
        seek_ms: median and longest time to reach a step and its spans.
        problems: what must not be.
    """

    steps: int
    wall_s: float
    steps_per_s: float
    simulated_s: float
    resident_MB: tuple[float, float]
    anonymous_MB: tuple[float, float]
    records_MB: tuple[float, float]
    file_MB: float
    slope_MB_per_1000: tuple[float, float]
    seek_ms: tuple[float, float]
    problems: list[str]


def in_a_process(name: str, steps: int) -> dict:
    """Run a story in a process of its own; its figures.

    Raises:
        RuntimeError: with what the process said, if it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.long_runs", name, str(steps)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def run(name: str, steps: int) -> LongRun:
    """Run a story in this process."""
    import simcore.systems  # noqa: F401 - fills the registry
    from simcore.data import scenario_file
    from simcore.engine.simulator import Simulator
    from simcore.scenario.document import Document

    story = STORIES[name]
    document = Document.from_file(scenario_file(story.scenario))
    for path, value in story.edits:
        document = document.with_value(path, value)
    if story.field:
        document = document.with_value(story.field, steps)
    begin = time.monotonic()
    simulator = Simulator(document.resolve(), items=bool(story.budget_MB))
    if story.budget_MB:
        simulator.run.store.budget_bytes = story.budget_MB * 10**6
    samples = [_sample(simulator.run)]
    while True:
        goal = steps * len(samples) // _SAMPLES
        while len(simulator.run) < goal:
            if not simulator.advance(min(simulator.block_steps, goal - len(simulator.run))):
                break
        gc.collect()
        samples.append(_sample(simulator.run))
        if len(simulator.run) < goal or goal >= steps:
            break
    wall = time.monotonic() - begin
    made = simulator.run
    seeks = _seeks(made)
    found = LongRun(
        len(made),
        round(wall, 1),
        round(len(made) / wall, 1),
        round(made.end_ps / 1e12, 1),
        (0.0, 0.0),
        (0.0, 0.0),
        (0.0, 0.0),
        round(made.store.spilled_bytes / 1e6, 1),
        (0.0, 0.0),
        (round(float(np.median(seeks)), 2), round(max(seeks), 1)),
        _wrong(made, steps),
    )
    return judged(found, samples, budget_MB=story.budget_MB)


Sample = tuple[int, float, float, float]
"""Steps, and megabytes: resident, of these anonymous, of these records."""


def _sample(made) -> Sample:
    return len(made), _status_MB("VmRSS"), _status_MB("RssAnon"), _records_MB(made)


def judged(found: LongRun, samples: list[Sample], *, budget_MB: int = 0) -> LongRun:
    """The result with its memory; with a budget all of it may grow by that from the start on."""
    at, resident, anonymous, records = (
        np.array(column, float) for column in zip(*samples, strict=True)
    )
    first = min(len(at) - 2, max(1, len(at) // 10))
    found.resident_MB = (round(resident[first], 1), round(resident[-1], 1))
    found.anonymous_MB = (round(anonymous[first], 1), round(anonymous[-1], 1))
    found.records_MB = (round(records[first], 1), round(records[-1], 1))
    rest = resident - records
    found.slope_MB_per_1000 = (
        round(_slope(at[first:], resident[first:]), 3),
        round(_slope(at[first:], rest[first:]), 3),
    )
    if rest[-1] - rest[first] > MOST_MB_BEYOND_RECORDS:
        found.problems.append(f"{rest[-1] - rest[first]:.0f} MB more than the records take")
    grown = resident.max() - resident[0]
    if budget_MB and grown > budget_MB + MOST_MB_BEYOND_RECORDS:
        found.problems.append(f"{grown:.0f} MB more with a budget of {budget_MB} MB")
    if found.seek_ms[0] > MOST_SEEK_MS:
        found.problems.append(f"{SLOW} {found.seek_ms[0]} ms")
    return found


def _slope(steps: np.ndarray, megabytes: np.ndarray) -> float:
    """Median of all slopes, MB per 1,000 steps."""
    one, other = np.triu_indices(len(steps), 1)
    return float(np.median((megabytes[other] - megabytes[one]) / (steps[other] - steps[one]))) * 1e3


def _status_MB(name: str) -> float:
    """A line of the memory of this process, as the kernel counts it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise KeyError(name)


def _records_MB(made) -> float:
    """Blocks of the columns as far as they are written, and attachments; not what is in a file."""
    used = sum(
        len(made) * int(np.prod(column.shape, dtype=np.int64)) * column.dtype.itemsize
        for column in made._columns.values()
    )
    kept = sum(arrays.nbytes for arrays in made.attachments.values())
    return (used + kept - made.store.spilled_bytes) / 1e6


def _seeks(made) -> list[float]:
    """Milliseconds to reach steps all over the run, with the map where there is one."""
    places = np.random.default_rng(1).integers(0, len(made), _LOOKS).tolist()
    times = []
    for step in [len(made) - 1, *places]:
        begin = time.perf_counter()
        start = made.start_ps(step)
        made.spans(step)
        if made.plan.items:
            made.placement(step, 64)
        times.append((time.perf_counter() - begin) * 1e3)
        if made.step_at(start) != step and made.value("duration_ps", step):
            raise AssertionError(f"step {step} is not found at its start")
    return times


def _wrong(made, steps: int) -> list[str]:
    """What the records contradict."""
    found = []
    durations = made.column("duration_ps")
    if len(made) < steps:
        found.append(f"only {len(made)} of {steps} steps")
    if made.end_ps != sum(durations.tolist()):
        found.append("the clock is not the sum of the steps")
    if not np.array_equal(made.column("start_ps")[1:], np.cumsum(durations)[:-1]):
        found.append("steps do not follow each other")
    spans, last = made.spans(len(made) - 1), len(made) - 1
    if int(spans.end_ps.max()) != int(durations[-1]):
        found.append("the last step's spans do not end with it")
    total = np.zeros((len(made.lanes), len(made.ops)), np.int64)
    np.add.at(total, (spans.lane, spans.op), spans.duration_ps)
    if not np.array_equal(total, made.value("lane_op_ps", last)):
        found.append("the last step's spans do not sum up to its record")
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(sys.argv[1], int(sys.argv[2])))))
