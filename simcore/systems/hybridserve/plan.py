"""A prepared run of HybridServe."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.engine.phases import Template
from simcore.systems.hybridserve.caching import Cache, Settings
from simcore.systems.hybridserve.machine import StreamPlan


@dataclass(frozen=True, slots=True)
class Templates:
    """Phases of a run with some number of mini-batches."""

    layer: Template
    prefill: Template
    first: Template
    tail: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridPlan(StreamPlan):
    """A prepared run of HybridServe.

    Attributes:
        cache: sizes, lengths, what is cached how.
        chosen: the setting of the run, one row.
    """

    cache: Cache
    chosen: Settings

    @property
    def templates(self) -> Templates:
        """The phases of the segments of a step."""
        return Templates(self.layer, self.prefill, self.first, self.tail)
