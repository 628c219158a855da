"""A run: an append-only sequence of immutable step records in numpy columns.

One writer appends, any number of readers look; a reader that has seen ``len(run) == n`` may read
every step below n without a lock, because rows are written before the length is published and
a block of rows never moves while it is written. A full block of a long run goes to a file
(`simcore.results.store`): its place in the table of blocks then holds what reads it there, while
whoever still has the old block keeps it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from simcore.results.cells import Cells
from simcore.results.explain import Explanation
from simcore.results.placement import ItemInfo, PlacementGrid
from simcore.results.record import Record
from simcore.results.spans import Lane, Op, Spans
from simcore.results.store import Arrays, Piece, Spilled, Store
from simcore.scenario.schema import Scenario

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

KIND_PREFILL = 0
KIND_DECODE = 1

COMMON_COLUMNS = (
    "kind",
    "duration_ps",
    "tokens",
    "context_tokens",
    "lane_op_ps",
    "lane_op_bytes",
    "lane_op_flops",
    "memory_bytes",
)
"""Columns every system records at every step.

kind: KIND_PREFILL or KIND_DECODE. duration_ps: length of the step. tokens: output tokens finished
by the step, all sequences together. context_tokens: KV length of a sequence during the step.
lane_op_ps, lane_op_bytes, lane_op_flops: (lanes, ops) totals, waits included in the times.
memory_bytes: (devices, kinds) in use at the end of the step.
"""

_BLOCK_BYTES = 4 << 20
MOST_PS = 9_200_000_000_000_000_000
"""Longest a run can last, 106 days: what 64 bits hold, less the error of a floating-point sum."""


@dataclass(frozen=True, slots=True)
class MemoryDevice:
    """A memory whose use is tracked.

    Attributes:
        id, title: stable id and name as shown.
        capacity_bytes: what it holds.
    """

    id: str
    title: str
    capacity_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything about a run that does not change from step to step.

    Systems derive their own plans from this class and put what they precompute into them.

    Attributes:
        scenario: the resolved scenario.
        lanes: the serial resources, in display order.
        ops: kinds of operation, ending with `spans.WAIT_OPS`.
        memory: tracked memories.
        memory_kinds: what memory is used for: ``weights``, ``kv`` ...
        total_steps: steps of the whole run, prefill included; an estimate if it is open-ended.
        items: whether steps record single items (neurons), needed for placement grids.
    """

    scenario: Scenario
    lanes: tuple[Lane, ...]
    ops: tuple[Op, ...]
    memory: tuple[MemoryDevice, ...]
    memory_kinds: tuple[str, ...]
    total_steps: int
    items: bool = True

    @property
    def derived(self) -> tuple[str, ...]:
        """Columns that are computed from the others on demand instead of being stored."""
        return ()

    @property
    def open_ended(self) -> bool:
        """Whether only the simulation shows how many steps there are."""
        return False

    def lane_index(self, lane_id: str) -> int:
        """Index of a lane.

        Raises:
            KeyError: if there is no such lane.
        """
        for index, lane in enumerate(self.lanes):
            if lane.id == lane_id:
                return index
        raise KeyError(lane_id)

    def op_index(self, op_id: str) -> int:
        """Index of an op.

        Raises:
            KeyError: if there is no such op.
        """
        for index, op in enumerate(self.ops):
            if op.id == op_id:
                return index
        raise KeyError(op_id)


class Deriver(Protocol):
    """The part of a system that turns recorded steps into things to look at."""

    id: str

    def spans(self, plan: Any, record: Mapping[str, Any]) -> Spans:
        """Ops and waits of a step."""

    def placement(self, plan: Any, run: Run, index: int, items_per_cell: int) -> PlacementGrid:
        """Where things are at a step."""

    def item(self, plan: Any, run: Run, index: int, row: int, column: int) -> ItemInfo:
        """What is known about one item of the placement grid at a step."""

    def explain(self, plan: Any, record: Mapping[str, Any], spans: Spans, span: int) -> Explanation:
        """Why a span is as long as it is."""

    def derive(self, plan: Any, run: Run, column: str, start: int, stop: int) -> Any:
        """A derived column over steps."""

    def cells(self, plan: Any, run: Run, start: int, stop: int) -> Cells:
        """What lanes did over stretches of steps."""

    def note(self, plan: Any, spans: Spans, span: int) -> str:
        """What a span belongs to, in a few words; may be empty."""


class _Column:
    """One quantity over the steps, in blocks of rows."""

    def __init__(self, sample: NDArray[Any], store: Store) -> None:
        self.dtype = sample.dtype
        self.shape = sample.shape
        self.rows = max(1, min(4096, _BLOCK_BYTES // max(1, sample.nbytes)))
        self.blocks: list[Piece] = []
        self._store = store
        self._open: NDArray[Any] = np.empty((0, *self.shape), self.dtype)

    def _to_write(self, block: int) -> NDArray[Any]:
        """The block that rows go to; only the last one is ever written."""
        if block == len(self.blocks):
            if block:
                self.blocks[-1] = self._store.settle(self._open)
            self._open = self._store.block((self.rows, *self.shape), self.dtype)
            self.blocks.append(self._open)
        return self._open

    def put(self, index: int, value: NDArray[Any]) -> None:
        block, row = divmod(index, self.rows)
        self._to_write(block)[row] = value

    def put_many(self, index: int, values: NDArray[Any]) -> None:
        at = 0
        while at < len(values):
            block, row = divmod(index + at, self.rows)
            take = min(self.rows - row, len(values) - at)
            self._to_write(block)[row : row + take] = values[at : at + take]
            at += take

    def get(self, index: int) -> NDArray[Any]:
        block, row = divmod(index, self.rows)
        piece = self.blocks[block]
        if isinstance(piece, Spilled):
            read: NDArray[Any] = piece.rows(row, row + 1)[0]
            return read
        view: NDArray[Any] = piece[row]
        return view

    def count_up_to(self, value: int, length: int) -> int:
        """How many of the first values, which never fall, are at most so large."""
        for number in range(len(self.blocks)):
            first = number * self.rows
            stop = min(self.rows, length - first)
            if first + self.rows >= length or self.get(first + stop - 1) > value:
                here = self.range(first, first + stop)
                return first + int(np.searchsorted(here, value, side="right"))
        return length

    def range(self, start: int, stop: int) -> NDArray[Any]:
        out = np.empty((stop - start, *self.shape), self.dtype)
        at = start
        while at < stop:
            block, row = divmod(at, self.rows)
            take = min(self.rows - row, stop - at)
            piece, part = self.blocks[block], out[at - start : at - start + take]
            if isinstance(piece, Spilled):
                piece.rows_into(row, part)
            else:
                part[...] = piece[row : row + take]
            at += take
        return out


@dataclass(slots=True)
class RunStatus:
    """How far a run is. Written by the worker, read by anyone.

    Attributes:
        finished: every step is there.
        cancelled: the user stopped it; the steps there are valid.
        error: the exception that ended it, if any.
        wall_s: wall time spent stepping.
        peak_rss_bytes: largest memory of the process, when measured.
    """

    finished: bool = False
    cancelled: bool = False
    error: Exception | None = None
    wall_s: float = 0.0
    peak_rss_bytes: int = 0


@dataclass(frozen=True)
class Step:
    """One step of a run; derived things are computed on demand by `Run`."""

    run: Run
    index: int

    def __getitem__(self, column: str) -> Any:
        return self.run.value(column, self.index)

    @property
    def duration_ps(self) -> int:
        """Length of the step."""
        return int(self["duration_ps"])

    @property
    def start_ps(self) -> int:
        """Start on the run's time axis."""
        return self.run.start_ps(self.index)

    def record(self) -> Mapping[str, Any]:
        """All columns of the step; arrays may be views and must not be written."""
        return self.run.record(self.index)

    def spans(self) -> Spans:
        """Ops and waits of the step (cached)."""
        return self.run.spans(self.index)

    def placement(self, items_per_cell: int = 1) -> PlacementGrid:
        """Where things are during the step."""
        return self.run.placement(self.index, items_per_cell)


class _Recent(Generic[_Key, _Value]):
    """What was derived last, of one kind; a lock, because two views may ask at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: dict[_Key, _Value] = {}

    def __contains__(self, key: _Key) -> bool:
        return key in self._entries

    def get(self, key: _Key, derive: Callable[[], _Value]) -> _Value:
        """The value of a key: remembered, or derived now."""
        with self._lock:
            hit = self._entries.pop(key, None)
            if hit is not None:
                self._entries[key] = hit
                return hit
        value = derive()
        with self._lock:
            self._entries[key] = value
            while len(self._entries) > self._limit:
                self._entries.pop(next(iter(self._entries)))
        return value


class Run:
    """A growing or finished run.

    Attributes:
        plan: what does not change.
        system: derives spans, placement and explanations from records.
        status: how far the run is.
        attachments: rarely changing large arrays (name to list), referred to by index from columns.
        figures: what the system says of the whole run, once `summary.system_figures` was asked.
        store: memory and file of columns and attachments.
    """

    def __init__(self, plan: Plan, system: Deriver, *, budget_bytes: int | None = None) -> None:
        """Make an empty run.

        Args:
            plan: what does not change.
            system: derives what is shown from the records.
            budget_bytes: what of the records may stay in memory, the rest goes to a temporary
                file; a share of the computer's memory if nothing is said.
        """
        self.plan = plan
        self.system = system
        self.status = RunStatus()
        self.store = Store(budget_bytes)
        self.attachments: dict[str, Arrays] = {}
        self.figures: Mapping[str, Any] | None = None
        self._columns: dict[str, _Column] = {}
        self._length = 0
        self._end_ps = 0
        self._spans = _Recent[int, Spans](64)
        self._causes = _Recent[tuple[str, int], NDArray[Any]](64)

    @property
    def scenario(self) -> Scenario:
        """The resolved scenario of the run."""
        return self.plan.scenario

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Serial resources in display order."""
        return self.plan.lanes

    @property
    def ops(self) -> tuple[Op, ...]:
        """Kinds of operation, waits last."""
        return self.plan.ops

    def __len__(self) -> int:
        return self._length

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a step. Only the one writer of the run calls this.

        Raises:
            OverflowError: if the run would last longer than `MOST_PS`.
            StorageError: if memory and disk are full; the steps so far stay.
        """
        row = dict(record)
        if not 0 <= int(row["duration_ps"]) <= MOST_PS - self._end_ps:
            raise OverflowError("time beyond what 64 bits hold")
        row["start_ps"] = np.int64(self._end_ps)
        if not self._columns:
            self._columns = {
                name: _Column(np.asarray(value), self.store) for name, value in row.items()
            }
        for name, column in self._columns.items():
            column.put(self._length, np.asarray(row[name]))
        self._end_ps += int(row["duration_ps"])
        self._length += 1

    def until(self, length: int) -> Run:
        """The first steps as a run of fixed length, for readers while the writer appends.

        It shares the columns, so it costs nothing and must not be appended to.
        """
        out = Run(self.plan, self.system, budget_bytes=self.store.budget_bytes)
        # Asked before the length: a run that is finished does not grow any more.
        finished = self.status.finished
        out.status = replace(self.status, finished=finished and length >= self._length)
        out.attachments, out.store = self.attachments, self.store
        out.figures = self.figures if length >= self._length else None
        out._columns, out._spans, out._causes = self._columns, self._spans, self._causes
        out._length = min(max(0, length), self._length)
        return out

    def extend(self, columns: Mapping[str, Any]) -> int:
        """Add several steps given as columns of equal length; how many there were.

        Only the one writer of the run calls this.

        Raises:
            OverflowError: if the run would last longer than `MOST_PS`.
            StorageError: if memory and disk are full; the steps so far stay.
        """
        rows = {name: np.asarray(values) for name, values in columns.items()}
        duration = rows["duration_ps"].astype(np.int64)
        count = len(duration)
        if not count:
            return 0
        # Summed as floating point, since a sum in 64 bits would wrap around in silence.
        if duration.min() < 0 or self._end_ps + float(duration.sum(dtype=np.float64)) > MOST_PS:
            raise OverflowError("time beyond what 64 bits hold")
        start = np.full(count, self._end_ps, np.int64)
        start[1:] += np.cumsum(duration[:-1])
        rows["start_ps"] = start
        self._keep(rows)
        self._end_ps += int(duration.sum())
        self._length += count
        return count

    def _keep(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Put checked rows behind those there are."""
        if not self._columns:
            # All at once, since a reader may ask for the names.
            self._columns = {name: _Column(values[0], self.store) for name, values in rows.items()}
        for name, column in self._columns.items():
            column.put_many(self._length, rows[name])

    @property
    def total_steps(self) -> int:
        """Steps of the whole run; of an open-ended one an estimate until it is finished."""
        if not self.plan.open_ended:
            return int(self.plan.total_steps)
        return (
            self._length if self.status.finished else max(self.plan.total_steps, self._length + 1)
        )

    def attach(self, name: str, array: NDArray[Any]) -> int:
        """Keep a large array; returns its index for a column to refer to.

        Raises:
            StorageError: if memory and disk are full.
        """
        items = self.attachments.setdefault(name, Arrays(self.store))
        items.append(array)
        return len(items) - 1

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, derived ones last; empty before the first step."""
        return (*self._columns, *self.plan.derived) if self._columns else ()

    def value(self, column: str, index: int) -> Any:
        """One column at one step; an array may be a view and must not be written."""
        self._check(index)
        if column in self.plan.derived:
            return self._derived_once(column, index)
        return self._columns[column].get(index)

    def _derived_once(self, column: str, index: int) -> NDArray[Any]:
        """A derived column at one step. All views ask for the step at the cursor."""

        def derive() -> NDArray[Any]:
            value = self._derived(column, index, index + 1)[0]
            value.setflags(write=False)
            return value

        return self._causes.get((column, index), derive)

    def _derived(self, column: str, start: int, stop: int) -> NDArray[Any]:
        values: NDArray[Any] = self.system.derive(self.plan, self, column, start, stop)
        return values

    def column(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """One column over steps start..stop as a new array of shape (steps, ...)."""
        stop = self._length if stop is None else min(stop, self._length)
        if not self._columns or stop <= start:
            return np.empty((0,))
        if name in self.plan.derived:
            return self._derived(name, start, stop)
        return self._columns[name].range(start, stop)

    def cells(self, start: int = 0, stop: int | None = None) -> Cells:
        """What lanes did over steps start..stop, in as few pieces as the system can."""
        stop = self._length if stop is None else min(stop, self._length)
        return self.system.cells(self.plan, self, start, max(start, stop))

    def record(self, index: int) -> Mapping[str, Any]:
        """All columns at one step; derived ones are found out when asked for."""
        self._check(index)
        values = {name: column.get(index) for name, column in self._columns.items()}
        return Record(values, self.plan.derived, lambda name: self._derived_once(name, index))

    def step(self, index: int) -> Step:
        """One step, in O(1)."""
        self._check(index)
        return Step(self, index)

    def start_ps(self, index: int) -> int:
        """Start of a step on the run's time axis."""
        return int(self.value("start_ps", index))

    @property
    def end_ps(self) -> int:
        """End of the last step there is."""
        if not self._length:
            return 0
        last = self._length - 1
        return self.start_ps(last) + int(self.value("duration_ps", last))

    def step_at(self, time_ps: int) -> int:
        """Index of the step that covers a time, clamped to the run."""
        if not self._length:
            return 0
        found = self._columns["start_ps"].count_up_to(time_ps, self._length)
        return min(max(found - 1, 0), self._length - 1)

    def spans(self, index: int) -> Spans:
        """Ops and waits of a step; equal at every call, the last 64 are cached."""
        return self._spans.get(index, lambda: self.system.spans(self.plan, self.record(index)))

    def has_spans(self, index: int) -> bool:
        """Whether the ops of a step are derived already, so that asking for them takes no time."""
        return index in self._spans

    def placement(self, index: int, items_per_cell: int = 1) -> PlacementGrid:
        """Where things are during a step."""
        self._check(index)
        return self.system.placement(self.plan, self, index, items_per_cell)

    def item(self, index: int, row: int, column: int) -> ItemInfo:
        """What is known about one item of the placement grid."""
        self._check(index)
        return self.system.item(self.plan, self, index, row, column)

    def explain(self, index: int, span: int) -> Explanation:
        """Why a span of a step is as long as it is."""
        return self.system.explain(self.plan, self.record(index), self.spans(index), span)

    def note(self, index: int, span: int) -> str:
        """What a span of a step belongs to besides lane and layer; may be empty."""
        return self.system.note(self.plan, self.spans(index), span)

    def _check(self, index: int) -> None:
        if not 0 <= index < self._length:
            raise IndexError(f"step {index} of a run of {self._length}")
