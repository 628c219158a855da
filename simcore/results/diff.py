"""What differs between two runs: figures side by side and the scenario values that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simcore.results.terms import prefill_title


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of two runs.

    Attributes:
        path: dotted path in the summary.
        title: as shown.
        unit: unit of both values, ``share`` for shares of the time; empty for counts.
        a, b: the values; None where a run does not have the figure.
        larger_is_better: which direction is good; None when neither is.
    """

    path: str
    title: str
    unit: str
    a: float | None
    b: float | None
    larger_is_better: bool | None = None

    @property
    def change(self) -> float | None:
        """``b / a - 1``; None when it has no meaning."""
        if self.a is None or self.b is None or not self.a:
            return None
        return self.b / self.a - 1.0

    @property
    def difference(self) -> float | None:
        """``b - a``; None where a run does not have the figure."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def ratio(self) -> float | None:
        """``b / a``; None when it has no meaning."""
        return None if self.a is None or self.b is None or not self.a else self.b / self.a

    @property
    def same(self) -> bool:
        """Whether both runs have the same value."""
        return self.a == self.b


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario value that is not the same in both runs; None where a scenario lacks it."""

    path: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs side by side.

    Attributes:
        a, b: names of the scenarios.
        settings: scenario values that differ.
        figures: headline figures first, then groups of lanes, lanes, memory, energy, placement.
        speedup: tokens/s of B over A; 0 when A has none.
    """

    a: str
    b: str
    settings: tuple[Setting, ...]
    figures: tuple[Figure, ...]
    speedup: float

    def changed(self) -> tuple[Figure, ...]:
        """Only the figures that differ."""
        return tuple(figure for figure in self.figures if not figure.same)


_HEADLINES: tuple[tuple[str, str, str, bool | None], ...] = (
    ("tokens", "tokens", "", None),
    ("tokens_per_s", "end to end", "tokens/s", True),
    ("decode_tokens_per_s", "decode", "tokens/s", True),
    ("prefill_s", "prefill", "s", False),
    ("duration_s", "whole run", "s", False),
    ("step_ms.mean", "decode step, mean", "ms", False),
    ("step_ms.p50", "decode step, median", "ms", False),
    ("step_ms.p95", "decode step, 95th percentile", "ms", False),
    ("step_ms.max", "decode step, longest", "ms", False),
)
_SKIP = frozenset({"simulator", "energy_basis", "compare", "scenario"})


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> Difference:
    """Compare two summaries as `summarise` makes them."""
    numbers_a, numbers_b = _numbers(a), _numbers(b)
    headline = {path for path, *_ in _HEADLINES}
    titles = {"prefill_s": _prefill_title(a, b)}
    figures = [
        Figure(
            path, titles.get(path, title), unit, numbers_a.get(path), numbers_b.get(path), better
        )
        for path, title, unit, better in _HEADLINES
    ]
    rest = [path for path in numbers_a if path not in headline]
    rest += [path for path in numbers_b if path not in headline and path not in numbers_a]
    figures += [
        Figure(path, _title(path, a, b), _unit(path), numbers_a.get(path), numbers_b.get(path))
        for path in rest
    ]
    rate_a, rate_b = float(a["tokens_per_s"]), float(b["tokens_per_s"])
    return Difference(
        a=str(a["scenario"].get("name", "A")),
        b=str(b["scenario"].get("name", "B")),
        settings=tuple(_settings(a["scenario"], b["scenario"])),
        figures=tuple(figures),
        speedup=rate_b / rate_a if rate_a else 0.0,
    )


def _prefill_title(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """The name of it, or both names where the runs count different things."""
    names = [prefill_title(str(run.get("step_word", "token"))) for run in (a, b)]
    return " / ".join(dict.fromkeys(names))


def lane_groups(lanes: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of each group of alike lanes: shares of the time are means, amounts are sums.

    Args:
        lanes: the `lanes` part of a summary.
    """
    members: dict[str, list[Mapping[str, Any]]] = {}
    for lane in lanes.values():
        members.setdefault(lane["group"], []).append(lane)
    return {
        group.replace(".", " "): {
            "title": group,
            "lanes": len(found),
            "busy": sum(lane["busy"] for lane in found) / len(found),
            "wait": {
                reason: sum(lane["wait"][reason] for lane in found) / len(found)
                for reason in found[0]["wait"]
            },
            "bytes": sum(lane["bytes"] for lane in found),
            "flops": sum(lane["flops"] for lane in found),
        }
        for group, found in members.items()
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _numbers(summary: Mapping[str, Any]) -> dict[str, float]:
    kept: dict[str, Any] = {}
    for key, value in summary.items():
        if key == "lanes":
            kept["groups"] = lane_groups(value)
        if key not in _SKIP:
            kept[key] = value
    return {
        path: value
        for path, value in _leaves(kept)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Setting]:
    left, right = dict(_leaves(a)), dict(_leaves(b))
    for path in [*left, *(path for path in right if path not in left)]:
        if left.get(path) != right.get(path):
            yield Setting(path, left.get(path), right.get(path))


def _title(path: str, *summaries: Mapping[str, Any]) -> str:
    """`lanes.dimm3.wait.sync` as ``DIMM 3: wait, sync``."""
    parts = path.split(".")
    if parts[0] == "groups":
        return f"{parts[1]}: {', '.join(parts[2:])}"
    if parts[0] in ("lanes", "memory") and len(parts) > 2:
        for summary in summaries:
            device = summary.get(parts[0], {}).get(parts[1])
            if device:
                return f"{device['title']}: {', '.join(parts[2:])}"
    return path.replace("_", " ").replace(".", ": ", 1).replace(".", ", ")


def _unit(path: str) -> str:
    last = path.rsplit(".", 1)[-1]
    if path.startswith(("energy_J", "energy.")):
        return "W" if ".background_W." in path else "J"
    if path.startswith(("lanes.", "groups.")) and (last == "busy" or ".wait." in path):
        return "share"
    if ".by_kind." in path or last == "bytes" or last.endswith("_bytes"):
        return "B"
    for suffix, unit in (("_ms", "ms"), ("GBps", "GB/s"), ("_s", "s")):
        if last.endswith(suffix):
            return unit
    return "FLOP" if last == "flops" else ""
