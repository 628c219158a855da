"""Finding operations, lanes, layers, requests, memories and single items of a run by text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.results.run import Run
from simcore.results.spans import Spans

CHUNK_STEPS = 2048
MOST_REQUESTS = 5000
_NUMBERED = re.compile(r"([^\W\d_]+)[\s#]*(\d+)|(\S+)")
_ITEM = re.compile(r"^\s*([^\W\d_]+)\s*(\d+)[\s,·:]+((?:[^\W\d_]+[\s-]+)*[^\W\d_]+)\s*(\d+)\s*$")


class BadPattern(Exception):  # noqa: N818 - a message at the field
    """The text is no regular expression; the message says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: every pattern must be found, whatever its place.

    Attributes:
        text: as typed.
        patterns: one regular expression, or the words of a plain text.
    """

    text: str
    patterns: tuple[re.Pattern[str], ...]

    def matches(self, text: str) -> bool:
        """Whether all of it is in a text."""
        return all(pattern.search(text) for pattern in self.patterns)

    def touches(self, text: str) -> bool:
        """Whether any of it is in a text."""
        return any(pattern.search(text) for pattern in self.patterns)


def make_query(text: str, regex: bool) -> Query | None:
    """The query of a text; None for an empty one.

    Plain text is split into words, upper and lower case alike; a word and a number, ``layer 1``,
    belong together and do not find ``layer 12``.

    Raises:
        BadPattern: if it is no regular expression.
    """
    if not text.strip():
        return None
    if regex:
        try:
            return Query(text, (re.compile(text, re.IGNORECASE),))
        except re.error as error:
            where = f" at character {error.pos + 1}" if error.pos is not None else ""
            raise BadPattern(f"{error.msg}{where}") from error
    words = []
    for match in _NUMBERED.finditer(text):
        name, number, other = match.groups()
        expression = rf"{re.escape(name)}[\s#]*{number}\b" if name else re.escape(other)
        words.append(re.compile(expression, re.IGNORECASE))
    return Query(text, tuple(words))


class Matcher:
    """Which spans of a run match a query, by operation, lane and layer; remembers its answers."""

    def __init__(self, run: Run, query: Query) -> None:
        self._run = run
        self.query = query
        self._layers = int(run.scenario.model.layers) + 1
        shape = (len(run.ops), len(run.lanes), self._layers)
        self._known = np.full(shape, -1, np.int8)

    def of(self, op: int, lane: int, layer: int) -> bool:
        """Whether spans of an operation on a lane in a layer match; -1 is outside the layers."""
        at = (op, lane, min(layer + 1, self._layers - 1))
        if self._known[at] < 0:
            what, where = self._run.ops[op], self._run.lanes[lane]
            name = f"{what.title} {what.id}"
            place = f"{where.title} {where.id} {where.group}"
            text = f"{name} on {place}" + (f" layer {layer}" if layer >= 0 else "")
            # Waits are found by what they are called, not by standing on every lane.
            found = self.query.matches(text)
            if what.is_wait and found and not self.query.touches(name):
                found = False
            self._known[at] = found
        return bool(self._known[at])

    def mask(self, spans: Spans) -> NDArray[np.bool_]:
        """Which spans of a step match, shape (n,)."""
        lanes, layers = len(self._run.lanes), self._layers + 1
        layer = spans.layer.astype(np.int64) + 1
        code = (spans.op.astype(np.int64) * lanes + spans.lane) * layers + layer
        each, back = np.unique(code, return_inverse=True)
        found = [
            self.of(one // layers // lanes, one // layers % lanes, one % layers - 1)
            for one in each.tolist()
        ]
        real = spans.end_ps > spans.start_ps
        return np.asarray(np.array(found, bool)[back] & real)

    def anywhere(self, op: int, lane: int) -> bool:
        """Whether an operation on a lane matches in any layer."""
        return any(self.of(op, lane, layer) for layer in range(-1, self._layers - 1))


@dataclass(frozen=True, slots=True, eq=False)
class RunHits:
    """Where in a run something matches, from afar.

    Attributes:
        stop: step after the last of each piece, ascending, (n,).
        lanes: (n, lanes) whether anything on the lane matches in the piece.
    """

    stop: NDArray[np.int64]
    lanes: NDArray[np.bool_]

    def steps(self) -> int:
        """Number of steps in pieces with a match."""
        lengths = np.diff(self.stop, prepend=0)
        return int(lengths[self.lanes.any(axis=1)].sum())

    def pieces(self) -> NDArray[np.int64]:
        """First step and step after the last of each stretch with a match, (k, 2)."""
        hit = np.concatenate([[False], self.lanes.any(axis=1), [False]]).astype(np.int8)
        begin, end = np.flatnonzero(np.diff(hit) == 1), np.flatnonzero(np.diff(hit) == -1)
        edges = np.concatenate([[0], self.stop])
        return np.stack([edges[begin], edges[end]], axis=1)

    def has(self, step: int) -> bool:
        """Whether the piece of a step has a match."""
        at = int(np.searchsorted(self.stop, step, side="right"))
        return at < len(self.stop) and bool(self.lanes[at].any())

    def next_piece(self, step: int, direction: int) -> int:
        """The nearest step from `step` on (or back from it) whose piece matches, -1 for none."""
        pieces = self.pieces()
        if direction > 0:
            later = pieces[pieces[:, 1] > step]
            return int(max(later[0, 0], step)) if len(later) else -1
        earlier = pieces[pieces[:, 0] <= step]
        return int(min(earlier[-1, 1] - 1, step)) if len(earlier) else -1


def run_hits(
    run: Run, matcher: Matcher, length: int, cancelled: Callable[[], bool] = lambda: False
) -> RunHits | None:
    """Look at a whole run by the totals of its steps; None if it was cancelled."""
    able = np.zeros((len(run.lanes), len(run.ops)), bool)
    asked = np.zeros_like(able)
    stops, lanes = [], []
    for start in range(0, length, CHUNK_STEPS):
        if cancelled():
            return None
        cells = run.cells(start, min(start + CHUNK_STEPS, length))
        used = cells.time_ps > 0
        for lane, op in np.argwhere(used.any(axis=0) & ~asked).tolist():
            asked[lane, op] = True
            able[lane, op] = matcher.anywhere(op, lane)
        stops.append(np.asarray(cells.stop, np.int64))
        lanes.append((used & able).any(axis=2))
    if not stops:
        return RunHits(np.zeros(0, np.int64), np.zeros((0, len(run.lanes)), bool))
    return RunHits(np.concatenate(stops), np.concatenate(lanes))


def requests_found(run: Run, query: Query) -> NDArray[np.int64]:
    """Times in ps at which a request that matches begins something, ascending; often empty."""
    intervals = getattr(run.system, "request_intervals", None)
    if intervals is None or not query.touches("request"):
        words = [pattern.pattern.lower() for pattern in query.patterns]
        if intervals is None or not any("request" in word for word in words):
            return np.zeros(0, np.int64)
    found = intervals(run.plan, run)
    names = {
        number
        for number in np.unique(found.request)[:MOST_REQUESTS].tolist()
        if query.matches(f"request {number}")
    }
    use = np.isin(found.request, list(names))
    return np.sort(found.start_ps[use])


def memory_found(run: Run, query: Query) -> tuple[str, ...]:
    """Memories and what they hold, where the name matches."""
    names = [device.title for device in run.plan.memory]
    names += [kind.replace("_", " ") for kind in run.plan.memory_kinds]
    return tuple(dict.fromkeys(name for name in names if query.matches(name)))


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the placement grid that was asked for.

    Attributes:
        row, column: where it is.
        title: what it is.
    """

    row: int
    column: int
    title: str


def item_found(run: Run, step: int, text: str) -> Item | str | None:
    """The item of a text such as ``layer 12 neuron 400``, a reason why not, or None for others."""
    match = _ITEM.match(text)
    if match is None:
        return None
    row_word, row, column_word, column = match.groups()
    grid = run.placement(step, 1 << 16)
    if not _same(row_word, grid.row_title):
        return None
    titled = [s for s in grid.sections if _in_title(column_word, s.title)]
    if not titled and not _same(column_word, grid.column_title):
        return None
    section = titled[-1] if titled else None
    first, stop = (section.start, section.stop) if section else (0, grid.columns)
    name = section.title if section else grid.column_title
    if not 0 <= int(row) < grid.rows:
        return f"{grid.row_title} {row} does not exist; there are 0 to {grid.rows - 1}"
    if not 0 <= int(column) < stop - first:
        return f"{column_word} {column} does not exist; there are 0 to {stop - first - 1:,}"
    return Item(int(row), first + int(column), f"{grid.row_title} {row}, {name} {int(column):,}")


def _same(word: str, title: str) -> bool:
    word, title = word.lower().rstrip("s"), title.lower().rstrip("s")
    return bool(title) and (title == word or title.startswith(word) or word in title.split())


def _in_title(word: str, title: str) -> bool:
    """Whether every word is one of a title, in singular or plural."""
    known = {item.lower().rstrip("s") for item in title.split()}
    return all(item.lower().rstrip("s") in known for item in word.split())
