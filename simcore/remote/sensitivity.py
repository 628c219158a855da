"""Sensitivities in a working process."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.remote.task import Say
from simcore.sweep.sensitivity import Parameter, Stretch, effects


@dataclass(frozen=True, slots=True)
class FindEffects:
    """Change one parameter after the other and say the `Effect` of each.

    Attributes:
        stretch: what is simulated.
        wanted: the parameters.
    """

    stretch: Stretch
    wanted: tuple[Parameter, ...]

    def work(self, say: Say) -> None:
        """Do it, in the working process."""
        for effect in effects(self.stretch, self.wanted):
            say(effect)
