"""The figures of a run as plain data: what `dimmscope run --json` prints and the app tabulates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from importlib import metadata
from pathlib import PurePath
from typing import Any, cast

import numpy as np

from simcore.results.energy import CONSTANTS, energy, energy_table
from simcore.results.run import KIND_PREFILL, Run
from simcore.results.spans import LaneKind
from simcore.results.text import has_text, texts
from simcore.results.totals import Totals, totals
from simcore.scenario.schema import Scenario
from simcore.units import PS_PER_MS, PS_PER_S


def version() -> str:
    """Version of the installed package; ``0+checkout`` when it is not installed."""
    try:
        return metadata.version("dimmscope")
    except metadata.PackageNotFoundError:
        return "0+checkout"


def plain(value: Any) -> Any:
    """A value as JSON can hold it: dataclasses as mappings, arrays as lists, no NaN."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.name != "provenance"
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.as_posix() if isinstance(value, PurePath) else str(value)


def scenario_dict(scenario: Scenario) -> dict[str, Any]:
    """A resolved scenario as a plain mapping, without the components it does not have."""
    out = cast("dict[str, Any]", plain(scenario))
    out["hardware"] = {name: part for name, part in out["hardware"].items() if part is not None}
    return out


def system_figures(run: Run) -> Mapping[str, Any]:
    """What the system says of the steps there are, as plain values; kept once the run is over."""
    if run.figures is not None:
        return run.figures
    found = plain(cast(Any, run.system).summary(run.plan, run)) if len(run) else {}
    if run.status.finished:
        run.figures = found
    return cast(Mapping[str, Any], found)


def summarise(run: Run) -> dict[str, Any]:
    """All figures of a run, finished or not.

    Times are in the units their names say; shares are of the whole run and add up to 1 per lane.
    `compare` is empty: it takes other runs to fill it.
    """
    sums = totals(run)
    spent = energy(run.plan, sums)
    status = run.status
    return {
        "scenario": scenario_dict(run.scenario),
        "system": run.scenario.system,
        "step_word": getattr(run.system, "step_word", "token"),
        "steps": sums.steps,
        "tokens": sums.tokens,
        "duration_s": sums.duration_ps / PS_PER_S,
        "tokens_per_s": _rate(sums.tokens, sums.duration_ps),
        "decode_tokens_per_s": _rate(sums.decode_tokens, sums.decode_ps),
        "prefill_s": sums.prefill_ps / PS_PER_S,
        "step_ms": _step_ms(run),
        "lanes": _lanes(run, sums),
        "memory": _memory(run, sums),
        "energy_J": plain(spent.joules),
        "energy": plain(energy_table(run.plan, sums)),
        "energy_basis": {
            "components": plain(spent.basis),
            "constants": {
                name: plain(CONSTANTS[name])
                for name in sorted({n for names in spent.basis.values() for n in names})
            },
            "notes": list(spent.notes),
        },
        "placement": dict(system_figures(run)),
        **({"text": texts(run)} if has_text(run) else {}),
        "compare": {},
        "simulator": {
            "wall_s": status.wall_s,
            "steps_per_s": sums.steps / status.wall_s if status.wall_s > 0 else 0.0,
            "peak_rss_bytes": status.peak_rss_bytes,
            "version": version(),
            "seed": run.scenario.seed,
            "finished": status.finished,
        },
    }


def _rate(amount: int, time_ps: int) -> float:
    return amount * (PS_PER_S / time_ps) if time_ps > 0 else 0.0


def _step_ms(run: Run) -> dict[str, float]:
    """Distribution of the decode steps' lengths."""
    length = run.column("duration_ps")[run.column("kind") != KIND_PREFILL] / PS_PER_MS
    if not len(length):
        return {"mean": 0.0, "p50": 0.0, "p95": 0.0, "max": 0.0}
    p50, p95 = np.percentile(length, (50, 95))
    return {
        "mean": float(length.mean()),
        "p50": float(p50),
        "p95": float(p95),
        "max": float(length.max()),
    }


def _lanes(run: Run, sums: Totals) -> dict[str, Any]:
    waits = {index: op.reason for index, op in enumerate(run.ops) if op.reason is not None}
    work = [index for index in range(len(run.ops)) if index not in waits]
    whole_ps = max(1, sums.duration_ps)
    out: dict[str, Any] = {}
    for index, lane in enumerate(run.lanes):
        times = sums.lane_op_ps[index]
        busy_ps = int(times[work].sum())
        moved = int(sums.lane_op_bytes[index].sum())
        out[lane.id] = {
            "title": lane.title,
            "group": lane.group,
            "kind": LaneKind(lane.kind).value,
            "busy": busy_ps / whole_ps,
            "busy_ms": busy_ps / PS_PER_MS,
            "wait": {reason.value: int(times[op]) / whole_ps for op, reason in waits.items()},
            "bytes": moved,
            "flops": float(sums.lane_op_flops[index].sum()),
            "GBps": _rate(moved, sums.duration_ps) / 1e9,
            "busy_GBps": _rate(moved, busy_ps) / 1e9,
            "peak_GBps": float(lane.peak_GBps),
        }
    return out


def _memory(run: Run, sums: Totals) -> dict[str, Any]:
    return {
        device.id: {
            "title": device.title,
            "capacity_bytes": int(device.capacity_bytes),
            "used_bytes": int(sums.memory_bytes[index].sum()),
            "peak_bytes": int(sums.memory_peak_bytes[index]),
            "by_kind": {
                kind: int(amount)
                for kind, amount in zip(
                    run.plan.memory_kinds, sums.memory_bytes[index], strict=True
                )
            },
        }
        for index, device in enumerate(run.plan.memory)
    }
