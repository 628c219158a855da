"""What all systems of this machine share: layers that are alike, steps laid out many at once.

A step is some phases before the layers, the layers, some phases after them. All layers but the
last do the same, so a step's totals are those of one steady layer, times the layers but one, and of
the last. Rows of the work are steps here; for the spans of one step they become layers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcore.engine import step_spans
from simcore.results.explain import Explanation
from simcore.results.run import KIND_DECODE, KIND_PREFILL, Run
from simcore.results.spans import Spans
from simcore.systems.base import System
from simcore.systems.hybridserve.explain import explain
from simcore.systems.hybridserve.figures import TERMS
from simcore.systems.hybridserve.machine import BASELINE, COMPONENTS, PRESETS, StreamPlan
from simcore.systems.hybridserve.stretch import Stretch

Int = NDArray[np.int64]
Causes = dict[str, Any]

FEWEST, MOST = 64, 256
"""Steps decided together: few at first, to show them at once, then as many as there are already."""


@dataclass(slots=True)
class State:
    """What a run keeps between steps: the columns computed last, of steps start..stop."""

    start: int = 0
    stop: int = 0
    columns: Causes = field(default_factory=dict)


class LayeredSystem(System):
    """A system of this machine: `causes`, `work` and `memory` are its own, the rest is common."""

    paper = BASELINE
    components = COMPONENTS
    presets = PRESETS
    stochastic = False
    experts = True
    block_steps = MOST
    workloads = ("fixed", "uneven")
    terms = TERMS

    @abstractmethod
    def causes(self, plan: Any, start: int, stop: int) -> Causes:
        """Columns of the steps start..stop that everything else follows from.

        They are those the record adds to the common ones, and ``kind``, ``tokens``,
        ``context_tokens``.
        """

    @abstractmethod
    def work(self, plan: Any, causes: Causes, kind: int) -> Stretch:
        """Work of steps of one kind."""

    @abstractmethod
    def memory(self, plan: Any, causes: Causes) -> Int:
        """Bytes in use at the end of each step, (steps, devices, kinds)."""

    def start(self, plan: StreamPlan, run: Run) -> State:
        return State()

    def advance(self, plan: StreamPlan, state: State, run: Run) -> Mapping[str, Any]:
        columns = self.advance_many(plan, state, run, 1)
        assert columns is not None, "the run is over"
        return {name: values[0] for name, values in columns.items()}

    def advance_many(
        self, plan: StreamPlan, state: State, run: Run, limit: int
    ) -> Mapping[str, Any] | None:
        index = len(run)
        if index >= plan.total_steps:
            return None
        if not state.start <= index < state.stop:
            state.start = index
            state.stop = min(plan.total_steps, index + min(MOST, max(FEWEST, index)))
            state.columns = self.records(plan, state.start, state.stop)
        mine = slice(index - state.start, min(index + limit, state.stop) - state.start)
        return {name: values[mine] for name, values in state.columns.items()}

    def records(self, plan: StreamPlan, start: int, stop: int) -> Causes:
        """Columns of some steps."""
        columns = self.causes(plan, start, stop)
        kinds = np.asarray(columns["kind"])
        columns |= self._totals(plan, columns, kinds)
        columns["memory_bytes"] = self.memory(plan, columns)
        return {name: np.asarray(values) for name, values in columns.items()}

    def _totals(self, plan: StreamPlan, columns: Causes, kinds: Any) -> Causes:
        """The common columns of steps of both kinds."""
        shape = (len(kinds), len(plan.lanes), len(plan.ops))
        out: Causes = {
            "duration_ps": np.zeros(len(kinds), np.int64),
            **{f"lane_op_{name}": np.zeros(shape, np.int64) for name in ("ps", "bytes", "flops")},
        }
        for kind in (KIND_PREFILL, KIND_DECODE):
            mine = np.flatnonzero(kinds == kind)
            if not len(mine):
                continue
            some = {name: column[mine] for name, column in columns.items()}
            sums = self.work(plan, some, kind).totals(plan.model.layers)
            out["duration_ps"][mine] = sums.duration_ps
            out["lane_op_ps"][mine] = sums.time_ps
            out["lane_op_bytes"][mine] = sums.amount_bytes
            out["lane_op_flops"][mine] = sums.flops
        return out

    def spans(self, plan: StreamPlan, record: Mapping[str, Any]) -> Spans:
        one = {name: np.asarray(value)[None] for name, value in record.items()}
        stretch = self.work(plan, one, int(record["kind"]))
        return step_spans.spans(stretch.segments(plan.model.layers))

    def explain(self, plan: Any, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
        return explain(plan, spans, span)
