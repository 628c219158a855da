"""A serving run to be simulated for a published number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario

REQUESTS = 1000
"""Requests of each run (paper: L3, VII-A)."""


@dataclass(frozen=True, slots=True)
class ServingCase:
    """One serving run to the end.

    Attributes:
        system: registry id.
        model: preset id.
        lengths: statistics the requests are drawn from, a key of `schema.serving.LENGTHS`.
        settings: further scenario values as (dotted path, value) pairs, in order of path.
        energy: whether energy is asked for.
    """

    system: str
    model: str
    lengths: str
    settings: tuple[tuple[str, Any], ...] = ()
    energy: bool = False

    def __str__(self) -> str:
        extra = "".join(f", {path} {value}" for path, value in self.settings)
        return f"{self.system} on {self.model}, {self.lengths}{extra}"

    @property
    def short(self) -> str:
        """Model and lengths."""
        return f"{self.model} {self.lengths}"

    def scenario(self) -> Scenario:
        """The scenario of the run.

        Raises:
            ScenarioErrors: if the values make no scenario.
        """
        base = {
            "version": 1,
            "name": str(self),
            "system": self.system,
            "model": self.model,
            "workload": {"kind": "serving", "lengths": self.lengths, "requests": REQUESTS},
            "seed": 1,
        }
        document = Document.from_text(json.dumps(base))
        for path, value in self.settings:
            document = document.with_value(path, value)
        return document.resolve()

    def measure(self) -> Mapping[str, float]:
        """Simulate and return every figure a target may ask for."""
        from simcore.engine.simulator import simulate
        from simcore.systems.l3.energy import energy_per_token
        from simcore.systems.l3.figures import rates

        run = simulate(self.scenario(), items=False)
        plan: Any = run.plan
        out = dict(rates(run))
        if self.energy:
            out |= {f"energy_{k}": v for k, v in energy_per_token(plan, run).items()}
        out["requests_cut"] = float(plan.cut * plan.replicas)
        return out
