"""What has to be simulated, as small values that can be compared, cached and sent to a process."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from simcore.errors import UserError
from simcore.reproduce.serving_case import ServingCase
from simcore.scenario.document import Document
from simcore.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class RunCase:
    """One run to the end.

    Attributes:
        system: registry id.
        model: preset id.
        batch: sequences decoded together.
        prompt_tokens, output_tokens: lengths.
        settings: further scenario values as (dotted path, value) pairs, in order of path.
    """

    system: str
    model: str
    batch: int = 1
    prompt_tokens: int = 128
    output_tokens: int = 128
    settings: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        lengths = f"{self.prompt_tokens} + {self.output_tokens} tokens"
        extra = "".join(f", {path} {value}" for path, value in self.settings)
        return f"{self.system} on {self.model}, batch {self.batch}, {lengths}{extra}"

    @property
    def short(self) -> str:
        """Model and batch."""
        return f"{self.model} b{self.batch}"

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
            "workload": {
                "batch": self.batch,
                "prompt_tokens": self.prompt_tokens,
                "output_tokens": self.output_tokens,
            },
            "seed": 1,
        }
        document = Document.from_text(json.dumps(base))
        for path, value in self.settings:
            document = document.with_value(path, value)
        return document.resolve()

    def measure(self, names: Collection[str] | None = None) -> Mapping[str, float]:
        """Simulate and return every figure a target may ask for.

        Args:
            names: the figures wanted; others that take long are left out.
        """
        from simcore.engine.simulator import simulate
        from simcore.reproduce.figures import run_figures

        return run_figures(simulate(self.scenario(), items=False), names)


@dataclass(frozen=True, slots=True)
class ActivityCase:
    """A property of the drawn activations of a model; no machine is simulated.

    Attributes:
        model: preset id.
        quantity: name of a function of `simcore.reproduce.activity`.
        argument: its parameter.
    """

    model: str
    quantity: str
    argument: float

    def __str__(self) -> str:
        return f"activations drawn for {self.model}"

    @property
    def short(self) -> str:
        """The model."""
        return self.model

    def measure(self) -> Mapping[str, float]:
        """The property as figure `quantity`."""
        from simcore.reproduce.activity import QUANTITIES

        return {self.quantity: QUANTITIES[self.quantity](self.model, self.argument)}


Case = RunCase | ActivityCase | ServingCase


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case.

    Attributes:
        figures: name to value; empty if it failed.
        error: why it could not be simulated; empty if it was.
    """

    figures: Mapping[str, float]
    error: str = ""


def measure(case: Case, names: Collection[str] | None = None) -> Outcome:
    """Simulate a case; what the user can repair comes back as text.

    Args:
        case: what to simulate.
        names: the figures wanted, at least these come back; None for all.
    """
    import simcore.systems  # noqa: F401 - fills the registry, also in a fresh process

    try:
        return Outcome(case.measure(names) if isinstance(case, RunCase) else case.measure())
    except UserError as error:
        return Outcome({}, " ".join(str(error).split()))
