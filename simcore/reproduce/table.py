"""The comparison: one row a target, and what they say together."""

from __future__ import annotations

import fnmatch
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simcore.reproduce.h2m2  # registers its rules
import simcore.reproduce.hybridserve  # registers its rules
import simcore.systems  # noqa: F401 - fills the registry targets are resolved against
from simcore.reproduce import l3
from simcore.reproduce.ask import Answer, Ask, Figures
from simcore.reproduce.fitted import CHECKED_USE, FITTED_USE, use_of
from simcore.reproduce.names import Unresolved
from simcore.reproduce.pool import Progress, measure_all
from simcore.reproduce.rules import find_rule
from simcore.reproduce.targets import FAMILIES, Target, load_targets, shipped_file
from simcore.reproduce.tolerance import Verdict

MAIN_SYSTEM: Mapping[str, str] = {
    **{"hermes": "hermes", "h2m2": "h2m2", "l3": "l3"},
    "hybridserve": "hybridserve",
}
"""`system` of a target to the registry id of the paper's own system, where this version has it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One target compared.

    Attributes:
        target: the published number.
        simulated: the simulated one; None if there is none.
        verdict: what the comparison says.
        use: ``fitted`` if a constant was set with this target, else ``checked``.
        reason: how the value came about, or why there is none; full sentences.
    """

    target: Target
    simulated: float | str | None
    verdict: Verdict
    use: str
    reason: str

    @property
    def error(self) -> float | None:
        """Simulated over published, minus 1; None if one of them is no number, or it is zero."""
        paper = self.target.value
        if self.simulated is None or paper == 0:
            return None
        if isinstance(self.simulated, str) or isinstance(paper, str):
            return None
        error = self.simulated / paper - 1
        return error if math.isfinite(error) else None

    @property
    def variant(self) -> str:
        """The system measured, as the target names it; ``-`` if it names none."""
        return str(self.target.config.get("variant", "-"))

    def as_dict(self) -> dict[str, Any]:
        """The row as it stands in JSON."""
        return {
            "id": self.target.id,
            "paper": self.target.value,
            "simulated": self.simulated,
            "error": self.error,
            "class": self.target.cls,
            "tolerance": str(self.target.tolerance),
            "verdict": self.verdict.value,
            "use": self.use,
            "reason": self.reason,
        }


def choose(
    targets: Sequence[Target], systems: Iterable[str] = (), pattern: str = ""
) -> list[Target]:
    """The targets of some systems (all if none are named) whose id matches a pattern.

    Args:
        targets: to choose from.
        systems: keys of `FAMILIES`.
        pattern: with ``*`` and ``?``, or a part of the id.
    """
    wanted = set(systems) or set(FAMILIES)
    if pattern and not any(c in pattern for c in "*?["):
        pattern = f"*{pattern}*"
    return [
        target
        for target in targets
        if target.system in wanted and (not pattern or fnmatch.fnmatchcase(target.id, pattern))
    ]


def reproduce(
    targets: Sequence[Target],
    *,
    known: Sequence[Target] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Row]:
    """Simulate what the targets need, each configuration once, and compare.

    Args:
        targets: what to compare, in order of the rows.
        known: all targets of their file; targets that name no model take models from there.
        workers: processes to simulate in.
        progress: called with (simulations done, simulations in all).
    """
    lists = (known or targets, load_targets(shipped_file()))
    plan = Figures()
    for target in targets:
        _answer(target, plan, lists)
    outcomes = measure_all(plan.needed, workers=workers, progress=progress)
    measured = Figures(outcomes)
    rows = []
    for target in targets:
        answer = _answer(target, measured, lists)
        use = use_of(target.id)
        if isinstance(answer, str):
            rows.append(Row(target, None, Verdict.UNRESOLVED, use, answer))
            continue
        verdict = answer.verdict or target.tolerance.judge(target.value, answer.value)
        rows.append(Row(target, answer.value, verdict, use, answer.reason))
    return rows


def _answer(target: Target, figures: Figures, known: Sequence[Sequence[Target]]) -> Answer | str:
    """The answer to a target, or why there is none."""
    main = MAIN_SYSTEM.get(target.system)
    if main is None:
        return f"{FAMILIES[target.system]} is not part of this version."
    try:
        if target.system == "l3":
            return l3.answer(target, figures)
        return find_rule(target.parts, target.system)(Ask(target, main, figures, known))
    except Unresolved as error:
        return str(error)


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of verdicts, and the median size of the error by system, variant and use."""
    return {
        "targets": len(rows),
        "verdicts": _verdicts(rows),
        "by_use": {
            use: {
                "targets": len(mine),
                "verdicts": _verdicts(mine),
                "median_abs_error": _median(mine),
            }
            for use in (FITTED_USE, CHECKED_USE)
            for mine in [[row for row in rows if row.use == use]]
        },
        "by_variant": {
            system: {
                variant: {
                    use: {"targets": len(_judged(mine)), "median_abs_error": _median(mine)}
                    for use in (FITTED_USE, CHECKED_USE)
                    for mine in [[r for r in group if r.use == use]]
                    if _judged(mine)
                }
                for variant, group in _groups(rows, system)
                if _judged(group)
            }
            for system in FAMILIES
            if any(row.target.system == system for row in rows)
        },
    }


def _groups(rows: Sequence[Row], system: str) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.target.system == system:
            found.setdefault(row.variant, []).append(row)
    return sorted(found.items())


def _verdicts(rows: Sequence[Row]) -> dict[str, int]:
    return {verdict.value: sum(row.verdict is verdict for row in rows) for verdict in Verdict}


def _judged(rows: Sequence[Row]) -> list[float]:
    """Sizes of the errors of the rows judged by closeness; a bound may be kept by any margin."""
    return [
        abs(row.error)
        for row in rows
        if row.verdict in (Verdict.MET, Verdict.MISSED)
        and row.target.tolerance.kind in ("rel", "abs", "exact")
        and row.error is not None
    ]


def _median(rows: Sequence[Row]) -> float | None:
    errors = _judged(rows)
    return statistics.median(errors) if errors else None


def missed(rows: Sequence[Row]) -> list[Row]:
    """The rows that do not hold."""
    return [row for row in rows if row.verdict is Verdict.MISSED]


def document(rows: Sequence[Row]) -> dict[str, Any]:
    """The comparison as plain data, for JSON."""
    return {"rows": [row.as_dict() for row in rows], "summary": summarise(rows)}
