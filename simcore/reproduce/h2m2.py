"""How the published numbers of H2M2 are computed: averages over sequence lengths.

Every speedup is a quotient of mean iteration times at a batch and a length S, averaged over the
lengths of the model. The paper says which range of S it covers, not which points; grid, mean and
first point can be chosen in a config (``grid: geometric | linear``, ``mean: arithmetic | geometric
| harmonic``, ``shortest: 256``). At each S the first `ITERATIONS` iterations are simulated, so that
the moves that growth causes are in the times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from simcore.reproduce.ask import Answer, Ask
from simcore.reproduce.cases import RunCase
from simcore.reproduce.names import Unresolved, batches, model_preset, system_id, versus, whole
from simcore.reproduce.rules import divide, rule
from simcore.reproduce.tolerance import Verdict

FAMILY = "h2m2"
ITERATIONS = 32
"""Iterations simulated at each length: enough for FC heads of GPT3-175B to leave HBM."""

LENGTHS: Mapping[str, tuple[int, int]] = {
    "gpt3-175b": (256, 2048),
    "chinchilla-70b": (512, 4096),
    "llama2-70b": (1024, 8192),
}
"""Shortest and longest sequences by model (H2M2, arXiv 2504.14893, through secondary reports)."""

LINEAR_POINTS = 8
INT8 = (("model.bytes_per_kv", 1), ("model.bytes_per_weight", 1))
"""All models are in INT8 (H2M2, Table 2)."""

STEP, ENERGY = "step_s", "summary.memory_energy_J_per_token"
_SCALE = (0.75, 4 / 3)

VARIED: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "hbm capacity": ("hardware.hbm.capacity_GB", (48.0, 192.0)),
    "hbm bandwidth": ("hardware.hbm.bandwidth_GBps", (2250.0, 4000.0)),
    "lpddr bandwidth": ("hardware.lpddr.bandwidth_GBps", tuple(544.0 * f for f in _SCALE)),
    "lpddr-side compute": ("hardware.lpddr_npu.clock_GHz", _SCALE),
}
"""What the sensitivity study varies. HBM's values are the paper's (Table 4); those of the LPDDR
side are not known and scaled like HBM's bandwidth."""

MUCH = 3.0
"""``>>`` in an order: at least so many times the effect."""


def _model(ask: Ask) -> str:
    name = ask.text("model")
    if not name:
        raise Unresolved("The target names no model.")
    # Other papers mean a ReLU model by this name.
    return "llama2-70b" if name.strip().lower() == "llama2-70b" else model_preset(name)


def _batch(ask: Ask) -> int:
    found = batches(ask.get("batch"))
    if len(found) != 1:
        raise Unresolved("The target names no batch, or several.")
    return found[0]


def lengths(ask: Ask) -> tuple[int, ...]:
    """The sequence lengths a target covers."""
    given = ask.get("input_len")
    if given is not None:
        return (whole(given, "input length"),)
    model = _model(ask)
    if model not in LENGTHS:
        raise Unresolved(f"No range of lengths is known for {model}; the target names none.")
    low, high = LENGTHS[model]
    if ask.get("shortest") is not None:
        low = min(high, whole(ask.get("shortest"), "shortest length"))
    kind = ask.text("grid") or "geometric"
    if kind == "geometric":
        return tuple(low << k for k in range(int(math.log2(high // low)) + 1))
    if kind == "linear":
        each = (high - low) / (LINEAR_POINTS - 1)
        return tuple(round(low + k * each) for k in range(LINEAR_POINTS))
    raise Unresolved(f"The grid {kind!r} is neither 'geometric' nor 'linear'.")


def _mean(ask: Ask, values: Sequence[float]) -> float:
    kind = ask.text("mean") or "arithmetic"
    if kind == "arithmetic":
        return math.fsum(values) / len(values)
    if kind == "geometric":
        return math.exp(math.fsum(math.log(value) for value in values) / len(values))
    if kind == "harmonic":
        return len(values) / math.fsum(1 / value for value in values)
    raise Unresolved(f"The mean {kind!r} is not arithmetic, geometric or harmonic.")


def _case(ask: Ask, system: str, length: int, **settings: object) -> RunCase:
    extra = [(path.replace("__", "."), value) for path, value in settings.items()]
    seed = ask.get("seed")
    if seed is not None:
        extra.append(("seed", seed))
    merged = tuple(sorted([*INT8, *extra]))
    return RunCase(system, _model(ask), _batch(ask), length, ITERATIONS, merged)


def _quotients(
    ask: Ask, top: str, bottom: str, figure: str = STEP, **settings: object
) -> list[float]:
    """Figure of `bottom` over that of `top` at each length: the speedup of `top`, for times."""
    out = []
    for length in lengths(ask):
        mine = ask.figure(_case(ask, top, length, **settings), figure)
        out.append(divide(ask.figure(_case(ask, bottom, length, **settings), figure), mine))
    return out


def _note(ask: Ask, values: Sequence[float]) -> str:
    shown = (f"S {s} {v:.4g}" for s, v in zip(lengths(ask), values, strict=True))
    return ", ".join(shown)


def _pair(ask: Ask) -> tuple[str, str]:
    """The system measured and the one divided by."""
    pair = versus(ask.target.parts)
    variant = ask.text("variant") or (pair[0] if pair else ask.main)
    baseline = ask.text("baseline") or (pair[1] if pair else "lpddr-only")
    return system_id(variant, FAMILY), system_id(baseline, FAMILY)


@rule("h2m2:speedup", "h2m2:ratio")
def speedup(ask: Ask) -> Answer:
    """Speedup of a system over another, averaged over the lengths."""
    variant, baseline = _pair(ask)
    if variant == ask.main and baseline in ("h2m2-oracle", "hierarchical"):
        # As in the paper, both are averages of speedups over LPDDR-only.
        mine = _quotients(ask, variant, "lpddr-only")
        other = _quotients(ask, baseline, "lpddr-only")
        value = divide(_mean(ask, mine), _mean(ask, other))
        return Answer(
            value,
            f"Average speedups over lpddr-only: {variant} {_note(ask, mine)}; {baseline} "
            f"{_note(ask, other)}.",
        )
    values = _quotients(ask, variant, baseline)
    reason = f"{variant} over {baseline}: {_note(ask, values)}; their mean."
    return Answer(_mean(ask, values), reason + _other_reading(ask, variant, baseline))


def _other_reading(ask: Ask, variant: str, baseline: str) -> str:
    """What the other reading of grouped-query attention gives, where it matters."""
    model = RunCase(ask.main, _model(ask)).scenario().model
    if model.heads == model.kv_heads:
        return ""
    values = _quotients(ask, variant, baseline, policy__gqa_traffic="shared")
    return (
        f" With keys and values read once for all query heads of a group "
        f"(policy.gqa_traffic shared): {_mean(ask, values):.4g}."
    )


def _average(ask: Ask, system: str, **settings: object) -> float:
    """Average speedup of a system with some settings over LPDDR-only."""
    out = []
    for length in lengths(ask):
        base = ask.figure(_case(ask, "lpddr-only", length), STEP)
        out.append(divide(base, ask.figure(_case(ask, system, length, **settings), STEP)))
    return _mean(ask, out)


@rule("h2m2:overhead.abstraction", "h2m2:overhead.greedy", "h2m2:overhead.total")
def overhead(ask: Ask) -> Answer:
    """What paging and the greedy mapping cost, from average speedups."""
    full = _average(ask, ask.main)
    free = _average(ask, ask.main, policy__paging=False)
    best = _average(ask, "h2m2-oracle")
    note = f"Average speedups: h2m2 {full:.4g}, without paging {free:.4g}, oracle {best:.4g}"
    top, bottom = {
        "abstraction": (free, full),
        "greedy": (best, free),
        "total": (best, full),
    }[ask.target.parts[-1]]
    return Answer(divide(top, bottom) - 1, f"{note}; quotient of two of them minus 1.")


@rule("h2m2:energy")
def energy(ask: Ask) -> Answer:
    """Memory energy per token over that of the baseline, averaged over the lengths."""
    variant, baseline = _pair(ask)
    values = [1 / v for v in _quotients(ask, variant, baseline, ENERGY)]
    return Answer(
        _mean(ask, values),
        f"Memory accesses only, {variant} over {baseline}: {_note(ask, values)}; their mean.",
    )


@rule("h2m2:mapping.space")
def mapping_space(ask: Ask) -> Answer:
    """Options of the mapping problem."""
    from simcore.systems.h2m2.mapping import space

    model = RunCase(ask.main, _model(ask)).scenario().model
    return Answer(float(space(model.heads)), "By construction: heads to the power of three.")


@rule("h2m2:pagetable.bytes")
def page_table(ask: Ask) -> Answer:
    """Size of the flat page table of one side, in units of 2^20 bytes as pages are counted."""
    from simcore.scenario.schema import Mmu
    from simcore.systems.h2m2.memory import page_table_bytes, page_table_entries

    mmu = Mmu()
    return Answer(
        page_table_bytes(mmu) / 2**20,
        f"{page_table_entries(mmu)} entries of {mmu.entry_bytes} B for {mmu.logical_TiB:g} TiB in "
        f"pages of {mmu.page_KiB} KiB, in MiB.",
    )


def _fragments(ask: Ask) -> list[float]:
    name = "summary.fragmentation_bytes_first"
    return [ask.figure(_case(ask, ask.main, length), name) for length in lengths(ask)]


@rule("h2m2:fragmentation.mb")
def fragmentation(ask: Ask) -> Answer:
    """Largest internal fragmentation of HBM by Eq. 2 over the lengths."""
    values = [value / 1e6 for value in _fragments(ask)]
    return Answer(
        max(values),
        f"Size mod page size of all tensors in HBM, at the first iteration: {_note(ask, values)}; "
        "the largest.",
    )


@rule("h2m2:fragmentation.share")
def fragmentation_share(ask: Ask) -> Answer:
    """The same as a share of HBM."""
    hbm = RunCase(ask.main, _model(ask)).scenario().hardware.hbm
    capacity = (hbm.capacity_GB if hbm else 0.0) * 1e9
    values = [divide(value, capacity) for value in _fragments(ask)]
    return Answer(max(values), f"As a share of HBM: {_note(ask, values)}; the largest.")


@rule("h2m2:solver.ms")
def solver(ask: Ask) -> Answer:
    """Time of the mapping solver, which is an input."""
    policy = RunCase(ask.main, "gpt3-175b").scenario().policy
    return Answer(
        policy.solver_us / 1e3,
        "By construction: this time is an input (policy.solver_us). How long the solver of this "
        "program takes depends on the computer it runs on.",
        Verdict.INFO,
    )


@rule("h2m2:sensitivity.order")
def sensitivity(ask: Ask) -> Answer:
    """Parameters of the machine in order of their effect on H2M2's iteration time."""
    effects = {name: _effect(ask, *VARIED[name]) for name in VARIED}
    shown = ", ".join(
        f"{name} {100 * effect:.1f} %"
        for name, effect in sorted(effects.items(), key=lambda pair: -pair[1])
    )
    published = str(ask.target.value)
    order = " > ".join(sorted(effects, key=lambda name: -effects[name]))
    held = holds(published, effects)
    return Answer(
        published if held else order,
        f"Slowest over fastest iteration minus 1, mean over S, GPT3-175B, batch 32: {shown}. The "
        f"published order {'holds' if held else 'does not hold'}; '>>' is taken as at least "
        f"{MUCH:g} times.",
    )


def holds(order: str, effects: Mapping[str, float]) -> bool:
    """Whether an order such as ``a > (b, c) >> d`` is that of the effects.

    Raises:
        Unresolved: if the order names something that is not varied.
    """
    words = re.split(r"\s*(>>|>)\s*", order)
    groups = [[w.strip().lower() for w in part.strip(" ()").split(",")] for part in words[::2]]
    for name in (name for group in groups for name in group):
        if name not in effects:
            raise Unresolved(f"The sensitivity to {name!r} is not simulated.")
    for sign, left, right in zip(words[1::2], groups, groups[1:], strict=False):
        factor = MUCH if sign == ">>" else 1.0
        if min(effects[n] for n in left) <= factor * max(effects[n] for n in right):
            return False
    return True


def _effect(ask: Ask, path: str, values: Sequence[float]) -> float:
    """Slowest over fastest iteration, minus 1, over the values of a parameter."""
    low, high = LENGTHS["gpt3-175b"]
    out = []
    for length in (low << k for k in range(int(math.log2(high // low)) + 1)):
        times = []
        for settings in ((), *(((path, value),) for value in values)):
            merged = tuple(sorted([*INT8, *settings]))
            case = RunCase(ask.main, "gpt3-175b", 32, length, ITERATIONS, merged)
            times.append(ask.figure(case, STEP))
        out.append(divide(max(times), min(times)) - 1)
    return math.fsum(out) / len(out)
