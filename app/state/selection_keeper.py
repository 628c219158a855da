"""Keeps what is selected when another run takes over, as far as the new run has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.state.runs import RunsModel
from app.state.selection import ItemRef, Selection, SpanRef
from simcore.results.run import Run


@dataclass(frozen=True, slots=True)
class SpanName:
    """A span by what it is: step, lane, operation, layer, and the how manieth of those."""

    step: int
    lane: str
    op: str
    layer: int
    number: int


def name_of(run: Run, ref: SpanRef) -> SpanName:
    """What a span is called."""
    spans = run.spans(ref.step)
    op, lane, layer = (int(a[ref.span]) for a in (spans.op, spans.lane, spans.layer))
    alike = (spans.op == op) & (spans.lane == lane) & (spans.layer == layer)
    number = int(np.count_nonzero(alike[: ref.span]))
    return SpanName(ref.step, run.lanes[lane].id, run.ops[op].id, layer, number)


def find(run: Run, name: SpanName) -> SpanRef | None:
    """The span of that name in a run, None if there is none."""
    lanes = [i for i, lane in enumerate(run.lanes) if lane.id == name.lane]
    ops = [i for i, op in enumerate(run.ops) if op.id == name.op]
    if not lanes or not ops:
        return None
    spans = run.spans(name.step)
    alike = (spans.op == ops[0]) & (spans.lane == lanes[0]) & (spans.layer == name.layer)
    found = np.flatnonzero(alike)
    return (
        SpanRef(name.step, int(found[name.number]), lanes[0]) if name.number < len(found) else None
    )


class SelectionKeeper:
    """Follows the selection and puts it back in a new run, as soon as its step is there."""

    def __init__(self, runs: RunsModel, selection: Selection) -> None:
        self._runs = runs
        self._selection = selection
        self._of: Run | None = None
        self._span: SpanRef | None = None
        self._item: ItemRef | None = None
        self.wanted: SpanName | None = None
        self._own = False
        selection.changed.connect(self._on_changed)
        runs.replaced.connect(self._on_replaced)
        runs.grew.connect(lambda _: self._try())
        runs.cleared.connect(self._on_cleared)

    def want(self, name: SpanName | None, item: ItemRef | None = None) -> None:
        """Select these as soon as the run on screen has them."""
        if item is not None:
            self._selection.select_item(item)
        self.wanted = name
        self._try()

    def _on_changed(self) -> None:
        if self._own:
            return
        self.wanted = None
        self._of = self._runs.current
        self._span, self._item = self._selection.span, self._selection.item

    def _on_replaced(self, run: Run) -> None:
        before, span, item = self._of, self._span, self._item
        wanted = self.wanted
        if before is not None and before is not run and span is not None:
            wanted = name_of(before, span)
        self._own = True
        self._selection.clear()
        alike = before is not None and (
            type(before.system) is type(run.system) and before.scenario.model == run.scenario.model
        )
        if item is not None and alike:
            self._selection.select_item(item)
        self._own = False
        self._of, self._span = run, None
        self._item = self._selection.item
        self.wanted = wanted
        self._try()

    def _try(self) -> None:
        run, wanted = self._runs.current, self.wanted
        if run is None or wanted is None or wanted.step >= self._runs.length:
            return
        self.wanted = None
        found = find(run, wanted)
        if found is not None:
            self._selection.select_span(found)

    def _on_cleared(self) -> None:
        self._of = self._span = self._item = self.wanted = None
        self._selection.clear()
