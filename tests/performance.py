# ruff: noqa: E501 - the text of a page

"""Writes ``docs/performance.md`` from the results of ``./dev bench``.

The results are in ``tests/bench/results.json``, those of ``./dev profile`` beside them in
``profiles.json``; the budgets are here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/performance.md"
RESULTS = HERE / "bench/results.json"
PROFILES = HERE / "bench/profiles.json"

Numbers = dict[str, float]


@dataclass(frozen=True)
class Budget:
    """A row of the table.

    Attributes:
        what: what is measured.
        row: name of the measurement.
        key: which of its numbers is judged.
        limit: what it may be.
        least: the limit is the least, not the most.
        unit: of the number.
        reference: the reference its ratio is to: ``copies`` of 32 MB or ``kernels`` of small calls,
            or none for what is no time.
    """

    what: str
    row: str
    key: str
    limit: float
    unit: str
    least: bool = False
    reference: str = ""
    scale: float = 1.0

    def value(self, rows: dict[str, Numbers]) -> float | None:
        """What was measured."""
        return rows[self.row][self.key] * self.scale if self.row in rows else None

    def ratio(self, rows: dict[str, Numbers]) -> str:
        """The time as a multiple of the reference of the same minute."""
        if not self.reference or self.row not in rows:
            return "-"
        numbers = rows[self.row]
        if self.key == "steps_per_s":
            ms = 1e3 / numbers[self.key]
        elif self.key == "step_us":
            ms = numbers[self.key] / 1e3
        else:
            ms = numbers[self.key] * (1e3 if self.unit == "s" else 1.0)
        return f"{ms / numbers[self.reference]:.3g}"

    def met(self, value: float) -> bool:
        """Whether the value keeps the budget."""
        return value >= self.limit if self.least else value <= self.limit


COPIES, KERNELS = "copies", "kernels"
BUDGETS = (
    Budget(
        "Hermes step, LLaMA2-70B, 2.95 million neurons",
        "hermes batch 1",
        "steps_per_s",
        150,
        "steps/s",
        True,
        COPIES,
    ),
    Budget(
        "such a step over the time memory takes to move its bytes once (see below)",
        "hermes bytes",
        "memory_times",
        2.5,
        "times",
    ),
    Budget("Hermes step, batch 16", "hermes batch 16", "steps_per_s", 40, "steps/s", True, COPIES),
    Budget(
        "two runs of batch 1 in two threads, against one",
        "hermes two threads",
        "speedup",
        1.8,
        "times",
        True,
    ),
    Budget(
        "the same in two processes, as the window and sweeps do it",
        "hermes two processes",
        "speedup",
        1.8,
        "times",
        True,
    ),
    Budget("H2M2 step", "h2m2 step", "ms", 0.1, "ms", reference=KERNELS),
    Budget("HybridServe step", "step hybridserve", "ms", 0.1, "ms", reference=KERNELS),
    Budget("L3 iteration", "serving l3", "step_us", 0.1, "ms", reference=KERNELS, scale=1e-3),
    Budget(
        "L3, GPT-175B, 1,000 requests, 12.7 million tokens",
        "serving l3",
        "tokens_per_s",
        1e6,
        "tokens/s",
        True,
    ),
    Budget("memory of that", "serving l3", "MB", 600, "MB"),
    Budget(
        "H2M2, one mapping of 884,736 looked at",
        "h2m2 exhaustive mapping",
        "ms",
        20,
        "ms",
        reference=COPIES,
    ),
    Budget("H2M2, greedy mapping", "h2m2 greedy mapping", "ms", 0.2, "ms", reference=KERNELS),
    Budget(
        "edit to first new steps on screen, Hermes",
        "edit hermes-llama2-70b",
        "first_ms",
        100,
        "ms",
        reference=COPIES,
    ),
    Budget("the same, L3", "edit l3-gpt-175b", "first_ms", 100, "ms", reference=KERNELS),
    Budget("the same, H2M2", "edit h2m2-gpt3-175b", "first_ms", 100, "ms", reference=KERNELS),
    Budget(
        "the same, HybridServe",
        "edit hybridserve-opt-66b",
        "first_ms",
        100,
        "ms",
        reference=KERNELS,
    ),
    Budget(
        "edit to the whole default run, 129 steps",
        "edit hermes-llama2-70b",
        "whole_s",
        1.0,
        "s",
        reference=COPIES,
    ),
    Budget(
        "lateness of the window, simulating and playing, Hermes: 99 %",
        "lateness hermes-llama2-70b",
        "p99",
        8,
        "ms",
    ),
    Budget("the most", "lateness hermes-llama2-70b", "max", 30, "ms"),
    Budget("the same, L3: 99 %", "lateness l3-gpt-175b", "p99", 8, "ms"),
    Budget("the most", "lateness l3-gpt-175b", "max", 30, "ms"),
    Budget("the same, H2M2: 99 %", "lateness h2m2-gpt3-175b", "p99", 8, "ms"),
    Budget("the most", "lateness h2m2-gpt3-175b", "max", 30, "ms"),
    Budget(
        "a frame, all views moving, 1280x800: 95 %",
        "frame 1280x800",
        "p95",
        12,
        "ms",
        reference=KERNELS,
    ),
    Budget("the same, 2560x1440", "frame 2560x1440", "p95", 16, "ms", reference=KERNELS),
    Budget(
        "pan and zoom of a timeline of 2.6 million spans: 95 %",
        "zoom",
        "p95",
        10,
        "ms",
        reference=KERNELS,
    ),
    Budget("jump to any of 390,000 steps: 95 %", "seek", "p95", 16, "ms", reference=KERNELS),
    Budget("start to a run in the window", "start", "run_s", 2.0, "s", reference=KERNELS),
    Budget(
        "`dimmscope run`, default scenario",
        "run command",
        "seconds",
        1.5,
        "s",
        reference=COPIES,
    ),
    Budget(
        "the same with `--no-compare`",
        "run command, no comparison",
        "seconds",
        1.5,
        "s",
        reference=COPIES,
    ),
    Budget("`import simcore`", "import", "seconds", 0.25, "s", reference=KERNELS),
    Budget("memory of that", "import", "MB", 80, "MB"),
    Budget("Chrome trace of a million spans", "trace", "seconds", 1.5, "s", reference=KERNELS),
    Budget("memory of that", "trace", "MB", 150, "MB"),
    Budget(
        "sweep of 1,000 points: parallel efficiency",
        "sweep",
        "efficiency",
        90,
        "%",
        True,
        scale=100,
    ),
)

_HEAD = """\
# Speed

Written by `./dev bench` (`python -m tests.performance`); do not edit, write it again.

Measured on {processor}, {cores} cores shared with others, Python {python}, numpy {numpy}. Times on such a
machine move by half from one minute to the next, so beside each time stands its **ratio to a
reference measured in the same minute**: copying 32 MB for work that moving bytes limits
({copies:.2f} ms here at the best), 400 small calls of numpy for work that calls limit ({kernels:.2f} ms at the
best). Ratios compare between machines, times do not. Nothing here is asserted by a test; that the fast paths
give what plain ones give is (`tests/simcore/activations/plain_source.py`,
`tests/simcore/systems/plain_hermes.py`, `tests/simcore/placement/literal.py`).

## Budgets
"""

LATENESS = {"Hermes": "hermes-llama2-70b", "L3": "l3-gpt-175b", "H2M2": "h2m2-gpt3-175b"}

_AFTER = """\
Lateness is that of a timer of 5 ms in the window's thread while one run after the other is simulated
and the run on screen is played in a loop, a step a frame; {frames} frames a second were painted meanwhile.
Three times eight seconds: the middle of the three, and the most of all.
(The playback of this benchmark used to stop at the end of the first run, so figures published before were
too low; those under "Profiles" were measured again.) A frame is all the time the window's thread works for one step
forward. An edit counts from the end of the 150 ms in which further keys may follow. The window is
measured without a screen (Qt's offscreen platform, painted by the processor as always).
"""

_BYTES = """\
## The bytes of a Hermes step

A step of LLaMA2-70B, batch 1, goes through these arrays, here as they are stored, and as they would be if every
number (an activity, a state, a count, the home of a neuron) had a byte of its own instead of bits in planes of
64 neurons a word:

| what | read, MB | written, MB | stored plainly, both, MB |
|---|---:|---:|---:|
{table}

An array counts once where a step reads it and once where it writes it, however often it does; of thresholds and homes
only what changes counts as written. Sizes are those of the arrays of a live run (`tests/bench/byte_limit.py`;
`tests/test_byte_limit.py` has a small machine by hand and lets no array be forgotten). Memory moves {memory_GBps:.1f} GB/s
here (the fastest copy of a gigabyte, which no cache holds, as STREAM asks for; read and written bytes both count). At
that, the bytes of a step take **{memory_limit_ms:.2f} ms** and the step, {step_ms:.2f} ms, **{memory_times:.2f} times** as long.

Between two steps these {MB:.1f} MB stay in the cache that all cores share, so what they could be had from is faster
than memory: the fastest copy of 32 MB between the steps moves {GBps:.1f} GB/s. (Copies get that fast after
some ten in a row; the first one after other work gets {first_GBps:.1f} GB/s.) Against that limit, {limit_ms:.2f} ms, the
step takes {times:.2f} times as long; where it is disturbed least, {best_ms:.2f} ms and {best_times:.2f} times. What is
made and used up within a step (the prediction, rows of work) could stay in a core's own cache and is no part of either;
with it, it would be {all_MB:.1f} MB and {all_times:.2f} times.

Packed bits are few bytes but no less work: a byte of planes stands for eight neurons, each of which is drawn,
predicted, counted and learnt from, so that the processor computes while memory waits. Stored plainly, the same
numbers would be {plain_MB:.1f} MB, which take {plain_limit_ms:.2f} ms to move even at the speed of the cache: no program
that stores them so could be faster. The step as it is takes {plain_times:.2f} times as long as that.
"""

_GROWTH = """\
## Growth

Exponents fitted to runs of sizes a factor of two apart: 1 means twice the size, twice the time. Below 1,
fixed costs still show.

| over | sizes and seconds | time | memory |
|---|---|---:|---:|
"""


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


_PROFILES = """\
## Where the time goes

Functions in which most of the time of a path is spent, by themselves and in what they call of libraries, as
pyinstrument sampled them (`./dev profile`), files of `simcore` without its name; a compiled loop is a function like any other. Times are the
processor's, of the thread that does the work and with the profiler on.
"""

_LEAST_MB = 0.1
"""What is smaller has no row of its own."""


def bytes_of_a_step(rows: dict[str, Numbers]) -> str:
    """The part of the page on what a Hermes step moves."""
    numbers = rows["hermes bytes"]
    prefix = "plain_MB "
    parts = [
        (name, numbers[f"read_MB {name}"], numbers[f"written_MB {name}"], plain)
        for key, plain in numbers.items()
        if key.startswith(prefix) and (name := key.removeprefix(prefix))
    ]
    large = [part for part in parts if part[1] + part[2] >= _LEAST_MB]
    small = [part for part in parts if part not in large]
    large.sort(key=lambda part: -(part[1] + part[2]))
    others = tuple(sum(part[place] for part in small) for place in (1, 2, 3))
    total = tuple(sum(part[place] for part in parts) for place in (1, 2, 3))
    lines = [
        f"| {name} | {read:.2f} | {written:.2f} | {plain:.2f} |"
        for name, read, written, plain in [*large, ("all else", *others), ("together", *total)]
    ]
    return _BYTES.format(table="\n".join(lines), **numbers)


def profiles(kept: dict[str, Any]) -> list[str]:
    """Tables of what was sampled, a version in each pair of columns, the one at hand first."""
    versions = sorted(kept, key="now".__ne__)
    lines = [
        f"| path | {' | '.join(f'{version} | share' for version in versions)} |",
        f"|---|{'---|---:|' * len(versions)}",
    ]
    for name, newest in kept[versions[0]].items():
        found = [kept[version].get(name) for version in versions]
        lines.append(
            f"| **{newest['title']}** | "
            + " | ".join(f"{_shown(one['ms'])} ms | " if one else " | " for one in found)
            + " |"
        )
        for place in range(max(len(one["top"]) for one in found if one)):
            cells = []
            for one in found:
                where, share = one["top"][place] if one and place < len(one["top"]) else ("", 0.0)
                cells.append(f"{where} | {share * 100:.0f} %" if where else " | ")
            lines.append(f"| | {' | '.join(cells)} |")
    return lines


def growth(rows: dict[str, Numbers]) -> list[str]:
    """Rows of the table of exponents: those of benchmarks over the same, by size."""
    found: dict[str, list[Numbers]] = {}
    for name, numbers in rows.items():
        if name.startswith("growth "):
            over = name.removeprefix("growth ").rpartition(": ")[0]
            found.setdefault(over, []).append(numbers)
    lines = []
    for over, several in found.items():
        several.sort(key=lambda numbers: numbers["value"])
        size, seconds, memory = (
            np.log2([numbers[key] for numbers in several]) for key in ("value", "seconds", "MB")
        )
        sizes = ", ".join(f"{one['value']:.0f}: {one['seconds']:.2g}" for one in several)
        exponents = (float(np.polyfit(size, each, 1)[0]) for each in (seconds, memory))
        lines.append(f"| {over} | {sizes} | {' | '.join(f'{one:.2f}' for one in exponents)} |")
    return lines


def page() -> str:
    """The page as the results say."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows: dict[str, Numbers] = kept["rows"]
    best = {name: min(row[name] for row in rows.values()) for name in (COPIES, KERNELS)}
    lines = [
        _HEAD.format(**kept["machine"], **best),
        "| what | measured | budget | kept | ratio to |",
        "|---|---:|---:|---|---|",
    ]
    for budget in BUDGETS:
        value = budget.value(rows)
        if value is None:
            continue
        sign = "≥" if budget.least else "≤"
        reference = {COPIES: "copies", KERNELS: "kernels"}.get(budget.reference, "")
        lines.append(
            f"| {budget.what} | {_shown(value)} {budget.unit} | {sign} {_shown(budget.limit)} {budget.unit} | "
            f"{'yes' if budget.met(value) else '**no**'} | {budget.ratio(rows)} {reference} |"
        )
    frames = ", ".join(
        f"{numbers['frames_per_s']:.0f} ({title})"
        for title, name in LATENESS.items()
        if (numbers := rows.get(f"lateness {name}", {})).get("frames_per_s")
    )
    lines += ["", _AFTER.format(frames=frames), bytes_of_a_step(rows), _GROWTH.rstrip("\n")]
    lines += growth(rows)
    lines += ["", _PROFILES, *profiles(json.loads(PROFILES.read_text(encoding="utf-8")))]
    lines += ["", (HERE / "bench/profiles.md").read_text(encoding="utf-8").rstrip("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
