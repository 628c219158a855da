"""How fast the simulation is: medians, and ratios to references measured in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

import simcore
from simcore.engine.simulator import Simulator, simulate
from simcore.remote.parent import WORKERS
from simcore.results.run import Run
from simcore.scenario.document import Document
from tests.bench.byte_limit import compared, touched
from tests.bench.measure import (
    COPIED_MB,
    STREAM_MB,
    alone,
    as_installed,
    copying,
    elsewhere,
    once_s,
    record,
    tell,
    timed,
    times_s,
)

DEFAULT = "hermes-llama2-70b"


def document(batch: int = 1) -> Document:
    return simcore.open_document(DEFAULT).with_value("workload.batch", batch)


def started(batch: int = 1, *, items: bool = False, steps: int = 8) -> Simulator:
    longer = document(batch).with_value("workload.output_tokens", 4096)
    simulator = Simulator(longer.resolve(), items=items)
    simulator.advance(steps)
    return simulator


WINDOWS = 4


def steps_of(simulator: Simulator) -> int:
    """Steps that `forward` makes."""
    return WINDOWS * int(simulator.run.plan.policy.window_tokens)


def forward(simulator: Simulator) -> None:
    """A whole number of windows, remapping inside."""
    done, steps = 0, steps_of(simulator)
    while done < steps:
        done += simulator.advance(min(simulator.block_steps, steps - done))


@pytest.mark.parametrize("batch", [1, 4, 16])
def bench_twenty_steps_of_single_neurons(benchmark, batch: int) -> None:
    """Decode steps of LLaMA2-70B: draw, predict, count, learn, swap, remap, account."""
    simulator = started(batch)
    ms = timed(benchmark, lambda: forward(simulator), 5) / steps_of(simulator)
    record(benchmark, f"hermes batch {batch}", steps_per_s=1e3 / ms, ms=ms)


def bench_twenty_steps_and_their_bytes(benchmark) -> None:
    """The same, against copying as many bytes as the steps must move, measured in between."""
    simulator = started()
    copy = copying()
    copies_ms: list[float] = []
    first_ms: list[float] = []
    steps = steps_of(simulator)

    def beforehand() -> None:
        """Copies until they are as fast as the reference; then steps, so that caches are as ever.

        The first copies after other work take twice as long as the tenth.
        """
        times = [copy() for _ in range(15)]
        copies_ms.extend(times[10:])
        first_ms.append(times[0])
        simulator.advance(simulator.run.plan.policy.window_tokens)

    ms = timed(benchmark, lambda: forward(simulator), 15, setup=beforehand)
    # Copying reads as much as it writes. The fastest is what this machine can do: a busy one copies
    # slower still than it computes, and its steps would seem to be near the limit.
    fastest, first = (2 * COPIED_MB / one for one in (min(copies_ms), statistics.median(first_ms)))
    found = compared(touched(simulator), fastest, ms / steps)
    best_ms = benchmark.stats.stats.min * 1e3 / steps
    whole = copying(STREAM_MB)
    memory = 2 * STREAM_MB / min(whole() for _ in range(5))
    more = {
        "first_GBps": first,
        "best_ms": best_ms,
        "best_times": best_ms / found["limit_ms"],
        "memory_GBps": memory,
        "memory_limit_ms": found["MB"] / memory,
        "memory_times": ms / steps / (found["MB"] / memory),
    }
    record(benchmark, "hermes bytes", **found, **more)


def window_s(simulator: Simulator) -> list[float]:
    """Times of some windows, where no fixture is."""
    return times_s(lambda: forward(simulator), 5)


@elsewhere
def bench_twenty_steps_in_two_threads(benchmark) -> None:
    """Two runs in two threads of one process, against one run alone: how much more gets done."""
    single = statistics.median(window_s(started()))
    times: list[list[float]] = [[], []]
    pair = [started(), started()]

    def work(which: int) -> None:
        times[which] = window_s(pair[which])

    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell(benchmark, times[0] + times[1])
    speedup = sum(single / statistics.median(each) for each in times)
    record(benchmark, "hermes two threads", speedup=speedup)


@dataclass(frozen=True)
class TimeSteps:
    """Measures steps in a working process, as the window has them simulated."""

    def work(self, say: Callable[[list[float]], None]) -> None:
        say(window_s(started()))


@elsewhere
def bench_twenty_steps_in_two_processes(benchmark) -> None:
    """Two runs in two processes, against one run alone: how much more gets done."""
    with WORKERS.borrowed() as one, WORKERS.borrowed() as other:
        (single,) = one.work(TimeSteps())
        found: list[list[float]] = []
        threads = [
            threading.Thread(target=lambda w=worker: found.extend(w.work(TimeSteps())))
            for worker in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    tell(benchmark, [time for each in found for time in each])
    speedup = sum(statistics.median(single) / statistics.median(each) for each in found)
    record(benchmark, "hermes two processes", speedup=speedup)


def bench_four_steps_without_neurons(benchmark) -> None:
    resolved = document().with_value("system", "hermes-base").resolve()
    simulator = Simulator(resolved, items=False)
    simulator.advance(1)
    ms = timed(benchmark, lambda: simulator.advance(4), 25) / 4
    record(benchmark, "hermes-base step", ms=ms)


def bench_spans_of_a_step(benchmark) -> None:
    run = started(items=True).run
    ms = timed(benchmark, lambda: run.system.spans(run.plan, run.record(5)))
    record(benchmark, "hermes spans", ms=ms)


@pytest.mark.parametrize("neurons_a_cell", [1, 8, 32, 128])
def bench_placement_of_a_step(benchmark, neurons_a_cell: int) -> None:
    run = started(items=True).run
    ms = timed(benchmark, lambda: run.placement(5, neurons_a_cell))
    record(benchmark, f"hermes placement, {neurons_a_cell} neurons a cell", ms=ms)


def bench_an_edit(benchmark) -> None:
    """From an edited field to the first decode step, alternating so that nothing is cached."""
    counts = iter(range(10_000))

    def edit() -> None:
        edited = document().with_value("hardware.ndp_dimms.count", 5 + next(counts) % 11)
        Simulator(edited.resolve()).advance(2)

    record(benchmark, "hermes edit to the first step", ms=timed(benchmark, edit, 12))


def bench_a_whole_run(benchmark) -> None:
    """The default run of 129 steps, recorded."""
    resolved = document().resolve()
    record(benchmark, "default run", seconds=timed(benchmark, lambda: simulate(resolved), 3) / 1e3)


@elsewhere
@pytest.mark.parametrize("system", ["l3", "l3-fill-first", "gpu-only"])
def bench_served_requests(benchmark, system: str) -> None:
    """1,000 requests of 12,700 output tokens on average, to the end: aim 10^6 tokens a second."""
    found = alone(
        "import json, time\n"
        "import simcore\n"
        "from simcore.engine.simulator import simulate\n"
        "edited = simcore.open_document('l3-gpt-175b').with_value('workload.requests', 1000)\n"
        f"resolved = edited.with_value('system', '{system}').resolve()\n"
        "begin = time.perf_counter()\n"
        "run = simulate(resolved, items=False)\n"
        "wall = time.perf_counter() - begin\n"
        "tokens = int(run.column('tokens').sum())\n"
        "print(json.dumps(dict(tokens_per_s=tokens / wall, seconds=wall, steps=len(run), "
        "step_us=wall / len(run) * 1e6, MB=peak_MB())))\n"
    )
    tell(benchmark, [found["seconds"]])
    record(benchmark, f"serving {system}", **found)


def process(*arguments: str) -> Callable[[], object]:
    """A call runs the interpreter with these arguments."""
    return lambda: subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        check=True,
        env=as_installed(),
    )


@pytest.mark.parametrize("more", [(), ("--no-compare",)], ids=["compared", "alone"])
def bench_run_command(benchmark, more: tuple[str, ...]) -> None:
    """A whole process: what a user waits for."""
    ms = timed(benchmark, process("-m", "app", "run", DEFAULT, *more), 3)
    record(benchmark, "run command, no comparison" if more else "run command", seconds=ms / 1e3)


@elsewhere
def bench_import(benchmark) -> None:
    """What a process takes longer that loads the library, each beside one that loads nothing."""
    empty, loading = process("-c", "pass"), process("-c", "import simcore; simcore.open_document")
    empty(), loading()  # byte code is there from the second time on
    pairs = [(once_s(empty), once_s(loading)) for _ in range(5)]
    more = [loaded - nothing for nothing, loaded in pairs]
    memory = alone(
        "import json\nimport simcore\nsimcore.open_document\nprint(json.dumps({'MB': peak_MB()}))"
    )
    record(benchmark, "import", seconds=tell(benchmark, more) / 1e3, **memory)


SCALES: dict[str, tuple[str, tuple[int, ...]]] = {
    "output tokens": ("workload.output_tokens", (64, 128, 256, 512)),
    "layers": ("model.layers", (20, 40, 80, 160)),
    "neurons of a layer": ("model.ffn", (7168, 14336, 28672, 57344)),
    "DIMMs": ("hardware.ndp_dimms.count", (8, 16, 32, 64)),
    "sequences of a batch": ("workload.batch", (2, 4, 8, 16)),
}


def _sizes() -> list[tuple[str, int]]:
    return [(name, value) for name, (_, values) in SCALES.items() for value in values]


def _record_growth(benchmark, over: str, value: int, run: Run, ms: float) -> None:
    """The page fits an exponent to all rows over the same."""
    memory = (run.store.held_bytes + run.store.spilled_bytes) / 1e6
    record(benchmark, f"growth {over}: {value}", value=value, seconds=ms / 1e3, MB=memory)


@pytest.mark.parametrize(("over", "value"), _sizes())
def bench_growth(benchmark, over: str, value: int) -> None:
    """Time and memory of a Hermes run over its sizes."""
    path = SCALES[over][0]
    edited = document().with_value("workload.output_tokens", 32).with_value(path, value)
    if path in ("model.layers", "model.ffn"):
        edited = edited.with_value("hardware.ndp_dimms.count", 16)
    resolved = edited.resolve()
    runs: list[Run] = []
    ms = timed(benchmark, lambda: runs.append(simulate(resolved)), 1, setup=runs.clear)
    _record_growth(benchmark, f"hermes {over}", value, runs[-1], ms)


@pytest.mark.parametrize("requests", [125, 250, 500, 1000])
def bench_growth_of_serving(benchmark, requests: int) -> None:
    """Time and memory of an L3 run over its requests."""
    edited = simcore.open_document("l3-gpt-175b").with_value("workload.requests", requests)
    resolved = edited.resolve()
    runs: list[Run] = []
    work = partial(simulate, resolved, items=False)
    ms = timed(benchmark, lambda: runs.append(work()), 1, setup=runs.clear)
    _record_growth(benchmark, "l3 requests", requests, runs[-1], ms)
