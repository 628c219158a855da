"""What a simulated system provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simcore.registry import SYSTEMS
from simcore.results.cells import Cells
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.run import Plan, Run
from simcore.results.spans import Spans
from simcore.results.terms import Term
from simcore.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Variant:
    """A named setting of a system's knobs, such as an ablation of the paper.

    Attributes:
        title: as shown.
        policy: knob overrides.
    """

    title: str
    policy: Mapping[str, Any]


class System(ABC):
    """A machine with its policies. One instance serves any number of runs and holds no state.

    Attributes:
        id, title, paper: stable id, name as shown, citation.
        policy_type: dataclass of the system's own knobs (`policy:` in a scenario).
        components: names in `schema.COMPONENTS` the machine needs.
        presets: component to the preset used when a scenario does not name one.
        stochastic: whether the seed matters (to equal sequences, or lengths that are not drawn).
        workloads: kinds of workload it can run, names in `schema.WORKLOADS`.
        prefills: whether a run begins with a prefill step; if not, every step is a decode step.
        block_steps: steps `advance_many` should be asked for at once.
        step_word: what a step after the prefill is called: it makes a token for every sequence, or
            is an iteration in which requests come, go and compute prompts.
        experts: whether it runs models whose MLP is a mixture of experts.
        no_experts: why not, where it does not.
        terms: words for what `summary` returns, where its names alone say too little.
        variant: the variant this instance stands for; its policy values are the defaults.
    """

    id: str
    title: ClassVar[str]
    paper: ClassVar[str]
    policy_type: ClassVar[type[Any]]
    components: ClassVar[tuple[str, ...]]
    presets: ClassVar[Mapping[str, str]]
    variants: ClassVar[Mapping[str, Variant]] = {}
    workloads: ClassVar[tuple[str, ...]] = ("fixed",)
    stochastic: ClassVar[bool] = True
    prefills: ClassVar[bool] = True
    block_steps: ClassVar[int] = 1
    step_word: ClassVar[str] = "token"
    experts: ClassVar[bool] = False
    no_experts: ClassVar[str] = "its cost model has one MLP a layer"
    terms: ClassVar[Mapping[str, Term]] = {}

    def __init__(self, id: str, variant: Variant | None = None) -> None:
        self.id = id
        self.variant = variant

    @property
    def name(self) -> str:
        """Title of the system or of its variant."""
        return self.variant.title if self.variant else self.title

    @abstractmethod
    def prepare(self, scenario: Scenario, *, items: bool = True) -> Plan:
        """Everything that does not change from step to step.

        Args:
            scenario: a resolved scenario of this system.
            items: whether steps shall record single items for placement grids.

        Raises:
            CapacityError: if the model does not fit.
            DataFileError: if a data file the scenario names cannot be used.
        """

    @abstractmethod
    def start(self, plan: Any, run: Run) -> Any:
        """The mutable state before the first step."""

    @abstractmethod
    def advance(self, plan: Any, state: Any, run: Run) -> Mapping[str, Any]:
        """Simulate the next step and return its record (`results.run.COMMON_COLUMNS` and own)."""

    def advance_many(self, plan: Any, state: Any, run: Run, limit: int) -> Mapping[str, Any] | None:
        """Simulate up to `limit` steps; their records as columns of equal length.

        A system whose steps are alike until the next event can give many at the cost of one. The
        records must be those that single steps would give, whatever the limits asked for.

        Returns:
            Columns of shape (steps, ...), or None when the run is over.
        """
        if len(run) >= plan.total_steps:
            return None
        record = self.advance(plan, state, run)
        return {name: np.asarray(value)[None] for name, value in record.items()}

    def derive(self, plan: Any, run: Run, column: str, start: int, stop: int) -> Any:
        """A column of `Plan.derived` over steps, computed from the recorded causes.

        Raises:
            KeyError: if the system derives no such column.
        """
        raise KeyError(column)

    def cells(self, plan: Any, run: Run, start: int, stop: int) -> Cells:
        """What lanes did over steps start..stop, for pictures from afar: one cell a step.

        A system with long even stretches may sum several steps in a cell, from a few of them.
        """
        return Cells(
            np.arange(start + 1, stop + 1),
            run.column("lane_op_ps", start, stop).astype(np.float64),
            run.column("lane_op_bytes", start, stop).sum(axis=-1).astype(np.float64),
        )

    @abstractmethod
    def spans(self, plan: Any, record: Mapping[str, Any]) -> Spans:
        """Ops and waits of a step, a pure function of its record."""

    @abstractmethod
    def placement(self, plan: Any, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        """Where things are at a step."""

    @abstractmethod
    def item(self, plan: Any, run: Run, index: int, row: int, column: int) -> ItemInfo:
        """What is known about one item of the placement grid at a step."""

    @abstractmethod
    def explain(self, plan: Any, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
        """Why a span is as long as it is."""

    def note(self, plan: Any, spans: Spans, span: int) -> str:
        """What a span belongs to, in a few words, where its lane and layer do not say it all."""
        return ""

    @abstractmethod
    def summary(self, plan: Any, run: Run) -> Mapping[str, Any]:
        """System-specific figures of a run: the `placement` part of `run --json`."""

    def series(self, plan: Any, run: Run) -> Mapping[str, tuple[str, Any]]:
        """System-specific figures over the steps: name to (unit, array of shape (steps,))."""
        return {}


def register_system(id: str) -> Callable[[type[System]], type[System]]:
    """Class decorator: register a system and all its variants."""

    def decorate(cls: type[System]) -> type[System]:
        SYSTEMS.add(id, cls(id))
        for name, variant in cls.variants.items():
            SYSTEMS.add(name, cls(name, variant))
        return cls

    return decorate
