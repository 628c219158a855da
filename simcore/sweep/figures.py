"""The figures of a point: what objectives, constraints, tables and charts of a sweep may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simcore.errors import Problem, did_you_mean
from simcore.results.run import Run
from simcore.results.summary import summarise
from simcore.results.terms import Term, term_of

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure every system has.

    Attributes:
        term: words, unit and meaning.
        maximise: whether more is better.
    """

    term: Term
    maximise: bool


def _figure(title: str, unit: str, help: str, *, maximise: bool = False) -> Figure:
    return Figure(Term(title, unit, help), maximise)


FIGURES: Mapping[str, Figure] = {
    "tokens_per_s": _figure(
        "tokens/s", "tokens/s", "Output tokens over the whole run, prefill inside.", maximise=True
    ),
    "decode_tokens_per_s": _figure(
        "decode tokens/s", "tokens/s", "Output tokens over the decode steps.", maximise=True
    ),
    "prefill_s": _figure(
        "prefill",
        "s",
        "Time of the prefill, or of iterations of prompts only.",
    ),
    "duration_s": _figure("duration", "s", "Time of the whole run."),
    "tokens": _figure("tokens", "", "Output tokens of the run.", maximise=True),
    "step_ms.mean": _figure("step, mean", "ms", "Mean length of a decode step."),
    "step_ms.p50": _figure("step, median", "ms", "Median length of a decode step."),
    "step_ms.p95": _figure("step, p95", "ms", "19 of 20 decode steps are shorter."),
    "step_ms.max": _figure("step, longest", "ms", "Longest decode step."),
    "energy_J_per_token": _figure(
        "energy per token", "J/token", "Dynamic energy of the run over its output tokens."
    ),
    "energy_J": _figure("energy", "J", "Dynamic energy of the run."),
    "fits": _figure(
        "fits", "", "Whether the model and its caches fit the machine's memories.", maximise=True
    ),
    "price_USD": _figure(
        "price", "USD", "Price of the priced components; see `prices` of the sweep."
    ),
    "tokens_per_s_per_USD": _figure(
        "tokens/s per dollar", "tokens/s/USD", "tokens/s over price.", maximise=True
    ),
}
"""Figures by id. Those of memories (``memory.gpu.peak_bytes``) and of systems (``placement.…``)
depend on the system and come on top."""

OPEN_GROUPS = ("memory.", "placement.")
"""Beginnings of figures that depend on the system."""

_DEAREST = ("gpu", "ndp_dimms", "hbm", "hbm_npu", "lpddr", "lpddr_npu", "dimm_pim", "hbm_pim")
"""Components a price of the machine makes no sense without."""
PRICED = (*_DEAREST, "host", "pcie", "dimm_link", "nvlink", "chip_link", "mmu")
"""Components a sweep may give a price for."""


def figure_problem(name: str, where: str) -> Problem | None:
    """What is wrong with the name of a figure, if anything."""
    if name in FIGURES or name.startswith(OPEN_GROUPS):
        return None
    known = (*FIGURES, *(f"{group}…" for group in OPEN_GROUPS))
    return Problem(
        where,
        "no such figure",
        ", ".join(known),
        did_you_mean(name, FIGURES).strip(),
        value=repr(name[:60]),
    )


def figure_term(name: str) -> Term:
    """Words and unit of a figure."""
    return FIGURES[name].term if name in FIGURES else term_of({}, name)


def figure_label(name: str) -> str:
    """Words with the unit, unless they hold it."""
    term = figure_term(name)
    return term.title if term.unit in term.title else f"{term.title} ({term.unit})"


def maximised(name: str) -> bool:
    """Whether more of a figure is better, as far as is known."""
    return name not in FIGURES or FIGURES[name].maximise


def figures_of(run: Run) -> dict[str, Any]:
    """All figures of a finished run but its price: numbers, truth values, words."""
    summary = summarise(run)
    tokens, joules = summary["tokens"], summary["energy_J"].get("total")
    out: dict[str, Any] = {
        name: summary[name]
        for name in ("tokens_per_s", "decode_tokens_per_s", "prefill_s", "duration_s", "tokens")
    }
    out |= {f"step_ms.{name}": value for name, value in summary["step_ms"].items()}
    out["energy_J_per_token"] = joules / tokens if joules is not None and tokens else None
    out["energy_J"] = joules
    out["fits"] = True
    for device, use in summary["memory"].items():
        out[f"memory.{device}.peak_bytes"] = use["peak_bytes"]
        if use["capacity_bytes"]:
            out[f"memory.{device}.peak_share"] = use["peak_bytes"] / use["capacity_bytes"]
    out |= {f"placement.{path}": value for path, value in _leaves(summary["placement"])}
    return out


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, Any]]:
    """Single values of a tree by dotted path; lists are left out."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        elif isinstance(value, (bool, int, float, str)):
            yield f"{path}{key}", value


@dataclass(frozen=True, slots=True)
class Cost:
    """What a machine costs.

    Attributes:
        total_USD: sum of the parts; None if a part that must have a price has none.
        parts_USD: component to its price, times its number.
        missing: components that must have a price and have none.
    """

    total_USD: float | None
    parts_USD: Mapping[str, float]
    missing: tuple[str, ...]

    @property
    def note(self) -> str:
        """What to do about missing prices; empty if there are none."""
        if not self.missing:
            return ""
        fields = {"gpu", "ndp_dimms"}
        how = ", ".join(
            f"prices.{name} of the sweep"
            + (f" or hardware.{name}.price_USD of the scenario" if name in fields else "")
            for name in self.missing
        )
        return f"no sourced price; give {how}"


def cost_of(hardware: Any, prices: Mapping[str, float]) -> Cost:
    """Price of a scenario's ``hardware``; what the sweep says goes before what the scenario says.

    Links and the host count only if the sweep gives them a price; GPUs, memories and the chips
    beside them must have one.
    """
    parts: dict[str, float] = {}
    missing: list[str] = []
    for name in PRICED:
        component = getattr(hardware, name, None)
        if component is None:
            continue
        each = prices.get(name, getattr(component, "price_USD", None))
        if each is not None:
            parts[name] = float(each) * int(getattr(component, "count", 1))
        elif name in _DEAREST:
            missing.append(name)
    total = sum(parts.values()) if parts and not missing else None
    return Cost(total, parts, tuple(missing))
