"""How fast the simulation is: medians, and ratios to references measured in the same run."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import simcore
from simcore.engine.simulator import Simulator, simulate
from simcore.remote.parent import WORKERS
from simcore.results.run import Run
from simcore.scenario.document import Document
from tests.bench.measure import alone, as_installed, median_ms, record, report

DEFAULT = "hermes-llama2-70b"


def document(batch: int = 1) -> Document:
    return simcore.open_document(DEFAULT).with_value("workload.batch", batch)


def started(batch: int = 1, *, items: bool = False, steps: int = 8) -> Simulator:
    longer = document(batch).with_value("workload.output_tokens", 4096)
    simulator = Simulator(longer.resolve(), items=items)
    simulator.advance(steps)
    return simulator


def window_ms(simulator: Simulator) -> float:
    """Mean time of a step over a whole number of windows, remapping inside."""
    length = simulator.run.plan.policy.window_tokens
    steps = 4 * length

    def advance() -> None:
        done = 0
        while done < steps:
            done += simulator.advance(min(simulator.block_steps, steps - done))

    return median_ms(advance, 5) / steps


def bench_step_of_single_neurons() -> None:
    """A decode step of LLaMA2-70B: draw, predict, count, learn, swap, remap, account."""
    for batch in (1, 4, 16):
        each = window_ms(started(batch))
        report(f"Hermes step, LLaMA2-70B, batch {batch}", each)
        record(f"hermes batch {batch}", steps_per_s=1e3 / each, ms=each)


def bench_two_threads() -> None:
    """Two runs in two threads of one process, against one run alone: how much more gets done."""
    alone = window_ms(started())
    times = [0.0, 0.0]
    pair = [started(), started()]

    def work(which: int) -> None:
        times[which] = window_ms(pair[which])

    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record("hermes two threads", speedup=alone / times[0] + alone / times[1])


@dataclass(frozen=True)
class TimeSteps:
    """Measures steps in a working process, as the window has them simulated."""

    def work(self, say: Callable[[float], None]) -> None:
        say(window_ms(started()))


def bench_two_processes() -> None:
    """Two runs in two processes, against one run alone: how much more gets done."""
    with WORKERS.borrowed() as one, WORKERS.borrowed() as other:
        (alone_ms,) = one.work(TimeSteps())
        found: list[float] = []
        threads = [
            threading.Thread(target=lambda w=worker: found.extend(w.work(TimeSteps())))
            for worker in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    record("hermes two processes", speedup=sum(alone_ms / each for each in found))


def bench_step_without_neurons() -> None:
    resolved = document().with_value("system", "hermes-base").resolve()
    simulator = Simulator(resolved, items=False)
    simulator.advance(1)
    report("Hermes-base step, LLaMA2-70B", median_ms(lambda: simulator.advance(4), 25) / 4)


def bench_views_of_a_step() -> None:
    run: Run = started(items=True).run
    report("spans of a step", median_ms(lambda: run.system.spans(run.plan, run.record(5))))
    for width in (1, 8, 32, 128):
        report(f"placement, {width} neurons a cell", median_ms(lambda w=width: run.placement(5, w)))


def bench_an_edit() -> None:
    """From an edited field to the first decode step, alternating so that nothing is cached."""
    counts = iter(range(10_000))

    def edit() -> None:
        edited = document().with_value("hardware.ndp_dimms.count", 5 + next(counts) % 11)
        Simulator(edited.resolve()).advance(2)

    report("edit to the first decode step", median_ms(edit, 12))


def bench_a_whole_run() -> None:
    resolved = document().resolve()
    each = median_ms(lambda: simulate(resolved), 3)
    report("whole default run, 129 steps, recorded", each)
    record("default run", seconds=each / 1e3)


def bench_served_requests() -> None:
    """1,000 requests of 12,700 output tokens on average, to the end: aim 10^6 tokens a second."""
    for system in ("l3", "l3-fill-first", "gpu-only"):
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
        record(f"serving {system}", **found)


def bench_command_line() -> None:
    """Whole processes: what a user waits for."""

    def process(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, *arguments],
            stdout=subprocess.DEVNULL,
            check=True,
            env=as_installed(),
        )

    run = median_ms(process("-m", "app", "run", DEFAULT, "--no-compare"), 3)
    nothing = median_ms(process("-c", "pass"), 5)
    loaded = median_ms(process("-c", "import simcore; simcore.open_document"), 5)
    memory = alone(
        "import json\nimport simcore\nsimcore.open_document\nprint(json.dumps({'MB': peak_MB()}))"
    )
    record("run command", seconds=run / 1e3)
    record("import", seconds=(loaded - nothing) / 1e3, **memory)


SCALES: dict[str, tuple[str, tuple[int, ...]]] = {
    "output tokens": ("workload.output_tokens", (64, 128, 256, 512)),
    "layers": ("model.layers", (20, 40, 80, 160)),
    "neurons of a layer": ("model.ffn", (7168, 14336, 28672, 57344)),
    "DIMMs": ("hardware.ndp_dimms.count", (8, 16, 32, 64)),
    "sequences of a batch": ("workload.batch", (2, 4, 8, 16)),
}


def bench_growth() -> None:
    """Time and memory of a Hermes run over its sizes, and the exponents fitted to them."""
    for name, (path, values) in SCALES.items():
        seconds, memory = [], []
        for value in values:
            edited = document().with_value("workload.output_tokens", 32).with_value(path, value)
            if path == "model.layers":
                edited = edited.with_value("hardware.ndp_dimms.count", 16)
            if path == "model.ffn":
                edited = edited.with_value("hardware.ndp_dimms.count", 16)
            resolved = edited.resolve()
            simulate(resolved)
            begin = time.perf_counter()
            run = simulate(resolved)
            seconds.append(time.perf_counter() - begin)
            memory.append((run.store.held_bytes + run.store.spilled_bytes) / 1e6)
        _growth(f"hermes {name}", values, seconds, memory)


def bench_growth_of_serving() -> None:
    """Time and memory of an L3 run over its requests."""
    values, seconds, memory = (125, 250, 500, 1000), [], []
    for value in values:
        edited = simcore.open_document("l3-gpt-175b").with_value("workload.requests", value)
        resolved = edited.resolve()
        begin = time.perf_counter()
        run = simulate(resolved, items=False)
        seconds.append(time.perf_counter() - begin)
        memory.append((run.store.held_bytes + run.store.spilled_bytes) / 1e6)
    _growth("l3 requests", values, seconds, memory)


def _growth(row: str, values: tuple[int, ...], seconds: list[float], memory: list[float]) -> None:
    size = np.log2(values)
    shown = {f"s_{value}": one for value, one in zip(values, seconds, strict=True)}
    record(
        f"growth {row}",
        time_exponent=float(np.polyfit(size, np.log2(seconds), 1)[0]),
        memory_exponent=float(np.polyfit(size, np.log2(memory), 1)[0]),
        MB=memory[-1],
        **shown,
    )
