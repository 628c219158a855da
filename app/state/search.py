"""The search: what is looked for, where it is, going from one place to the next."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.state.cursor import Cursor
from app.state.lanes import Lanes
from app.state.runs import RunsModel
from app.state.selection import ItemRef, Selection, SpanRef
from app.state.time_window import TimeWindow
from app.viewmodels.hover import step_name
from app.viewmodels.search import (
    BadPattern,
    Item,
    Matcher,
    Query,
    RunHits,
    item_found,
    make_query,
    memory_found,
    requests_found,
    run_hits,
)
from app.workers.loader import LatestLoader
from simcore.results.run import Run
from simcore.results.spans import Spans

GROW_MS = 700
TRIED_STEPS = 40
"""Steps looked at for the next place before giving up."""


class Search(QObject):
    """What is typed, and what of the run on screen matches.

    Attributes:
        text, regex: what is typed, and whether as a regular expression.
        error: why the text cannot be used; empty if it can.
        hits: where in the run something matches; None while that is being found.
        item: an item of the placement grid the text names, or why there is none.
        filter_lanes: only lanes that match are shown.
        note: what the last move ended with, such as going on at the start.
    """

    changed = Signal()
    show_view = Signal(str)
    opened = Signal()

    def __init__(
        self,
        runs: RunsModel,
        cursor: Cursor,
        window: TimeWindow,
        selection: Selection,
        lanes: Lanes,
    ) -> None:
        super().__init__()
        self._runs = runs
        self._cursor = cursor
        self._window = window
        self._selection = selection
        self._lanes = lanes
        self.text, self.regex, self.error, self.note = "", False, "", ""
        self.filter_lanes = False
        self.query: Query | None = None
        self.hits: RunHits | None = None
        self.item: Item | str | None = None
        self.memory: tuple[str, ...] = ()
        self.requests: NDArray[np.int64] = np.zeros(0, np.int64)
        self._matcher: Matcher | None = None
        self._masks: dict[int, tuple[Spans, NDArray[np.bool_]]] = {}
        self._cancel = threading.Event()
        self._loader = LatestLoader()
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self._growth = QTimer(self, singleShot=True, interval=GROW_MS)
        self._growth.timeout.connect(self._look)
        runs.replaced.connect(lambda _: self._renew())
        runs.cleared.connect(self._renew)
        runs.grew.connect(lambda _: self._growth.isActive() or self._growth.start())
        lanes.changed.connect(self._on_lanes_changed)
        cursor.step_changed.connect(lambda _: self.changed.emit() if self.query else None)

    # What is looked for.

    def set(self, text: str, regex: bool) -> None:
        """Look for a text."""
        if (text, regex) == (self.text, self.regex):
            return
        self.text, self.regex, self.note = text, regex, ""
        try:
            self.query, self.error = make_query(text, regex), ""
        except BadPattern as error:
            self.query, self.error = None, str(error)
        self._renew()
        self._apply_filter()

    def set_filter(self, on: bool) -> None:
        """Show only lanes that match, or all again."""
        self.filter_lanes = on
        self._apply_filter()
        self.changed.emit()

    def close(self) -> None:
        """Look for nothing."""
        self.filter_lanes = False
        self.set("", self.regex)
        self._apply_filter()

    def shut_down(self) -> None:
        """Stop background work."""
        self._cancel.set()
        self._growth.stop()
        self._loader.shut_down()

    # What was found.

    def mask(self, step: int, spans: Spans) -> NDArray[np.bool_] | None:
        """Which spans of a step match; None where nothing is looked for."""
        if self._matcher is None:
            return None
        known = self._masks.get(step)
        if known is None or known[0] is not spans:
            while len(self._masks) > 32:
                self._masks.pop(next(iter(self._masks)))
            known = self._masks[step] = (spans, self._matcher.mask(spans))
        return known[1]

    def count_here(self) -> int:
        """Matching spans in the step at the cursor."""
        run, step = self._runs.current, self._cursor.step
        if run is None or self._matcher is None or step >= self._runs.length:
            return 0
        found = self.mask(step, run.spans(step))
        return int(found.sum()) if found is not None else 0

    def status(self) -> str:
        """What was found, in a line."""
        run = self._runs.current
        if self.error:
            return f"not a regular expression: {self.error}"
        if self.query is None or run is None:
            return ""
        if isinstance(self.item, str):
            return self.item
        parts = []
        if self.item is not None:
            parts.append(f"{self.item.title}: Enter shows it in the map")
        count = self.count_here()
        if self.hits is None:
            parts.append(f"{count:,} in {step_name(run, self._cursor.step)}, looking…")
        elif self.hits.steps():
            total = self._runs.length
            parts.append(
                f"{count:,} in {step_name(run, self._cursor.step)} · "
                f"{self.hits.steps():,} of {total:,} steps"
            )
        if len(self.requests):
            parts.append(f"{len(self.requests):,} changes of requests")
        if self.memory:
            parts.append(f"memory: {', '.join(self.memory)}")
        if not parts:
            return "nothing found"
        return " · ".join(parts) + (f" · {self.note}" if self.note else "")

    # Going there.

    def go(self, direction: int) -> bool:
        """Go to the next (+1) or previous (-1) place; around the end and on where there is none."""
        run = self._runs.current
        self.note = ""
        if run is None or self.query is None or not self._runs.length:
            return False
        if isinstance(self.item, Item):
            self._selection.select_item(ItemRef(self.item.row, self.item.column))
            self.show_view.emit("placement")
            return True
        if self._go_span(run, direction) or self._go_request(direction):
            self.changed.emit()
            return True
        if self.memory:
            self.show_view.emit("memory")
            return True
        self.changed.emit()
        return False

    def _go_span(self, run: Run, direction: int) -> bool:
        chosen = self._selection.span
        step = chosen.step if chosen else self._cursor.step
        found = self._in_step(run, step, chosen.span if chosen else -1, direction)
        if found < 0:
            step, found = self._elsewhere(run, step, direction)
        if found < 0:
            return False
        spans = run.spans(step)
        self._selection.select_span(SpanRef(step, found, int(spans.lane[found])))
        self._cursor.seek(step, int(spans.start_ps[found]))
        start = run.start_ps(step)
        begin, end = start + int(spans.start_ps[found]), start + int(spans.end_ps[found])
        window = self._window
        if end < window.start_ps or begin > window.end_ps:
            middle = (begin + end) / 2
            window.set(middle - window.span_ps / 2, middle + window.span_ps / 2)
        return True

    def _in_step(self, run: Run, step: int, after: int, direction: int) -> int:
        """The next match in a step in order of time, then of lanes; -1 for none."""
        spans = run.spans(step)
        mask = self.mask(step, spans)
        if mask is None or not mask.any():
            return -1
        at = np.flatnonzero(mask)
        order = at[np.lexsort((spans.lane[at], spans.start_ps[at]))]
        key = spans.start_ps[order] * 4096 + spans.lane[order]
        if after >= 0:
            now = int(spans.start_ps[after]) * 4096 + int(spans.lane[after])
        elif step == self._cursor.step:
            now = self._cursor.time_ps * 4096 + (-1 if direction > 0 else 0)
        else:
            now = -1 if direction > 0 else int(key[-1]) + 1
        place = (
            int(np.searchsorted(key, now, side="right"))
            if direction > 0
            else int(np.searchsorted(key, now, side="left")) - 1
        )
        return int(order[place]) if 0 <= place < len(order) else -1

    def _elsewhere(self, run: Run, step: int, direction: int) -> tuple[int, int]:
        """The first match in later (or earlier) steps, and around the end of the run."""
        length, begin = self._runs.length, step
        for _ in range(TRIED_STEPS):
            step += direction
            if not 0 <= step < length:
                step = 0 if direction > 0 else length - 1
                self.note = "from the start" if direction > 0 else "from the end"
            if self.hits is not None:
                jump = self.hits.next_piece(step, direction)
                if jump < 0:
                    step = 0 if direction > 0 else length - 1
                    self.note = "from the start" if direction > 0 else "from the end"
                    jump = self.hits.next_piece(step, direction)
                if jump < 0:
                    return step, -1
                step = jump
            spans = run.spans(step)
            mask = self.mask(step, spans)
            if mask is not None and mask.any():
                at = np.flatnonzero(mask)
                order = at[np.lexsort((spans.lane[at], spans.start_ps[at]))]
                return step, int(order[0 if direction > 0 else -1])
            if step == begin:
                break
        return step, -1

    def _go_request(self, direction: int) -> bool:
        if not len(self.requests):
            return False
        now = self._cursor.absolute_ps
        at = int((self.requests <= now).sum() if direction > 0 else (self.requests < now).sum() - 1)
        if not 0 <= at < len(self.requests):
            at = 0 if direction > 0 else len(self.requests) - 1
            self.note = "from the start" if direction > 0 else "from the end"
        time = float(self.requests[at])
        self._cursor.seek_time(time)
        window = self._window
        if not window.start_ps <= time <= window.end_ps:
            window.set(time - window.span_ps / 2, time + window.span_ps / 2)
        return True

    # Keeping up with the run.

    def _renew(self) -> None:
        run = self._runs.current
        self._masks.clear()
        self.hits, self.item, self.memory = None, None, ()
        self.requests = np.zeros(0, np.int64)
        self._matcher = None
        if run is not None and self.query is not None:
            self._matcher = Matcher(run, self.query)
            self.memory = memory_found(run, self.query)
            if self._runs.length and not self.regex:
                self.item = item_found(run, self._cursor.step, self.text)
            self._look()
        self.changed.emit()

    def _look(self) -> None:
        run, query = self._runs.current, self.query
        self._cancel.set()
        if run is None or query is None or not self._runs.length:
            return
        cancel = self._cancel = threading.Event()
        length = self._runs.length

        def work() -> tuple[RunHits | None, NDArray[np.int64]]:
            found = run_hits(run, Matcher(run, query), length, cancel.is_set)
            return found, requests_found(run, query)

        self._loader.request((run, query), work)

    def _on_loaded(
        self, key: tuple[Run, Query], found: tuple[RunHits | None, NDArray[np.int64]]
    ) -> None:
        if key == (self._runs.current, self.query) and found[0] is not None:
            self.hits, self.requests = found
            self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self.error = f"the search failed: {error}"
        self.changed.emit()

    def _on_lanes_changed(self) -> None:
        """All lanes are shown again: the filter is off."""
        if self.filter_lanes and self.query is not None and self._lanes.query is None:
            self.filter_lanes = False
            self.changed.emit()

    def _apply_filter(self) -> None:
        if not self.filter_lanes or self.query is None:
            self._lanes.set_filter(None)
            return
        self._lanes.set_filter(self.query)
