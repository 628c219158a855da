# ruff: noqa: E501 - the text of a page

"""Writes ``docs/performance.md`` from the results of ``./dev bench``.

The results are in ``tests/bench/results.json``; the budgets are here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/performance.md"
RESULTS = HERE / "bench/results.json"

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
    Budget("the same, batch 16", "hermes batch 16", "steps_per_s", 40, "steps/s", True, COPIES),
    Budget(
        "two such runs in two threads, against one",
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
        "h2m2 mapping",
        "exhaustive_ms",
        20,
        "ms",
        reference=COPIES,
    ),
    Budget("H2M2, greedy mapping", "h2m2 mapping", "greedy_ms", 0.2, "ms", reference=KERNELS),
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
        "pan and zoom of a timeline of a million spans: 95 %",
        "zoom",
        "p95",
        10,
        "ms",
        reference=KERNELS,
    ),
    Budget("jump to any of 390,000 steps: 95 %", "seek", "p95", 16, "ms", reference=KERNELS),
    Budget("start to a run in the window", "start", "run_s", 2.0, "s", reference=KERNELS),
    Budget(
        "`dimmscope run --no-compare`, default scenario",
        "run command",
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
reference measured in the same minute**: copying 32 MB of memory for work that memory limits
({copies:.2f} ms here at the best), 400 small calls of numpy for work that calls limit ({kernels:.2f} ms at the
best). Ratios compare between machines, times do not. Nothing here is asserted by a test; that the fast paths
give what plain ones give is (`tests/simcore/activations/plain_source.py`,
`tests/simcore/systems/plain_hermes.py`, `tests/simcore/placement/literal.py`).

## Budgets
"""

_AFTER = """\
Lateness is that of a timer of 5 ms in the window's thread while one run after the other is simulated
and the run on screen is played. A frame is all the time the window's thread works for one step
forward. An edit counts from the end of the 150 ms in which further keys may follow. The window is
measured without a screen (Qt's offscreen platform, painted by the processor as always).
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
    lines += ["", _AFTER, _GROWTH.rstrip("\n")]
    for name, numbers in rows.items():
        if name.startswith("growth "):
            sizes = ", ".join(
                f"{key[2:]}: {value:.2g}" for key, value in numbers.items() if key.startswith("s_")
            )
            lines.append(
                f"| {name.removeprefix('growth ')} | {sizes} | {numbers['time_exponent']:.2f} | "
                f"{numbers['memory_exponent']:.2f} |"
            )
    lines += ["", (HERE / "bench/profiles.md").read_text(encoding="utf-8").rstrip("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
