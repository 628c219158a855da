"""Goes through the points of a sweep: looks up what is done, has the rest simulated, stores it."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from simcore.errors import Cancelled, ScenarioErrors, UserError
from simcore.scenario.schema import Scenario
from simcore.sweep.evaluate import Failure, Outcome, Report, failed
from simcore.sweep.executors import Executor
from simcore.sweep.points import Values, listed_points
from simcore.sweep.resolve import PointResolver, code_version, scenario_key
from simcore.sweep.spec import Method, SweepSpec
from simcore.sweep.store import Store
from simcore.sweep.table import Row, make_row

TASK_S = 0.25
"""Aimed length of a task: long beside sending it, short beside what a kill may lose."""
_POLL_S = 0.1
_AHEAD = 2
"""Tasks in line for each worker, so that none waits for the next."""
_LOOK_UP = 32
"""Points looked up in the store at a time, fewer at first so that workers begin at once."""
_READ = 1024
"""Most points resolved ahead of the workers."""
_READ_S = 0.05
"""How long points are resolved ahead before looking at workers again."""
_START_S = 0.01
"""Before asking again whether there are workers."""


@dataclass(slots=True)
class Progress:
    """How far a sweep is.

    Attributes:
        total: points in all.
        done: points with an outcome, failed ones inside.
        failed: points without figures.
        stored: points whose outcome was there before.
        seconds: time since the beginning.
    """

    total: int
    done: int = 0
    failed: int = 0
    stored: int = 0
    seconds: float = 0.0

    @property
    def left_s(self) -> float | None:
        """Expected time left; None while nothing can be said."""
        simulated = self.done - self.stored
        if self.done >= self.total:
            return 0.0
        return self.seconds / simulated * (self.total - self.done) if simulated else None


@dataclass(slots=True)
class _Point:
    """A point on its way: its places in the table, and its scenario until it is done."""

    key: str
    scenario: Scenario
    indices: list[int] = field(default_factory=list)


def run_sweep(
    spec: SweepSpec,
    store: Store,
    executor: Executor,
    *,
    on_rows: Callable[[Sequence[Row], Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Row, ...]:
    """Evaluate every point of a sweep that is not in the store yet.

    Args:
        spec: the sweep.
        store: where outcomes are looked up and kept; each is there before `on_rows` hears of it.
        executor: who simulates; the caller closes it.
        on_rows: called with new rows and the progress, in this thread.
        cancelled: polled; what is done by then is kept.

    Returns:
        A row for each point, in order of the points.

    Raises:
        Cancelled: if `cancelled` said so.
        DataFileError: if the store fails.
        UserError: if the executor cannot go on.
    """
    run = _Run(spec, store, executor, on_rows, cancelled or (lambda: False))
    if spec.method is Method.SEARCH:
        from simcore.sweep.search import Search

        search = Search(spec)
        for points in search.generations():
            search.tell(run.evaluate(points))
    else:
        run.evaluate(listed_points(spec))
    return tuple(run.rows)


def _bare(scenario: Scenario) -> Scenario:
    """A scenario without the sources of its values, most of its size and of no use to a worker."""
    return dataclasses.replace(scenario, provenance={})


class _Run:
    """One run of a sweep."""

    def __init__(
        self,
        spec: SweepSpec,
        store: Store,
        executor: Executor,
        on_rows: Callable[[Sequence[Row], Progress], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self.spec = spec
        self.rows: list[Row] = []
        self.progress = Progress(spec.size)
        self._store = store
        self._resolver = PointResolver(spec.document, spec.axes)
        self._executor = executor
        self._on_rows = on_rows
        self._cancelled = cancelled
        self._begin = time.monotonic()
        self._begun = False  # the executor is asked to get ready when there is something to do
        self._mean_s = 0.0  # of a point; sets how many make a task

    def evaluate(self, points: Sequence[Values]) -> Sequence[Row]:
        """Rows of points, in their order; they are added to `rows`."""
        found: dict[int, Row] = {}
        known: dict[str, _Point] = {}
        flying: dict[Future[Report], list[_Point]] = {}
        self._waiting: deque[_Point] = deque()
        self._suspects: deque[_Point] = deque()
        self._probe: Future[Report] | None = None
        self._values = points
        self._over = False  # all points were looked up
        source = self._unknown(points, known, found)
        while True:
            if self._cancelled():
                self._stop(flying, found)
                raise Cancelled
            more = self._fill(source, flying)
            if not flying and not more:
                break
            ahead = self._read_ahead(source, flying)
            if flying:
                done, _ = wait(flying, 0 if ahead else _POLL_S, FIRST_COMPLETED)
                self._take(done, flying, found)
            elif not ahead:
                time.sleep(_START_S)
        self.rows += (found[index] for index in range(len(points)))
        return [found[index] for index in range(len(points))]

    def _unknown(
        self, points: Sequence[Values], known: dict[str, _Point], found: dict[int, Row]
    ) -> Iterator[_Point | None]:
        """Resolves point after point and yields those that nobody has simulated yet.

        None stands for a part without any, so that whoever asks can look at something else.
        """
        first, stop = 0, 2 * self._executor.slots
        while first < len(points):
            part: dict[str, _Point] = {}
            rows: list[Row] = []
            for index, values in enumerate(points[first:stop], first):
                try:
                    scenario = self._resolver.scenario(values)
                except UserError as error:
                    texts = (
                        [problem.text() for problem in error.problems]
                        if isinstance(error, ScenarioErrors)
                        else [str(error)]
                    )
                    outcome = failed(Failure.INPUT, "; ".join(texts))
                    found[index] = self._row(index, values, "", None, outcome, stored=False)
                    rows.append(found[index])
                    continue
                key = scenario_key(scenario)
                point = known.get(key) or part.setdefault(key, _Point(key, _bare(scenario)))
                point.indices.append(index)
                if key in known:  # the same scenario as a point before
                    self._again(point, index, found)
            known |= part
            outcomes = self._store.get(list(part))
            for key, outcome in outcomes.items():
                rows += self._settle(part[key], outcome, found, stored=True)
            if rows:
                self._tell(rows)
            unknown = [point for key, point in part.items() if key not in outcomes]
            yield from unknown or (None,)
            first, stop = stop, stop + min(2 * (stop - first), _LOOK_UP)

    def _again(self, point: _Point, index: int, found: dict[int, Row]) -> None:
        """A later place of a point that may be done already."""
        first = found.get(point.indices[0])
        if first is not None:
            row = self._row(
                index, self._values[index], point.key, point.scenario, first.outcome, stored=True
            )
            found[index] = row
            self._tell([row])

    def _pull(self, source: Iterator[_Point | None]) -> _Point | None:
        """The next point to simulate; None if there is none here, or `_over`."""
        try:
            return next(source)
        except StopIteration:
            self._over = True
            return None

    def _fill(
        self, source: Iterator[_Point | None], flying: dict[Future[Report], list[_Point]]
    ) -> bool:
        """Give the workers something to do; whether there may be more."""
        if self._suspects:  # one at a time: whoever takes the worker along is found out
            if not flying:
                self._probe = self._submit([self._suspects.popleft()], flying)
            return True
        if not self._begun:
            if not self._waiting:
                first = self._pull(source)
                if first is None:
                    return not self._over
                self._waiting.append(first)
            self._begun = self._executor.ready()
            if not self._begun:
                return True
        while len(flying) < _AHEAD * self._executor.slots:
            task = self._next_task(source)
            if not task:
                return not self._over
            self._submit(task, flying)
        return True

    def _read_ahead(
        self, source: Iterator[_Point | None], flying: Iterable[Future[Report]]
    ) -> bool:
        """Resolve further points while all workers are busy or start; whether there may be more."""
        end = time.monotonic() + _READ_S
        while len(self._waiting) < _READ and time.monotonic() < end:
            if any(future.done() for future in flying):
                return True
            point = self._pull(source)
            if point is not None:
                self._waiting.append(point)
            elif self._over:
                return False
        return len(self._waiting) < _READ

    def _next_task(self, source: Iterator[_Point | None]) -> list[_Point]:
        size = 1
        if self._mean_s > 0:
            fair = (self.progress.total - self.progress.done) // (4 * self._executor.slots)
            size = max(1, min(int(TASK_S / self._mean_s), fair, 256))
        task: list[_Point] = []
        while len(task) < size:
            point = self._waiting.popleft() if self._waiting else self._pull(source)
            if point is None:
                break
            task.append(point)
        return task

    def _submit(
        self, task: list[_Point], flying: dict[Future[Report], list[_Point]]
    ) -> Future[Report] | None:
        try:
            future = self._executor.submit([point.scenario for point in task])
        except Exception as error:
            if not self._executor.died(error):
                raise
            self._suspects.extend(task)
            self._executor.renew()
            return None
        flying[future] = task
        return future

    def _take(
        self,
        done: Iterable[Future[Report]],
        flying: dict[Future[Report], list[_Point]],
        found: dict[int, Row],
    ) -> None:
        dead: list[_Point] = []
        for future in done:
            task = flying.pop(future)
            error = future.exception()
            if error is None:
                self._keep(task, future.result(), found)
            elif not self._executor.died(error):
                raise error
            elif future is self._probe:
                self._blame(task[0], found)
            else:
                dead += task
                self._executor.renew()
        # A worker that dies takes all tasks of a local pool with it; only one point is to blame.
        self._suspects.extend(dead)

    def _blame(self, point: _Point, found: dict[int, Row]) -> None:
        """Record a point that took its worker along when it was alone."""
        text = "the process that simulated it died, perhaps of too little memory"
        outcome = failed(Failure.CRASH, text)
        self._store.put([(point.key, outcome)])
        self._tell(self._settle(point, outcome, found, stored=False))
        self._executor.renew()

    def _keep(self, task: list[_Point], report: Report, found: dict[int, Row]) -> None:
        """Store what a task brought, then show it."""
        if report.code != code_version():
            raise UserError(
                f"a worker runs simcore {report.code}, this is {code_version()}; install the "
                "same version everywhere"
            )
        outcomes = list(zip(task, report.outcomes))  # fewer outcomes than points when cancelled
        self._store.put((point.key, outcome) for point, outcome in outcomes)
        rows: list[Row] = []
        for point, outcome in outcomes:
            rows += self._settle(point, outcome, found, stored=False)
            spent = max(outcome.wall_s, 1e-4)
            # A worker's first point takes far longer than the next: it loads what it needs.
            new = 0.7 if spent < self._mean_s else 0.3
            self._mean_s = (1 - new) * self._mean_s + new * spent if self._mean_s else spent
        self._waiting.extend(task[len(outcomes) :])
        if rows:
            self._tell(rows)

    def _settle(
        self, point: _Point, outcome: Outcome, found: dict[int, Row], *, stored: bool
    ) -> list[Row]:
        rows = [
            self._row(
                index,
                self._values[index],
                point.key,
                point.scenario,
                outcome,
                stored=stored or place > 0,
            )
            for place, index in enumerate(point.indices)
        ]
        found.update(zip(point.indices, rows, strict=True))
        return rows

    def _row(
        self,
        index: int,
        values: Values,
        key: str,
        scenario: Scenario | None,
        outcome: Outcome,
        *,
        stored: bool,
    ) -> Row:
        self.progress.stored += stored
        index += len(self.rows)
        return make_row(self.spec, index, values, key, scenario, outcome)

    def _tell(self, rows: Sequence[Row]) -> None:
        self.progress.done += len(rows)
        self.progress.failed += sum(row.outcome.failure is not None for row in rows)
        self.progress.seconds = time.monotonic() - self._begin
        if self._on_rows is not None:
            self._on_rows(rows, self.progress)

    def _stop(self, flying: dict[Future[Report], list[_Point]], found: dict[int, Row]) -> None:
        """Cancel, and keep what running tasks have by now."""
        self._executor.cancel()
        for future in [future for future in flying if future.cancel()]:
            del flying[future]
        done, _ = wait(flying, 5)
        for future in done:
            if future.exception() is None:
                self._keep(flying[future], future.result(), found)
