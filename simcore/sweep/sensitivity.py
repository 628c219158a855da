"""How much faster a step gets when one number of the machine or the model grows a little.

Every parameter is changed alone, the system plans anew with it, and a short stretch of the run is
simulated again: the step in question at its context length where a workload allows that, else the
run up to it. The unchanged scenario is simulated in the same way, so that both sides of the
comparison start from the same state.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simcore.engine.simulator import Simulator
from simcore.errors import Cancelled, ScenarioErrors, SimcoreError
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.summary import scenario_dict
from simcore.scenario.document import Document
from simcore.scenario.listing import EXPERT_FIELDS, FieldInfo, scenario_fields
from simcore.scenario.schema import Scenario

FACTOR = 1.1
DECODE_STEPS = 3
"""Decode steps of the stretch whose mean is taken, where a step can be put at its start."""
MIN_STEPS = 200
MAX_STEPS = 2_000
"""Shortest and longest stretch of served requests, which is simulated from the start of a run."""
_ROUNDER = (1.125, 1.25, 1.5, 2.0)
"""Larger changes to try for whole numbers that do not allow the one asked for."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is changed.

    Attributes:
        path: where it stands in a scenario.
        group: title of the component it belongs to.
        unit: its unit, empty for counts and shares.
        value: what it is.
    """

    path: str
    group: str
    unit: str
    value: float

    @property
    def title(self) -> str:
        """Component and name in words, ``GPU bandwidth``."""
        name = self.path.rpartition(".")[2]
        unit = self.unit.replace("µ", "u")
        for suffix in (unit, unit.replace("/s", "ps"), unit.replace("/", "_per_")):
            if suffix:
                name = name.removesuffix(f"_{suffix}")
        return f"{self.group} {name.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is simulated.

    Attributes:
        scenario: the scenario, its workload cut down to the stretch, as plain data.
        steps: steps to simulate.
        kind: `KIND_PREFILL` or `KIND_DECODE` where only such steps count, else None.
        only: index of the only step that counts, None for all.
        text: what it is, in words.
    """

    scenario: Mapping[str, Any]
    steps: int
    kind: int | None
    only: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What a stretch took.

    Attributes:
        step_s: mean length of the steps that count, in seconds.
        tokens_per_s: output tokens over time in the same steps; 0 for a prefill.
    """

    step_s: float
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What one parameter does.

    Attributes:
        parameter: what was changed.
        value: what it was changed to; its old value if it could not be changed.
        step_time: relative change of the step time for the change asked for, −0.05 for 5 % less.
            Where a whole number cannot grow by just that, the measured change is scaled on the
            assumption that time follows a power of the parameter. NaN if it could not be changed.
        tokens_per_s: the same of tokens/s; NaN for a prefill, which makes none.
        measured: relative change of the step time that was measured, not scaled.
        reason: why it could not be changed; empty if it could.
    """

    parameter: Parameter
    value: float
    step_time: float
    tokens_per_s: float
    measured: float
    reason: str = ""

    @property
    def factor(self) -> float:
        """The change that was really made."""
        return self.value / self.parameter.value


def parameters(scenario: Scenario) -> tuple[Parameter, ...]:
    """The numbers of hardware and model that are not zero or automatic, in the form's order."""
    return tuple(
        Parameter(item.path, item.group, item.knob.unit, float(item.value))
        for item in scenario_fields(scenario)
        if _is_number(item) and (scenario.model.experts > 1 or item.path not in EXPERT_FIELDS)
    )


def _is_number(item: FieldInfo) -> bool:
    of_machine = item.path.startswith(("hardware.", "model."))
    number = item.type in (int, float) and isinstance(item.value, (int, float))
    return of_machine and number and not isinstance(item.value, bool) and item.value > 0


def stretch_at(run: Run, step: int) -> Stretch:
    """The stretch that stands for a step of a run.

    In a fixed workload the run begins right before the step: prompts as long as its context.
    Otherwise it begins at its own start and goes to the step, at most `MAX_STEPS`; with requests
    that come and go all its steps count, at least `MIN_STEPS`, since which requests are in a step
    depends on time. tokens/s then says more than the step time, which grows with the batch.

    Raises:
        IndexError: if there is no such step.
    """
    if not 0 <= step < len(run):
        raise IndexError(f"step {step} of a run of {len(run)}")
    plain = json.loads(json.dumps(scenario_dict(run.scenario)))
    plain["compare"] = []
    workload = plain["workload"]
    kind = int(run.value("kind", step))
    if workload["kind"] == "fixed":
        if kind == KIND_PREFILL:
            workload["output_tokens"] = 1
            return Stretch(plain, 1, KIND_PREFILL, None, "the prefill")
        context = max(1, int(run.value("context_tokens", step)) - 1)
        count = min(DECODE_STEPS, int(workload["output_tokens"]))
        first = run.system.prefills if hasattr(run.system, "prefills") else True
        workload["prompt_tokens"] = context
        workload["output_tokens"] = count + 1
        text = f"{count} decode steps from a context of {context:,} tokens"
        return Stretch(plain, count + int(first), kind, None, text)
    steps = min(step + 1, MAX_STEPS)
    if workload["kind"] == "serving":
        steps = min(max(steps, MIN_STEPS), len(run))
        return Stretch(plain, steps, None, None, f"the first {steps:,} steps of the run")
    return Stretch(plain, steps, None, steps - 1, f"step {steps - 1:,} of the run")


def measure(
    scenario: Scenario, stretch: Stretch, cancelled: Callable[[], bool] | None = None
) -> Measured:
    """Simulate a stretch.

    Raises:
        Cancelled: if `cancelled` said so.
        SimcoreError: if the machine cannot run it.
    """
    simulator = Simulator(scenario, items=False)
    run = simulator.run
    while len(run) < stretch.steps:
        if cancelled is not None and cancelled():
            raise Cancelled
        if not simulator.advance(min(simulator.block_steps, stretch.steps - len(run))):
            break
    count = min(len(run), stretch.steps)
    use = np.ones(count, bool)
    if stretch.only is not None:
        use = np.arange(count) == min(stretch.only, count - 1)
    elif stretch.kind is not None:
        use = run.column("kind", 0, count) == stretch.kind
    time_s = run.column("duration_ps", 0, count)[use].astype(np.float64) / 1e12
    tokens = float(run.column("tokens", 0, count)[use].sum())
    prefill = stretch.kind == KIND_PREFILL
    total = float(time_s.sum())
    return Measured(total / max(1, len(time_s)), 0.0 if prefill else tokens / total)


def effects(
    stretch: Stretch,
    wanted: Sequence[Parameter],
    *,
    factor: float = FACTOR,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Effect]:
    """Change one parameter after the other and yield what each does.

    Args:
        wanted: which, as `parameters` gives them.
        factor: by how much each grows.

    Raises:
        Cancelled: if `cancelled` said so.
        SimcoreError: if the unchanged scenario cannot be simulated.
    """
    base = measure(_resolved(stretch.scenario, {}), stretch, cancelled)
    for parameter in wanted:
        if cancelled is not None and cancelled():
            raise Cancelled
        yield _effect(stretch, parameter, base, factor, cancelled)


def sensitivity(
    run: Run,
    step: int,
    *,
    factor: float = FACTOR,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Effect, ...]:
    """Effects of all parameters at a step of a run, the strongest first.

    Raises:
        Cancelled: if `cancelled` said so.
    """
    wanted = parameters(run.scenario)
    found = []
    for effect in effects(stretch_at(run, step), wanted, factor=factor, cancelled=cancelled):
        found.append(effect)
        if progress is not None:
            progress(len(found), len(wanted))
    return ranked(found)


def ranked(found: Sequence[Effect]) -> tuple[Effect, ...]:
    """The strongest effect on the step time first; those that could not be measured last."""

    def place(item: Effect) -> tuple[bool, float, str]:
        size = 0.0 if item.reason else -abs(item.step_time)
        return bool(item.reason), size, item.parameter.path

    return tuple(sorted(found, key=place))


def _effect(
    stretch: Stretch,
    parameter: Parameter,
    base: Measured,
    factor: float,
    cancelled: Callable[[], bool] | None,
) -> Effect:
    reason = "it is at its limit"
    for value in _candidates(parameter.value, factor, _is_whole(stretch.scenario, parameter.path)):
        try:
            scenario = _resolved(stretch.scenario, {parameter.path: value})
            found = measure(scenario, stretch, cancelled)
        except Cancelled:
            raise
        except SimcoreError as error:
            reason = _first_line(error)
            continue
        ratio = found.step_s / base.step_s
        power = math.log(factor) / math.log(value / parameter.value)
        rate = math.nan
        if base.tokens_per_s > 0 and found.tokens_per_s > 0:
            rate = (found.tokens_per_s / base.tokens_per_s) ** power - 1
        return Effect(parameter, value, ratio**power - 1, rate, ratio - 1)
    nan = math.nan
    return Effect(parameter, parameter.value, nan, nan, nan, reason)


def _candidates(value: float, factor: float, whole: bool) -> list[float]:
    """Values to try: the one asked for, and for whole numbers larger ones that may be allowed."""
    if not whole:
        return [value * factor]
    first = max(value + 1, round(value * factor))
    larger = [value * step for step in _ROUNDER if (value * step).is_integer()]
    return [first, *(item for item in larger if item > first)]


def _is_whole(plain: Mapping[str, Any], path: str) -> bool:
    return isinstance(_at(plain, path), int)


def _at(plain: Any, path: str) -> Any:
    for key in path.split("."):
        plain = plain[key]
    return plain


def _resolved(plain: Mapping[str, Any], changes: Mapping[str, float]) -> Scenario:
    """The scenario with some values changed, checked like a file."""
    data = json.loads(json.dumps(plain))
    for path, value in changes.items():
        where, _, name = path.rpartition(".")
        _at(data, where)[name] = int(value) if isinstance(_at(plain, path), int) else value
    return Document.from_text(json.dumps(data, ensure_ascii=False)).resolve()


def _first_line(error: Exception) -> str:
    if isinstance(error, ScenarioErrors):
        first = error.problems[0]
        allowed = f"; allowed: {first.allowed}" if first.allowed else ""
        return f"{first.message}{allowed}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
