"""How far a simulated number may be from a published one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

GRAMMAR = "rel X | abs X | max | min | exact | info"
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_WITH_NUMBER = re.compile(rf"(rel|abs)\s+({_NUMBER})")


class Verdict(StrEnum):
    """What the comparison says."""

    MET = "met"
    MISSED = "missed"
    INFO = "info"  # nothing was judged
    UNRESOLVED = "unresolved"  # nothing could be simulated


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A parsed tolerance.

    Attributes:
        kind: ``rel``, ``abs``, ``max``, ``min``, ``exact`` or ``info``.
        limit: the X of ``rel X`` and ``abs X``, else 0.
    """

    kind: str
    limit: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Tolerance | None:
        """The tolerance a text means; None if it means none."""
        text = text.strip()
        if text in ("max", "min", "exact", "info"):
            return cls(text)
        found = _WITH_NUMBER.fullmatch(text)
        if not found or not math.isfinite(float(found[2])):
            return None
        return cls(found[1], float(found[2]))

    def __str__(self) -> str:
        return f"{self.kind} {self.limit:g}" if self.kind in ("rel", "abs") else self.kind

    def judge(self, paper: float | str, simulated: float | str | None) -> Verdict:
        """Compare a simulated value with a published one.

        ``max`` and ``min`` take the published value as an upper or a lower bound.
        """
        if simulated is None:
            return Verdict.UNRESOLVED
        if self.kind == "info":
            return Verdict.INFO
        if isinstance(paper, str) or isinstance(simulated, str):
            return Verdict.MET if paper == simulated else Verdict.MISSED
        close = 1e-9 * max(abs(paper), abs(simulated))
        held = {
            "rel": abs(simulated - paper) <= self.limit * abs(paper) + close,
            "abs": abs(simulated - paper) <= self.limit + close,
            "max": simulated <= paper + close,
            "min": simulated >= paper - close,
            "exact": abs(simulated - paper) <= close,
        }[self.kind]
        return Verdict.MET if held else Verdict.MISSED
